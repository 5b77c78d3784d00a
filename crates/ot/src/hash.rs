//! The correlation-robust hash that makes random OTs of correlated ones.
//!
//! `H(i, x) = E(K(i), σ(x)) ^ σ(x)` with a key `K(i)` that serves [`BATCH`] OTs and is then replaced
//! (MiTCCRH, [GKWWY20]; σ of [GKWY20]). An attacker who tests guesses of the sender's offset against
//! all targets of one key at once pays `2^128 / BATCH` calls, however many OTs there are in all; with one fixed
//! key it would be `2^128` divided by the number of OTs. Keys count up from a start that is fresh in each session.
//!
//! [GKWY20]: Guo, Katz, Wang, Yu, "Efficient and secure multiparty computation from fixed-key block ciphers", S&P 2020.
//! [GKWWY20]: Guo, Katz, Wang, Weng, Yu, "Better concrete security for half-gates garbling", Crypto 2020.

use crate::cipher::{PublicCipher, sigma};

/// OTs hashed under one key.
pub(crate) const BATCH: usize = 8;

pub(crate) struct OtHash {
    start: u128,
}

impl OtHash {
    pub(crate) fn new(start: u128) -> Self {
        Self { start }
    }

    fn cipher(&self, batch: u64) -> PublicCipher {
        PublicCipher::new(self.start.wrapping_add(u128::from(batch)))
    }

    /// Appends `[H(i, q[j]), H(i, q[j] ^ offset)]` with `i = first + j`.
    pub(crate) fn pairs(&self, first: u64, q: &[u128], offset: u128, out: &mut Vec<[u128; 2]>) {
        let turned = sigma(offset);
        let (mut plain, mut hashed) = ([[0; 2]; BATCH], [[0; 2]; BATCH]);
        for (batch, from, to) in batches(first, q.len()) {
            let q = &q[from..to];
            let (plain, hashed) = (&mut plain[..q.len()], &mut hashed[..q.len()]);
            for (plain, &q) in plain.iter_mut().zip(q) {
                let q = sigma(q);
                *plain = [q, q ^ turned];
            }
            self.cipher(batch)
                .encrypt_to(plain.as_flattened(), hashed.as_flattened_mut());
            for (hashed, plain) in hashed.iter_mut().zip(plain) {
                hashed[0] ^= plain[0];
                hashed[1] ^= plain[1];
            }
            out.extend_from_slice(hashed);
        }
    }

    /// Appends `H(first + j, t[j])`.
    pub(crate) fn singles(&self, first: u64, t: &[u128], out: &mut Vec<u128>) {
        let (mut plain, mut hashed) = ([0; BATCH], [0; BATCH]);
        for (batch, from, to) in batches(first, t.len()) {
            let t = &t[from..to];
            let (plain, hashed) = (&mut plain[..t.len()], &mut hashed[..t.len()]);
            for (plain, &t) in plain.iter_mut().zip(t) {
                *plain = sigma(t);
            }
            self.cipher(batch).encrypt_to(plain, hashed);
            for (hashed, plain) in hashed.iter_mut().zip(plain) {
                *hashed ^= *plain;
            }
            out.extend_from_slice(hashed);
        }
    }
}

/// The batches that OTs `first..first + count` fall into, each with its range among the `count`.
fn batches(first: u64, count: usize) -> impl Iterator<Item = (u64, usize, usize)> {
    let size = BATCH as u64;
    let skipped = (first % size) as usize;
    let batches = (skipped + count).div_ceil(BATCH);
    (0..batches).map(move |at| {
        let from = (at * BATCH).saturating_sub(skipped);
        let to = ((at + 1) * BATCH - skipped).min(count);
        (first / size + at as u64, from, to)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_does_not_depend_on_how_ots_are_cut() {
        let hash = OtHash::new(u128::MAX - 3);
        let (count, offset) = (100, 0x1234_5678_9abc_def1);
        let q: Vec<u128> = (0..count as u128).map(|i| (i << 70) | (77 * i)).collect();
        let mut whole = Vec::new();
        hash.pairs(5, &q, offset, &mut whole);
        for cut in [1, 3, 8, 31] {
            let mut parts = Vec::new();
            for (at, part) in q.chunks(cut).enumerate() {
                hash.pairs(5 + (at * cut) as u64, part, offset, &mut parts);
            }
            assert_eq!(parts, whole);
        }
        for bit in 0..2 {
            let t: Vec<u128> = q.iter().map(|q| q ^ (offset * bit as u128)).collect();
            let mut singles = Vec::new();
            hash.singles(5, &t, &mut singles);
            assert!(
                singles
                    .iter()
                    .zip(&whole)
                    .all(|(one, pair)| *one == pair[bit])
            );
        }
    }

    #[test]
    fn equal_inputs_hash_alike_only_under_one_key() {
        let hash = OtHash::new(9);
        let mut out = Vec::new();
        hash.singles(0, &vec![42; 2 * BATCH], &mut out);
        assert_eq!(out[0], out[BATCH - 1]);
        assert_ne!(out[0], out[BATCH]);
    }
}
