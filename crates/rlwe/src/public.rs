use subrosa_core::Prg;
use zeroize::Zeroize;

use crate::ciphertext::expand_seed;
use crate::sampling::{errors, lift_small, ternary};
use crate::{Ciphertext, Coeff, Eval, Parameters, Poly};

/// An encryption of zero (p0, p1) under a secret key, p1 from a seed.
#[derive(Clone)]
pub struct PublicKey {
    pub(crate) parameters: Parameters,
    pub(crate) p0: Poly<Eval>,
    pub(crate) p1: Poly<Eval>,
    pub(crate) seed: [u8; 32],
}

impl PublicKey {
    pub(crate) fn new(p: &Parameters, p0: Poly<Eval>, seed: [u8; 32]) -> PublicKey {
        PublicKey {
            parameters: p.clone(),
            p0,
            p1: expand_seed(p, &seed),
            seed,
        }
    }

    /// (u p0 + e0, u p1 + e1) for a fresh ternary u: an encryption of zero that says nothing of what it is added to.
    pub fn encrypt_zero(&self, p: &Parameters, rng: &mut Prg) -> Ciphertext {
        let mut zero = Ciphertext::zero(p);
        self.add_multiple(p, &mut zero, rng);
        for part in [&mut zero.c0, &mut zero.c1] {
            let mut error = lift_small(p, &errors(rng, p.degree())).into_eval(p);
            part.add(p, &error);
            error.zeroize();
        }
        zero
    }

    /// An encryption of m as [`Parameters::scale`] scales it.
    pub fn encrypt(&self, p: &Parameters, scaled: Poly<Coeff>, rng: &mut Prg) -> Ciphertext {
        let mut ciphertext = self.encrypt_zero(p, rng);
        ciphertext.add_plain(p, &scaled.into_eval(p));
        ciphertext
    }

    /// Adds (u p0, u p1) for a fresh ternary u; the errors are the caller's.
    pub(crate) fn add_multiple(&self, p: &Parameters, to: &mut Ciphertext, rng: &mut Prg) {
        let mut u = lift_small(p, &ternary(rng, p.degree())).into_eval(p);
        to.c0.multiply_add(p, &[(&u, &self.p0)]);
        to.c1.multiply_add(p, &[(&u, &self.p1)]);
        u.zeroize();
    }
}
