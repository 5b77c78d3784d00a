//! AVX-512: F and DQ, the latter for the 64-bit multiplication.

use std::arch::x86_64::*;

use super::vector::{ElementVector, Vector, kernel};
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
        $name:ident, $lane:ty, $lanes:literal, $multiply:ident, $add:ident,
        $splat:ident as $signed:ty, $add_to:ident
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
            unsafe fn add_to(out: *mut u64, value: __m512i) {
                unsafe { $add_to(out, value) }
            }
        }
    };
}

/// Adds eight elements.
#[inline(always)]
unsafe fn add_elements(out: *mut u64, value: __m512i) {
    // SAFETY: the callers run where AVX-512 is, and vouch for the bounds.
    unsafe {
        let old = _mm512_loadu_si512(out.cast());
        _mm512_storeu_si512(out.cast(), _mm512_add_epi64(old, value));
    }
}

/// Adds sixteen elements, given in 32-bit lanes.
#[inline(always)]
unsafe fn add_narrow_elements(out: *mut u64, value: __m512i) {
    // SAFETY: as above.
    unsafe {
        let low = _mm512_cvtepu32_epi64(_mm512_castsi512_si256(value));
        let high = _mm512_cvtepu32_epi64(_mm512_extracti64x4_epi64::<1>(value));
        add_elements(out, low);
        add_elements(out.add(8), high);
    }
}

macro_rules! element_vector {
    ($name:ident) => {
        impl ElementVector for $name {
            #[inline(always)]
            unsafe fn load_part(from: *const u64, count: usize) -> __m512i {
                unsafe { _mm512_maskz_loadu_epi64(first_lanes(count), from.cast()) }
            }
            #[inline(always)]
            unsafe fn add_part_to(out: *mut u64, value: __m512i, count: usize) {
                unsafe {
                    let sum = _mm512_add_epi64(Self::load_part(out, count), value);
                    _mm512_mask_storeu_epi64(out.cast(), first_lanes(count), sum);
                }
            }
        }
    };
}

element_vector!(U64x8);
element_vector!(LowU64x8);

/// The first `count < 8` lanes of 64 bits.
#[inline(always)]
fn first_lanes(count: usize) -> __mmask8 {
    (1 << count) - 1
}

vector!(
    U64x8,
    u64,
    8,
    _mm512_mullo_epi64,
    _mm512_add_epi64,
    _mm512_set1_epi64 as i64,
    add_elements
);
vector!(
    LowU64x8,
    u64,
    8,
    _mm512_mul_epu32,
    _mm512_add_epi64,
    _mm512_set1_epi64 as i64,
    add_elements
);
vector!(
    U32x16,
    u32,
    16,
    _mm512_mullo_epi32,
    _mm512_add_epi32,
    _mm512_set1_epi32 as i32,
    add_narrow_elements
);
