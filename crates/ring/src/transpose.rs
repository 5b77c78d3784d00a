//! The transposition between 64-bit values and bit planes: blocks of 64 lanes,
//! several side by side in the words of a vector, by halving ([War12] 7-3).
//!
//! One source, compiled for each instruction set.

use crate::simd::compiled_for_each;

/// Words of 64 lanes side by side.
const WIDE: usize = 8;

/// Up to this many values are taken 64 at a time.
const FEW: usize = 128;

type Block<const W: usize> = [[u64; W]; 64];

compiled_for_each!(
    to_planes,
    gather_planes,
    (values: &[u64], from: u32, planes: usize, words: &mut [u64])
);
compiled_for_each!(from_planes, spread_planes, (words: &[u64], planes: usize, values: &mut [u64]));
compiled_for_each!(expand, expand_words, (words: &[u64], out: &mut [u64]));

/// Bit `from + j` of `values` to row `j` of `words`, for `j < planes`; rows of
/// `ceil(values.len() / 64)` words.
#[inline(always)]
fn gather_planes(values: &[u64], from: u32, planes: usize, words: &mut [u64]) {
    let width = values.len().div_ceil(64);
    for (values, at) in values.chunks(64 * WIDE).zip((0..).step_by(WIDE)) {
        if values.len() > FEW {
            gather_block::<WIDE>(values, from, planes, words, at, width);
            continue;
        }
        for (values, at) in values.chunks(64).zip(at..) {
            gather_block::<1>(values, from, planes, words, at, width);
        }
    }
}

/// One block: up to `64 * W` values to up to `W` words of each row, from word
/// `at` on.
#[inline(always)]
fn gather_block<const W: usize>(
    values: &[u64],
    from: u32,
    planes: usize,
    words: &mut [u64],
    at: usize,
    width: usize,
) {
    let mut block: Block<W> = [[0; W]; 64];
    for (w, values) in values.chunks(64).enumerate() {
        for (row, value) in block.iter_mut().zip(values) {
            row[w] = value.unbounded_shr(from);
        }
    }
    let rows = planes.next_power_of_two();
    let mut half = 32;
    // Where at most `half` bits of each value count, rows fall by half.
    while half >= rows {
        join(&mut block, half);
        half /= 2;
    }
    while half > 0 {
        exchange(&mut block[..rows], half);
        half /= 2;
    }
    for (plane, row) in block[..planes].iter().enumerate() {
        let to = &mut words[plane * width + at..(plane + 1) * width];
        match to.first_chunk_mut::<W>() {
            Some(to) => *to = *row,
            None => to.copy_from_slice(&row[..to.len()]),
        }
    }
}

/// The inverse of [`gather_planes`] with `from = 0`, into zeros.
#[inline(always)]
fn spread_planes(words: &[u64], planes: usize, values: &mut [u64]) {
    let width = values.len().div_ceil(64);
    for (values, at) in values.chunks_mut(64 * WIDE).zip((0..).step_by(WIDE)) {
        if values.len() > FEW {
            spread_block::<WIDE>(words, planes, values, at, width);
            continue;
        }
        for (values, at) in values.chunks_mut(64).zip(at..) {
            spread_block::<1>(words, planes, values, at, width);
        }
    }
}

#[inline(always)]
fn spread_block<const W: usize>(
    words: &[u64],
    planes: usize,
    values: &mut [u64],
    at: usize,
    width: usize,
) {
    let mut block: Block<W> = [[0; W]; 64];
    for (plane, row) in block[..planes].iter_mut().enumerate() {
        let from = &words[plane * width + at..(plane + 1) * width];
        match from.first_chunk::<W>() {
            Some(from) => *row = *from,
            None => row[..from.len()].copy_from_slice(from),
        }
    }
    let rows = planes.next_power_of_two();
    let mut half = 1;
    while half < rows {
        exchange(&mut block[..rows], half);
        half *= 2;
    }
    while half <= 32 {
        split(&mut block, half);
        half *= 2;
    }
    for (w, values) in values.chunks_mut(64).enumerate() {
        for (value, row) in values.iter_mut().zip(&block) {
            *value = row[w];
        }
    }
}

/// Bits `half..2 * half` of every `2 * half`, the low ones clear.
#[inline(always)]
fn low_halves(half: usize) -> u64 {
    u64::MAX / ((1 << half) + 1)
}

/// Exchanges the bits that differ from their transposed place by `half` rows
/// and columns.
#[inline(always)]
fn exchange<const W: usize>(block: &mut [[u64; W]], half: usize) {
    let mask = low_halves(half);
    for pair in block.chunks_exact_mut(2 * half) {
        let (upper, lower) = pair.split_at_mut(half);
        for (upper, lower) in upper.iter_mut().zip(lower) {
            for (u, l) in upper.iter_mut().zip(lower) {
                let moved = (*u >> half ^ *l) & mask;
                *u ^= moved << half;
                *l ^= moved;
            }
        }
    }
}

/// [`exchange`] where only the first `half` rows of the result count.
#[inline(always)]
fn join<const W: usize>(block: &mut Block<W>, half: usize) {
    let mask = low_halves(half);
    let (upper, lower) = block.split_at_mut(half);
    for (upper, lower) in upper.iter_mut().zip(lower) {
        for (u, l) in upper.iter_mut().zip(lower) {
            *u = *u & mask | (*l & mask) << half;
        }
    }
}

/// The inverse of [`join`]: values of at most `half` bits each.
#[inline(always)]
fn split<const W: usize>(block: &mut Block<W>, half: usize) {
    let mask = low_halves(half);
    let (upper, lower) = block.split_at_mut(half);
    for (upper, lower) in upper.iter_mut().zip(lower) {
        for (u, l) in upper.iter_mut().zip(lower) {
            *l = *u >> half & mask;
            *u &= mask;
        }
    }
}

/// Lane `l` of `out` becomes bit `l % 64` of word `l / 64`.
#[inline(always)]
fn expand_words(words: &[u64], out: &mut [u64]) {
    for (chunk, &word) in out.chunks_mut(64).zip(words) {
        for (lane, bit) in chunk.iter_mut().enumerate() {
            *bit = word >> lane & 1;
        }
    }
}
