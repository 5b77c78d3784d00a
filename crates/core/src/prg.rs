//! Pseudorandom streams: AES-128 in counter mode, keyed by a hash of the seed.

use crate::{Malformed, Secret, Wire, wire::exactly};
use aes::Aes128;
use aes::cipher::{Array, BlockCipherEncrypt, KeyInit};
use subrosa_ring::{BitMatrix, mask};
use zeroize::Zeroize;

/// Public freshness that a holder of a key contributes to one session.
pub type Nonce = [u8; 32];

/// A 256-bit seed. It is wiped on drop; a copy is made only by derivation or on purpose by [`Seed::share`].
pub struct Seed(Secret<[u8; 32]>);

impl Seed {
    /// A seed from the operating system's generator.
    pub fn random() -> Result<Self, getrandom::Error> {
        let mut bytes = [0; 32];
        getrandom::fill(&mut bytes)?;
        Ok(Self(Secret::new(bytes)))
    }

    /// A seed that anyone can guess: for replay and known-answer tests.
    pub fn insecure_seeded(number: u64) -> Self {
        let mut bytes = [0; 32];
        bytes[..8].copy_from_slice(&number.to_le_bytes());
        Self(Secret::new(bytes))
    }

    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(Secret::new(bytes))
    }

    pub fn reveal(&self) -> &[u8; 32] {
        self.0.reveal()
    }

    /// A second copy, for the party that is meant to hold the same seed.
    pub fn share(&self) -> Self {
        Self::from_bytes(*self.reveal())
    }

    /// The seed for one purpose: `keyed_hash(seed, len(purpose) || purpose || context)`.
    pub fn derive(&self, purpose: &str, context: &[u8]) -> Self {
        let mut hasher = blake3::Hasher::new_keyed(self.reveal());
        hasher.update(&(purpose.len() as u64).to_le_bytes());
        hasher.update(purpose.as_bytes());
        hasher.update(context);
        Self::from_bytes(*hasher.finalize().as_bytes())
    }
}

impl Wire for Seed {
    type Layout = ();
    fn size((): &()) -> crate::Bytes {
        crate::Bytes(32)
    }
    fn encode(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self.reveal());
    }
    fn decode((): &(), bytes: &[u8]) -> Result<Self, Malformed> {
        exactly(bytes).map(Self::from_bytes)
    }
}

const BATCH: usize = 64;

/// A deterministic stream of uniform bytes, words and bits. Not `Clone`: a stream is drawn once.
pub struct Prg {
    cipher: Aes128,
    counter: u128,
}

impl Prg {
    /// The AES key is the first half of `derive_key(seed)`, the counter starts at the second half.
    pub fn new(seed: &Seed) -> Self {
        let mut material = blake3::derive_key("subrosa 2026 aes-ctr stream", seed.reveal());
        let (key, start) = material.split_at(16);
        let mut first = [0; 16];
        first.copy_from_slice(start);
        let mut key_bytes = [0; 16];
        key_bytes.copy_from_slice(key);
        let cipher = Aes128::new(&Array(key_bytes));
        key_bytes.zeroize();
        material.zeroize();
        Self {
            cipher,
            counter: u128::from_le_bytes(first),
        }
    }

    fn fill_blocks(&mut self, out: &mut [u8]) {
        let mut blocks = [Array([0u8; 16]); BATCH];
        for chunk in out.chunks_mut(16 * BATCH) {
            let used = chunk.len().div_ceil(16);
            for block in &mut blocks[..used] {
                block.0 = self.counter.to_le_bytes();
                self.counter = self.counter.wrapping_add(1);
            }
            self.cipher.encrypt_blocks(&mut blocks[..used]);
            for (piece, block) in chunk.chunks_mut(16).zip(&blocks) {
                piece.copy_from_slice(&block.0[..piece.len()]);
            }
        }
    }

    pub fn fill(&mut self, out: &mut [u8]) {
        self.fill_blocks(out);
    }

    pub fn seed(&mut self) -> Seed {
        let mut bytes = [0; 32];
        self.fill_blocks(&mut bytes);
        Seed::from_bytes(bytes)
    }

    /// `count` uniform elements of Z/2^bits, one in each word.
    pub fn words(&mut self, bits: u32, count: usize) -> Vec<u64> {
        let mut words = vec![0u64; count];
        self.fill_blocks(bytemuck::cast_slice_mut(&mut words));
        let keep = mask(bits);
        for word in &mut words {
            *word = u64::from_le(*word) & keep;
        }
        words
    }

    /// A uniform bit matrix.
    pub fn bits(&mut self, planes: usize, lanes: usize) -> BitMatrix {
        let mut matrix = BitMatrix::new(planes, lanes);
        self.fill_blocks(bytemuck::cast_slice_mut(matrix.words_mut()));
        for word in matrix.words_mut() {
            *word = u64::from_le(*word);
        }
        matrix.mask_padding();
        matrix
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn same_seed_same_stream_and_derivations_differ() {
        let seed = Seed::insecure_seeded(7);
        let a = Prg::new(&seed).words(48, 1000);
        assert_eq!(a, Prg::new(&seed.share()).words(48, 1000));
        assert!(a.iter().all(|w| *w < 1 << 48));
        let x = seed.derive("x", b"");
        let y = seed.derive("y", b"");
        assert_ne!(x.reveal(), y.reveal());
        assert_ne!(
            seed.derive("x", b"yz").reveal(),
            seed.derive("xy", b"z").reveal()
        );
    }

    #[test]
    fn stream_is_aes_ctr() {
        let seed = Seed::insecure_seeded(1);
        let mut long = vec![0; 16 * 200];
        Prg::new(&seed).fill(&mut long);
        let material = blake3::derive_key("subrosa 2026 aes-ctr stream", seed.reveal());
        let key: [u8; 16] = material[..16].try_into().unwrap();
        let start = u128::from_le_bytes(material[16..].try_into().unwrap());
        let cipher = Aes128::new(&Array(key));
        for (i, block) in long.chunks(16).enumerate() {
            let mut want = Array(start.wrapping_add(i as u128).to_le_bytes());
            cipher.encrypt_block(&mut want);
            assert_eq!(block, &want.0[..]);
        }
    }
}
