//! Parts of a tensor.

use crate::error::{Fault, Op};
use crate::lowering::Lowering;
use crate::node::Node;
use crate::ops::constant::extents;
use crate::value::{Args, Value, axes, axis};
use subrosa_ir::{Shape, SliceAxis, View};

pub(crate) fn slice(l: &mut Lowering, node: &Node<'_>, args: &Args) -> Op<Vec<Value>> {
    let x = args.get(0)?;
    let from = l.shape(x).to_vec();
    let (starts, ends, named, steps) = if node.opset < 10 {
        node.takes(args, 1)?;
        let missing = |name| Fault::MissingAttribute { name };
        let starts = node.ints("starts")?.ok_or(missing("starts"))?;
        (
            starts,
            node.ints("ends")?.ok_or(missing("ends"))?,
            node.ints("axes")?,
            None,
        )
    } else {
        node.without(&["starts", "ends", "axes"])?;
        (
            args.ints(1)?,
            args.ints(2)?,
            args.optional_ints(3)?,
            args.optional_ints(4)?,
        )
    };
    let expected = starts.len();
    let entries = |what, found: usize| {
        if found == expected {
            Ok(())
        } else {
            Err(Fault::Entries {
                what,
                expected,
                found,
            })
        }
    };
    entries("ends", ends.len())?;
    entries("axes", named.map_or(expected, <[i64]>::len))?;
    entries("steps", steps.map_or(expected, <[i64]>::len))?;
    let positions = match named {
        Some(named) => axes(named, from.len())?,
        None if expected <= from.len() => (0..expected).collect(),
        None => {
            return Err(Fault::Entries {
                what: "starts",
                expected: from.len(),
                found: expected,
            }
            .into());
        }
    };
    let mut cut = whole(&from);
    for (at, position) in positions.into_iter().enumerate() {
        let pick = |list: &[i64]| list.get(at).copied().unwrap_or(1);
        if let (Some(slot), Some(extent)) = (cut.get_mut(position), from.get(position)) {
            *slot = cut_axis(*extent, pick(starts), pick(ends), steps.map_or(1, pick))?;
        }
    }
    Ok(vec![take(l, x, cut)?])
}

fn whole(shape: &[usize]) -> Vec<SliceAxis> {
    shape
        .iter()
        .map(|count| SliceAxis {
            start: 0,
            step: 1,
            count: *count,
        })
        .collect()
}

/// The elements from `start` up to but without `end`, both clamped and perhaps counted from the end.
fn cut_axis(extent: usize, start: i64, end: i64, step: i64) -> Op<SliceAxis> {
    let n = extent as i128;
    let place = |v: i64| {
        if v < 0 {
            i128::from(v) + n
        } else {
            i128::from(v)
        }
    };
    let (start, end, step) = (place(start), place(end), i128::from(step));
    let (start, end) = match step.signum() {
        1 => (start.clamp(0, n), end.clamp(0, n)),
        -1 => (start.clamp(-1, n - 1), end.clamp(-1, n - 1)),
        _ => return Err(Fault::ZeroStep.into()),
    };
    let count = ((end - start + step - step.signum()) / step).max(0);
    // A step past the extent is never taken.
    let step = step.clamp(-n - 1, n + 1);
    Ok(SliceAxis {
        start: start.max(0) as usize,
        step: step as isize,
        count: count as usize,
    })
}

fn take(l: &mut Lowering, x: &Value, cut: Vec<SliceAxis>) -> Op<Value> {
    let shape: Shape = cut.iter().map(|axis| axis.count).collect();
    l.view(x, View::Slice(cut), &shape)
}

pub(crate) fn split(l: &mut Lowering, node: &Node<'_>, args: &Args) -> Op<Vec<Value>> {
    let x = args.get(0)?;
    let from = l.shape(x).to_vec();
    let position = axis(node.int_or("axis", 0)?, from.len())?;
    let extent = from.get(position).copied().unwrap_or(0);
    let named = node.moved_ints(args, 1, "split", 13)?;
    let parts = match named {
        Some(named) => extents(named)?,
        None => {
            let outputs = node.proto.output.len();
            let declared = node.int_or("num_outputs", outputs as i64)?;
            if usize::try_from(declared) != Ok(outputs) {
                let found = usize::try_from(declared).unwrap_or(0);
                return Err(Fault::OutputCount {
                    expected: outputs,
                    found,
                }
                .into());
            }
            even_parts(extent, outputs)
        }
    };
    let total = parts
        .iter()
        .try_fold(0usize, |sum, part| sum.checked_add(*part));
    if total != Some(extent) {
        let found = total.unwrap_or(usize::MAX);
        return Err(Fault::Entries {
            what: "elements of the parts",
            expected: extent,
            found,
        }
        .into());
    }
    let mut start = 0;
    let mut results = Vec::with_capacity(parts.len());
    for count in parts {
        let mut cut = whole(&from);
        if let Some(slot) = cut.get_mut(position) {
            *slot = SliceAxis {
                start,
                step: 1,
                count,
            };
        }
        start += count;
        results.push(take(l, x, cut)?);
    }
    Ok(results)
}

/// Parts of the same extent; the last may be smaller.
fn even_parts(extent: usize, parts: usize) -> Shape {
    let each = extent.div_ceil(parts.max(1));
    (0..parts)
        .map(|part| extent.saturating_sub(part * each).min(each))
        .collect()
}

/// Elements of one axis by constant indices: one, or evenly spaced runs of them.
pub(crate) fn gather(l: &mut Lowering, node: &Node<'_>, args: &Args) -> Op<Vec<Value>> {
    let x = args.get(0)?;
    let from = l.shape(x).to_vec();
    let position = axis(node.int_or("axis", 0)?, from.len())?;
    let extent = from.get(position).copied().unwrap_or(0);
    let at = |index: &i64| {
        axis(*index, extent).map_err(|_| Fault::Index {
            found: *index,
            extent,
        })
    };
    let indices: Shape = args.ints(1)?.iter().map(at).collect::<Result<_, _>>()?;
    let mut pieces = Vec::new();
    let mut rest = indices.as_slice();
    while let Some(start) = rest.first() {
        let (step, count) = run(rest);
        let mut cut = whole(&from);
        if let Some(slot) = cut.get_mut(position) {
            *slot = SliceAxis {
                start: *start,
                step,
                count,
            };
        }
        pieces.push(take(l, x, cut)?);
        rest = rest.get(count..).unwrap_or(&[]);
    }
    let mut shape = from.clone();
    if let Some(slot) = shape.get_mut(position) {
        *slot = indices.len();
    }
    let joined = match pieces.as_slice() {
        [] => take(
            l,
            x,
            shape
                .iter()
                .map(|count| SliceAxis {
                    start: 0,
                    step: 1,
                    count: *count,
                })
                .collect(),
        )?,
        [one] => one.clone(),
        many => l.views(
            &many.iter().collect::<Vec<_>>(),
            View::Concat { axis: position },
            &shape,
        )?,
    };
    shape.splice(
        position..position + 1,
        args.constant(1)?.shape.iter().copied(),
    );
    Ok(vec![l.view(&joined, View::Reshape, &shape)?])
}

/// Step and length of the evenly spaced run at the front.
fn run(indices: &[usize]) -> (isize, usize) {
    let step = |pair: &[usize]| match pair {
        [a, b] => *b as isize - *a as isize,
        _ => 1,
    };
    let first = indices.windows(2).next().map_or(1, step);
    if first == 0 {
        return (1, 1);
    }
    (
        first,
        1 + indices
            .windows(2)
            .take_while(|pair| step(pair) == first)
            .count(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slices_are_clamped_as_onnx_says() {
        let cut = |extent, start, end, step| {
            let axis = cut_axis(extent, start, end, step).unwrap();
            (0..axis.count)
                .map(|i| axis.start as isize + i as isize * axis.step)
                .collect::<Vec<_>>()
        };
        assert_eq!(cut(5, 1, i64::MAX, 2), [1, 3]);
        assert_eq!(cut(5, -2, 100, 1), [3, 4]);
        assert_eq!(cut(5, -1, i64::MIN, -2), [4, 2, 0]);
        assert_eq!(cut(5, 4, 0, -1), [4, 3, 2, 1]);
        assert_eq!(cut(5, 9, i64::MIN + 1, i64::MIN), [4]);
        assert!(cut(5, 3, 3, 1).is_empty());
        assert!(cut(5, -9, -7, -1).is_empty());
        assert!(cut_axis(5, 0, 1, 0).is_err());
    }

    #[test]
    fn runs_are_found() {
        assert_eq!(run(&[3]), (1, 1));
        assert_eq!(run(&[4, 2, 0, 1]), (-2, 3));
        assert_eq!(run(&[2, 2, 2]), (1, 1));
    }
}
