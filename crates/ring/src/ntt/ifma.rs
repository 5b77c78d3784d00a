//! AVX-512 IFMA: Harvey's lazy butterflies with Shoup's products at 52 bits.
//!
//! With w' = floor(2^52 w / p) and q = floor(a w' / 2^52), a < 2^52, the product a w - q p lies in [0, 2p) and is known
//! modulo 2^52. Since p < 2^50, values below 4p fit. Forward butterflies take and give values below 4p, inverse ones
//! below 2p.
//!
//! The arithmetic is written over [`Wide`], so that tests run it with plain words where the CPU lacks the instructions.

use super::modulus::Modulus;
use super::passes::{Arithmetic, store4, two_forward, two_inverse};
use super::table::{Table, Twiddles};

const LANES: usize = 8;
const LOW: u64 = (1 << 52) - 1;

/// The constant w as the table keeps it, with Shoup's quotient.
pub(super) fn encode(modulus: &Modulus, w: u64) -> (u64, u64) {
    let quotient = (u128::from(w) << 52) / u128::from(modulus.prime());
    (w, quotient as u64)
}

/// Eight words.
///
/// # Safety
/// As for [`Arithmetic`].
pub(super) trait Wide: Copy {
    unsafe fn load(from: *const u64) -> Self;
    unsafe fn store(self, to: *mut u64);
    unsafe fn splat(x: u64) -> Self;
    unsafe fn add(self, other: Self) -> Self;
    unsafe fn sub(self, other: Self) -> Self;
    unsafe fn min(self, other: Self) -> Self;
    unsafe fn and(self, other: Self) -> Self;
    /// The bits from 52 on.
    unsafe fn above(self) -> Self;
    /// `self` + the low 52 bits of the product of the low 52 bits of `a` and `b`.
    unsafe fn add_low(self, a: Self, b: Self) -> Self;
    /// `self` + the high 52 bits of that product.
    unsafe fn add_high(self, a: Self, b: Self) -> Self;
    /// Words 0, 2, 4, 6 of `self`, each before the word of `other` at its place.
    unsafe fn even(self, other: Self) -> Self;
    /// Words 1, 3, 5, 7, likewise.
    unsafe fn odd(self, other: Self) -> Self;
    /// Pairs of words 0 and 2 of `self`, then of `other`.
    unsafe fn even_pairs(self, other: Self) -> Self;
    /// Pairs of words 1 and 3, likewise.
    unsafe fn odd_pairs(self, other: Self) -> Self;
}

/// Eight residues in words.
#[derive(Clone, Copy)]
pub(super) struct Words<W> {
    prime: W,
    twice: W,
    /// 2^52 - p.
    negated: W,
    low: W,
    /// 2^52 mod p and 1, to fold sums.
    fold: (W, W),
    one: (W, W),
}

impl<W: Wide> Words<W> {
    /// # Safety
    /// As for [`Arithmetic`].
    #[inline(always)]
    pub unsafe fn new(modulus: &Modulus) -> Words<W> {
        let prime = modulus.prime();
        let fold = encode(modulus, modulus.reduce(1 << 52));
        let one = encode(modulus, 1);
        // SAFETY: the caller's.
        unsafe {
            Words {
                prime: W::splat(prime),
                twice: W::splat(2 * prime),
                negated: W::splat((1 << 52) - prime),
                low: W::splat(LOW),
                fold: (W::splat(fold.0), W::splat(fold.1)),
                one: (W::splat(one.0), W::splat(one.1)),
            }
        }
    }

    /// The constants of a tile.
    #[inline(always)]
    unsafe fn tile_factors(self, twiddles: &Twiddles, at: usize) -> [(W, W); 7] {
        // SAFETY: the caller's.
        unsafe {
            [
                self.factors(twiddles, at),
                self.factors(twiddles, at + LANES),
                self.factors(twiddles, at + 2 * LANES),
                self.factors(twiddles, at + 3 * LANES),
                self.factors(twiddles, at + 4 * LANES),
                self.factors(twiddles, at + 5 * LANES),
                self.factors(twiddles, at + 6 * LANES),
            ]
        }
    }

    /// x or x - bound, for x < 2 bound.
    #[inline(always)]
    unsafe fn below(x: W, bound: W) -> W {
        // SAFETY: the caller's.
        unsafe { x.min(x.sub(bound)) }
    }
}

/// # Safety
/// As for [`Arithmetic`].
#[inline(always)]
unsafe fn load8<W: Wide>(from: *const u64) -> [W; 8] {
    // SAFETY: the caller's.
    unsafe {
        [
            W::load(from),
            W::load(from.add(LANES)),
            W::load(from.add(2 * LANES)),
            W::load(from.add(3 * LANES)),
            W::load(from.add(4 * LANES)),
            W::load(from.add(5 * LANES)),
            W::load(from.add(6 * LANES)),
            W::load(from.add(7 * LANES)),
        ]
    }
}

/// A row for a column of eight vectors: pairs of words first, then pairs of pairs.
///
/// # Safety
/// As for [`Arithmetic`].
#[inline(always)]
unsafe fn transposed<W: Wide>(rows: [W; 8]) -> [W; 8] {
    // SAFETY: the caller's.
    unsafe {
        let [a, b, c, d, e, f, g, h] = rows;
        let even = four_pairs([a.even(b), c.even(d), e.even(f), g.even(h)]);
        let odd = four_pairs([a.odd(b), c.odd(d), e.odd(f), g.odd(h)]);
        [
            even[0], odd[0], even[1], odd[1], even[2], odd[2], even[3], odd[3],
        ]
    }
}

/// The same for four vectors of four pairs.
///
/// # Safety
/// As for [`Arithmetic`].
#[inline(always)]
unsafe fn four_pairs<W: Wide>([a, b, c, d]: [W; 4]) -> [W; 4] {
    // SAFETY: the caller's.
    unsafe {
        let (ab_even, ab_odd) = (a.even_pairs(b), a.odd_pairs(b));
        let (cd_even, cd_odd) = (c.even_pairs(d), c.odd_pairs(d));
        [
            ab_even.even_pairs(cd_even),
            ab_odd.even_pairs(cd_odd),
            ab_even.odd_pairs(cd_even),
            ab_odd.odd_pairs(cd_odd),
        ]
    }
}

// SAFETY of the blocks below: the trait's contract is that of `Wide`.
impl<W: Wide> Arithmetic for Words<W> {
    const LANES: usize = LANES;
    /// High halves are below 2^48, so this many stay below 2^52 with what the low halves carry.
    const LAZY: usize = 14;
    type Vector = W;
    type Factor = (W, W);
    type Sum = (W, W);

    #[inline(always)]
    unsafe fn load(self, from: *const u64) -> W {
        unsafe { W::load(from) }
    }
    #[inline(always)]
    unsafe fn store(self, to: *mut u64, x: W) {
        unsafe { x.store(to) }
    }
    #[inline(always)]
    unsafe fn load_residues(self, from: *const u64) -> W {
        unsafe { W::load(from) }
    }
    #[inline(always)]
    unsafe fn store_residues(self, to: *mut u64, x: W) {
        unsafe { Self::below(Self::below(x, self.twice), self.prime).store(to) }
    }
    #[inline(always)]
    unsafe fn splat(self, twiddles: &Twiddles, at: usize) -> (W, W) {
        unsafe {
            let value = *twiddles.values.as_ptr().add(at);
            self.constant((value, *twiddles.quotients.as_ptr().add(at)))
        }
    }
    #[inline(always)]
    unsafe fn factors(self, twiddles: &Twiddles, at: usize) -> (W, W) {
        unsafe {
            let value = W::load(twiddles.values.as_ptr().add(at));
            (value, W::load(twiddles.quotients.as_ptr().add(at)))
        }
    }
    #[inline(always)]
    unsafe fn constant(self, (value, quotient): (u64, u64)) -> (W, W) {
        unsafe { (W::splat(value), W::splat(quotient)) }
    }

    #[inline(always)]
    unsafe fn settle(self, x: W) -> W {
        x
    }
    #[inline(always)]
    unsafe fn forward(self, x: W, y: W, w: (W, W)) -> (W, W) {
        unsafe {
            let x = Self::below(x, self.twice);
            let turned = self.scale(y, w);
            (x.add(turned), x.add(self.twice).sub(turned))
        }
    }
    #[inline(always)]
    unsafe fn inverse(self, x: W, y: W, w: (W, W)) -> (W, W) {
        unsafe {
            let sum = Self::below(x.add(y), self.twice);
            (sum, self.scale(x.add(self.twice).sub(y), w))
        }
    }
    #[inline(always)]
    unsafe fn inverse_loose(self, x: W, y: W, w: (W, W)) -> (W, W) {
        unsafe { self.inverse(x, y, w) }
    }
    #[inline(always)]
    unsafe fn scale(self, x: W, (w, quotient): (W, W)) -> W {
        unsafe {
            let zero = W::splat(0);
            let q = zero.add_high(x, quotient);
            zero.add_low(x, w).add_low(q, self.negated).and(self.low)
        }
    }

    #[inline(always)]
    unsafe fn forward_tile(self, twiddles: &Twiddles, at: usize, tile: *mut u64) {
        unsafe {
            let w = self.tile_factors(twiddles, at);
            let [a, b, c, d, e, f, g, h] = transposed(load8(tile));
            let (a, e) = self.forward(a, e, w[0]);
            let (b, f) = self.forward(b, f, w[0]);
            let (c, g) = self.forward(c, g, w[0]);
            let (d, h) = self.forward(d, h, w[0]);
            let [a, b, c, d] = two_forward(self, [a, b, c, d], [w[1], w[3], w[4]]);
            let [e, f, g, h] = two_forward(self, [e, f, g, h], [w[2], w[5], w[6]]);
            let rows = transposed([a, b, c, d, e, f, g, h]);
            self.store_residues(tile, rows[0]);
            self.store_residues(tile.add(LANES), rows[1]);
            self.store_residues(tile.add(2 * LANES), rows[2]);
            self.store_residues(tile.add(3 * LANES), rows[3]);
            self.store_residues(tile.add(4 * LANES), rows[4]);
            self.store_residues(tile.add(5 * LANES), rows[5]);
            self.store_residues(tile.add(6 * LANES), rows[6]);
            self.store_residues(tile.add(7 * LANES), rows[7]);
        }
    }
    #[inline(always)]
    unsafe fn inverse_tile(self, twiddles: &Twiddles, at: usize, tile: *mut u64) {
        unsafe {
            let w = self.tile_factors(twiddles, at);
            let [a, b, c, d, e, f, g, h] = transposed(load8(tile));
            let [a, b, c, d] = two_inverse(self, [a, b, c, d], [w[1], w[3], w[4]]);
            let [e, f, g, h] = two_inverse(self, [e, f, g, h], [w[2], w[5], w[6]]);
            let (a, e) = self.inverse(a, e, w[0]);
            let (b, f) = self.inverse(b, f, w[0]);
            let (c, g) = self.inverse(c, g, w[0]);
            let (d, h) = self.inverse(d, h, w[0]);
            let [a, b, c, d, e, f, g, h] = transposed([a, b, c, d, e, f, g, h]);
            store4(self, tile, LANES, [a, b, c, d]);
            store4(self, tile.add(4 * LANES), LANES, [e, f, g, h]);
        }
    }

    #[inline(always)]
    unsafe fn sum(self, x: W) -> (W, W) {
        unsafe { (x, W::splat(0)) }
    }
    #[inline(always)]
    unsafe fn sum_add(self, (low, high): (W, W), x: W, w: W) -> (W, W) {
        unsafe { (low.add_low(x, w), high.add_high(x, w)) }
    }
    #[inline(always)]
    unsafe fn sum_end(self, (low, high): (W, W)) -> W {
        unsafe {
            let high = self.scale(high.add(low.above()), self.fold);
            let low = self.scale(low.and(self.low), self.one);
            high.add(low)
        }
    }
}

#[cfg(target_arch = "x86_64")]
pub(super) mod intrinsics {
    use super::super::passes;
    use super::*;
    use std::arch::x86_64::*;

    type Eight = Words<__m512i>;

    /// # Safety
    /// The CPU has AVX-512 F and IFMA; `table` is of this kernel and for as many values.
    #[target_feature(enable = "avx512f,avx512ifma")]
    pub unsafe fn forward(modulus: &Modulus, table: &Table, values: &mut [u64]) {
        // SAFETY: the caller's.
        unsafe { passes::forward(Eight::new(modulus), table, values) }
    }

    /// # Safety
    /// As for [`forward`].
    #[target_feature(enable = "avx512f,avx512ifma")]
    pub unsafe fn inverse(modulus: &Modulus, table: &Table, values: &mut [u64]) {
        // SAFETY: the caller's.
        unsafe { passes::inverse(Eight::new(modulus), table, values) }
    }

    /// # Safety
    /// The CPU has AVX-512 F and IFMA; every factor is as long as `sums`.
    #[target_feature(enable = "avx512f,avx512ifma")]
    pub unsafe fn multiply_add(
        modulus: &Modulus,
        sums: &mut [u64],
        products: &[(&[u64], &[u64])],
    ) -> usize {
        // SAFETY: the caller's.
        unsafe { passes::multiply_add(Eight::new(modulus), sums, products) }
    }

    // SAFETY of the blocks below: the trait's contract is the intrinsics' own.
    impl Wide for __m512i {
        #[inline(always)]
        unsafe fn load(from: *const u64) -> Self {
            unsafe { _mm512_loadu_si512(from.cast()) }
        }
        #[inline(always)]
        unsafe fn store(self, to: *mut u64) {
            unsafe { _mm512_storeu_si512(to.cast(), self) }
        }
        #[inline(always)]
        unsafe fn splat(x: u64) -> Self {
            unsafe { _mm512_set1_epi64(x as i64) }
        }
        #[inline(always)]
        unsafe fn add(self, other: Self) -> Self {
            unsafe { _mm512_add_epi64(self, other) }
        }
        #[inline(always)]
        unsafe fn sub(self, other: Self) -> Self {
            unsafe { _mm512_sub_epi64(self, other) }
        }
        #[inline(always)]
        unsafe fn min(self, other: Self) -> Self {
            unsafe { _mm512_min_epu64(self, other) }
        }
        #[inline(always)]
        unsafe fn and(self, other: Self) -> Self {
            unsafe { _mm512_and_si512(self, other) }
        }
        #[inline(always)]
        unsafe fn above(self) -> Self {
            unsafe { _mm512_srli_epi64::<52>(self) }
        }
        #[inline(always)]
        unsafe fn add_low(self, a: Self, b: Self) -> Self {
            unsafe { _mm512_madd52lo_epu64(self, a, b) }
        }
        #[inline(always)]
        unsafe fn add_high(self, a: Self, b: Self) -> Self {
            unsafe { _mm512_madd52hi_epu64(self, a, b) }
        }
        #[inline(always)]
        unsafe fn even(self, other: Self) -> Self {
            unsafe { _mm512_unpacklo_epi64(self, other) }
        }
        #[inline(always)]
        unsafe fn odd(self, other: Self) -> Self {
            unsafe { _mm512_unpackhi_epi64(self, other) }
        }
        #[inline(always)]
        unsafe fn even_pairs(self, other: Self) -> Self {
            unsafe { _mm512_shuffle_i64x2::<0x88>(self, other) }
        }
        #[inline(always)]
        unsafe fn odd_pairs(self, other: Self) -> Self {
            unsafe { _mm512_shuffle_i64x2::<0xdd>(self, other) }
        }
    }
}
