use subrosa_core::{Prg, Secret};
use subrosa_ring::ntt::Ntt;
use zeroize::{Zeroize, Zeroizing};

use crate::answer::{GUARD_BITS, answer_bits};
use crate::ciphertext::expand_seed;
use crate::sampling::{errors, lift_small, ternary};
use crate::{Ciphertext, Coeff, Eval, Fresh, Parameters, Poly, PublicKey, Switched};

/// A ternary secret s. Wiped on drop, never copied or printed.
///
/// ```compile_fail
/// fn twice(key: &subrosa_rlwe::SecretKey) -> subrosa_rlwe::SecretKey { key.clone() }
/// ```
///
/// ```compile_fail
/// fn print(key: &subrosa_rlwe::SecretKey) { println!("{key:?}"); }
/// ```
pub struct SecretKey {
    parameters: Parameters,
    /// s modulo the primes.
    whole: Secret<Poly<Eval>>,
    /// -s modulo the primes.
    negated: Secret<Poly<Eval>>,
    /// s modulo the prime of [`Parameters::opening`], by its values.
    opening: Secret<Vec<u64>>,
}

impl SecretKey {
    /// Coefficients uniform in {-1, 0, 1}.
    pub fn random(p: &Parameters, rng: &mut Prg) -> SecretKey {
        SecretKey::of(p, ternary(rng, p.degree()))
    }

    /// With these N coefficients in {-1, 0, 1}.
    pub(crate) fn of(p: &Parameters, mut s: Zeroizing<Vec<i64>>) -> SecretKey {
        let ntt = p.opening();
        let mut opening: Vec<u64> = s.iter().map(|x| ntt.modulus().small_residue(*x)).collect();
        ntt.forward(&mut opening);
        let whole = lift_small(p, &s).into_eval(p);
        for x in s.iter_mut() {
            *x = -*x;
        }
        SecretKey {
            parameters: p.clone(),
            whole: Secret::new(whole),
            negated: Secret::new(lift_small(p, &s).into_eval(p)),
            opening: Secret::new(opening),
        }
    }

    /// The coefficients, each plus one: in {0, 1, 2}.
    pub(crate) fn raised(&self) -> Zeroizing<Vec<u64>> {
        let ntt = self.parameters.opening();
        let mut s = Zeroizing::new(self.opening.reveal().clone());
        ntt.inverse(&mut s);
        s.iter_mut().for_each(|x| *x = ntt.modulus().add(*x, 1));
        s
    }

    /// (m + e - a s, a) for m as [`Parameters::scale`] scales it, with a from a fresh seed.
    pub fn encrypt(&self, p: &Parameters, scaled: Poly<Coeff>, rng: &mut Prg) -> Fresh {
        let (c0, seed) = self.sample(p, scaled, rng);
        Fresh {
            parameters: p.clone(),
            c0,
            seed,
        }
    }

    /// The key with which anyone encrypts to this one: an encryption of zero.
    pub fn public_key(&self, p: &Parameters, rng: &mut Prg) -> PublicKey {
        let (p0, seed) = self.sample(p, p.lift(&[]), rng);
        PublicKey::new(p, p0, seed)
    }

    fn sample(&self, p: &Parameters, m: Poly<Coeff>, rng: &mut Prg) -> (Poly<Eval>, [u8; 32]) {
        let seed = *rng.seed().reveal();
        (self.sample_at(p, m, &seed, rng), seed)
    }

    /// m + e - a s for the a of a seed.
    pub(crate) fn sample_at(
        &self,
        p: &Parameters,
        mut m: Poly<Coeff>,
        seed: &[u8; 32],
        rng: &mut Prg,
    ) -> Poly<Eval> {
        let mut error = lift_small(p, &errors(rng, p.degree()));
        m.add(p, &error);
        error.zeroize();
        let mut c0 = m.into_eval(p);
        let a = expand_seed(p, seed);
        c0.multiply_add(p, &[(&a, self.negated.reveal())]);
        c0
    }

    /// c1 s: with c1 it gives s away.
    pub(crate) fn times(&self, p: &Parameters, c1: &Poly<Eval>) -> Zeroizing<Poly<Coeff>> {
        let mut product = p.zero_eval();
        product.multiply_add(p, &[(c1, self.whole.reveal())]);
        Zeroizing::new(product.into_coeff(p))
    }

    /// c0 + c1 s: the scaled message and the noise.
    pub fn phase(&self, p: &Parameters, ciphertext: &Ciphertext) -> Poly<Coeff> {
        let mut phase = ciphertext.c0.clone();
        phase.multiply_add(p, &[(&ciphertext.c1, self.whole.reveal())]);
        phase.into_coeff(p)
    }

    /// The message in Z/2^plain_bits of each coefficient, rounded: exact where the noise is below its bound.
    pub fn decrypt(&self, p: &Parameters, plain_bits: u32, ciphertext: &Ciphertext) -> Vec<u64> {
        let phase = self.phase(p, ciphertext);
        let rounded = p.fraction().round(plain_bits, p.degree(), phase.limbs());
        rounded.into_iter().map(|x| x as u64).collect()
    }

    /// What the answer holds at `positions`, rounded to Z/2^plain_bits. With the answer's share this is the message,
    /// off by at most one where the noise is below its bound ([`crate::noise`]).
    ///
    /// # Panics
    /// Where the answer has another degree, width or number of positions, or a position is beyond the degree.
    pub fn open(
        &self,
        p: &Parameters,
        plain_bits: u32,
        answer: &Switched,
        positions: &[usize],
    ) -> Vec<u64> {
        assert_eq!(answer.bits, answer_bits(plain_bits));
        let round = |x: u128| {
            let rounded = (x + (1 << (GUARD_BITS - 1))) >> GUARD_BITS;
            rounded as u64 & subrosa_ring::mask(plain_bits)
        };
        let phase = self.open_unrounded(p, answer, positions);
        phase.into_iter().map(round).collect()
    }

    /// c0 + c1 s modulo 2^bits at `positions`, the guard bits and their noise still below the message.
    ///
    /// # Panics
    /// As [`SecretKey::open`].
    pub fn open_unrounded(
        &self,
        p: &Parameters,
        answer: &Switched,
        positions: &[usize],
    ) -> Vec<u128> {
        assert_eq!(
            (answer.c1.len(), answer.c0.len()),
            (p.degree(), positions.len())
        );
        let mut sums = answer.c0.clone();
        // c1 in signed digits so narrow that a digit's product with s fits below half the prime: N 2^(width-1) = 2^48.
        let width = 49 - p.degree().trailing_zeros();
        let digits = answer.bits.div_ceil(width);
        let half = 1u128 << (width - 1);
        let offset = (0..digits).fold(0, |offset, i| offset | half << (width * i));
        for i in 0..digits {
            let digit = |c: &u128| {
                let digit = c.wrapping_add(offset) >> (width * i) & ((1 << width) - 1);
                digit as i64 - half as i64
            };
            let product = self.product(p.opening(), answer.c1.iter().map(digit));
            for (sum, at) in sums.iter_mut().zip(positions) {
                let term = i128::from(p.opening().modulus().centred(product[*at]));
                *sum = sum.wrapping_add((term as u128) << (width * i));
            }
        }
        for sum in &mut sums {
            *sum &= (1 << answer.bits) - 1;
        }
        sums
    }

    /// The coefficients of the product with s, modulo the opening prime.
    fn product(&self, ntt: &Ntt, factor: impl Iterator<Item = i64>) -> Vec<u64> {
        let mut values: Vec<u64> = factor.map(|x| ntt.modulus().small_residue(x)).collect();
        ntt.forward(&mut values);
        let mut product = vec![0; values.len()];
        ntt.multiply_add(&mut product, &[(&values, self.opening.reveal())]);
        ntt.inverse(&mut product);
        product
    }
}
