//! AVX2 with FMA: residues as doubles (the way of FLINT's `fft_small`).
//!
//! A product a w splits exactly into h + l, h = a w rounded, l = fma(a, w, -h). With q = h / p rounded to an integer,
//! (h - q p) + l is a w less a multiple of p; both steps are exact, since all are integers below 2^53. Let values be
//! counted in units of p < 2^50, |a| <= A and |w| <= W. Then h, the reciprocal of p and their product each err by at
//! most A W p 2^-53 <= A W / 8, so the result is at most M(A W) = 1/2 + 3/8 A W. Constants are centred: W = 1/2.
//!
//! Forward, two levels: let the four values be at most 3. The first is settled to 1/2 (and a little), the products are
//! at most M(3/2) < 1.07, so the second is at most 4.07; its product at most M(2.04) < 1.27; in all 1/2 + 1.07 + 1.27 <
//! 3. Inverse: values are at most 1, differences at most 2, their products at most M(1) = 7/8; sums are settled. A sum
//! starts at 1 at most and takes seven products of residues, at most M(1) each: 7.2. No value reaches 8, that is 2^53.

use std::arch::x86_64::*;

use super::modulus::Modulus;
use super::passes::{self, Arithmetic, load4, store4, two_forward, two_inverse};
use super::table::{Table, Twiddles};

/// 2^52 as a double: its last places are the ones.
const INTEGER: f64 = (1u64 << 52) as f64;

/// The constant w as the table keeps it: the centred representative, a double.
pub(super) fn encode(modulus: &Modulus, w: u64) -> (u64, u64) {
    ((modulus.centred(w) as f64).to_bits(), 0)
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
    unsafe fn tile_factors(self, twiddles: &Twiddles, at: usize) -> [__m256d; 3] {
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
    type Factor = __m256d;
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
    unsafe fn splat(self, twiddles: &Twiddles, at: usize) -> __m256d {
        unsafe { _mm256_broadcast_sd(&*twiddles.values.as_ptr().add(at).cast()) }
    }
    #[inline(always)]
    unsafe fn factors(self, twiddles: &Twiddles, at: usize) -> __m256d {
        unsafe { _mm256_loadu_pd(twiddles.values.as_ptr().add(at).cast()) }
    }
    #[inline(always)]
    unsafe fn constant(self, (value, _): (u64, u64)) -> __m256d {
        unsafe { _mm256_set1_pd(f64::from_bits(value)) }
    }

    #[inline(always)]
    unsafe fn settle(self, x: __m256d) -> __m256d {
        unsafe {
            let q = _mm256_mul_pd(x, self.reciprocal);
            let q = _mm256_round_pd::<{ _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC }>(q);
            _mm256_fnmadd_pd(q, self.prime, x)
        }
    }
    #[inline(always)]
    unsafe fn forward(self, x: __m256d, y: __m256d, w: __m256d) -> (__m256d, __m256d) {
        unsafe {
            let turned = self.scale(y, w);
            (_mm256_add_pd(x, turned), _mm256_sub_pd(x, turned))
        }
    }
    #[inline(always)]
    unsafe fn inverse(self, x: __m256d, y: __m256d, w: __m256d) -> (__m256d, __m256d) {
        unsafe {
            let difference = self.scale(_mm256_sub_pd(x, y), w);
            (self.settle(_mm256_add_pd(x, y)), difference)
        }
    }
    #[inline(always)]
    unsafe fn scale(self, x: __m256d, w: __m256d) -> __m256d {
        unsafe {
            let high = _mm256_mul_pd(x, w);
            let low = _mm256_fmsub_pd(x, w, high);
            let q = _mm256_mul_pd(high, self.reciprocal);
            let q = _mm256_round_pd::<{ _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC }>(q);
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
        unsafe { _mm256_add_pd(sum, self.scale(x, w)) }
    }
    #[inline(always)]
    unsafe fn sum_end(self, sum: __m256d) -> __m256d {
        sum
    }
}
