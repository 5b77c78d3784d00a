use subrosa_core::Prg;
use subrosa_ring::mask;
use zeroize::Zeroizing;

use crate::sampling::{errors, uniform_residues};
use crate::{Ciphertext, Coeff, Parameters, Poly, PublicKey};

/// Bits that an answer keeps below the plaintext, for the noise of switching.
pub const GUARD_BITS: u32 = 8;

/// The width of an answer's words.
pub fn answer_bits(plain_bits: u32) -> u32 {
    plain_bits + GUARD_BITS
}

/// What hides the weights in an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hiding {
    rerandomise: bool,
    mask: bool,
}

impl Hiding {
    /// Re-randomised and masked: c1 is pseudorandom whatever the weights, c0 is uniform.
    pub fn full() -> Hiding {
        Hiding {
            rerandomise: true,
            mask: true,
        }
    }

    /// c1 stays the client's own a times w: division by a gives the weights.
    pub fn insecure_without_rerandomising() -> Hiding {
        Hiding {
            rerandomise: false,
            mask: true,
        }
    }

    /// The client reads the product, and its noise, which grows with the weights.
    pub fn insecure_without_mask() -> Hiding {
        Hiding {
            rerandomise: true,
            mask: false,
        }
    }
}

/// An answer with the modulus switched to 2^bits: c1 whole, c0 at the asked positions only.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Switched {
    pub(crate) bits: u32,
    /// Each below 2^bits.
    pub(crate) c0: Vec<u128>,
    /// N, each below 2^bits.
    pub(crate) c1: Vec<u128>,
}

/// Shape of a [`Switched`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SwitchedLayout {
    pub degree: usize,
    /// How many coefficients of c0.
    pub positions: usize,
    /// [`answer_bits`] of the plaintext.
    pub bits: u32,
}

impl Switched {
    /// The words of c0, at the asked positions in their order.
    pub fn c0(&self) -> &[u128] {
        &self.c0
    }

    /// The words of c1.
    pub fn c1(&self) -> &[u128] {
        &self.c1
    }
}

impl Ciphertext {
    /// The answer that the holder of the secret key opens at `positions`, and this side's share of the message.
    ///
    /// With [`Hiding::full`]: adds (u p0 + e0, u p1 + e1), adds rho uniform in Z_q to c0 at each position, then switches
    /// to 2^bits, bits = [`answer_bits`]. The share is -round(2^t rho / q) mod 2^t, t = `plain_bits`; what is opened is
    /// independent of message and noise, uniform up to 2^bits / q, and opened + share = message + e, |e| <= 1.
    ///
    /// # Panics
    /// Where `plain_bits` is not in 1..=64 or a position is beyond the degree.
    pub fn answer(
        mut self,
        p: &Parameters,
        pk: &PublicKey,
        plain_bits: u32,
        positions: &[usize],
        hiding: Hiding,
        rng: &mut Prg,
    ) -> (Switched, Vec<u64>) {
        assert!((1..=64).contains(&plain_bits));
        let bits = answer_bits(plain_bits);
        let count = positions.len();
        if hiding.rerandomise {
            pk.add_multiple(p, &mut self, rng);
        }
        let mut c1 = self.c1.into_coeff(p);
        let mut c0 = at_positions(p, &self.c0.into_coeff(p), positions);
        if hiding.rerandomise {
            add_small(p, c1.limbs_mut(), &errors(rng, p.degree()));
            add_small(p, &mut c0, &errors(rng, count));
        }
        let mut share = vec![0; count];
        if hiding.mask {
            let rho = Zeroizing::new(uniform_residues(p, rng, count));
            add_residues(p, &mut c0, &rho);
            let rounded = p.fraction().round(plain_bits, count, &rho);
            for (share, rounded) in share.iter_mut().zip(rounded) {
                *share = (rounded as u64).wrapping_neg() & mask(plain_bits);
            }
        }
        let switched = Switched {
            bits,
            c0: p.fraction().round(bits, count, &c0),
            c1: p.fraction().round(bits, p.degree(), c1.limbs()),
        };
        (switched, share)
    }
}

/// [primes, positions] of [primes, N].
pub(crate) fn at_positions(p: &Parameters, poly: &Poly<Coeff>, positions: &[usize]) -> Vec<u64> {
    let limbs = poly.limbs().chunks_exact(p.degree());
    limbs
        .flat_map(|limb| positions.iter().map(|at| limb[*at]))
        .collect()
}

/// `to` + `x`, both [primes, count].
pub(crate) fn add_residues(p: &Parameters, to: &mut [u64], x: &[u64]) {
    let count = (to.len() / p.primes().len()).max(1);
    let limbs = to.chunks_exact_mut(count).zip(x.chunks_exact(count));
    for ((to, x), modulus) in limbs.zip(p.moduli()) {
        for (to, x) in to.iter_mut().zip(x) {
            *to = modulus.add(*to, *x);
        }
    }
}

/// `to` + `x`, smaller than every prime, in every limb of [primes, count].
fn add_small(p: &Parameters, to: &mut [u64], x: &[i64]) {
    let limbs = to.chunks_exact_mut(x.len().max(1));
    for (to, modulus) in limbs.zip(p.moduli()) {
        for (to, x) in to.iter_mut().zip(x) {
            *to = modulus.add(*to, modulus.small_residue(*x));
        }
    }
}
