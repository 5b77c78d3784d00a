use std::marker::PhantomData;

use subrosa_ring::mask;
use zeroize::Zeroize;

use crate::Parameters;
use crate::scaling::scale_into;

/// By its coefficients.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Coeff;

/// By its values at the roots of X^N + 1, in the order of [`subrosa_ring::ntt`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Eval;

/// An element of `Z_q[X] / (X^N + 1)` by its residues modulo the primes: [primes, N], each below its prime.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Poly<R> {
    limbs: Vec<u64>,
    representation: PhantomData<R>,
}

impl<R> Poly<R> {
    pub(crate) fn from_limbs(limbs: Vec<u64>) -> Poly<R> {
        Poly {
            limbs,
            representation: PhantomData,
        }
    }

    /// Residues, [primes, N].
    pub fn limbs(&self) -> &[u64] {
        &self.limbs
    }

    pub(crate) fn limbs_mut(&mut self) -> &mut [u64] {
        &mut self.limbs
    }

    /// `self` + `other`.
    pub fn add(&mut self, p: &Parameters, other: &Poly<R>) {
        self.zip(p, other, |modulus, a, b| modulus.add(a, b));
    }

    /// `self` - `other`.
    pub fn sub(&mut self, p: &Parameters, other: &Poly<R>) {
        self.zip(p, other, |modulus, a, b| modulus.sub(a, b));
    }

    fn zip(
        &mut self,
        p: &Parameters,
        other: &Poly<R>,
        f: impl Fn(&subrosa_ring::ntt::Modulus, u64, u64) -> u64,
    ) {
        assert_eq!(self.limbs.len(), other.limbs.len());
        let n = p.degree();
        let limbs = self.limbs.chunks_exact_mut(n);
        for ((a, b), modulus) in limbs.zip(other.limbs.chunks_exact(n)).zip(p.moduli()) {
            for (a, b) in a.iter_mut().zip(b) {
                *a = f(modulus, *a, *b);
            }
        }
    }
}

impl<R> Zeroize for Poly<R> {
    fn zeroize(&mut self) {
        self.limbs.zeroize();
    }
}

impl Parameters {
    /// The polynomial of these signed coefficients, the rest zero.
    ///
    /// # Panics
    /// Where there are more than N.
    pub fn lift(&self, coefficients: &[i64]) -> Poly<Coeff> {
        let n = self.degree();
        assert!(coefficients.len() <= n);
        let mut limbs = vec![0; n * self.primes().len()];
        for (limb, modulus) in limbs.chunks_exact_mut(n).zip(self.moduli()) {
            for (out, x) in limb.iter_mut().zip(coefficients) {
                *out = modulus.residue(*x);
            }
        }
        Poly::from_limbs(limbs)
    }

    /// round(q m / 2^bits), exactly, of m in Z/2^bits, 1 <= bits <= 64; the coefficients beyond `m` are zero.
    ///
    /// # Panics
    /// Where there are more than N, or `bits` is out of range.
    pub fn scale(&self, bits: u32, m: &[u64]) -> Poly<Coeff> {
        let n = self.degree();
        assert!(m.len() <= n && (1..=64).contains(&bits));
        let mut limbs = vec![0; n * self.primes().len()];
        let q = self.primes().iter().fold(1u64, |q, p| q.wrapping_mul(*p)) & mask(bits);
        for (limb, modulus) in limbs.chunks_exact_mut(n).zip(self.moduli()) {
            scale_into(modulus, q, bits, m, limb);
        }
        Poly::from_limbs(limbs)
    }

    pub fn zero_eval(&self) -> Poly<Eval> {
        Poly::from_limbs(vec![0; self.degree() * self.primes().len()])
    }
}

impl Poly<Coeff> {
    /// The values of the same polynomial.
    pub fn into_eval(mut self, p: &Parameters) -> Poly<Eval> {
        let n = p.degree();
        for (limb, ntt) in self.limbs.chunks_exact_mut(n).zip(p.transforms()) {
            ntt.forward(limb);
        }
        Poly::from_limbs(self.limbs)
    }

    /// The coefficients as signed integers, where each is below half the first prime; `None` where one is not.
    pub fn small(&self, p: &Parameters) -> Option<Vec<i64>> {
        let n = p.degree();
        let first = p.moduli().next()?;
        let small: Vec<i64> = self
            .limbs
            .iter()
            .take(n)
            .map(|x| first.centred(*x))
            .collect();
        let fits = self
            .limbs
            .chunks_exact(n)
            .zip(p.moduli())
            .all(|(limb, modulus)| {
                limb.iter()
                    .zip(&small)
                    .all(|(x, small)| modulus.residue(*small) == *x)
            });
        fits.then_some(small)
    }
}

impl Poly<Eval> {
    /// The coefficients of the same polynomial.
    pub fn into_coeff(mut self, p: &Parameters) -> Poly<Coeff> {
        let n = p.degree();
        for (limb, ntt) in self.limbs.chunks_exact_mut(n).zip(p.transforms()) {
            ntt.inverse(limb);
        }
        Poly::from_limbs(self.limbs)
    }

    /// `self` + sum of x w over the pairs, reduced late.
    pub fn multiply_add(&mut self, p: &Parameters, products: &[(&Poly<Eval>, &Poly<Eval>)]) {
        let n = p.degree();
        let mut pairs: Vec<(&[u64], &[u64])> = Vec::with_capacity(products.len());
        for (i, (sums, ntt)) in self
            .limbs
            .chunks_exact_mut(n)
            .zip(p.transforms())
            .enumerate()
        {
            let limb = |poly: &'_ Poly<Eval>| -> std::ops::Range<usize> {
                assert_eq!(poly.limbs.len(), n * p.primes().len());
                i * n..(i + 1) * n
            };
            pairs.clear();
            pairs.extend(
                products
                    .iter()
                    .map(|(x, w)| (&x.limbs[limb(x)], &w.limbs[limb(w)])),
            );
            ntt.multiply_add(sums, &pairs);
        }
    }
}
