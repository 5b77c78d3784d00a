//! AVX2, which has no 64-bit multiplication.
//!
//! With `a = a0 + 2^32 a1` and `b` likewise, `a * b mod 2^64` is
//! `a0 b0 + 2^32 (a0 b1 + a1 b0)`. The first product is one instruction; the
//! two others are one as well, 32-bit lanes of `a` by those of `b` exchanged.
//! Two running sums are put together at the end.

use std::arch::x86_64::*;

use super::vector::{ElementVector, Vector, kernel};
use crate::Simd;

kernel! {
    /// Products modulo 2^64 with AVX2.
    Avx2Wide, Simd::Avx2, "avx2", u64,
    tile: U64x4, rows [1 2 3 4 5 6] of 6, vectors 1,
    axpy: U64x4
}

kernel! {
    /// Products modulo 2^32 with AVX2.
    Avx2Narrow, Simd::Avx2, "avx2", u32,
    tile: U32x8, rows [1 2 3 4 5 6] of 6, vectors 2,
    axpy: LowU64x4
}

/// Four sums of 64 bits.
pub(crate) struct U64x4;

/// Four sums in 64-bit lanes of which the low 32 bits count.
pub(crate) struct LowU64x4;

/// Eight sums of 32 bits.
pub(crate) struct U32x8;

// SAFETY of the blocks below: the trait's contract is the intrinsics' own.

/// The functions that all vectors of 64-bit lanes share.
macro_rules! wide_lanes {
    () => {
        const LANES: usize = 4;
        type Lane = u64;
        type Factor = __m256i;

        #[inline(always)]
        unsafe fn splat(value: u64) -> __m256i {
            unsafe { _mm256_set1_epi64x(value as i64) }
        }
        #[inline(always)]
        unsafe fn load(from: *const u64) -> __m256i {
            unsafe { _mm256_loadu_si256(from.cast()) }
        }
        #[inline(always)]
        unsafe fn add_to(out: *mut u64, value: __m256i) {
            unsafe {
                let old = _mm256_loadu_si256(out.cast());
                _mm256_storeu_si256(out.cast(), _mm256_add_epi64(old, value));
            }
        }
    };
}

macro_rules! element_vector {
    ($name:ident) => {
        impl ElementVector for $name {
            #[inline(always)]
            unsafe fn load_part(from: *const u64, count: usize) -> __m256i {
                unsafe { _mm256_maskload_epi64(from.cast(), first_lanes(count)) }
            }
            #[inline(always)]
            unsafe fn add_part_to(out: *mut u64, value: __m256i, count: usize) {
                unsafe {
                    let old = Self::load_part(out, count);
                    let sum = _mm256_add_epi64(old, value);
                    _mm256_maskstore_epi64(out.cast(), first_lanes(count), sum);
                }
            }
        }
    };
}

element_vector!(U64x4);
element_vector!(LowU64x4);

/// The sign bit set in the first `count` lanes of 64 bits.
#[inline(always)]
unsafe fn first_lanes(count: usize) -> __m256i {
    // SAFETY: the callers run where AVX2 is.
    unsafe {
        _mm256_cmpgt_epi64(
            _mm256_set1_epi64x(count as i64),
            _mm256_setr_epi64x(0, 1, 2, 3),
        )
    }
}

impl Vector for U64x4 {
    /// A factor, and the same with the 32-bit halves of each lane exchanged.
    type Prepared = (__m256i, __m256i);
    /// Sums of `a0 b0`, and of `a0 b1` and `a1 b0` in 32-bit lanes.
    type Sum = (__m256i, __m256i);
    wide_lanes!();

    #[inline(always)]
    unsafe fn zero() -> Self::Sum {
        unsafe { (_mm256_setzero_si256(), _mm256_setzero_si256()) }
    }
    #[inline(always)]
    unsafe fn prepare(factor: __m256i) -> Self::Prepared {
        unsafe { (factor, _mm256_shuffle_epi32::<0b10_11_00_01>(factor)) }
    }
    #[inline(always)]
    unsafe fn multiply_add(sum: Self::Sum, a: __m256i, b: Self::Prepared) -> Self::Sum {
        unsafe {
            (
                _mm256_add_epi64(sum.0, _mm256_mul_epu32(a, b.0)),
                _mm256_add_epi32(sum.1, _mm256_mullo_epi32(a, b.1)),
            )
        }
    }
    #[inline(always)]
    unsafe fn finish((low, cross): Self::Sum) -> __m256i {
        unsafe {
            let both = _mm256_add_epi32(cross, _mm256_srli_epi64::<32>(cross));
            _mm256_add_epi64(low, _mm256_slli_epi64::<32>(both))
        }
    }
}

impl Vector for LowU64x4 {
    type Prepared = __m256i;
    type Sum = __m256i;
    wide_lanes!();

    #[inline(always)]
    unsafe fn zero() -> __m256i {
        unsafe { _mm256_setzero_si256() }
    }
    #[inline(always)]
    unsafe fn prepare(factor: __m256i) -> __m256i {
        factor
    }
    #[inline(always)]
    unsafe fn multiply_add(sum: __m256i, a: __m256i, b: __m256i) -> __m256i {
        unsafe { _mm256_add_epi64(sum, _mm256_mul_epu32(a, b)) }
    }
    #[inline(always)]
    unsafe fn finish(sum: __m256i) -> __m256i {
        sum
    }
}

impl Vector for U32x8 {
    const LANES: usize = 8;
    type Lane = u32;
    type Factor = __m256i;
    type Prepared = __m256i;
    type Sum = __m256i;

    #[inline(always)]
    unsafe fn zero() -> __m256i {
        unsafe { _mm256_setzero_si256() }
    }
    #[inline(always)]
    unsafe fn splat(value: u32) -> __m256i {
        unsafe { _mm256_set1_epi32(value as i32) }
    }
    #[inline(always)]
    unsafe fn load(from: *const u32) -> __m256i {
        unsafe { _mm256_loadu_si256(from.cast()) }
    }
    #[inline(always)]
    unsafe fn prepare(factor: __m256i) -> __m256i {
        factor
    }
    #[inline(always)]
    unsafe fn multiply_add(sum: __m256i, a: __m256i, b: __m256i) -> __m256i {
        unsafe { _mm256_add_epi32(sum, _mm256_mullo_epi32(a, b)) }
    }
    #[inline(always)]
    unsafe fn finish(sum: __m256i) -> __m256i {
        sum
    }
    #[inline(always)]
    unsafe fn add_to(out: *mut u64, value: __m256i) {
        unsafe {
            let low = _mm256_cvtepu32_epi64(_mm256_castsi256_si128(value));
            let high = _mm256_cvtepu32_epi64(_mm256_extracti128_si256::<1>(value));
            U64x4::add_to(out, low);
            U64x4::add_to(out.add(4), high);
        }
    }
}
