//! Products of row-major matrices.
//!
//! # Panics
//! Every function here panics where a slice's length does not fit its shape.

use std::ops::Range;

use crate::Simd;
use crate::elementwise::add_into;
use crate::gemm::{Columns, Operand, Output, Panels, Rows, gemm};
use crate::kernel::{AXPY, Kernel, Lane, with_kernel};

/// Up to this many rows of the left operand the right one is streamed as it
/// lies, since packing it would not pay.
const STREAMED_ROWS: usize = 4;

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
        if m <= STREAMED_ROWS {
            stream(kernel, a, &b, 0..n, out, k);
        } else {
            blocked(kernel, a, &b, out, (m, k, n));
        }
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
    for first in (0..k).step_by(AXPY) {
        let steps = first..k.min(first + AXPY);
        let rows = &b.values[first * b.stride + columns.start..];
        for (a, out) in a.chunks_exact(k).zip(out.chunks_exact_mut(columns.len())) {
            kernel.axpy(&a[steps.clone()], rows, b.stride, out);
        }
    }
}

fn blocked<K: Kernel>(
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

#[derive(Clone, Debug)]
pub(crate) enum LanePanels {
    Narrow(Vec<Panels<u32>>),
    Wide(Vec<Panels<u64>>),
}

/// A lane type as a case of [`LanePanels`].
pub(crate) trait PackedLane: Lane {
    fn wrap(panels: Vec<Panels<Self>>) -> LanePanels;
    fn get(panels: &LanePanels) -> Option<&[Panels<Self>]>;
}

impl PackedLane for u32 {
    fn wrap(panels: Vec<Panels<u32>>) -> LanePanels {
        LanePanels::Narrow(panels)
    }
    fn get(panels: &LanePanels) -> Option<&[Panels<u32>]> {
        match panels {
            LanePanels::Narrow(panels) => Some(panels),
            LanePanels::Wide(_) => None,
        }
    }
}

impl PackedLane for u64 {
    fn wrap(panels: Vec<Panels<u64>>) -> LanePanels {
        LanePanels::Wide(panels)
    }
    fn get(panels: &LanePanels) -> Option<&[Panels<u64>]> {
        match panels {
            LanePanels::Wide(panels) => Some(panels),
            LanePanels::Narrow(_) => None,
        }
    }
}

/// An operand packed once for repeated products: the right operand of a
/// matrix product ([`Packed::right`]), or the weights of a convolution
/// ([`Packed::conv_weights`]).
///
/// It holds secrets where the operand does, and is not wiped on drop.
#[derive(Clone, Debug)]
pub struct Packed {
    pub(crate) simd: Simd,
    pub(crate) bits: u32,
    pub(crate) side: Side,
    pub(crate) panels: LanePanels,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    Right {
        k: usize,
        n: usize,
    },
    ConvWeights {
        groups: usize,
        rows: usize,
        depth: usize,
    },
}

impl Packed {
    /// Packs `b`, row-major `[k, n]`, for products of which the low `bits`
    /// bits count.
    pub fn right(bits: u32, b: &[u64], k: usize, n: usize) -> Packed {
        Packed::right_with(Simd::best(), bits, b, k, n)
    }

    /// [`Packed::right`] for the kernels of `simd`.
    pub fn right_with(simd: Simd, bits: u32, b: &[u64], k: usize, n: usize) -> Packed {
        assert_eq!(b.len(), k * n, "the right operand is [k, n]");
        fn pack<K: Kernel<Lane: PackedLane>>(_: K, b: &[u64], k: usize, n: usize) -> LanePanels {
            let b = Columns {
                values: b,
                stride: n,
            };
            PackedLane::wrap(vec![Panels::<K::Lane>::new(&b, k, n, K::COLUMNS)])
        }
        let panels = with_kernel!(simd, bits, kernel => pack(kernel, b, k, n));
        Packed {
            simd,
            bits,
            side: Side::Right { k, n },
            panels,
        }
    }

    /// The width of the ring it was packed for.
    pub fn bits(&self) -> u32 {
        self.bits
    }
}

/// `out[m, n] += a[m, k] * b[k, n]` with a packed `b`; the low bits for which
/// it was packed count.
///
/// # Panics
/// Where `b` is not a right operand, or a length does not fit.
pub fn matmul_acc_packed(a: &[u64], b: &Packed, out: &mut [u64], m: usize) {
    let Side::Right { k, n } = b.side else {
        panic!("a right operand is packed by Packed::right");
    };
    assert_eq!(a.len(), m * k, "the left operand is [m, k]");
    assert_eq!(out.len(), m * n, "the result is [m, n]");
    fn product<K: Kernel<Lane: PackedLane>>(
        kernel: K,
        a: &[u64],
        b: &LanePanels,
        out: &mut [u64],
        shape: (usize, usize, usize),
    ) {
        if let Some([b]) = K::Lane::get(b) {
            blocked(kernel, a, b, out, shape);
        }
    }
    with_kernel!(b.simd, b.bits, kernel => product(kernel, a, &b.panels, out, (m, k, n)));
}
