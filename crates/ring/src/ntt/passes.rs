//! The transforms over any vector unit: one [`Arithmetic`] per instruction set, the passes written once.
//!
//! Two levels are done in one pass wherever two are left, so each value is loaded half as often. The first passes go
//! over everything until the blocks fit into the first-level cache; then each block is finished on its own. The last
//! log2 L levels, L lanes, work on tiles of L^2 values that are transposed on the way in and on the way out.

use super::table::{Table, Twiddles};

/// Values of a block that is finished on its own, at most: 16 KiB.
const LEAF: usize = 2048;

/// Residues modulo one prime in the lanes of a vector, lazily reduced.
///
/// Each type has its own bounds for what butterflies take and give.
///
/// # Safety
/// Every function may be called only where the CPU has the instructions of the type, from code compiled for them: they
/// are inlined there. Pointers are to [`Arithmetic::LANES`] words, and to a tile of `LANES`^2 for the tiles.
pub(super) trait Arithmetic: Copy {
    const LANES: usize;
    /// Products that one sum takes.
    const LAZY: usize;
    type Vector: Copy;
    /// A constant factor, ready for products.
    type Factor: Copy;
    /// A running sum of products.
    type Sum: Copy;

    /// Reads what [`Arithmetic::store`] wrote.
    unsafe fn load(self, from: *const u64) -> Self::Vector;
    unsafe fn store(self, to: *mut u64, x: Self::Vector);
    /// Reads residues.
    unsafe fn load_residues(self, from: *const u64) -> Self::Vector;
    /// Writes residues.
    unsafe fn store_residues(self, to: *mut u64, x: Self::Vector);
    /// The constant at `at`, in every lane.
    unsafe fn splat(self, twiddles: &Twiddles, at: usize) -> Self::Factor;
    /// The constants from `at` on.
    unsafe fn factors(self, twiddles: &Twiddles, at: usize) -> Self::Factor;
    /// One number, given as a table keeps it, in every lane.
    unsafe fn constant(self, encoded: (u64, u64)) -> Self::Factor;

    /// Makes room in the one value of a pass over two levels that meets no factor.
    unsafe fn settle(self, x: Self::Vector) -> Self::Vector;
    /// (x + w y, x - w y).
    unsafe fn forward(
        self,
        x: Self::Vector,
        y: Self::Vector,
        w: Self::Factor,
    ) -> (Self::Vector, Self::Vector);
    /// (x + y, w (x - y)).
    unsafe fn inverse(
        self,
        x: Self::Vector,
        y: Self::Vector,
        w: Self::Factor,
    ) -> (Self::Vector, Self::Vector);
    /// [`Arithmetic::inverse`] with a sum up to twice the bound where there is room, as before a settled level or a
    /// product.
    unsafe fn inverse_loose(
        self,
        x: Self::Vector,
        y: Self::Vector,
        w: Self::Factor,
    ) -> (Self::Vector, Self::Vector);
    /// w x.
    unsafe fn scale(self, x: Self::Vector, w: Self::Factor) -> Self::Vector;

    /// The last levels of the tile at `tile`, from working form to residues; its constants start at `at`.
    unsafe fn forward_tile(self, twiddles: &Twiddles, at: usize, tile: *mut u64);
    /// The first levels of the inverse, from residues to working form.
    unsafe fn inverse_tile(self, twiddles: &Twiddles, at: usize, tile: *mut u64);

    unsafe fn sum(self, x: Self::Vector) -> Self::Sum;
    /// sum + x w, of residues.
    unsafe fn sum_add(self, sum: Self::Sum, x: Self::Vector, w: Self::Vector) -> Self::Sum;
    unsafe fn sum_end(self, sum: Self::Sum) -> Self::Vector;
}

/// # Safety
/// As for [`Arithmetic`]; there are at least 4 `LANES`^2 values, a power of two, and the table is theirs and of `A`.
#[inline(always)]
pub(super) unsafe fn forward<A: Arithmetic>(a: A, table: &Table, values: &mut [u64]) {
    let start = values.as_mut_ptr();
    let twiddles = &table.forward;
    let whole = values.len();
    // SAFETY: every block lies within the values; twiddles and tail hold one entry for each block and lane.
    unsafe {
        let mut blocks = if (whole / A::LANES).trailing_zeros() % 2 == 1 {
            forward2(a, twiddles, start, whole);
            2
        } else {
            forward4::<A, true>(a, twiddles, 1, start, whole);
            4
        };
        let mut len = whole / blocks;
        while len > LEAF {
            for block in 0..blocks {
                forward4::<A, false>(a, twiddles, blocks + block, start.add(block * len), len);
            }
            (blocks, len) = (4 * blocks, len / 4);
        }
        for leaf in 0..blocks {
            let start = start.add(leaf * len);
            let (mut inner, mut parts) = (len, 1);
            while inner > A::LANES {
                for part in 0..parts {
                    let at = (blocks + leaf) * parts + part;
                    forward4::<A, false>(a, twiddles, at, start.add(part * inner), inner);
                }
                (inner, parts) = (inner / 4, 4 * parts);
            }
            let tile = A::LANES * A::LANES;
            let constants = A::LANES * (A::LANES - 1);
            for i in 0..len / tile {
                let at = (leaf * (len / tile) + i) * constants;
                a.forward_tile(&table.forward_tail, at, start.add(i * tile));
            }
        }
    }
}

/// # Safety
/// As for [`forward`].
#[inline(always)]
pub(super) unsafe fn inverse<A: Arithmetic>(a: A, table: &Table, values: &mut [u64]) {
    let start = values.as_mut_ptr();
    let twiddles = &table.inverse;
    let whole = values.len();
    let odd = (whole / A::LANES).trailing_zeros() % 2 == 1;
    // The length of the blocks that the last pass joins, and of those that are done on their own.
    let last = if odd { whole / 2 } else { whole / 4 };
    let mut len = last;
    while len > LEAF {
        len /= 4;
    }
    let mut blocks = whole / len;
    // SAFETY: as in `forward`.
    unsafe {
        for leaf in 0..blocks {
            let start = start.add(leaf * len);
            let tile = A::LANES * A::LANES;
            let constants = A::LANES * (A::LANES - 1);
            for i in 0..len / tile {
                let at = (leaf * (len / tile) + i) * constants;
                a.inverse_tile(&table.inverse_tail, at, start.add(i * tile));
            }
            let (mut inner, mut parts) = (4 * A::LANES, len / (4 * A::LANES));
            while parts > 0 {
                for part in 0..parts {
                    let at = (blocks + leaf) * parts + part;
                    inverse4::<A, false>(a, table, at, start.add(part * inner), inner);
                }
                (inner, parts) = (4 * inner, parts / 4);
            }
        }
        while len < last {
            (blocks, len) = (blocks / 4, 4 * len);
            for block in 0..blocks {
                inverse4::<A, false>(a, table, blocks + block, start.add(block * len), len);
            }
        }
        if odd {
            let (w, scale) = (a.splat(twiddles, 1), a.constant(table.scale));
            for at in (0..last).step_by(A::LANES) {
                let (low, high) = (start.add(at), start.add(last + at));
                inverse_last(a, (low, a.load(low)), (high, a.load(high)), w, scale);
            }
        } else {
            inverse4::<A, true>(a, table, 1, start, whole);
        }
    }
}

/// The first level, from residues: one block of `len` values.
///
/// # Safety
/// As for [`forward`].
#[inline(always)]
unsafe fn forward2<A: Arithmetic>(a: A, twiddles: &Twiddles, block: *mut u64, len: usize) {
    // SAFETY: `at` is below the half.
    unsafe {
        let w = a.splat(twiddles, 1);
        for at in (0..len / 2).step_by(A::LANES) {
            let (low, high) = (block.add(at), block.add(len / 2 + at));
            let (x, y) = a.forward(a.load_residues(low), a.load_residues(high), w);
            a.store(low, x);
            a.store(high, y);
        }
    }
}

/// Two levels of the block of `len` values whose constant is at `at`; from residues where it is the `FIRST` pass.
///
/// # Safety
/// As for [`forward`].
#[inline(always)]
unsafe fn forward4<A: Arithmetic, const FIRST: bool>(
    a: A,
    twiddles: &Twiddles,
    at: usize,
    block: *mut u64,
    len: usize,
) {
    let quarter = len / 4;
    // SAFETY: `i` is below the quarter.
    unsafe {
        let w = splat3(a, twiddles, at);
        let mut i = 0;
        while i < quarter {
            let x = if FIRST {
                [
                    a.load_residues(block.add(i)),
                    a.load_residues(block.add(quarter + i)),
                    a.load_residues(block.add(2 * quarter + i)),
                    a.load_residues(block.add(3 * quarter + i)),
                ]
            } else {
                load4(a, block.add(i), quarter)
            };
            store4(a, block.add(i), quarter, two_forward(a, x, w));
            i += A::LANES;
        }
    }
}

/// The constant of a block at `at`, and those of its halves.
///
/// # Safety
/// As for [`Arithmetic`].
#[inline(always)]
unsafe fn splat3<A: Arithmetic>(a: A, twiddles: &Twiddles, at: usize) -> [A::Factor; 3] {
    // SAFETY: the caller's.
    unsafe {
        [
            a.splat(twiddles, at),
            a.splat(twiddles, 2 * at),
            a.splat(twiddles, 2 * at + 1),
        ]
    }
}

/// # Safety
/// As for [`Arithmetic`].
#[inline(always)]
pub(super) unsafe fn load4<A: Arithmetic>(a: A, from: *const u64, stride: usize) -> [A::Vector; 4] {
    // SAFETY: the caller's.
    unsafe {
        [
            a.load(from),
            a.load(from.add(stride)),
            a.load(from.add(2 * stride)),
            a.load(from.add(3 * stride)),
        ]
    }
}

/// # Safety
/// As for [`Arithmetic`].
#[inline(always)]
pub(super) unsafe fn store4<A: Arithmetic>(a: A, to: *mut u64, stride: usize, x: [A::Vector; 4]) {
    // SAFETY: the caller's.
    unsafe {
        a.store(to, x[0]);
        a.store(to.add(stride), x[1]);
        a.store(to.add(2 * stride), x[2]);
        a.store(to.add(3 * stride), x[3]);
    }
}

/// Two levels of four vectors: the constant of the first level, and the two of the second.
///
/// # Safety
/// As for [`Arithmetic`].
#[inline(always)]
pub(super) unsafe fn two_forward<A: Arithmetic>(
    a: A,
    [x0, x1, x2, x3]: [A::Vector; 4],
    [w, low, high]: [A::Factor; 3],
) -> [A::Vector; 4] {
    // SAFETY: the caller's.
    unsafe {
        let (x0, x2) = a.forward(a.settle(x0), x2, w);
        let (x1, x3) = a.forward(x1, x3, w);
        let (x0, x1) = a.forward(x0, x1, low);
        let (x2, x3) = a.forward(x2, x3, high);
        [x0, x1, x2, x3]
    }
}

/// # Safety
/// As for [`two_forward`].
#[inline(always)]
pub(super) unsafe fn two_inverse<A: Arithmetic>(
    a: A,
    [x0, x1, x2, x3]: [A::Vector; 4],
    [w, low, high]: [A::Factor; 3],
) -> [A::Vector; 4] {
    // SAFETY: the caller's.
    unsafe {
        let (x0, x1) = a.inverse_loose(x0, x1, low);
        let (x2, x3) = a.inverse_loose(x2, x3, high);
        let (x0, x2) = a.inverse(x0, x2, w);
        let (x1, x3) = a.inverse(x1, x3, w);
        [x0, x1, x2, x3]
    }
}

/// Two levels of the inverse; to residues divided by N where it is the `LAST` pass.
///
/// # Safety
/// As for [`forward`].
#[inline(always)]
unsafe fn inverse4<A: Arithmetic, const LAST: bool>(
    a: A,
    table: &Table,
    at: usize,
    block: *mut u64,
    len: usize,
) {
    let quarter = len / 4;
    // SAFETY: `i` is below the quarter.
    unsafe {
        let scale = a.constant(table.scale);
        let [w, low, high] = splat3(a, &table.inverse, at);
        let mut i = 0;
        while i < quarter {
            let place = block.add(i);
            let x = load4(a, place, quarter);
            if LAST {
                let (x0, x1) = a.inverse_loose(x[0], x[1], low);
                let (x2, x3) = a.inverse_loose(x[2], x[3], high);
                let middle = place.add(2 * quarter);
                inverse_last(a, (place, x0), (middle, x2), w, scale);
                inverse_last(
                    a,
                    (place.add(quarter), x1),
                    (middle.add(quarter), x3),
                    w,
                    scale,
                );
            } else {
                store4(a, place, quarter, two_inverse(a, x, [w, low, high]));
            }
            i += A::LANES;
        }
    }
}

/// One butterfly of the last level, divided by N: `w` carries the division already.
///
/// # Safety
/// As for [`Arithmetic`].
#[inline(always)]
unsafe fn inverse_last<A: Arithmetic>(
    a: A,
    (low, x): (*mut u64, A::Vector),
    (high, y): (*mut u64, A::Vector),
    w: A::Factor,
    scale: A::Factor,
) {
    // SAFETY: the caller's.
    unsafe {
        let (x, y) = a.inverse_loose(x, y, w);
        a.store_residues(low, a.scale(x, scale));
        a.store_residues(high, y);
    }
}

/// The sums of products of all whole vectors; how many values that is.
///
/// # Safety
/// As for [`Arithmetic`]; every factor is as long as `sums`.
#[inline(always)]
pub(super) unsafe fn multiply_add<A: Arithmetic>(
    a: A,
    sums: &mut [u64],
    products: &[(&[u64], &[u64])],
) -> usize {
    let whole = sums.len() / A::LANES * A::LANES;
    for at in (0..whole).step_by(A::LANES) {
        // SAFETY: a whole vector lies at `at` in the sums and in the factors, which are as long.
        unsafe {
            let place = sums.as_mut_ptr().add(at);
            let mut value = a.load_residues(place);
            for (i, products) in products.chunks(A::LAZY).enumerate() {
                let mut sum = a.sum(if i == 0 { value } else { a.settle(value) });
                for (x, w) in products {
                    let x = a.load_residues(x.as_ptr().add(at));
                    let w = a.load_residues(w.as_ptr().add(at));
                    sum = a.sum_add(sum, x, w);
                }
                value = a.sum_end(sum);
            }
            a.store_residues(place, value);
        }
    }
    whole
}
