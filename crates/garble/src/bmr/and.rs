//! One AND gate on one block of lanes.

use crate::half_gates::{coloured, sums};
use crate::hash::{LANES_PER_KEY, ROW, Row, ZERO, encrypt};
use crate::tables::row;

/// A garbler's place and the multiples of its offset, in every lane.
pub(crate) struct Offset {
    place: usize,
    one: Row,
    /// What the joined labels of row `2 x + y` have above those of row 0: 0, 4 R, 2 R, 6 R.
    joined: [Row; 4],
}

impl Offset {
    pub(crate) fn new(place: usize, offset: u128) -> Self {
        let one = row(&[offset; LANES_PER_KEY]);
        let two = double(&one);
        let four = double(&two);
        Self {
            place,
            one,
            joined: [ZERO, four, two, sums(&two, &four)],
        }
    }

    /// R in each lane whose bit is set.
    #[inline(always)]
    pub(crate) fn where_set(&self, bits: u64) -> Row {
        let mut out = self.one;
        for (lane, label) in out.chunks_exact_mut(2).enumerate() {
            let mask = (bits >> lane & 1).wrapping_neg();
            label[0] &= mask;
            label[1] &= mask;
        }
        out
    }
}

/// What one garbler holds of the inputs of a gate in one block of lanes: its zero label, and for each target j its share of `l R^j`.
pub(crate) struct Operand<'a> {
    pub(crate) zero: &'a Row,
    pub(crate) shares: &'a [Row],
    pub(crate) is_negated: bool,
}

/// The garbled gate of \[BLO16\], the part of one garbler. base: for each target j the share of `(l_a l_b + l_c) R^j`, with the zero label of c where j is the
/// garbler itself. hashed, out: [4, targets].
#[inline(always)]
pub(crate) fn garble_and(
    key: u128,
    offset: &Offset,
    a: Operand,
    b: Operand,
    base: &[Row],
    hashed: &mut [Row],
    out: &mut [Row],
) {
    let targets = base.len();
    let joined = join(a.zero, b.zero);
    let known = [
        false,
        a.is_negated,
        b.is_negated,
        a.is_negated == b.is_negated,
    ];
    let parts = hashed
        .chunks_exact_mut(targets)
        .zip(out.chunks_exact_mut(targets));
    for (row, (hashed, out)) in parts.enumerate() {
        let z = sums(&joined, &offset.joined[row]);
        for (target, (hashed, out)) in hashed.iter_mut().zip(out).enumerate() {
            *hashed = tagged(&z, tag(target) | row as u64);
            *out = sums(hashed, &base[target]);
            if row & 1 == 1 {
                *out = sums(out, &a.shares[target]);
            }
            if row & 2 == 2 {
                *out = sums(out, &b.shares[target]);
            }
            if known[row] && target == offset.place {
                *out = sums(out, &offset.one);
            }
        }
    }
    encrypt(key, hashed);
    for (out, hashed) in out.iter_mut().zip(hashed) {
        *out = sums(out, hashed);
    }
}

/// keys: those of the garblers; a, b: their labels; rows: [4, targets], summed over the garblers -> out: the labels of the targets.
#[inline(always)]
pub(crate) fn evaluate_and(
    keys: impl Iterator<Item = u128>,
    a: &[Row],
    b: &[Row],
    rows: &[Row],
    hashed: &mut [Row],
    out: &mut [Row],
) {
    let targets = out.len();
    let (x, y) = (coloured(&a[0]), coloured(&b[0]));
    for (target, out) in out.iter_mut().enumerate() {
        let [r0, r1, r2, r3] = [0, 1, 2, 3].map(|row| &rows[row * targets + target]);
        for i in 0..ROW {
            let low = r0[i] ^ y[i] & (r0[i] ^ r1[i]);
            let high = r2[i] ^ y[i] & (r2[i] ^ r3[i]);
            out[i] = low ^ x[i] & (low ^ high);
        }
    }
    let mut row = ZERO;
    for lane in (0..ROW).step_by(2) {
        row[lane] = 2 & x[lane] | 1 & y[lane];
    }
    for ((key, a), b) in keys.zip(a).zip(b) {
        let z = sums(&join(a, b), &row);
        for (target, (hashed, out)) in hashed.iter_mut().zip(&mut *out).enumerate() {
            *hashed = tagged(&z, tag(target));
            *out = sums(out, hashed);
        }
        encrypt(key, hashed);
        for (out, hashed) in out.iter_mut().zip(&*hashed) {
            *out = sums(out, hashed);
        }
    }
}

#[inline(always)]
fn tag(target: usize) -> u64 {
    4 * target as u64
}

/// `2 a + 4 b` in GF(2^128).
#[inline(always)]
fn join(a: &Row, b: &Row) -> Row {
    double(&sums(a, &double(b)))
}

/// `z + tag` in each lane.
#[inline(always)]
fn tagged(z: &Row, tag: u64) -> Row {
    let mut out = *z;
    for low in out.iter_mut().step_by(2) {
        *low ^= tag;
    }
    out
}

/// `2 z` in GF(2^128), modulo `X^128 + X^7 + X^2 + X + 1`.
#[inline(always)]
fn double(z: &Row) -> Row {
    let mut out = ZERO;
    for (to, from) in out.chunks_exact_mut(2).zip(z.chunks_exact(2)) {
        to[0] = from[0] << 1 ^ 0x87 & (from[1] >> 63).wrapping_neg();
        to[1] = from[1] << 1 | from[0] >> 63;
    }
    out
}
