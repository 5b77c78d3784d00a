//! Secrets and errors, drawn in constant time, and uniform residues.

use subrosa_core::Prg;
use subrosa_ring::mask;
use zeroize::Zeroizing;

use crate::{Coeff, Parameters, Poly};

/// Coins on each side of an error coefficient.
pub(crate) const COINS: u32 = 21;

/// Coefficients uniform in {-1, 0, 1}, up to a bias of 2^-64.
pub(crate) fn ternary(rng: &mut Prg, count: usize) -> Zeroizing<Vec<i64>> {
    let mut words = Zeroizing::new(rng.words(64, count));
    let draw = |word: &mut u64| ((u128::from(*word) * 3) >> 64) as i64 - 1;
    Zeroizing::new(words.iter_mut().map(draw).collect())
}

/// Centred binomial coefficients: heads of 21 coins less heads of 21 others, so of deviation sqrt(21/2) = 3.24 and at
/// most 21 (the standard's 3.2 with a proven tail).
pub(crate) fn errors(rng: &mut Prg, count: usize) -> Zeroizing<Vec<i64>> {
    let mut words = Zeroizing::new(rng.words(2 * COINS, count));
    // Heads of the one side and tails of the other, less all of the other.
    let other = ((1u64 << COINS) - 1) << COINS;
    let draw = |word: &mut u64| i64::from((*word ^ other).count_ones()) - i64::from(COINS);
    Zeroizing::new(words.iter_mut().map(draw).collect())
}

/// N coefficients smaller than every prime, modulo the primes.
pub(crate) fn lift_small(p: &Parameters, coefficients: &[i64]) -> Poly<Coeff> {
    let mut limbs = Vec::with_capacity(coefficients.len() * p.primes().len());
    for modulus in p.moduli() {
        limbs.extend(coefficients.iter().map(|x| modulus.small_residue(*x)));
    }
    Poly::from_limbs(limbs)
}

/// A uniform element of `Z_q[X] / (X^N + 1)`, residue by residue, so uniform in either representation.
pub(crate) fn uniform<R>(p: &Parameters, rng: &mut Prg) -> Poly<R> {
    Poly::from_limbs(uniform_residues(p, rng, p.degree()))
}

/// `count` uniform elements of Z_q: [primes, count]. A word that is no residue is drawn again, which tells nothing of
/// those that are kept.
pub(crate) fn uniform_residues(p: &Parameters, rng: &mut Prg, count: usize) -> Vec<u64> {
    let mut limbs = vec![0u64; count * p.primes().len()];
    rng.fill(bytemuck::cast_slice_mut(&mut limbs));
    for (limb, modulus) in limbs.chunks_exact_mut(count.max(1)).zip(p.moduli()) {
        let cut = |word: u64| u64::from_le(word) & mask(modulus.bits());
        for word in limb.iter_mut() {
            *word = cut(*word);
        }
        for word in limb.iter_mut().filter(|word| **word >= modulus.prime()) {
            while *word >= modulus.prime() {
                let mut again = [0u64];
                rng.fill(bytemuck::cast_slice_mut(&mut again));
                *word = cut(again[0]);
            }
        }
    }
    limbs
}

/// `count` integers uniform in -2^(bits - 1)..2^(bits - 1), modulo the primes: [primes, count].
pub(crate) fn wide_residues(
    p: &Parameters,
    rng: &mut Prg,
    bits: u32,
    count: usize,
) -> Zeroizing<Vec<u64>> {
    let mut limbs = Zeroizing::new(vec![0u64; count * p.primes().len()]);
    for low in (0..bits).step_by(32) {
        let digits = Zeroizing::new(rng.words((bits - low).min(32), count));
        for (limb, modulus) in limbs.chunks_exact_mut(count.max(1)).zip(p.moduli()) {
            let place = modulus.pow(2, low.into());
            for (x, digit) in limb.iter_mut().zip(digits.iter()) {
                *x = modulus.add(*x, modulus.mul(*digit, place));
            }
        }
    }
    for (limb, modulus) in limbs.chunks_exact_mut(count.max(1)).zip(p.moduli()) {
        let half = modulus.pow(2, u64::from(bits) - 1);
        for x in limb.iter_mut() {
            *x = modulus.sub(*x, half);
        }
    }
    limbs
}
