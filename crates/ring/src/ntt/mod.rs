//! Negacyclic number-theoretic transforms modulo primes below 2^50: products in `Z_p[X] / (X^N + 1)`.
//!
//! | kernel | arithmetic |
//! |---|---|
//! | [`Kernel::Portable`] | words, Shoup's products at 64 bits, lazy (Harvey, arXiv 1205.2926) |
//! | [`Kernel::Avx2`] | doubles with fused multiply-add (as FLINT's `fft_small`) |
//! | [`Kernel::Ifma`] | words, Shoup's products at 52 bits |
//!
//! Every kernel gives the same residues in the same order. None branches or indexes on a value.

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(test)]
mod emulated;
#[cfg(any(target_arch = "x86_64", test))]
mod ifma;
mod kernel;
mod modulus;
#[cfg(any(target_arch = "x86_64", test))]
mod passes;
mod portable;
mod table;

pub use kernel::Kernel;
pub use modulus::{MODULUS_BITS, Modulus};
use table::Table;

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
        Ntt::with(Kernel::best(), degree, prime)
    }

    /// [`Ntt::new`] by a kernel; by the portable one where this CPU or so small a degree does not allow it.
    pub fn with(kernel: Kernel, degree: usize, prime: u64) -> Option<Ntt> {
        let modulus = Modulus::new(prime)?;
        let root = modulus.root(degree).filter(|_| degree >= 2)?;
        let kernel = kernel.or_portable(degree);
        Some(Ntt {
            table: kernel.table(&modulus, root, degree),
            modulus,
            degree,
            kernel,
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
        self.kernel.forward(&self.modulus, &self.table, values);
    }

    /// The inverse of [`Ntt::forward`].
    ///
    /// # Panics
    /// Where there are not N values.
    pub fn inverse(&self, values: &mut [u64]) {
        assert_eq!(values.len(), self.degree);
        self.kernel.inverse(&self.modulus, &self.table, values);
    }

    /// `sums` += sum of x w over the pairs (x, w), value by value, all residues; reduced late. Constant time.
    ///
    /// # Panics
    /// Where a factor is not as long as `sums`.
    pub fn multiply_add(&self, sums: &mut [u64], products: &[(&[u64], &[u64])]) {
        let len = sums.len();
        let fits = |(x, w): &(&[u64], &[u64])| x.len() == len && w.len() == len;
        assert!(products.iter().all(fits));
        let done = self.kernel.multiply_add(&self.modulus, sums, products);
        portable::multiply_add(&self.modulus, sums, products, done);
    }
}
