//! Products in single precision, blocked so that the compiler vectorises them.

use crate::{Conv, LinearKind};
use std::ops::Range;
use subrosa_ring::ConvShape;

/// Columns that a convolution unrolls at once.
const TILE: usize = 64;

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
    let mut rows = tile.chunks_exact_mut(TILE);
    for plane in planes
        .chunks_exact(shape.in_height * shape.in_width)
        .take(ins)
    {
        for ky in 0..shape.kernel_height {
            for kx in 0..shape.kernel_width {
                let Some(row) = rows.next() else { return };
                unroll_tap(shape, plane, [ky, kx], start, &mut row[..width]);
            }
        }
    }
}

/// What consecutive outputs from `start` read at one position of the kernel.
fn unroll_tap(shape: &ConvShape, plane: &[f32], tap: [usize; 2], start: usize, out: &mut [f32]) {
    let (out_width, [down, right]) = (shape.out_width(), shape.stride);
    let shift = [0, 1].map(|axis| tap[axis] * shape.dilation[axis]);
    let [top, left] = shape.pad_begin;
    // Columns of the output whose tap lies inside the input.
    let first = left.saturating_sub(shift[1]).div_ceil(right);
    let last = (shape.in_width + left)
        .saturating_sub(shift[1])
        .div_ceil(right);
    let (mut oy, mut ox, mut rest) = (start / out_width, start % out_width, out);
    while !rest.is_empty() {
        let (row, tail) = rest.split_at_mut(rest.len().min(out_width - ox));
        let y = (oy * down + shift[0])
            .checked_sub(top)
            .filter(|y| *y < shape.in_height);
        let (from, to) = (
            first.clamp(ox, ox + row.len()),
            last.clamp(ox, ox + row.len()),
        );
        match y {
            Some(y) if from < to => {
                let source = &plane[y * shape.in_width..][..shape.in_width];
                let source = &source[from * right + shift[1] - left..];
                row[..from - ox].fill(0.0);
                row[to - ox..].fill(0.0);
                let inside = &mut row[from - ox..to - ox];
                if right == 1 {
                    inside.copy_from_slice(&source[..inside.len()]);
                } else {
                    for (value, read) in inside.iter_mut().zip(source.iter().step_by(right)) {
                        *value = *read;
                    }
                }
            }
            _ => row.fill(0.0),
        }
        (oy, ox, rest) = (oy + 1, 0, tail);
    }
}

#[derive(Clone, Copy)]
struct Matrix<'a> {
    values: &'a [f32],
    stride: usize,
}

/// c += a * b, where c has rows `stride` apart and the extents are [rows, inner, columns].
fn matmul(
    a: Matrix<'_>,
    b: Matrix<'_>,
    c: &mut [f32],
    stride: usize,
    [rows, inner, columns]: [usize; 3],
) {
    let mut row = 0;
    while row < rows {
        let a = Matrix {
            values: &a.values[row * a.stride..],
            stride: a.stride,
        };
        let c = &mut c[row * stride..];
        // As many sums side by side as the registers hold, in four rows or in one.
        if rows - row >= 4 {
            let done = block::<4, 8>(a, b, c, stride, inner, 0..columns);
            block::<4, 1>(a, b, c, stride, inner, done..columns);
            row += 4;
        } else {
            let done = block::<1, 32>(a, b, c, stride, inner, 0..columns);
            let done = block::<1, 8>(a, b, c, stride, inner, done..columns);
            block::<1, 1>(a, b, c, stride, inner, done..columns);
            row += 1;
        }
    }
}

/// As many of the columns as are a multiple of `LANES`; the first that is left.
fn block<const ROWS: usize, const LANES: usize>(
    a: Matrix<'_>,
    b: Matrix<'_>,
    c: &mut [f32],
    stride: usize,
    inner: usize,
    columns: Range<usize>,
) -> usize {
    let rows: [&[f32]; ROWS] = std::array::from_fn(|r| &a.values[r * a.stride..][..inner]);
    let done = columns.start + columns.len() / LANES * LANES;
    for column in (columns.start..done).step_by(LANES) {
        let mut sums = [[0.0f32; LANES]; ROWS];
        for k in 0..inner {
            let Some(b) = b.values[k * b.stride + column..].first_chunk::<LANES>() else {
                break;
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
    done
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_are_the_schoolbook_product() {
        let (rows, inner, columns) = (7, 30, 37);
        let values = |n: usize| -> Vec<f32> {
            (0..n)
                .map(|i| ((i * 7919) % 1000) as f32 / 311.0 - 1.5)
                .collect()
        };
        let (a, b) = (values(rows * inner), values(inner * columns));
        let matrix = |values, stride| Matrix { values, stride };
        let mut got = vec![0.5; rows * columns];
        let extents = [rows, inner, columns];
        matmul(
            matrix(&a, inner),
            matrix(&b, columns),
            &mut got,
            columns,
            extents,
        );
        for (at, got) in got.iter().enumerate() {
            let (r, c) = (at / columns, at % columns);
            let sum: f32 = (0..inner)
                .map(|k| a[r * inner + k] * b[k * columns + c])
                .sum();
            assert!((got - sum - 0.5).abs() < 1e-4);
        }
    }
}
