use std::sync::OnceLock;

use super::modulus::Modulus;
use super::portable;
use super::table::Table;
#[cfg(target_arch = "x86_64")]
use super::{avx2, ifma, ifma::intrinsics};

/// A family of transforms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kernel {
    /// Plain Rust, on every target.
    Portable,
    /// x86-64 with AVX2 and FMA.
    Avx2,
    /// x86-64 with AVX-512 F and IFMA.
    Ifma,
}

impl Kernel {
    /// The fastest that this CPU has, detected once.
    pub fn best() -> Kernel {
        static BEST: OnceLock<Kernel> = OnceLock::new();
        *BEST.get_or_init(|| {
            [Kernel::Ifma, Kernel::Avx2]
                .into_iter()
                .find(|kernel| kernel.is_available())
                .unwrap_or(Kernel::Portable)
        })
    }

    /// Every one that this CPU has, the portable one first.
    pub fn available() -> Vec<Kernel> {
        [Kernel::Portable, Kernel::Avx2, Kernel::Ifma]
            .into_iter()
            .filter(|kernel| kernel.is_available())
            .collect()
    }

    /// Whether this CPU has it.
    #[cfg(target_arch = "x86_64")]
    pub fn is_available(self) -> bool {
        match self {
            Kernel::Portable => true,
            Kernel::Avx2 => is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma"),
            Kernel::Ifma => {
                is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512ifma")
            }
        }
    }

    /// Whether this CPU has it.
    #[cfg(not(target_arch = "x86_64"))]
    pub fn is_available(self) -> bool {
        self == Kernel::Portable
    }

    /// Values side by side in a vector.
    fn lanes(self) -> usize {
        match self {
            Kernel::Portable => 1,
            Kernel::Avx2 => 4,
            Kernel::Ifma => 8,
        }
    }

    /// Itself where the CPU has it and `degree` leaves it whole tiles after the first pass.
    pub(super) fn or_portable(self, degree: usize) -> Kernel {
        if self.is_available() && degree >= 4 * self.lanes() * self.lanes() {
            self
        } else {
            Kernel::Portable
        }
    }

    pub(super) fn table(self, modulus: &Modulus, root: u64, degree: usize) -> Table {
        Table::new(modulus, root, degree, self.lanes(), |w| match self {
            #[cfg(target_arch = "x86_64")]
            Kernel::Avx2 => avx2::encode(modulus, w),
            #[cfg(target_arch = "x86_64")]
            Kernel::Ifma => ifma::encode(modulus, w),
            _ => portable::encode(modulus, w),
        })
    }

    pub(super) fn forward(self, modulus: &Modulus, table: &Table, values: &mut [u64]) {
        match self {
            // SAFETY: a transform's kernel is available, and the table is its own and for as many values.
            #[cfg(target_arch = "x86_64")]
            Kernel::Avx2 => unsafe { avx2::forward(modulus, table, values) },
            // SAFETY: likewise.
            #[cfg(target_arch = "x86_64")]
            Kernel::Ifma => unsafe { intrinsics::forward(modulus, table, values) },
            _ => portable::forward(modulus, table, values),
        }
    }

    pub(super) fn inverse(self, modulus: &Modulus, table: &Table, values: &mut [u64]) {
        match self {
            // SAFETY: a transform's kernel is available, and the table is its own and for as many values.
            #[cfg(target_arch = "x86_64")]
            Kernel::Avx2 => unsafe { avx2::inverse(modulus, table, values) },
            // SAFETY: likewise.
            #[cfg(target_arch = "x86_64")]
            Kernel::Ifma => unsafe { intrinsics::inverse(modulus, table, values) },
            _ => portable::inverse(modulus, table, values),
        }
    }

    /// How many of the sums it has done; the rest is the portable kernel's.
    pub(super) fn multiply_add(
        self,
        modulus: &Modulus,
        sums: &mut [u64],
        products: &[(&[u64], &[u64])],
    ) -> usize {
        match self {
            // SAFETY: a transform's kernel is available, and the factors are as long as the sums.
            #[cfg(target_arch = "x86_64")]
            Kernel::Avx2 => unsafe { avx2::multiply_add(modulus, sums, products) },
            // SAFETY: likewise.
            #[cfg(target_arch = "x86_64")]
            Kernel::Ifma => unsafe { intrinsics::multiply_add(modulus, sums, products) },
            _ => 0,
        }
    }
}
