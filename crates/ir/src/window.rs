use serde::{Deserialize, Serialize};

/// A pooling window over [batch, channels, h, w].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Window {
    /// batch * channels
    pub planes: usize,
    pub in_size: [usize; 2],
    pub out_size: [usize; 2],
    pub kernel: [usize; 2],
    pub stride: [usize; 2],
    pub dilation: [usize; 2],
    pub pad_begin: [usize; 2],
}

impl Window {
    pub fn in_len(&self) -> usize {
        self.planes * self.in_size[0] * self.in_size[1]
    }

    pub fn out_len(&self) -> usize {
        self.planes * self.out_size[0] * self.out_size[1]
    }

    /// For each position in the kernel, the input index that every output reads there; `None` in the padding.
    pub fn taps(&self) -> Vec<Vec<Option<u32>>> {
        let [kh, kw] = self.kernel;
        let mut taps = Vec::with_capacity(kh * kw);
        for ky in 0..kh {
            for kx in 0..kw {
                let mut tap = Vec::with_capacity(self.out_len());
                for plane in 0..self.planes {
                    for oy in 0..self.out_size[0] {
                        let y = self.at(0, oy, ky);
                        for ox in 0..self.out_size[1] {
                            tap.push(y.zip(self.at(1, ox, kx)).map(|(y, x)| {
                                ((plane * self.in_size[0] + y) * self.in_size[1] + x) as u32
                            }));
                        }
                    }
                }
                taps.push(tap);
            }
        }
        taps
    }

    /// As [`Window::taps`], for maxima: where a tap lies in the padding it repeats a valid one of its window.
    /// `None` if some window holds nothing but padding.
    pub fn repeated_taps(&self) -> Option<Vec<Vec<u32>>> {
        let taps = self.taps();
        let first: Option<Vec<u32>> = (0..self.out_len())
            .map(|o| taps.iter().find_map(|tap| tap[o]))
            .collect();
        let first = first?;
        Some(
            taps.into_iter()
                .map(|tap| {
                    tap.into_iter()
                        .zip(&first)
                        .map(|(t, f)| t.unwrap_or(*f))
                        .collect()
                })
                .collect(),
        )
    }

    /// What each sum over a window is divided by for its mean: one number for all outputs where they agree,
    /// otherwise one for each output of a plane.
    pub fn divisors(&self, include_pad: bool) -> Vec<u64> {
        let [kh, kw] = self.kernel;
        if include_pad {
            return vec![(kh * kw) as u64];
        }
        let valid = |axis: usize| -> Vec<u64> {
            (0..self.out_size[axis])
                .map(|o| {
                    (0..self.kernel[axis])
                        .filter(|t| self.at(axis, o, *t).is_some())
                        .count()
                })
                .map(|count| count as u64)
                .collect()
        };
        let (rows, columns) = (valid(0), valid(1));
        let mut all: Vec<u64> = rows
            .iter()
            .flat_map(|r| columns.iter().map(move |c| r * c))
            .collect();
        if all.iter().all(|d| Some(d) == all.first()) {
            all.truncate(1);
        }
        all
    }

    fn at(&self, axis: usize, out: usize, tap: usize) -> Option<usize> {
        let padded = out * self.stride[axis] + tap * self.dilation[axis];
        padded
            .checked_sub(self.pad_begin[axis])
            .filter(|i| *i < self.in_size[axis])
    }
}
