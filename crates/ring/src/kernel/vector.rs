//! The kernels over any vector unit: one [`Vector`] per instruction set and
//! lane, the loops written once.

use super::AXPY;

/// Wrapping sums of products in the lanes of one vector.
///
/// # Safety
/// Every function may be called only where the CPU has the instructions of the
/// type, from code compiled for them: they are inlined there.
pub(crate) trait Vector {
    type Lane: Copy;
    /// One factor.
    type Factor: Copy;
    /// The other factor, in the form that [`Vector::multiply_add`] wants.
    type Prepared: Copy;
    /// A running sum, perhaps in parts.
    type Sum: Copy;
    const LANES: usize;

    unsafe fn zero() -> Self::Sum;
    unsafe fn splat(value: Self::Lane) -> Self::Factor;
    /// Reads `LANES` lanes at `from`.
    unsafe fn load(from: *const Self::Lane) -> Self::Factor;
    unsafe fn prepare(factor: Self::Factor) -> Self::Prepared;
    unsafe fn multiply_add(sum: Self::Sum, a: Self::Factor, b: Self::Prepared) -> Self::Sum;
    /// The parts of `sum` put together.
    unsafe fn finish(sum: Self::Sum) -> Self::Factor;
    /// Adds the `LANES` lanes of `value` to the elements at `out`.
    unsafe fn add_to(out: *mut u64, value: Self::Factor);
}

/// A [`Vector`] whose lanes are elements.
///
/// # Safety
/// As for [`Vector`].
pub(crate) trait ElementVector: Vector<Lane = u64> {
    /// Reads `count < LANES` lanes at `from`; the others are zero.
    unsafe fn load_part(from: *const u64, count: usize) -> Self::Factor;
    /// Adds the first `count < LANES` lanes of `value` to the elements at `out`.
    unsafe fn add_part_to(out: *mut u64, value: Self::Factor, count: usize);
}

/// [`super::Kernel::tile`] for `R` of `ROWS` rows and `N` vectors of columns.
///
/// # Safety
/// As for [`Vector`]; `a` holds `steps * ROWS` lanes, `b` holds
/// `steps * N * LANES`, `out` holds `(R - 1) * stride + N * LANES` elements.
#[inline(always)]
pub(crate) unsafe fn tile<V: Vector, const R: usize, const ROWS: usize, const N: usize>(
    steps: usize,
    a: *const V::Lane,
    b: *const V::Lane,
    out: *mut u64,
    stride: usize,
) {
    // SAFETY: every offset lies within the bounds that the caller vouches for.
    unsafe {
        let mut sums = [[V::zero(); N]; R];
        for p in 0..steps {
            let row = b.add(p * N * V::LANES);
            let mut prepared = [V::prepare(V::load(row)); N];
            for (j, prepared) in prepared.iter_mut().enumerate().skip(1) {
                *prepared = V::prepare(V::load(row.add(j * V::LANES)));
            }
            for (r, sums) in sums.iter_mut().enumerate() {
                let factor = V::splat(*a.add(p * ROWS + r));
                for (sum, prepared) in sums.iter_mut().zip(prepared) {
                    *sum = V::multiply_add(*sum, factor, prepared);
                }
            }
        }
        for (r, sums) in sums.into_iter().enumerate() {
            for (j, sum) in sums.into_iter().enumerate() {
                V::add_to(out.add(r * stride + j * V::LANES), V::finish(sum));
            }
        }
    }
}

/// [`super::Kernel::axpy`] for `P` coefficients.
///
/// # Safety
/// As for [`Vector`]; `a` holds `P` lanes, `b` holds
/// `(P - 1) * stride + columns`, `out` holds `columns`.
#[inline(always)]
pub(crate) unsafe fn axpy<V: ElementVector, const P: usize>(
    a: *const u64,
    b: *const u64,
    stride: usize,
    out: *mut u64,
    columns: usize,
) {
    // SAFETY: every offset lies within the bounds that the caller vouches for.
    unsafe {
        let mut coefficients = [V::prepare(V::splat(*a)); P];
        for (p, coefficient) in coefficients.iter_mut().enumerate().skip(1) {
            *coefficient = V::prepare(V::splat(*a.add(p)));
        }
        let whole = columns - columns % V::LANES;
        for c in (0..whole).step_by(V::LANES) {
            let mut sum = V::zero();
            for (p, &coefficient) in coefficients.iter().enumerate() {
                sum = V::multiply_add(sum, V::load(b.add(p * stride + c)), coefficient);
            }
            V::add_to(out.add(c), V::finish(sum));
        }
        let count = columns - whole;
        if count > 0 {
            let mut sum = V::zero();
            for (p, &coefficient) in coefficients.iter().enumerate() {
                let factor = V::load_part(b.add(p * stride + whole), count);
                sum = V::multiply_add(sum, factor, coefficient);
            }
            V::add_part_to(out.add(whole), V::finish(sum), count);
        }
    }
}

/// Asserts what [`axpy`] wants of its slices.
pub(crate) fn check_axpy(a: &[u64], b: &[u64], stride: usize, out: &[u64]) {
    assert!((1..=AXPY).contains(&a.len()));
    assert!(b.len() >= (a.len() - 1) * stride + out.len());
}

/// A kernel type of one instruction set and lane: the proof of detection and
/// the calls into code compiled for the instruction set.
macro_rules! kernel {
    (
        $(#[$doc:meta])*
        $name:ident, $simd:expr, $features:literal, $lane:ty,
        tile: $tile:ty, rows [$($row:literal)*] of $rows:literal, vectors $vectors:literal,
        axpy: $axpy:ty
    ) => {
        $(#[$doc])*
        #[derive(Clone, Copy)]
        pub(crate) struct $name(());

        impl $name {
            pub(crate) fn detect() -> Option<$name> {
                $simd.is_available().then_some($name(()))
            }
        }

        impl $crate::kernel::Kernel for $name {
            type Lane = $lane;
            const ROWS: usize = $rows;
            const COLUMNS: usize = $vectors * <$tile as Vector>::LANES;

            #[inline]
            fn tile(
                self,
                rows: usize,
                a: &[$lane],
                b: &[$lane],
                out: &mut [u64],
                stride: usize,
            ) {
                #[target_feature(enable = $features)]
                unsafe fn run<const R: usize>(
                    steps: usize,
                    a: *const $lane,
                    b: *const $lane,
                    out: *mut u64,
                    stride: usize,
                ) {
                    // SAFETY: the caller vouches for the bounds.
                    unsafe {
                        $crate::kernel::vector::tile::<$tile, R, $rows, $vectors>(
                            steps, a, b, out, stride,
                        )
                    }
                }
                let steps = a.len() / Self::ROWS;
                assert!(b.len() >= steps * Self::COLUMNS);
                assert!((1..=Self::ROWS).contains(&rows));
                assert!(out.len() >= (rows - 1) * stride + Self::COLUMNS);
                let (a, b, out) = (a.as_ptr(), b.as_ptr(), out.as_mut_ptr());
                // SAFETY: the bounds are asserted, and `self` exists only where
                // the CPU has the instructions.
                unsafe {
                    match rows {
                        $($row => run::<$row>(steps, a, b, out, stride),)*
                        _ => {}
                    }
                }
            }

            #[inline]
            fn axpy(self, a: &[u64], b: &[u64], stride: usize, out: &mut [u64]) {
                #[target_feature(enable = $features)]
                unsafe fn run<const P: usize>(
                    a: *const u64,
                    b: *const u64,
                    stride: usize,
                    out: *mut u64,
                    columns: usize,
                ) {
                    // SAFETY: the caller vouches for the bounds.
                    unsafe { $crate::kernel::vector::axpy::<$axpy, P>(a, b, stride, out, columns) }
                }
                $crate::kernel::vector::check_axpy(a, b, stride, out);
                let columns = out.len();
                let (count, a, b, out) = (a.len(), a.as_ptr(), b.as_ptr(), out.as_mut_ptr());
                // SAFETY: the bounds are asserted, and `self` exists only where
                // the CPU has the instructions.
                unsafe {
                    match count {
                        1 => run::<1>(a, b, stride, out, columns),
                        2 => run::<2>(a, b, stride, out, columns),
                        3 => run::<3>(a, b, stride, out, columns),
                        _ => run::<4>(a, b, stride, out, columns),
                    }
                }
            }
        }
    };
}
pub(crate) use kernel;
