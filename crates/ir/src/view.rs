use crate::{Shape, volume};
use serde::{Deserialize, Serialize};

/// A movement of elements: no arithmetic, the same for floats, shares and masks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum View {
    /// Same elements, another shape.
    Reshape,
    /// Output axis i is input axis `perm[i]`.
    Transpose(Vec<usize>),
    /// One entry for each axis.
    Slice(Vec<SliceAxis>),
    /// Zeros before and after, for each axis.
    Pad {
        before: Vec<usize>,
        after: Vec<usize>,
    },
    /// Inputs behind each other along an axis.
    Concat { axis: usize },
    /// Axes of extent 1 repeated up to the output's shape; the input has the output's rank.
    Broadcast,
}

/// Elements start, start + step, .. of an axis, `count` of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SliceAxis {
    pub start: usize,
    pub step: isize,
    pub count: usize,
}

impl View {
    /// Applies to inputs of the given shapes; zero is `T::default()`. `out` is the output's shape.
    pub fn apply<T: Copy + Default>(&self, inputs: &[(&[usize], &[T])], out: &[usize]) -> Vec<T> {
        match self {
            Self::Reshape => inputs[0].1.to_vec(),
            Self::Concat { axis } => concat(inputs, *axis, out),
            Self::Pad { before, .. } => pad(inputs[0].0, inputs[0].1, before, out),
            _ => {
                let (shape, values) = inputs[0];
                let (start, steps) = self.strides(shape);
                gather(values, start, &steps, out)
            }
        }
    }

    /// First element and the distance in the input for one step along each output axis.
    fn strides(&self, shape: &[usize]) -> (isize, Vec<isize>) {
        let unit = row_major(shape);
        match self {
            Self::Transpose(perm) => (0, perm.iter().map(|axis| unit[*axis]).collect()),
            Self::Slice(axes) => (
                axes.iter()
                    .zip(&unit)
                    .map(|(a, u)| a.start as isize * u)
                    .sum(),
                axes.iter().zip(&unit).map(|(a, u)| a.step * u).collect(),
            ),
            Self::Broadcast => (
                0,
                shape
                    .iter()
                    .zip(&unit)
                    .map(|(n, u)| if *n == 1 { 0 } else { *u })
                    .collect(),
            ),
            Self::Reshape | Self::Pad { .. } | Self::Concat { .. } => (0, unit),
        }
    }
}

fn row_major(shape: &[usize]) -> Vec<isize> {
    let mut strides = vec![1; shape.len()];
    for axis in (1..shape.len()).rev() {
        strides[axis - 1] = strides[axis] * shape[axis] as isize;
    }
    strides
}

fn gather<T: Copy>(values: &[T], start: isize, steps: &[isize], out: &[usize]) -> Vec<T> {
    let mut result = Vec::with_capacity(volume(out));
    if volume(out) == 0 {
        return result;
    }
    let Some((inner, outer)) = out.split_last() else {
        return vec![values[start as usize]];
    };
    let step = steps[steps.len() - 1];
    let mut index: Shape = vec![0; outer.len()];
    let mut base = start;
    loop {
        if step == 1 {
            result.extend_from_slice(&values[base as usize..base as usize + inner]);
        } else {
            result.extend((0..*inner).map(|i| values[(base + i as isize * step) as usize]));
        }
        let mut axis = outer.len();
        loop {
            if axis == 0 {
                return result;
            }
            axis -= 1;
            index[axis] += 1;
            base += steps[axis];
            if index[axis] < outer[axis] {
                break;
            }
            base -= steps[axis] * outer[axis] as isize;
            index[axis] = 0;
        }
    }
}

fn concat<T: Copy>(inputs: &[(&[usize], &[T])], axis: usize, out: &[usize]) -> Vec<T> {
    let outer = volume(&out[..axis]);
    let mut result = Vec::with_capacity(volume(out));
    for row in 0..outer {
        for (shape, values) in inputs {
            let chunk = volume(&shape[axis..]);
            result.extend_from_slice(&values[row * chunk..(row + 1) * chunk]);
        }
    }
    result
}

fn pad<T: Copy + Default>(
    shape: &[usize],
    values: &[T],
    before: &[usize],
    out: &[usize],
) -> Vec<T> {
    let mut result = vec![T::default(); volume(out)];
    let Some(inner) = shape.last().copied().filter(|_| !values.is_empty()) else {
        return if shape.is_empty() {
            values.to_vec()
        } else {
            result
        };
    };
    let (to, from) = (row_major(out), row_major(shape));
    let last = shape.len() - 1;
    for row in 0..values.len() / inner {
        let source = row * inner;
        let target: isize = (0..=last)
            .map(|axis| {
                let index = (source as isize / from[axis]) % shape[axis] as isize;
                (index + before[axis] as isize) * to[axis]
            })
            .sum();
        let target = target as usize;
        result[target..target + inner].copy_from_slice(&values[source..source + inner]);
    }
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moves_as_numpy_does() {
        let x: Vec<u32> = (0..6).collect();
        let check = |view: View, out: &[usize], want: &[u32]| {
            assert_eq!(view.apply(&[(&[2, 3], &x)], out), want, "{view:?}");
        };
        check(View::Transpose(vec![1, 0]), &[3, 2], &[0, 3, 1, 4, 2, 5]);
        let back = SliceAxis {
            start: 2,
            step: -2,
            count: 2,
        };
        let all = SliceAxis {
            start: 0,
            step: 1,
            count: 2,
        };
        check(View::Slice(vec![all, back]), &[2, 2], &[2, 0, 5, 3]);
        check(
            View::Pad {
                before: vec![1, 0],
                after: vec![0, 1],
            },
            &[3, 4],
            &[0, 0, 0, 0, 0, 1, 2, 0, 3, 4, 5, 0],
        );
        let joined = View::Concat { axis: 1 }.apply(&[(&[2, 3], &x), (&[2, 1], &[8, 9])], &[2, 4]);
        assert_eq!(joined, [0, 1, 2, 8, 3, 4, 5, 9]);
        let spread = View::Broadcast.apply(&[(&[2, 1], &[8, 9])], &[2, 3]);
        assert_eq!(spread, [8, 8, 8, 9, 9, 9]);
    }
}
