//! Secrets and errors, drawn in constant time, and uniform residues.

use subrosa_core::Prg;
use zeroize::Zeroizing;

use crate::{Parameters, Poly};

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
    let side = (1u64 << COINS) - 1;
    let draw = |word: &mut u64| {
        i64::from((*word & side).count_ones()) - i64::from((*word >> COINS).count_ones())
    };
    Zeroizing::new(words.iter_mut().map(draw).collect())
}

/// A uniform element of Z_q[X] / (X^N + 1), residue by residue, so uniform in either representation.
pub(crate) fn uniform<R>(p: &Parameters, rng: &mut Prg) -> Poly<R> {
    Poly::from_limbs(uniform_residues(p, rng, p.degree()))
}

/// `count` uniform elements of Z_q: [primes, count]. A word that is no residue is drawn again, which tells nothing of
/// those that are kept.
pub(crate) fn uniform_residues(p: &Parameters, rng: &mut Prg, count: usize) -> Vec<u64> {
    let mut limbs = Vec::with_capacity(count * p.primes().len());
    for modulus in p.moduli() {
        let mut limb = rng.words(modulus.bits(), count);
        for word in &mut limb {
            while *word >= modulus.prime() {
                *word = rng.words(modulus.bits(), 1).first().copied().unwrap_or(0);
            }
        }
        limbs.append(&mut limb);
    }
    limbs
}
