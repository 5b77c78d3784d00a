//! AES-128 on blocks of 128 bits, little-endian, in batches that the CPU's pipelines like.

use aes::Aes128Enc;
use aes::cipher::{Array, BlockCipherEncrypt, KeyInit};
use std::mem::ManuallyDrop;

/// AES-128 under a secret key, wiped on drop.
pub(crate) struct Cipher(Aes128Enc);

impl Cipher {
    pub(crate) fn new(key: u128) -> Self {
        Self(Aes128Enc::new(&Array(key.to_le_bytes())))
    }

    /// `out[i] = AES(blocks[i])`; slices of one length.
    pub(crate) fn encrypt_to(&self, blocks: &[u128], out: &mut [u128]) {
        encrypt_to(&self.0, blocks, out);
    }
}

/// AES-128 under a public key: an ideal cipher for hashes, and not worth wiping.
pub(crate) struct PublicCipher(ManuallyDrop<Aes128Enc>);

impl PublicCipher {
    pub(crate) fn new(key: u128) -> Self {
        Self(ManuallyDrop::new(Aes128Enc::new(&Array(key.to_le_bytes()))))
    }

    /// `out[i] = AES(blocks[i])`; slices of one length.
    pub(crate) fn encrypt_to(&self, blocks: &[u128], out: &mut [u128]) {
        encrypt_to(&self.0, blocks, out);
    }
}

/// The linear orthomorphism of [GKWY20]: `σ(l || r) = (l ^ r) || l`.
pub(crate) fn sigma(x: u128) -> u128 {
    let (high, low) = ((x >> 64) as u64, x as u64);
    u128::from(high ^ low) << 64 | u128::from(high)
}

fn encrypt_to(cipher: &Aes128Enc, blocks: &[u128], out: &mut [u128]) {
    if cfg!(target_endian = "big") {
        out.copy_from_slice(blocks);
        out.iter_mut().for_each(|block| *block = block.to_le());
        let bytes: &mut [[u8; 16]] = bytemuck::cast_slice_mut(out);
        cipher.encrypt_blocks(Array::cast_slice_from_core_mut(bytes));
        out.iter_mut()
            .for_each(|block| *block = u128::from_le(*block));
        return;
    }
    let blocks: &[[u8; 16]] = bytemuck::cast_slice(blocks);
    let bytes: &mut [[u8; 16]] = bytemuck::cast_slice_mut(out);
    let done = cipher.encrypt_blocks_b2b(
        Array::cast_slice_from_core(blocks),
        Array::cast_slice_from_core_mut(bytes),
    );
    debug_assert!(done.is_ok(), "slices of one length");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_are_little_endian_aes() {
        // FIPS-197, appendix B.
        let key = u128::from_be_bytes(0x2b7e151628aed2a6abf7158809cf4f3c_u128.to_le_bytes());
        let plain = 0x3243f6a8885a308d313198a2e0370734_u128.swap_bytes();
        let mut out = [0; 70];
        Cipher::new(key).encrypt_to(&[plain; 70], &mut out);
        let want = 0x3925841d02dc09fbdc118597196a0b32_u128.swap_bytes();
        assert_eq!(out, [want; 70]);
        PublicCipher::new(key).encrypt_to(&[plain; 70], &mut out);
        assert_eq!(out, [want; 70]);
    }

    #[test]
    fn sigma_and_its_difference_are_permutations() {
        // An orthomorphism: the images of a basis under σ, and under σ(x) ^ x, are of full rank.
        for map in [sigma as fn(u128) -> u128, |x| sigma(x) ^ x] {
            let mut rows: Vec<u128> = (0..128).map(|bit| map(1 << bit)).collect();
            for bit in 0..128 {
                let pivot = (bit..128).find(|&i| rows[i] >> bit & 1 == 1).unwrap();
                rows.swap(bit, pivot);
                let row = rows[bit];
                for (i, other) in rows.iter_mut().enumerate() {
                    if i != bit && *other >> bit & 1 == 1 {
                        *other ^= row;
                    }
                }
            }
        }
    }
}
