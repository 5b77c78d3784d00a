//! The transposition between 64-bit values and bit planes, 64 lanes at a time.

use crate::Simd;

/// Writes `planes` rows of `ceil(values.len() / 64)` words.
pub(crate) fn to_planes(_simd: Simd, values: &[u64], from: u32, planes: usize, words: &mut [u64]) {
    let width = values.len().div_ceil(64);
    for (w, chunk) in values.chunks(64).enumerate() {
        for plane in 0..planes {
            let mut word = 0;
            for (lane, value) in chunk.iter().enumerate() {
                word |= (value >> (from as usize + plane) & 1) << lane;
            }
            words[plane * width + w] = word;
        }
    }
}

/// Reads `planes` rows of `ceil(values.len() / 64)` words.
pub(crate) fn from_planes(_simd: Simd, words: &[u64], planes: usize, values: &mut [u64]) {
    let width = values.len().div_ceil(64);
    for (w, chunk) in values.chunks_mut(64).enumerate() {
        for plane in 0..planes {
            let word = words[plane * width + w];
            for (lane, value) in chunk.iter_mut().enumerate() {
                *value |= (word >> lane & 1) << plane;
            }
        }
    }
}
