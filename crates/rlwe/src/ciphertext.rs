use subrosa_core::{Prg, Seed};

use crate::sampling::uniform;
use crate::{Eval, Parameters, Poly};

/// (c0, c1) with c0 + c1 s = round(q m / 2^t) + noise.
#[derive(Clone, Debug)]
pub struct Ciphertext {
    pub c0: Poly<Eval>,
    pub c1: Poly<Eval>,
}

impl Ciphertext {
    /// Zero without noise, as sums start.
    pub fn zero(p: &Parameters) -> Ciphertext {
        Ciphertext {
            c0: p.zero_eval(),
            c1: p.zero_eval(),
        }
    }

    /// `self` + `x` w.
    pub fn multiply_add(&mut self, p: &Parameters, x: &Ciphertext, w: &Poly<Eval>) {
        self.multiply_add_all(p, &[(x, w)]);
    }

    /// `self` + sum of x w, reduced late: faster than one by one.
    pub fn multiply_add_all(&mut self, p: &Parameters, products: &[(&Ciphertext, &Poly<Eval>)]) {
        let of = |part: fn(&Ciphertext) -> &Poly<Eval>| -> Vec<(&Poly<Eval>, &Poly<Eval>)> {
            products.iter().map(|(x, w)| (part(x), *w)).collect()
        };
        self.c0.multiply_add(p, &of(|x| &x.c0));
        self.c1.multiply_add(p, &of(|x| &x.c1));
    }

    /// `self` + `other`.
    pub fn add(&mut self, p: &Parameters, other: &Ciphertext) {
        self.c0.add(p, &other.c0);
        self.c1.add(p, &other.c1);
    }

    /// `self` + the polynomial m, given as [`Parameters::scale`] scales it.
    pub fn add_plain(&mut self, p: &Parameters, scaled: &Poly<Eval>) {
        self.c0.add(p, scaled);
    }
}

/// A ciphertext as it leaves the holder of the secret key: c0, and the seed of the uniform c1.
#[derive(Clone)]
pub struct Fresh {
    pub(crate) parameters: Parameters,
    pub(crate) c0: Poly<Eval>,
    pub(crate) seed: [u8; 32],
}

impl Fresh {
    /// The whole ciphertext.
    pub fn expand(&self, p: &Parameters) -> Ciphertext {
        Ciphertext {
            c0: self.c0.clone(),
            c1: expand_seed(p, &self.seed),
        }
    }
}

/// The uniform polynomial of a public seed.
pub(crate) fn expand_seed(p: &Parameters, seed: &[u8; 32]) -> Poly<Eval> {
    uniform(p, &mut Prg::new(&Seed::from_bytes(*seed)))
}
