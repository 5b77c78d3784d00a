//! Register-blocked kernels, one family per instruction set.

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
mod portable;
#[cfg(target_arch = "x86_64")]
pub(crate) mod vector;

#[cfg(target_arch = "x86_64")]
pub(crate) use avx2::{Avx2Narrow, Avx2Wide};
#[cfg(target_arch = "x86_64")]
pub(crate) use avx512::{Avx512Narrow, Avx512Wide};
pub(crate) use portable::Portable;

/// A machine lane: a `u64`, or a `u32` where only the low 32 bits count.
pub(crate) trait Lane: Copy + Default + Send + Sync {
    /// Up to this many rows of the left operand the right one is streamed as
    /// it lies, since packing it would not pay.
    const STREAMED_ROWS: usize;
    fn narrow(value: u64) -> Self;
    fn widen(self) -> u64;
    fn multiply_add(self, a: Self, b: Self) -> Self;
}

impl Lane for u64 {
    const STREAMED_ROWS: usize = 12;
    #[inline(always)]
    fn narrow(value: u64) -> u64 {
        value
    }
    #[inline(always)]
    fn widen(self) -> u64 {
        self
    }
    #[inline(always)]
    fn multiply_add(self, a: u64, b: u64) -> u64 {
        self.wrapping_add(a.wrapping_mul(b))
    }
}

impl Lane for u32 {
    const STREAMED_ROWS: usize = 4;
    #[inline(always)]
    fn narrow(value: u64) -> u32 {
        value as u32
    }
    #[inline(always)]
    fn widen(self) -> u64 {
        u64::from(self)
    }
    #[inline(always)]
    fn multiply_add(self, a: u32, b: u32) -> u32 {
        self.wrapping_add(a.wrapping_mul(b))
    }
}

/// A value of a kernel type is the proof that the CPU has its instructions.
pub(crate) trait Kernel: Copy + Send + Sync {
    type Lane: Lane;
    /// Lanes of a panel of the left operand.
    const ROWS: usize;
    /// Lanes of a panel of the right operand.
    const COLUMNS: usize;

    /// `out[r * stride + c] += sum over p of a[p * ROWS + r] * b[p * COLUMNS + c]`
    /// for `r < rows`, `1 <= rows <= ROWS`, and `c < COLUMNS`; the two panels
    /// have one depth.
    fn tile(self, rows: usize, a: &[Self::Lane], b: &[Self::Lane], out: &mut [u64], stride: usize);

    /// `out[c] += sum over p of a[p] * b[p * stride + c]` for up to
    /// [`AXPY`] coefficients.
    fn axpy(self, a: &[u64], b: &[u64], stride: usize, out: &mut [u64]);
}

/// Rows of the right operand that [`Kernel::axpy`] takes at once.
pub(crate) const AXPY: usize = 4;

/// Runs `$body` with `$kernel` bound to the kernel of `$simd` for lanes that
/// hold `$bits` bits; to the portable one where the CPU lacks `$simd`.
macro_rules! with_kernel {
    ($simd:expr, $bits:expr, $kernel:ident => $body:expr) => {{
        let (simd, narrow): ($crate::Simd, bool) = ($simd, $bits <= 32);
        'done: {
            #[cfg(target_arch = "x86_64")]
            {
                use $crate::kernel::{Avx2Narrow, Avx2Wide, Avx512Narrow, Avx512Wide};
                if simd == $crate::Simd::Avx512 && narrow {
                    if let Some($kernel) = Avx512Narrow::detect() {
                        break 'done ($body);
                    }
                } else if simd == $crate::Simd::Avx512 {
                    if let Some($kernel) = Avx512Wide::detect() {
                        break 'done ($body);
                    }
                } else if simd == $crate::Simd::Avx2 && narrow {
                    if let Some($kernel) = Avx2Narrow::detect() {
                        break 'done ($body);
                    }
                } else if simd == $crate::Simd::Avx2
                    && let Some($kernel) = Avx2Wide::detect()
                {
                    break 'done ($body);
                }
            }
            let _ = simd;
            if narrow {
                let $kernel = $crate::kernel::Portable::<u32>::new();
                break 'done ($body);
            }
            let $kernel = $crate::kernel::Portable::<u64>::new();
            $body
        }
    }};
}
pub(crate) use with_kernel;
