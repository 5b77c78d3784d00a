//! The hash of labels, for one block of lanes at a time.

use aes::Aes128Enc;
use aes::cipher::{Array, BlockCipherEncrypt, KeyInit};

/// Lanes that share a key of the hash.
pub const LANES_PER_KEY: usize = 8;

/// A label as its low and its high word.
pub(crate) type Label = [u64; 2];

/// Words of the labels of one wire in one block of lanes.
pub(crate) const ROW: usize = 2 * LANES_PER_KEY;

/// The labels of one wire in one block of lanes, each as its low and its high word.
pub(crate) type Row = [u64; ROW];

pub(crate) const ZERO: Row = [0; ROW];

/// s(high, low) = (high + low, high) of each label: linear, and neither it nor its sum with the identity maps two labels to one.
#[inline(always)]
pub(crate) fn orthomorphism(labels: &Row) -> Row {
    let mut out = ZERO;
    for (to, from) in out.chunks_exact_mut(2).zip(labels.chunks_exact(2)) {
        to[0] = from[1];
        to[1] = from[0] ^ from[1];
    }
    out
}

/// `E_key(x)` of each label. The hash of [GKWWY20] is `E_key(s(x)) + s(x)`; callers add what is left of it.
///
/// Keys are public, so their schedules are not wiped.
#[inline(always)]
pub(crate) fn encrypt(key: u128, rows: &mut [Row]) {
    let cipher = Aes128Enc::new(&Array(key.to_le_bytes()));
    let words = rows.as_flattened_mut();
    words.iter_mut().for_each(|word| *word = word.to_le());
    let blocks: &mut [[u8; 16]] = bytemuck::cast_slice_mut(words);
    cipher.encrypt_blocks(Array::cast_slice_from_core_mut(blocks));
    words
        .iter_mut()
        .for_each(|word| *word = u64::from_le(*word));
    std::mem::forget(cipher);
}
