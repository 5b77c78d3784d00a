//! The transposition of 128 rows of bits into blocks of 128 bits, by halving ([War12] 7-3), as in the transposition
//! to bit planes: two squares of 64 rows for each block, several blocks side by side.
//!
//! One source, compiled for each instruction set.

use crate::Simd;
use crate::simd::compiled_for_each;

const ROWS: usize = 128;

/// Words of 64 lanes side by side: two blocks.
const WIDE: usize = 4;

/// Bit `r` of `blocks[128 b + l]` becomes bit `l` of `rows[r * n + b]`, for `n = rows.len() / 128` and `b < n`.
///
/// # Panics
/// Where `rows` does not hold 128 rows, or `blocks` is not as long.
pub fn transpose_128(rows: &[u128], blocks: &mut [u128]) {
    transpose_128_with(Simd::best(), rows, blocks);
}

/// [`transpose_128`] by the kernels of `simd`.
pub fn transpose_128_with(simd: Simd, rows: &[u128], blocks: &mut [u128]) {
    assert!(rows.len().is_multiple_of(ROWS) && rows.len() == blocks.len());
    run(simd, rows, blocks);
}

compiled_for_each!(run, transpose, (rows: &[u128], blocks: &mut [u128]));

#[inline(always)]
fn transpose(rows: &[u128], blocks: &mut [u128]) {
    let width = rows.len() / ROWS;
    for (out, at) in blocks
        .chunks_mut(ROWS * WIDE / 2)
        .zip((0..).step_by(WIDE / 2))
    {
        let mut squares = [[[0u64; WIDE]; 64]; 2];
        for (half, square) in squares.iter_mut().enumerate() {
            for (r, row) in square.iter_mut().enumerate() {
                let from = &rows[(64 * half + r) * width..][..width][at..];
                for (pair, block) in row.chunks_exact_mut(2).zip(from) {
                    pair[0] = *block as u64;
                    pair[1] = (*block >> 64) as u64;
                }
            }
            exchange::<32>(square);
            exchange::<16>(square);
            exchange::<8>(square);
            exchange::<4>(square);
            exchange::<2>(square);
            exchange::<1>(square);
        }
        let [low, high] = &squares;
        for (w, out) in out.chunks_mut(64).enumerate() {
            for ((out, low), high) in out.iter_mut().zip(low).zip(high) {
                *out = u128::from(high[w]) << 64 | u128::from(low[w]);
            }
        }
    }
}

/// Exchanges the bits that differ from their transposed place by `HALF` rows and columns.
#[inline(always)]
fn exchange<const HALF: usize>(square: &mut [[u64; WIDE]; 64]) {
    let mask = u64::MAX / ((1 << HALF) + 1);
    for pair in square.chunks_exact_mut(2 * HALF) {
        let (upper, lower) = pair.split_at_mut(HALF);
        for (upper, lower) in upper.iter_mut().zip(lower) {
            for (u, l) in upper.iter_mut().zip(lower) {
                let moved = (*u >> HALF ^ *l) & mask;
                *u ^= moved << HALF;
                *l ^= moved;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_family_transposes_bit_by_bit() {
        for blocks in [1, 2, 3, 8] {
            let mut state = 1u128;
            let rows = std::iter::repeat_with(|| {
                state = state
                    .wrapping_mul(0x2360_ed05_1fc6_5da4_4385_df64_9fcc_f645)
                    .wrapping_add(99);
                state ^ state >> 71
            });
            let rows: Vec<u128> = rows.take(ROWS * blocks).collect();
            for simd in Simd::available() {
                let mut out = vec![0; rows.len()];
                transpose_128_with(simd, &rows, &mut out);
                for (lane, block) in out.iter().enumerate() {
                    let want = (0..ROWS).fold(0, |want, r| {
                        want | (rows[r * blocks + lane / 128] >> (lane % 128) & 1) << r
                    });
                    assert_eq!(*block, want, "{simd:?}");
                }
            }
        }
    }
}
