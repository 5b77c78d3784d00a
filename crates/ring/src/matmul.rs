//! Products of row-major matrices.
//!
//! # Panics
//! Every function here panics where a slice's length does not fit its shape.

use std::ops::Range;

use crate::Simd;
use crate::elementwise::add_into;
use crate::gemm::{Columns, Operand, Output, Rows, gemm};
use crate::kernel::{AXPY, Kernel, Lane, with_kernel};

/// Columns that several streamed rows take together.
const STRETCH: usize = 256;

/// `out[m, n] += a[m, k] * b[k, n]`, row-major, modulo 2^64.
pub fn matmul_acc(a: &[u64], b: &[u64], out: &mut [u64], m: usize, k: usize, n: usize) {
    matmul_acc_with(Simd::best(), a, b, out, m, k, n);
}

/// [`matmul_acc`] by the kernels of `simd`.
pub fn matmul_acc_with(
    simd: Simd,
    a: &[u64],
    b: &[u64],
    out: &mut [u64],
    m: usize,
    k: usize,
    n: usize,
) {
    matmul_acc_bits_with(simd, 64, a, b, out, m, k, n);
}

/// [`matmul_acc`] where only the low `bits` bits of the result count. For
/// `bits <= 32` the bits of `out` from 32 on are unspecified afterwards.
pub fn matmul_acc_bits(
    bits: u32,
    a: &[u64],
    b: &[u64],
    out: &mut [u64],
    m: usize,
    k: usize,
    n: usize,
) {
    matmul_acc_bits_with(Simd::best(), bits, a, b, out, m, k, n);
}

/// [`matmul_acc_bits`] by the kernels of `simd`.
#[allow(clippy::too_many_arguments)]
pub fn matmul_acc_bits_with(
    simd: Simd,
    bits: u32,
    a: &[u64],
    b: &[u64],
    out: &mut [u64],
    m: usize,
    k: usize,
    n: usize,
) {
    assert_eq!(a.len(), m * k, "the left operand is [m, k]");
    assert_eq!(b.len(), k * n, "the right operand is [k, n]");
    assert_eq!(out.len(), m * n, "the result is [m, n]");
    with_kernel!(simd, bits, kernel => {
        let b = Columns { values: b, stride: n };
        multiply(kernel, a, &b, out, (m, k, n));
    });
}

/// [`matmul_acc_bits`] on `threads` threads, the calling one among them: rows
/// are shared out, columns where there are fewer rows than threads.
#[allow(clippy::too_many_arguments)]
pub fn matmul_acc_threads(
    threads: usize,
    bits: u32,
    a: &[u64],
    b: &[u64],
    out: &mut [u64],
    m: usize,
    k: usize,
    n: usize,
) {
    assert_eq!(a.len(), m * k, "the left operand is [m, k]");
    assert_eq!(b.len(), k * n, "the right operand is [k, n]");
    assert_eq!(out.len(), m * n, "the result is [m, n]");
    let simd = Simd::best();
    if threads <= 1 || out.is_empty() || k == 0 {
        return matmul_acc_bits_with(simd, bits, a, b, out, m, k, n);
    }
    if m >= threads {
        let rows = m.div_ceil(threads);
        let parts = out.chunks_mut(rows * n).zip(a.chunks(rows * k)).collect();
        return share_out(parts, |(out, a): (&mut [u64], &[u64])| {
            matmul_acc_bits_with(simd, bits, a, b, out, a.len() / k, k, n);
        });
    }
    // Whole cache lines of the right operand go to one thread.
    let width = n.div_ceil(threads).next_multiple_of(8);
    let mut parts: Vec<(Range<usize>, Vec<u64>)> = (0..n)
        .step_by(width)
        .map(|start| start..n.min(start + width))
        .map(|columns| (columns.clone(), vec![0; m * columns.len()]))
        .collect();
    share_out(parts.iter_mut().collect(), |(columns, sums)| {
        with_kernel!(simd, bits, kernel => {
            stream(kernel, a, &Columns { values: b, stride: n }, columns.clone(), sums, k);
        });
    });
    for (columns, sums) in parts {
        for (out, sums) in out
            .chunks_exact_mut(n)
            .zip(sums.chunks_exact(columns.len()))
        {
            add_into(&mut out[columns.clone()], sums);
        }
    }
}

/// Runs `work` on each part, the first on the calling thread.
pub(crate) fn share_out<P: Send>(parts: Vec<P>, work: impl Fn(P) + Sync) {
    let mut parts = parts.into_iter();
    let Some(first) = parts.next() else { return };
    let work = &work;
    std::thread::scope(|scope| {
        for part in parts {
            scope.spawn(move || work(part));
        }
        work(first);
    });
}

/// `out[m, columns] += a[m, k] * b[k, columns]`, each row of `b` read once.
fn stream<K: Kernel>(
    kernel: K,
    a: &[u64],
    b: &Columns<'_>,
    columns: Range<usize>,
    out: &mut [u64],
    k: usize,
) {
    if k == 0 || columns.is_empty() {
        return;
    }
    let width = columns.len();
    // One row takes whole rows of `b`; several share a stretch in the cache.
    let stretch = if a.len() == k { width } else { STRETCH };
    for start in (0..width).step_by(stretch) {
        let part = start..width.min(start + stretch);
        for first in (0..k).step_by(AXPY) {
            let steps = first..k.min(first + AXPY);
            let rows = &b.values[first * b.stride + columns.start + start..];
            for (a, out) in a.chunks_exact(k).zip(out.chunks_exact_mut(width)) {
                kernel.axpy(&a[steps.clone()], rows, b.stride, &mut out[part.clone()]);
            }
        }
    }
}

fn multiply<K: Kernel>(
    kernel: K,
    a: &[u64],
    b: &Columns<'_>,
    out: &mut [u64],
    (m, k, n): (usize, usize, usize),
) {
    if m <= K::Lane::STREAMED_ROWS {
        stream(kernel, a, b, 0..n, out, k);
    } else {
        blocked(kernel, a, b, out, (m, k, n));
    }
}

pub(crate) fn blocked<K: Kernel>(
    kernel: K,
    a: &[u64],
    b: &impl Operand<K::Lane>,
    out: &mut [u64],
    (m, k, n): (usize, usize, usize),
) {
    let a = Rows {
        values: a,
        stride: k,
    };
    gemm(
        kernel,
        &a,
        b,
        (m, k, n),
        &mut Matrix {
            values: out,
            columns: n,
        },
    );
}

struct Matrix<'a> {
    values: &'a mut [u64],
    columns: usize,
}

impl Output for Matrix<'_> {
    #[inline]
    fn elements(&mut self, row: usize, columns: Range<usize>) -> Option<(&mut [u64], usize)> {
        Some((
            &mut self.values[row * self.columns + columns.start..],
            self.columns,
        ))
    }

    fn add(&mut self, rows: Range<usize>, columns: Range<usize>, values: &[u64], stride: usize) {
        for (row, values) in rows.zip(values.chunks_exact(stride)) {
            let out = &mut self.values[row * self.columns..][columns.clone()];
            add_into(out, &values[..columns.len()]);
        }
    }
}
