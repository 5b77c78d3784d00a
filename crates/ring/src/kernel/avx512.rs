//! AVX-512: F and DQ, the latter for the 64-bit multiplication.

use std::arch::x86_64::*;

use super::vector::{Vector, kernel};
use crate::Simd;

kernel! {
    /// Products modulo 2^64 with AVX-512.
    Avx512Wide, Simd::Avx512, "avx512f,avx512dq", u64,
    tile: U64x8, rows [1 2 3 4] of 4, vectors 4,
    axpy: U64x8
}

kernel! {
    /// Products modulo 2^32 with AVX-512.
    Avx512Narrow, Simd::Avx512, "avx512f,avx512dq", u32,
    tile: U32x16, rows [1 2 3 4 5 6] of 6, vectors 2,
    axpy: LowU64x8
}

/// Eight sums of 64 bits.
pub(crate) struct U64x8;

/// Eight sums in 64-bit lanes of which the low 32 bits count.
pub(crate) struct LowU64x8;

/// Sixteen sums of 32 bits.
pub(crate) struct U32x16;

/// A vector whose sum is one register, by its product and the intrinsics of
/// its lane.
macro_rules! vector {
    (
        $name:ident, $lane:ty, $lanes:literal, $mask:ty, $multiply:ident, $add:ident,
        $splat:ident as $signed:ty, $load_part:ident, $store_part:ident
    ) => {
        // SAFETY of the blocks below: the trait's contract is the intrinsics' own.
        impl Vector for $name {
            const LANES: usize = $lanes;
            type Lane = $lane;
            type Factor = __m512i;
            type Prepared = __m512i;
            type Sum = __m512i;

            #[inline(always)]
            unsafe fn zero() -> __m512i {
                unsafe { _mm512_setzero_si512() }
            }
            #[inline(always)]
            unsafe fn splat(value: $lane) -> __m512i {
                unsafe { $splat(value as $signed) }
            }
            #[inline(always)]
            unsafe fn load(from: *const $lane) -> __m512i {
                unsafe { _mm512_loadu_si512(from.cast()) }
            }
            #[inline(always)]
            unsafe fn prepare(factor: __m512i) -> __m512i {
                factor
            }
            #[inline(always)]
            unsafe fn multiply_add(sum: __m512i, a: __m512i, b: __m512i) -> __m512i {
                unsafe { $add(sum, $multiply(a, b)) }
            }
            #[inline(always)]
            unsafe fn finish(sum: __m512i) -> __m512i {
                sum
            }
            #[inline(always)]
            unsafe fn add(a: __m512i, b: __m512i) -> __m512i {
                unsafe { $add(a, b) }
            }
            #[inline(always)]
            unsafe fn store(to: *mut $lane, value: __m512i) {
                unsafe { _mm512_storeu_si512(to.cast(), value) }
            }
            #[inline(always)]
            unsafe fn load_part(from: *const $lane, count: usize) -> __m512i {
                let lanes: $mask = (1 << count) - 1;
                unsafe { $load_part(lanes, from.cast()) }
            }
            #[inline(always)]
            unsafe fn store_part(to: *mut $lane, value: __m512i, count: usize) {
                let lanes: $mask = (1 << count) - 1;
                unsafe { $store_part(to.cast(), lanes, value) }
            }
        }
    };
}

vector!(
    U64x8,
    u64,
    8,
    __mmask8,
    _mm512_mullo_epi64,
    _mm512_add_epi64,
    _mm512_set1_epi64 as i64,
    _mm512_maskz_loadu_epi64,
    _mm512_mask_storeu_epi64
);
vector!(
    LowU64x8,
    u64,
    8,
    __mmask8,
    _mm512_mul_epu32,
    _mm512_add_epi64,
    _mm512_set1_epi64 as i64,
    _mm512_maskz_loadu_epi64,
    _mm512_mask_storeu_epi64
);
vector!(
    U32x16,
    u32,
    16,
    __mmask16,
    _mm512_mullo_epi32,
    _mm512_add_epi32,
    _mm512_set1_epi32 as i32,
    _mm512_maskz_loadu_epi32,
    _mm512_mask_storeu_epi32
);
