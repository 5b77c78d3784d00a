//! The transposition of 128 rows of bits into blocks of 128 bits, by halving ([War12] 7-3), as in the transposition
//! to bit planes: two squares of 64 rows for each block, several blocks side by side.
//!
//! One source, compiled for each instruction set.

use crate::Simd;
use crate::simd::compiled_for_each;
use std::array::from_fn;

const ROWS: usize = 128;

/// Words of 64 lanes side by side: two blocks.
const WIDE: usize = 4;

/// Bit `r` of `blocks[128 b + l]` becomes bit `l` of `rows[r * n + b]`, for `n = rows.len() / 128`. Rows may be
/// longer than the blocks need: rows that lie a power of two apart are slow.
///
/// # Panics
/// Where `rows` does not hold 128 rows, or not as many blocks as `blocks`, or those are not a multiple of 128.
pub fn transpose_128(rows: &[u128], blocks: &mut [u128]) {
    transpose_128_with(Simd::best(), rows, blocks);
}

/// [`transpose_128`] by the kernels of `simd`.
pub fn transpose_128_with(simd: Simd, rows: &[u128], blocks: &mut [u128]) {
    assert!(rows.len().is_multiple_of(ROWS) && blocks.len().is_multiple_of(ROWS));
    assert!(rows.len() >= blocks.len());
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
                let from = &rows[(64 * half + r) * width + at..];
                // A row's last block alone is followed by another row's, whose lanes are not written.
                let pair = from.first_chunk().copied().unwrap_or([from[0], 0]);
                *row = words(pair);
            }
            // Three halvings at a time on eight rows, which fit into registers: first rows that lie eight apart.
            for r in 0..8 {
                let mut rows: [[u64; WIDE]; 8] = from_fn(|i| square[r + 8 * i]);
                exchange::<4, 32>(&mut rows);
                exchange::<2, 16>(&mut rows);
                exchange::<1, 8>(&mut rows);
                for (i, row) in rows.into_iter().enumerate() {
                    square[r + 8 * i] = row;
                }
            }
            for rows in square.as_chunks_mut::<8>().0 {
                exchange::<4, 4>(rows);
                exchange::<2, 2>(rows);
                exchange::<1, 1>(rows);
            }
        }
        let [low, high] = &squares;
        for (w, out) in out.chunks_mut(64).enumerate() {
            for ((out, low), high) in out.iter_mut().zip(low).zip(high) {
                *out = u128::from(high[w]) << 64 | u128::from(low[w]);
            }
        }
    }
}

#[inline(always)]
fn words([first, second]: [u128; WIDE / 2]) -> [u64; WIDE] {
    let high = |block: u128| (block >> 64) as u64;
    [first as u64, high(first), second as u64, high(second)]
}

/// Exchanges the bits that differ from their transposed place by `BITS` columns and by as many rows, which are
/// `APART` apart among the eight.
#[inline(always)]
fn exchange<const APART: usize, const BITS: usize>(rows: &mut [[u64; WIDE]; 8]) {
    let mask = u64::MAX / ((1 << BITS) + 1);
    for upper in (0..8).filter(|row| row & APART == 0) {
        let (u, l) = (rows[upper], rows[upper + APART]);
        let moved: [u64; WIDE] = from_fn(|w| (u[w] >> BITS ^ l[w]) & mask);
        rows[upper] = from_fn(|w| u[w] ^ moved[w] << BITS);
        rows[upper + APART] = from_fn(|w| l[w] ^ moved[w]);
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
                for out in [blocks, blocks - 1] {
                    let mut out = vec![0; ROWS * out];
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
}
