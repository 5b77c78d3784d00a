//! Negacyclic number-theoretic transforms modulo primes below 2^50: products in Z_p[X] / (X^N + 1).
//!
//! | kernel | arithmetic |
//! |---|---|
//! | [`Kernel::Portable`] | words, Shoup's products at 64 bits, lazy (Harvey, arXiv 1205.2926) |
//!
//! Every kernel gives the same residues in the same order.

mod modulus;
mod portable;
mod table;

pub use modulus::{MODULUS_BITS, Modulus};
use table::Table;

/// A family of transforms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kernel {
    /// Plain Rust, on every target.
    Portable,
}

/// The transform of one degree N and one prime.
#[derive(Clone, Debug)]
pub struct Ntt {
    modulus: Modulus,
    degree: usize,
    kernel: Kernel,
    table: Table,
}

impl Ntt {
    /// The transform by the fastest kernel of this CPU. `None` where `degree` is not a power of two from 2 on, or
    /// `prime` is not a prime below 2^50 that is 1 modulo 2 `degree`.
    pub fn new(degree: usize, prime: u64) -> Option<Ntt> {
        Ntt::with(Kernel::Portable, degree, prime)
    }

    /// [`Ntt::new`] by a kernel; by the portable one where this CPU or so small a degree has no other.
    pub fn with(kernel: Kernel, degree: usize, prime: u64) -> Option<Ntt> {
        let modulus = Modulus::new(prime)?;
        let root = modulus.root(degree).filter(|_| degree >= 2)?;
        let quotient = |w: u64| (u128::from(w) << 64) / u128::from(prime);
        let table = Table::new(&modulus, root, degree, 1, |w| (w, quotient(w) as u64));
        Some(Ntt {
            modulus,
            degree,
            kernel,
            table,
        })
    }

    pub fn modulus(&self) -> &Modulus {
        &self.modulus
    }

    pub fn degree(&self) -> usize {
        self.degree
    }

    /// The kernel at work.
    pub fn kernel(&self) -> Kernel {
        self.kernel
    }

    /// Residues of the coefficients, in order, to the values at psi^(2 rev(i) + 1) in place i, where psi is
    /// [`Modulus::root`] and rev reverses log2 N bits. Constant time.
    ///
    /// # Panics
    /// Where there are not N values.
    pub fn forward(&self, values: &mut [u64]) {
        assert_eq!(values.len(), self.degree);
        portable::forward(&self.modulus, &self.table, values);
    }

    /// The inverse of [`Ntt::forward`].
    ///
    /// # Panics
    /// Where there are not N values.
    pub fn inverse(&self, values: &mut [u64]) {
        assert_eq!(values.len(), self.degree);
        portable::inverse(&self.modulus, &self.table, values);
    }

    /// `sums` += sum of x w over the pairs (x, w), value by value, all residues; reduced late. Constant time.
    ///
    /// # Panics
    /// Where a factor is not as long as `sums`.
    pub fn multiply_add(&self, sums: &mut [u64], products: &[(&[u64], &[u64])]) {
        let len = sums.len();
        assert!(
            products
                .iter()
                .all(|(x, w)| x.len() == len && w.len() == len)
        );
        portable::multiply_add(&self.modulus, sums, products);
    }
}
