//! One AND gate on one block of lanes. [ZRE15] figure 2; the key of the first input is `key`, that of the second
//! `key + 1`.

use crate::hash::{ROW, Row, ZERO, encrypt, orthomorphism};

/// Both ciphertexts of a gate in one block: the garbler's halves, the evaluator's halves.
pub(crate) type Halves = [Row; 2];

/// The garbler's offset in every lane.
pub(crate) struct Offset {
    pub(crate) delta: Row,
    mapped: Row,
}

impl Offset {
    pub(crate) fn new(delta: Row) -> Self {
        let mapped = orthomorphism(&delta);
        Self { delta, mapped }
    }
}

/// Zero labels of the inputs -> zero label of the output, and the ciphertexts.
#[inline(always)]
pub(crate) fn garble_and(key: u128, offset: &Offset, a: &Row, b: &Row, halves: &mut Halves) -> Row {
    let (sa, sb) = (orthomorphism(a), orthomorphism(b));
    let (ma, mb) = (coloured(a), coloured(b));
    let mut ea = [sa, sums(&sa, &offset.mapped)];
    let mut eb = [sb, sums(&sb, &offset.mapped)];
    encrypt(key, &mut ea);
    encrypt(key.wrapping_add(1), &mut eb);
    let mut out = ZERO;
    for i in 0..ROW {
        // H(A0) + H(A1), H(B0) + H(B1).
        let ha = ea[0][i] ^ ea[1][i] ^ offset.mapped[i];
        let hb = eb[0][i] ^ eb[1][i] ^ offset.mapped[i];
        let garblers = ha ^ mb[i] & offset.delta[i];
        halves[0][i] = garblers;
        halves[1][i] = hb ^ a[i];
        out[i] = ea[0][i] ^ sa[i] ^ ma[i] & garblers ^ eb[0][i] ^ sb[i] ^ mb[i] & hb;
    }
    out
}

/// Active labels of the inputs and the ciphertexts -> active label of the output.
#[inline(always)]
pub(crate) fn evaluate_and(key: u128, a: &Row, b: &Row, halves: &Halves) -> Row {
    let (sa, sb) = (orthomorphism(a), orthomorphism(b));
    let (ma, mb) = (coloured(a), coloured(b));
    let mut ea = [sa];
    let mut eb = [sb];
    encrypt(key, &mut ea);
    encrypt(key.wrapping_add(1), &mut eb);
    let mut out = ZERO;
    for i in 0..ROW {
        let garblers = ea[0][i] ^ sa[i] ^ ma[i] & halves[0][i];
        let evaluators = eb[0][i] ^ sb[i] ^ mb[i] & (halves[1][i] ^ a[i]);
        out[i] = garblers ^ evaluators;
    }
    out
}

/// The labels of a sum of two wires.
#[inline(always)]
pub(crate) fn sums(a: &Row, b: &Row) -> Row {
    let mut out = *a;
    for (to, from) in out.iter_mut().zip(b) {
        *to ^= from;
    }
    out
}

/// All ones in lanes whose label has colour 1, otherwise zero.
#[inline(always)]
pub(crate) fn coloured(labels: &Row) -> Row {
    let mut masks = ZERO;
    for (mask, label) in masks.chunks_exact_mut(2).zip(labels.chunks_exact(2)) {
        mask[0] = (label[0] & 1).wrapping_neg();
        mask[1] = mask[0];
    }
    masks
}
