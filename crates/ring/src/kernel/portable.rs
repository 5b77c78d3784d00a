//! The portable kernels, plain Rust.

use std::marker::PhantomData;

use super::{Kernel, Lane};

#[derive(Clone, Copy)]
pub(crate) struct Portable<L>(PhantomData<L>);

impl<L> Portable<L> {
    pub(crate) fn new() -> Portable<L> {
        Portable(PhantomData)
    }
}

const ROWS: usize = 4;
const COLUMNS: usize = 8;

impl<L: Lane> Kernel for Portable<L> {
    type Lane = L;
    const ROWS: usize = ROWS;
    const COLUMNS: usize = COLUMNS;

    fn tile(self, rows: usize, a: &[L], b: &[L], out: &mut [u64], stride: usize) {
        let (a, _) = a.as_chunks::<ROWS>();
        let (b, _) = b.as_chunks::<COLUMNS>();
        let mut sums = [[L::default(); COLUMNS]; ROWS];
        for (a, b) in a.iter().zip(b) {
            for (sums, &a) in sums.iter_mut().zip(a) {
                for (sum, &b) in sums.iter_mut().zip(b) {
                    *sum = sum.multiply_add(a, b);
                }
            }
        }
        for (r, sums) in sums[..rows].iter().enumerate() {
            for (out, sum) in out[r * stride..][..COLUMNS].iter_mut().zip(sums) {
                *out = out.wrapping_add(sum.widen());
            }
        }
    }

    fn axpy(self, a: &[u64], b: &[u64], stride: usize, out: &mut [u64]) {
        let n = out.len();
        if let &[a0, a1, a2, a3] = a {
            let row = |p: usize| &b[p * stride..][..n];
            let (b0, b1, b2, b3) = (row(0), row(1), row(2), row(3));
            for c in 0..n {
                out[c] = out[c]
                    .multiply_add(a0, b0[c])
                    .multiply_add(a1, b1[c])
                    .multiply_add(a2, b2[c])
                    .multiply_add(a3, b3[c]);
            }
            return;
        }
        for (p, &a) in a.iter().enumerate() {
            for (to, &b) in out.iter_mut().zip(&b[p * stride..]) {
                *to = to.multiply_add(a, b);
            }
        }
    }
}
