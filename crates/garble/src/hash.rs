//! The hash of labels, for one block of lanes at a time.

use aes::Aes128Enc;
use aes::cipher::{Array, BlockCipherEncrypt, KeyInit};
use std::mem::ManuallyDrop;

/// Lanes that share a key of the hash.
pub const LANES_PER_KEY: usize = 8;

/// Labels of one wire in one block of lanes: for each lane the low and the high word.
pub(crate) type Row = [u64; 2 * LANES_PER_KEY];

pub(crate) const ZERO: Row = [0; 2 * LANES_PER_KEY];

/// H(x, key) of each label. [GKWWY20], `E_key(s(x)) + s(x)`.
#[inline]
pub(crate) fn hash<const ROWS: usize>(key: u128, rows: [&Row; ROWS]) -> [Row; ROWS] {
    let mapped = rows.map(orthomorphism);
    let mut blocks = mapped;
    encrypt(key, &mut blocks);
    for (block, mapped) in blocks.iter_mut().zip(&mapped) {
        xor_into(block, mapped);
    }
    blocks
}

/// s(high, low) = (high + low, high).
#[inline(always)]
fn orthomorphism(row: &Row) -> Row {
    let mut out = ZERO;
    for (to, from) in out.chunks_exact_mut(2).zip(row.chunks_exact(2)) {
        to[0] = from[1].to_le();
        to[1] = (from[0] ^ from[1]).to_le();
    }
    out
}

#[inline(always)]
pub(crate) fn xor_into(acc: &mut Row, x: &Row) {
    for (acc, x) in acc.iter_mut().zip(x) {
        *acc ^= x;
    }
}

/// Keys are public, so their schedules need no wiping.
#[inline(always)]
fn encrypt(key: u128, rows: &mut [Row]) {
    let cipher = ManuallyDrop::new(Aes128Enc::new(&Array(key.to_le_bytes())));
    let blocks: &mut [[u8; 16]] = bytemuck::cast_slice_mut(rows);
    cipher.encrypt_blocks(Array::cast_slice_from_core_mut(blocks));
    for word in rows.iter_mut().flatten() {
        *word = u64::from_le(*word);
    }
}
