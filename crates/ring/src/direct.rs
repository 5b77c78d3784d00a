//! Convolutions with few output channels a group, where gathering the input
//! would cost more than the products: rows of the output take rows of the
//! input directly.

use crate::conv::ConvShape;
use crate::kernel::{AXPY, Kernel};

/// Up to this many output channels a group.
const ROWS: usize = 2;

/// Whether the direct way serves the shape and pays.
pub(crate) fn serves(shape: &ConvShape) -> bool {
    shape.stride[1] == 1 && shape.out_channels <= ROWS * shape.groups
}

/// `out += conv(x, w)` for a shape that [`serves`] accepts and an output that
/// is not empty.
pub(crate) fn convolve<K: Kernel>(
    kernel: K,
    shape: &ConvShape,
    x: &[u64],
    w: &[u64],
    out: &mut [u64],
) {
    let (channels, rows) = (
        shape.in_channels / shape.groups,
        shape.out_channels / shape.groups,
    );
    let plane = shape.in_height * shape.in_width;
    if channels * plane == 0 {
        return;
    }
    let mut line = vec![0; shape.pad_begin[1] + shape.in_width + shape.pad_end[1]];
    let groups = x
        .chunks_exact(channels * plane)
        .zip(out.chunks_exact_mut(rows * shape.positions()));
    for (i, (x, out)) in groups.enumerate() {
        let group = i % shape.groups;
        let w = &w[group * rows * shape.depth()..][..rows * shape.depth()];
        for (c, x) in x.chunks_exact(plane).enumerate() {
            for (iy, x) in x.chunks_exact(shape.in_width).enumerate() {
                line[shape.pad_begin[1]..][..shape.in_width].copy_from_slice(x);
                add_line(kernel, shape, (c, iy), &line, w, out);
            }
        }
    }
}

/// Adds what row `iy` of channel `c`, padded to `line`, gives to the outputs
/// of its group.
fn add_line<K: Kernel>(
    kernel: K,
    shape: &ConvShape,
    (c, iy): (usize, usize),
    line: &[u64],
    w: &[u64],
    out: &mut [u64],
) {
    let (taps, step, width) = (shape.kernel_width, shape.dilation[1], shape.out_width());
    for ky in 0..shape.kernel_height {
        let Some(y) = (iy + shape.pad_begin[0]).checked_sub(ky * shape.dilation[0]) else {
            break;
        };
        let oy = y / shape.stride[0];
        if !y.is_multiple_of(shape.stride[0]) || oy >= shape.out_height() {
            continue;
        }
        for (w, out) in w
            .chunks_exact(shape.depth())
            .zip(out.chunks_exact_mut(shape.positions()))
        {
            let w = &w[(c * shape.kernel_height + ky) * taps..][..taps];
            let out = &mut out[oy * width..][..width];
            for (w, kx) in w.chunks(AXPY).zip((0..taps).step_by(AXPY)) {
                kernel.axpy(w, &line[kx * step..], step, out);
            }
        }
    }
}
