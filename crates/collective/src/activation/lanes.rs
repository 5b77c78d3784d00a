//! Some lanes of a matrix of bits.

use subrosa_ring::BitMatrix;

/// `count` lanes from `first` on, a multiple of 64.
pub fn columns(bits: &BitMatrix, first: usize, count: usize) -> BitMatrix {
    let words = (0..bits.planes()).flat_map(|plane| {
        let row = bits.row(plane);
        row[first / 64..].iter().take(count.div_ceil(64)).copied()
    });
    BitMatrix::from_words(bits.planes(), count, words.collect())
}

/// Puts `part` into the lanes from `first` on, a multiple of 64.
pub fn paste(bits: &mut BitMatrix, first: usize, part: &BitMatrix) {
    for plane in 0..part.planes() {
        let from = part.row(plane);
        bits.row_mut(plane)[first / 64..][..from.len()].copy_from_slice(from);
    }
}

/// The bits of some planes.
pub fn rows(bits: &BitMatrix, first: usize, count: usize) -> BitMatrix {
    let width = bits.words_per_plane();
    let words = &bits.words()[first * width..(first + count) * width];
    BitMatrix::from_words(count, bits.lanes(), words.to_vec())
}

/// Each bit as a mask, plane by plane.
pub fn masks(bits: &BitMatrix) -> impl Iterator<Item = u128> + '_ {
    (0..bits.planes()).flat_map(|plane| {
        let row = bits.row(plane);
        (0..bits.lanes())
            .map(move |lane| u128::from(row[lane / 64] >> (lane % 64) & 1).wrapping_neg())
    })
}
