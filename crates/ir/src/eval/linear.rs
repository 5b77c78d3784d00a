//! Products in single precision, blocked so that the compiler vectorises them.

use crate::{Conv, LinearKind};
use subrosa_ring::ConvShape;

/// Columns that a convolution unrolls at once.
const TILE: usize = 64;
/// Columns of a register block.
const LANES: usize = 8;

/// out += x * w. The lengths are those of `kind`.
pub(super) fn accumulate(kind: &LinearKind, x: &[f32], w: &[f32], out: &mut [f32]) {
    match kind {
        LinearKind::MatMul {
            rows,
            inner,
            columns,
        } => {
            let a = Matrix {
                values: x,
                stride: *inner,
            };
            let b = Matrix {
                values: w,
                stride: *columns,
            };
            matmul(a, b, out, *columns, [*rows, *inner, *columns]);
        }
        LinearKind::Conv(conv) => convolve(conv, x, w, out),
        LinearKind::Diagonal(spread) => {
            spread.each(|at, channel| out[at] += x[at] * w[channel]);
        }
    }
}

fn convolve(conv: &Conv, x: &[f32], w: &[f32], out: &mut [f32]) {
    let shape = conv.shape();
    let (pixels, in_plane) = (
        shape.out_height() * shape.out_width(),
        conv.in_size[0] * conv.in_size[1],
    );
    let [ins, outs] = [
        conv.in_channels / conv.groups,
        conv.out_channels / conv.groups,
    ];
    let inner = ins * conv.kernel[0] * conv.kernel[1];
    let mut tile = vec![0.0; inner * TILE];
    for image in 0..conv.batch {
        for group in 0..conv.groups {
            let first = image * conv.in_channels + group * ins;
            let planes = &x[first * in_plane..][..ins * in_plane];
            let a = Matrix {
                values: &w[group * outs * inner..][..outs * inner],
                stride: inner,
            };
            let target = (image * conv.out_channels + group * outs) * pixels;
            for start in (0..pixels).step_by(TILE) {
                let width = TILE.min(pixels - start);
                unroll(&shape, planes, ins, start, width, &mut tile);
                let b = Matrix {
                    values: &tile,
                    stride: TILE,
                };
                let c = &mut out[target + start..target + outs * pixels];
                matmul(a, b, c, pixels, [outs, inner, width]);
            }
        }
    }
}

/// Row (channel, ky, kx) of the tile: what outputs `start .. start + width` read there.
fn unroll(
    shape: &ConvShape,
    planes: &[f32],
    ins: usize,
    start: usize,
    width: usize,
    tile: &mut [f32],
) {
    let (height, row_len, out_width) = (shape.in_height, shape.in_width, shape.out_width());
    let mut rows = tile.chunks_exact_mut(TILE);
    for plane in planes.chunks_exact(height * row_len).take(ins) {
        for ky in 0..shape.kernel_height {
            for kx in 0..shape.kernel_width {
                let Some(row) = rows.next() else { return };
                let (mut oy, mut ox) = (start / out_width, start % out_width);
                for value in &mut row[..width] {
                    let y = (oy * shape.stride[0] + ky * shape.dilation[0])
                        .checked_sub(shape.pad_begin[0]);
                    let x = (ox * shape.stride[1] + kx * shape.dilation[1])
                        .checked_sub(shape.pad_begin[1]);
                    *value = match (y, x) {
                        (Some(y), Some(x)) if y < height && x < row_len => plane[y * row_len + x],
                        _ => 0.0,
                    };
                    ox += 1;
                    if ox == out_width {
                        (oy, ox) = (oy + 1, 0);
                    }
                }
            }
        }
    }
}

#[derive(Clone, Copy)]
struct Matrix<'a> {
    values: &'a [f32],
    stride: usize,
}

/// c += a * b, where c has rows `stride` apart and the extents are [rows, inner, columns].
fn matmul(a: Matrix<'_>, b: Matrix<'_>, c: &mut [f32], stride: usize, extents: [usize; 3]) {
    let [rows, inner, columns] = extents;
    let mut row = 0;
    while row < rows {
        let a = Matrix {
            values: &a.values[row * a.stride..],
            stride: a.stride,
        };
        let c = &mut c[row * stride..];
        if rows - row >= 4 {
            block::<4>(a, b, c, stride, inner, columns);
            row += 4;
        } else {
            block::<1>(a, b, c, stride, inner, columns);
            row += 1;
        }
    }
}

fn block<const ROWS: usize>(
    a: Matrix<'_>,
    b: Matrix<'_>,
    c: &mut [f32],
    stride: usize,
    inner: usize,
    columns: usize,
) {
    let rows: [&[f32]; ROWS] = std::array::from_fn(|r| &a.values[r * a.stride..][..inner]);
    let whole = columns / LANES * LANES;
    for column in (0..whole).step_by(LANES) {
        let mut sums = [[0.0f32; LANES]; ROWS];
        for k in 0..inner {
            let Some(b) = b.values[k * b.stride + column..].first_chunk::<LANES>() else {
                return;
            };
            for (sums, row) in sums.iter_mut().zip(&rows) {
                for (sum, b) in sums.iter_mut().zip(b) {
                    *sum += row[k] * b;
                }
            }
        }
        for (r, sums) in sums.iter().enumerate() {
            for (c, sum) in c[r * stride + column..].iter_mut().zip(sums) {
                *c += sum;
            }
        }
    }
    for column in whole..columns {
        for (r, row) in rows.iter().enumerate() {
            let sum: f32 = row
                .iter()
                .zip(b.values[column..].iter().step_by(b.stride))
                .map(|(a, b)| a * b)
                .sum();
            c[r * stride + column] += sum;
        }
    }
}
