//! The right operand of a convolution, gathered from the input block by block:
//! lane `(image, oy, ox)`, step `(channel, ky, kx)`.

use std::ops::Range;

use crate::conv::ConvShape;
use crate::gemm::{GATHER, Operand, scatter};
use crate::kernel::Lane;

pub(crate) struct Im2col<'a> {
    pub shape: &'a ConvShape,
    pub input: &'a [u64],
    pub group: usize,
}

impl<L: Lane> Operand<L> for Im2col<'_> {
    fn block<'a>(
        &'a self,
        depth: Range<usize>,
        lanes: Range<usize>,
        width: usize,
        buffer: &'a mut Vec<L>,
    ) -> &'a [L] {
        let steps = depth.len();
        buffer.resize(lanes.len().next_multiple_of(width) * steps, L::default());
        let mut rows: [Vec<u64>; GATHER] = Default::default();
        for first in depth.clone().step_by(GATHER) {
            let count = GATHER.min(depth.end - first);
            for (i, row) in rows[..count].iter_mut().enumerate() {
                row.clear();
                row.resize(lanes.len(), 0);
                self.gather(first + i, lanes.start, row);
            }
            let rows: [&[u64]; GATHER] = std::array::from_fn(|i| rows[i].as_slice());
            scatter(&rows[..count], first - depth.start, steps, width, buffer);
        }
        buffer
    }
}

impl Im2col<'_> {
    /// Step `step` of the lanes from `first` on, into zeros.
    fn gather(&self, step: usize, first: usize, row: &mut [u64]) {
        let s = self.shape;
        let (kx, ky) = (
            step % s.kernel_width,
            step / s.kernel_width % s.kernel_height,
        );
        let channels = s.in_channels / s.groups;
        let channel = self.group * channels + step / (s.kernel_width * s.kernel_height);
        let (height, width) = (s.out_height(), s.out_width());
        let valid = window(
            kx * s.dilation[1],
            s.pad_begin[1],
            s.stride[1],
            s.in_width,
            width,
        );
        let mut lane = first;
        let mut rest = row;
        while !rest.is_empty() {
            let (image, oy, ox) = (lane / (height * width), lane / width % height, lane % width);
            let count = rest.len().min(width - ox);
            let (to, tail) = rest.split_at_mut(count);
            let iy = (oy * s.stride[0] + ky * s.dilation[0]).checked_sub(s.pad_begin[0]);
            if let Some(iy) = iy.filter(|&iy| iy < s.in_height) {
                let line = &self.input
                    [((image * s.in_channels + channel) * s.in_height + iy) * s.in_width..]
                    [..s.in_width];
                let (start, end) = (valid.start.max(ox), valid.end.min(ox + count));
                if start < end {
                    let to = &mut to[start - ox..end - ox];
                    let from = &line[start * s.stride[1] + kx * s.dilation[1] - s.pad_begin[1]..];
                    if s.stride[1] == 1 {
                        to.copy_from_slice(&from[..to.len()]);
                    } else {
                        for (to, &v) in to.iter_mut().zip(from.iter().step_by(s.stride[1])) {
                            *to = v;
                        }
                    }
                }
            }
            lane += count;
            rest = tail;
        }
    }
}

/// The outputs `o < outputs` whose input `o * stride + offset - pad` lies in
/// `0..inputs`.
pub(crate) fn window(
    offset: usize,
    pad: usize,
    stride: usize,
    inputs: usize,
    outputs: usize,
) -> Range<usize> {
    let start = pad.saturating_sub(offset).div_ceil(stride);
    let end = (inputs + pad).saturating_sub(offset).div_ceil(stride);
    start.min(outputs)..end.min(outputs)
}
