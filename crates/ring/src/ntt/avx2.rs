//! AVX2 with FMA: residues as doubles (the way of FLINT's `fft_small`).
//!
//! A product a w splits exactly into h + l, h = a w rounded, l = fma(a, w, -h). With q an integer near a w / p, the
//! result (h - q p) + l is a w less a multiple of p; both steps are exact, since all are integers below 2^53. Let values
//! be counted in units of p < 2^50, |a| <= A and |w| <= W. A rounding errs by at most A W p 2^-53 <= A W / 8 in q. For a
//! constant there are two, of w / p in the table and of its product with a; for other factors three, of h, of 1 / p and
//! of their product. With the last one, to an integer, the result is at most C(A W) = 1/2 + A W / 4, or V(A W) = 1/2 +
//! 3/8 A W. Constants are centred: W = 1/2.
//!
//! Forward, two levels: let the four values be at most 5/2. The first is settled to 1/2 (and a little), the products are
//! at most C(5/4) < 0.82, so the second is at most 3.32; its product at most C(1.66) < 0.92; in all less than 5/2.
//! Inverse, two levels: let the values be at most 1. The first level's sums are at most 2, its products C(1) = 3/4. The
//! second level's sums are at most 4, then settled, its products at most C(2) = 1. A sum of products starts at 1 at most
//! and takes seven products of residues, at most V(1) = 7/8 each: 7.2. No value reaches 8, that is 2^53.

use std::arch::x86_64::*;

use super::modulus::Modulus;
use super::passes::{self, Arithmetic, load4, store4, two_forward, two_inverse};
use super::table::{Table, Twiddles};

/// 2^52 as a double: its last places are the ones.
const INTEGER: f64 = (1u64 << 52) as f64;

/// The constant w as the table keeps it: the centred representative and its quotient by p, doubles.
pub(super) fn encode(modulus: &Modulus, w: u64) -> (u64, u64) {
    let w = modulus.centred(w) as f64;
    (w.to_bits(), (w / modulus.prime() as f64).to_bits())
}

/// # Safety
/// The CPU has AVX2 and FMA; `table` is of this kernel and for as many values.
#[target_feature(enable = "avx2,fma")]
pub(super) unsafe fn forward(modulus: &Modulus, table: &Table, values: &mut [u64]) {
    // SAFETY: the caller's.
    unsafe { passes::forward(Doubles::new(modulus), table, values) }
}

/// # Safety
/// As for [`forward`].
#[target_feature(enable = "avx2,fma")]
pub(super) unsafe fn inverse(modulus: &Modulus, table: &Table, values: &mut [u64]) {
    // SAFETY: the caller's.
    unsafe { passes::inverse(Doubles::new(modulus), table, values) }
}

/// # Safety
/// The CPU has AVX2 and FMA; every factor is as long as `sums`.
#[target_feature(enable = "avx2,fma")]
pub(super) unsafe fn multiply_add(
    modulus: &Modulus,
    sums: &mut [u64],
    products: &[(&[u64], &[u64])],
) -> usize {
    // SAFETY: the caller's.
    unsafe { passes::multiply_add(Doubles::new(modulus), sums, products) }
}

/// Four residues as doubles.
#[derive(Clone, Copy)]
struct Doubles {
    prime: __m256d,
    reciprocal: __m256d,
}

impl Doubles {
    #[target_feature(enable = "avx2,fma")]
    fn new(modulus: &Modulus) -> Doubles {
        Doubles {
            prime: _mm256_set1_pd(modulus.prime() as f64),
            reciprocal: _mm256_set1_pd(1.0 / modulus.prime() as f64),
        }
    }

    /// The constants of a tile.
    ///
    /// # Safety
    /// As for [`Arithmetic`].
    #[inline(always)]
    unsafe fn tile_factors(self, twiddles: &Twiddles, at: usize) -> [(__m256d, __m256d); 3] {
        // SAFETY: the caller's.
        unsafe {
            [
                self.factors(twiddles, at),
                self.factors(twiddles, at + 4),
                self.factors(twiddles, at + 8),
            ]
        }
    }
}

/// The nearest integers.
///
/// # Safety
/// The CPU has AVX2.
#[inline(always)]
unsafe fn nearest(x: __m256d) -> __m256d {
    // SAFETY: the caller's.
    unsafe { _mm256_round_pd::<{ _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC }>(x) }
}

/// A row for a column of four vectors.
///
/// # Safety
/// The CPU has AVX2.
#[inline(always)]
unsafe fn transposed([a, b, c, d]: [__m256d; 4]) -> [__m256d; 4] {
    // SAFETY: the caller's.
    unsafe {
        let (ab_even, ab_odd) = (_mm256_unpacklo_pd(a, b), _mm256_unpackhi_pd(a, b));
        let (cd_even, cd_odd) = (_mm256_unpacklo_pd(c, d), _mm256_unpackhi_pd(c, d));
        [
            _mm256_permute2f128_pd::<0x20>(ab_even, cd_even),
            _mm256_permute2f128_pd::<0x20>(ab_odd, cd_odd),
            _mm256_permute2f128_pd::<0x31>(ab_even, cd_even),
            _mm256_permute2f128_pd::<0x31>(ab_odd, cd_odd),
        ]
    }
}

// SAFETY of the blocks below: the trait's contract is the intrinsics' own.
impl Arithmetic for Doubles {
    const LANES: usize = 4;
    const LAZY: usize = 7;
    type Vector = __m256d;
    type Factor = (__m256d, __m256d);
    type Sum = __m256d;

    #[inline(always)]
    unsafe fn load(self, from: *const u64) -> __m256d {
        unsafe { _mm256_loadu_pd(from.cast()) }
    }
    #[inline(always)]
    unsafe fn store(self, to: *mut u64, x: __m256d) {
        unsafe { _mm256_storeu_pd(to.cast(), x) }
    }
    #[inline(always)]
    unsafe fn load_residues(self, from: *const u64) -> __m256d {
        unsafe {
            let integer = _mm256_set1_pd(INTEGER);
            _mm256_sub_pd(_mm256_or_pd(_mm256_loadu_pd(from.cast()), integer), integer)
        }
    }
    #[inline(always)]
    unsafe fn store_residues(self, to: *mut u64, x: __m256d) {
        unsafe {
            let integer = _mm256_set1_pd(INTEGER);
            let x = self.settle(x);
            let negative = _mm256_cmp_pd::<_CMP_LT_OQ>(x, _mm256_setzero_pd());
            let x = _mm256_add_pd(x, _mm256_and_pd(negative, self.prime));
            let x = _mm256_xor_pd(_mm256_add_pd(x, integer), integer);
            _mm256_storeu_pd(to.cast(), x);
        }
    }
    #[inline(always)]
    unsafe fn splat(self, twiddles: &Twiddles, at: usize) -> (__m256d, __m256d) {
        unsafe {
            let value = twiddles.values.as_ptr().add(at).cast();
            let quotient = twiddles.quotients.as_ptr().add(at).cast();
            (
                _mm256_broadcast_sd(&*value),
                _mm256_broadcast_sd(&*quotient),
            )
        }
    }
    #[inline(always)]
    unsafe fn factors(self, twiddles: &Twiddles, at: usize) -> (__m256d, __m256d) {
        unsafe {
            let value = twiddles.values.as_ptr().add(at).cast();
            let quotient = twiddles.quotients.as_ptr().add(at).cast();
            (_mm256_loadu_pd(value), _mm256_loadu_pd(quotient))
        }
    }
    #[inline(always)]
    unsafe fn constant(self, (value, quotient): (u64, u64)) -> (__m256d, __m256d) {
        unsafe {
            let quotient = _mm256_set1_pd(f64::from_bits(quotient));
            (_mm256_set1_pd(f64::from_bits(value)), quotient)
        }
    }

    #[inline(always)]
    unsafe fn settle(self, x: __m256d) -> __m256d {
        unsafe {
            let q = nearest(_mm256_mul_pd(x, self.reciprocal));
            _mm256_fnmadd_pd(q, self.prime, x)
        }
    }
    #[inline(always)]
    unsafe fn forward(self, x: __m256d, y: __m256d, w: (__m256d, __m256d)) -> (__m256d, __m256d) {
        unsafe {
            let turned = self.scale(y, w);
            (_mm256_add_pd(x, turned), _mm256_sub_pd(x, turned))
        }
    }
    #[inline(always)]
    unsafe fn inverse(self, x: __m256d, y: __m256d, w: (__m256d, __m256d)) -> (__m256d, __m256d) {
        unsafe {
            let (sum, difference) = self.inverse_loose(x, y, w);
            (self.settle(sum), difference)
        }
    }
    #[inline(always)]
    unsafe fn inverse_loose(
        self,
        x: __m256d,
        y: __m256d,
        w: (__m256d, __m256d),
    ) -> (__m256d, __m256d) {
        unsafe { (_mm256_add_pd(x, y), self.scale(_mm256_sub_pd(x, y), w)) }
    }
    #[inline(always)]
    unsafe fn scale(self, x: __m256d, (w, quotient): (__m256d, __m256d)) -> __m256d {
        unsafe {
            let high = _mm256_mul_pd(x, w);
            let low = _mm256_fmsub_pd(x, w, high);
            let q = nearest(_mm256_mul_pd(x, quotient));
            _mm256_add_pd(_mm256_fnmadd_pd(q, self.prime, high), low)
        }
    }

    #[inline(always)]
    unsafe fn forward_tile(self, twiddles: &Twiddles, at: usize, tile: *mut u64) {
        unsafe {
            let w = self.tile_factors(twiddles, at);
            let rows = transposed(load4(self, tile, 4));
            let [a, b, c, d] = transposed(two_forward(self, rows, w));
            self.store_residues(tile, a);
            self.store_residues(tile.add(4), b);
            self.store_residues(tile.add(8), c);
            self.store_residues(tile.add(12), d);
        }
    }
    #[inline(always)]
    unsafe fn inverse_tile(self, twiddles: &Twiddles, at: usize, tile: *mut u64) {
        unsafe {
            let w = self.tile_factors(twiddles, at);
            let rows = [
                self.load_residues(tile),
                self.load_residues(tile.add(4)),
                self.load_residues(tile.add(8)),
                self.load_residues(tile.add(12)),
            ];
            let rows = transposed(two_inverse(self, transposed(rows), w));
            store4(self, tile, 4, rows);
        }
    }

    #[inline(always)]
    unsafe fn sum(self, x: __m256d) -> __m256d {
        x
    }
    #[inline(always)]
    unsafe fn sum_add(self, sum: __m256d, x: __m256d, w: __m256d) -> __m256d {
        unsafe {
            let high = _mm256_mul_pd(x, w);
            let low = _mm256_fmsub_pd(x, w, high);
            let q = nearest(_mm256_mul_pd(high, self.reciprocal));
            _mm256_add_pd(
                sum,
                _mm256_add_pd(_mm256_fnmadd_pd(q, self.prime, high), low),
            )
        }
    }
    #[inline(always)]
    unsafe fn sum_end(self, sum: __m256d) -> __m256d {
        sum
    }
}
