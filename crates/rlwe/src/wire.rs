//! Bytes: residues at the width of their prime, limb by limb, each limb rounded up to whole bytes.

use subrosa_core::{Bytes, Malformed, Wire, Words, WordsLayout};
use subrosa_ring::ntt::Modulus;
use subrosa_ring::{pack_into, packed_len, unpack};
use zeroize::Zeroizing;

use crate::answer::GUARD_BITS;
use crate::{Eval, Fresh, Parameters, Poly, PublicKey, SecretKey, Switched, SwitchedLayout};

const SEED: usize = 32;
/// Bits of a coefficient of a secret, plus one.
const RAISED: u32 = 2;

/// Bytes of `count` elements of Z_q.
pub(crate) fn residues_size(p: &Parameters, count: usize) -> Bytes {
    let limb = |modulus: &Modulus| packed_len(count, modulus.bits()) as u64;
    Bytes(p.moduli().map(limb).sum())
}

/// [primes, count].
pub(crate) fn encode_residues(p: &Parameters, residues: &[u64], out: &mut Vec<u8>) {
    let count = residues.len() / p.primes().len();
    for (limb, modulus) in residues.chunks_exact(count.max(1)).zip(p.moduli()) {
        pack_into(limb, modulus.bits(), out);
    }
}

/// [primes, count], each below its prime.
pub(crate) fn decode_residues(
    p: &Parameters,
    count: usize,
    bytes: &[u8],
) -> Result<Vec<u64>, Malformed> {
    let length = Malformed::Length {
        expected: residues_size(p, count).0,
        found: bytes.len() as u64,
    };
    if bytes.len() as u64 != residues_size(p, count).0 {
        return Err(length);
    }
    let mut rest = bytes;
    let mut limbs = Vec::with_capacity(count * p.primes().len());
    for modulus in p.moduli() {
        let (head, tail) = rest
            .split_at_checked(packed_len(count, modulus.bits()))
            .ok_or(length.clone())?;
        let mut limb = unpack(head, modulus.bits(), count).ok_or(Malformed::Padding)?;
        if limb.iter().any(|x| *x >= modulus.prime()) {
            return Err(Malformed::Range);
        }
        limbs.append(&mut limb);
        rest = tail;
    }
    Ok(limbs)
}

/// Bytes of one seeded pair: c0, then the seed of c1.
fn seeded_size(p: &Parameters) -> Bytes {
    residues_size(p, p.degree()) + Bytes(SEED as u64)
}

fn encode_seeded(p: &Parameters, poly: &Poly<Eval>, seed: &[u8; SEED], out: &mut Vec<u8>) {
    encode_residues(p, poly.limbs(), out);
    out.extend_from_slice(seed);
}

fn decode_seeded(p: &Parameters, bytes: &[u8]) -> Result<(Poly<Eval>, [u8; SEED]), Malformed> {
    let expected = seeded_size(p).0;
    let length = Malformed::Length {
        expected,
        found: bytes.len() as u64,
    };
    if bytes.len() as u64 != expected {
        return Err(length);
    }
    let (residues, seed) = bytes.split_last_chunk::<SEED>().ok_or(length)?;
    let limbs = decode_residues(p, p.degree(), residues)?;
    Ok((Poly::from_limbs(limbs), *seed))
}

impl Wire for Fresh {
    type Layout = Parameters;
    fn size(p: &Parameters) -> Bytes {
        seeded_size(p)
    }
    fn encode(&self, out: &mut Vec<u8>) {
        encode_seeded(&self.parameters, &self.c0, &self.seed, out);
    }
    fn decode(p: &Parameters, bytes: &[u8]) -> Result<Self, Malformed> {
        let (c0, seed) = decode_seeded(p, bytes)?;
        Ok(Fresh {
            parameters: p.clone(),
            c0,
            seed,
        })
    }
}

impl Wire for PublicKey {
    type Layout = Parameters;
    fn size(p: &Parameters) -> Bytes {
        seeded_size(p)
    }
    fn encode(&self, out: &mut Vec<u8>) {
        encode_seeded(&self.parameters, &self.p0, &self.seed, out);
    }
    fn decode(p: &Parameters, bytes: &[u8]) -> Result<Self, Malformed> {
        let (p0, seed) = decode_seeded(p, bytes)?;
        Ok(PublicKey::new(p, p0, seed))
    }
}

/// For the disk, not for the peer.
impl Wire for SecretKey {
    type Layout = Parameters;
    fn size(p: &Parameters) -> Bytes {
        Bytes(packed_len(p.degree(), RAISED) as u64)
    }
    fn encode(&self, out: &mut Vec<u8>) {
        pack_into(&self.raised(), RAISED, out);
    }
    fn decode(p: &Parameters, bytes: &[u8]) -> Result<Self, Malformed> {
        let (expected, found) = (Self::size(p).0, bytes.len() as u64);
        if expected != found {
            return Err(Malformed::Length { expected, found });
        }
        let raised = unpack(bytes, RAISED, p.degree()).ok_or(Malformed::Padding)?;
        let raised = Zeroizing::new(raised);
        // All at once: where a wrong one is tells nothing.
        let wrong = raised.iter().fold(0, |wrong, x| wrong | (x & (x >> 1)));
        if wrong != 0 {
            return Err(Malformed::Range);
        }
        let s = raised.iter().map(|x| *x as i64 - 1).collect();
        Ok(SecretKey::of(p, Zeroizing::new(s)))
    }
}

/// c0 and c1, each as its guard bits and then the bits above.
impl Wire for Switched {
    type Layout = SwitchedLayout;
    fn size(layout: &SwitchedLayout) -> Bytes {
        parts(layout).iter().map(Words::size).sum()
    }
    fn encode(&self, out: &mut Vec<u8>) {
        for words in [&self.c0, &self.c1] {
            let low: Vec<u64> = words.iter().map(|x| *x as u64).collect();
            let high: Vec<u64> = words.iter().map(|x| (x >> GUARD_BITS) as u64).collect();
            pack_into(&low, GUARD_BITS, out);
            pack_into(&high, self.bits - GUARD_BITS, out);
        }
    }
    fn decode(layout: &SwitchedLayout, bytes: &[u8]) -> Result<Self, Malformed> {
        if !(1..=64).contains(&(layout.bits.wrapping_sub(GUARD_BITS))) {
            return Err(Malformed::Range);
        }
        let [c0_low, c0_high, c1_low, c1_high] = parts(layout);
        type Pair = (Words, Words);
        let layouts = ((c0_low, c0_high), (c1_low, c1_high));
        let ((c0_low, c0_high), (c1_low, c1_high)) = <(Pair, Pair)>::decode(&layouts, bytes)?;
        let join = |low: Words, high: Words| -> Vec<u128> {
            let words = low.values.iter().zip(&high.values);
            words
                .map(|(low, high)| u128::from(*low) | u128::from(*high) << GUARD_BITS)
                .collect()
        };
        Ok(Switched {
            bits: layout.bits,
            c0: join(c0_low, c0_high),
            c1: join(c1_low, c1_high),
        })
    }
}

/// Guard bits and rest of c0, guard bits and rest of c1.
fn parts(layout: &SwitchedLayout) -> [WordsLayout; 4] {
    let high = layout.bits.saturating_sub(GUARD_BITS);
    let words = |count, bits| WordsLayout { count, bits };
    [
        words(layout.positions, GUARD_BITS),
        words(layout.positions, high),
        words(layout.degree, GUARD_BITS),
        words(layout.degree, high),
    ]
}
