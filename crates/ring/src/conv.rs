//! Convolutions (cross-correlations, as in ONNX) over
//! `[batch, channels, height, width]`.
//!
//! # Panics
//! Every function here panics where a slice's length does not fit its shape,
//! or the shape is not sound (see [`ConvShape`]).

use std::ops::Range;

use crate::Simd;
use crate::direct;
use crate::elementwise::add_into;
use crate::gemm::{Operand, Output, Panels, Rows, gemm};
use crate::im2col::Im2col;
use crate::kernel::{Kernel, with_kernel};
use crate::matmul::share_out;
use crate::packed::{LanePanels, Packed, PackedLane, Side};

/// Input `[batch, in_channels, in_height, in_width]`, weights
/// `[out_channels, in_channels / groups, kernel_height, kernel_width]`, output
/// `[batch, out_channels, out_height, out_width]`. Pairs are height first.
///
/// Sound: strides, dilations and `groups` are at least 1, and `groups` divides
/// both channel counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConvShape {
    pub batch: usize,
    pub in_channels: usize,
    pub in_height: usize,
    pub in_width: usize,
    pub out_channels: usize,
    pub kernel_height: usize,
    pub kernel_width: usize,
    pub stride: [usize; 2],
    pub dilation: [usize; 2],
    pub pad_begin: [usize; 2],
    pub pad_end: [usize; 2],
    pub groups: usize,
}

impl ConvShape {
    /// Rows of the output; 0 where the kernel does not fit the padded input.
    pub fn out_height(&self) -> usize {
        self.out_size(0, self.in_height, self.kernel_height)
    }

    /// Columns of the output; 0 where the kernel does not fit the padded input.
    pub fn out_width(&self) -> usize {
        self.out_size(1, self.in_width, self.kernel_width)
    }

    fn out_size(&self, axis: usize, size: usize, kernel: usize) -> usize {
        let padded = size + self.pad_begin[axis] + self.pad_end[axis];
        let reach = kernel.saturating_sub(1) * self.dilation[axis] + 1;
        match padded.checked_sub(reach) {
            Some(free) if kernel > 0 => free / self.stride[axis] + 1,
            _ => 0,
        }
    }

    /// Elements of the input.
    pub fn in_len(&self) -> usize {
        self.batch * self.in_channels * self.in_height * self.in_width
    }

    /// Elements of the output.
    pub fn out_len(&self) -> usize {
        self.batch * self.out_channels * self.positions()
    }

    /// Elements of the weights.
    pub fn weight_len(&self) -> usize {
        self.out_channels * self.depth()
    }

    /// Multiplications and additions of the whole convolution, padding
    /// included.
    pub fn macs(&self) -> u64 {
        self.out_len() as u64 * self.depth() as u64
    }

    /// The shape without batch, image size and padding.
    fn kernel_alone(&self) -> ConvShape {
        let (pad_begin, pad_end) = ([0; 2], [0; 2]);
        ConvShape {
            batch: 0,
            in_height: 0,
            in_width: 0,
            pad_begin,
            pad_end,
            ..*self
        }
    }

    /// Products that make one output.
    pub(crate) fn depth(&self) -> usize {
        self.in_channels / self.groups * self.kernel_height * self.kernel_width
    }

    /// Outputs of one image and channel.
    pub(crate) fn positions(&self) -> usize {
        self.out_height() * self.out_width()
    }

    pub(crate) fn check(&self, x: &[u64], w: usize, out: &[u64]) {
        assert!(
            self.groups > 0
                && self.in_channels.is_multiple_of(self.groups)
                && self.out_channels.is_multiple_of(self.groups)
                && self.stride.iter().chain(&self.dilation).all(|&s| s > 0),
            "the shape is sound"
        );
        assert_eq!(x.len(), self.in_len(), "the input fits the shape");
        assert_eq!(w, self.weight_len(), "the weights fit the shape");
        assert_eq!(out.len(), self.out_len(), "the output fits the shape");
    }
}

/// `out += conv(x, w)`; only the low `bits` bits count. For `bits <= 32` the
/// bits of `out` from 32 on are unspecified afterwards.
pub fn conv_acc(bits: u32, shape: &ConvShape, x: &[u64], w: &[u64], out: &mut [u64]) {
    conv_acc_with(Simd::best(), bits, shape, x, w, out);
}

/// [`conv_acc`] by the kernels of `simd`.
pub fn conv_acc_with(
    simd: Simd,
    bits: u32,
    shape: &ConvShape,
    x: &[u64],
    w: &[u64],
    out: &mut [u64],
) {
    shape.check(x, w.len(), out);
    if shape.depth() > 0 && !out.is_empty() {
        conv_acc_packed(
            shape,
            x,
            &Packed::conv_weights_with(simd, bits, shape, w),
            out,
        );
    }
}

impl Packed {
    /// Packs the weights of a convolution of which the low `bits` bits count;
    /// they serve every batch size, image size and padding.
    pub fn conv_weights(bits: u32, shape: &ConvShape, w: &[u64]) -> Packed {
        Packed::conv_weights_with(Simd::best(), bits, shape, w)
    }

    /// [`Packed::conv_weights`] for the kernels of `simd`.
    pub fn conv_weights_with(simd: Simd, bits: u32, shape: &ConvShape, w: &[u64]) -> Packed {
        assert_eq!(w.len(), shape.weight_len(), "the weights fit the shape");
        let side = Side::ConvWeights(shape.kernel_alone());
        let panels = if direct::serves(shape) {
            LanePanels::Plain(w.to_vec())
        } else {
            with_kernel!(simd, bits, kernel => pack_weights(kernel, shape, w))
        };
        Packed {
            simd,
            bits,
            side,
            panels,
        }
    }
}

fn pack_weights<K: Kernel<Lane: PackedLane>>(_: K, shape: &ConvShape, w: &[u64]) -> LanePanels {
    let (rows, depth) = (shape.out_channels / shape.groups, shape.depth());
    let panels = (0..shape.groups).map(|g| {
        let values = &w[g * rows * depth..][..rows * depth];
        Panels::<K::Lane>::new(
            &Rows {
                values,
                stride: depth,
            },
            depth,
            rows,
            K::ROWS,
        )
    });
    PackedLane::wrap(panels.collect())
}

/// `out += conv(x, w)` with packed weights; the low bits for which they were
/// packed count.
///
/// # Panics
/// Where `w` are not the weights of a convolution of this shape.
pub fn conv_acc_packed(shape: &ConvShape, x: &[u64], w: &Packed, out: &mut [u64]) {
    shape.check(x, shape.weight_len(), out);
    assert_eq!(
        w.side,
        Side::ConvWeights(shape.kernel_alone()),
        "the weights fit the shape"
    );
    if out.is_empty() {
        return;
    }
    with_kernel!(w.simd, w.bits, kernel => match &w.panels {
        LanePanels::Plain(w) => direct::convolve(kernel, shape, x, w, out),
        panels => convolve(kernel, shape, x, panels, out),
    });
}

fn convolve<K: Kernel<Lane: PackedLane>>(
    kernel: K,
    shape: &ConvShape,
    x: &[u64],
    w: &LanePanels,
    out: &mut [u64],
) {
    for (group, w) in K::Lane::get(w).unwrap_or_default().iter().enumerate() {
        let input = Im2col {
            shape,
            input: x,
            group,
        };
        convolve_group(kernel, shape, group, &input, w, out);
    }
}

fn convolve_group<K: Kernel>(
    kernel: K,
    shape: &ConvShape,
    group: usize,
    input: &impl Operand<K::Lane>,
    w: &impl Operand<K::Lane>,
    out: &mut [u64],
) {
    let rows = shape.out_channels / shape.groups;
    let mut out = Images {
        values: out,
        positions: shape.positions(),
        channels: shape.out_channels,
        first: group * rows,
    };
    let product = (rows, shape.depth(), shape.batch * out.positions);
    gemm(kernel, w, input, product, &mut out);
}

/// Rows are channels from `first` on, columns the positions of all images.
struct Images<'a> {
    values: &'a mut [u64],
    positions: usize,
    channels: usize,
    first: usize,
}

impl Images<'_> {
    fn at(&self, row: usize, column: usize) -> usize {
        let channel = column / self.positions * self.channels + self.first + row;
        channel * self.positions + column % self.positions
    }
}

impl Output for Images<'_> {
    #[inline]
    fn elements(&mut self, row: usize, columns: Range<usize>) -> Option<(&mut [u64], usize)> {
        if columns.start % self.positions + columns.len() > self.positions {
            return None;
        }
        let at = self.at(row, columns.start);
        Some((&mut self.values[at..], self.positions))
    }

    fn add(&mut self, rows: Range<usize>, columns: Range<usize>, values: &[u64], stride: usize) {
        let mut column = columns.start;
        while column < columns.end {
            let count = (columns.end - column).min(self.positions - column % self.positions);
            for (row, values) in rows.clone().zip(values.chunks_exact(stride)) {
                let at = self.at(row, column);
                let values = &values[column - columns.start..][..count];
                add_into(&mut self.values[at..at + count], values);
            }
            column += count;
        }
    }
}

/// [`conv_acc`] on `threads` threads, the calling one among them: images are
/// shared out; with fewer images than threads, the groups or output channels
/// of each image.
pub fn conv_acc_threads(
    threads: usize,
    bits: u32,
    shape: &ConvShape,
    x: &[u64],
    w: &[u64],
    out: &mut [u64],
) {
    shape.check(x, w.len(), out);
    if threads <= 1 || w.is_empty() || x.is_empty() || out.is_empty() {
        return conv_acc(bits, shape, x, w, out);
    }
    let (x_image, out_image) = (x.len() / shape.batch, out.len() / shape.batch);
    if shape.batch >= threads {
        let packed = Packed::conv_weights(bits, shape, w);
        let images = shape.batch.div_ceil(threads);
        let parts = x
            .chunks(images * x_image)
            .zip(out.chunks_mut(images * out_image))
            .collect();
        return share_out(parts, |(x, out): (&[u64], &mut [u64])| {
            let shape = ConvShape {
                batch: x.len() / x_image,
                ..*shape
            };
            conv_acc_packed(&shape, x, &packed, out);
        });
    }
    let (units, x_unit) = match shape.groups {
        1 => (shape.out_channels, 0),
        groups => (groups, x_image / groups),
    };
    let (w_unit, out_unit) = (w.len() / units, out_image / units);
    let share = units.div_ceil(threads);
    for (x, out) in x.chunks_exact(x_image).zip(out.chunks_exact_mut(out_image)) {
        let parts = out
            .chunks_mut(share * out_unit)
            .zip(w.chunks(share * w_unit))
            .enumerate()
            .collect();
        share_out(parts, |(i, (out, w)): (usize, (&mut [u64], &[u64]))| {
            let count = out.len() / out_unit;
            let mut part = ConvShape { batch: 1, ..*shape };
            part.out_channels = shape.out_channels / units * count;
            if shape.groups > 1 {
                part.groups = count;
                part.in_channels = shape.in_channels / units * count;
            }
            let x = if x_unit == 0 {
                x
            } else {
                &x[i * share * x_unit..][..count * x_unit]
            };
            conv_acc(bits, &part, x, w, out);
        });
    }
}
