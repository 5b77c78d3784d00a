//! Masked values, word by word.

use subrosa_core::{Words, WordsLayout};
use subrosa_ring::{add_into, mask_into, sub_into};

/// x + y.
pub fn add(x: &mut [Words], y: &[Words]) {
    for (x, y) in x.iter_mut().zip(y) {
        add_into(&mut x.values, &y.values);
        mask_into(&mut x.values, x.bits);
    }
}

/// x - y.
pub fn subtract(x: &mut [Words], y: &[Words]) {
    for (x, y) in x.iter_mut().zip(y) {
        sub_into(&mut x.values, &y.values);
        mask_into(&mut x.values, x.bits);
    }
}

/// Modulo smaller powers of two.
pub fn narrow(mut words: Vec<Words>, layouts: &[WordsLayout]) -> Vec<Words> {
    for (words, layout) in words.iter_mut().zip(layouts) {
        words.bits = layout.bits;
        mask_into(&mut words.values, words.bits);
    }
    words
}
