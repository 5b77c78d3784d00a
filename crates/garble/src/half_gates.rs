//! One AND gate on one block of lanes. [ZRE15] figure 2; the key of the first input is `key`, that of the second
//! `key + 1`.

use crate::hash::{LANES_PER_KEY, Row, ZERO, hash, xor_into};

/// Both ciphertexts of a gate: the garbler's half, the evaluator's half.
pub(crate) type Rows = [Row; 2];

/// Zero labels of the inputs -> zero label of the output, and the ciphertexts. `delta` holds the offset in every lane.
#[inline]
pub(crate) fn garble_and(key: u128, delta: &Row, a: &Row, b: &Row) -> (Row, Rows) {
    let a1 = sum(a, delta);
    let b1 = sum(b, delta);
    let [ha0, ha1] = hash(key, [a, &a1]);
    let [hb0, hb1] = hash(key.wrapping_add(1), [b, &b1]);
    let garblers = sum(&sum(&ha0, &ha1), &where_coloured(b, delta));
    let evaluators = sum(&sum(&hb0, &hb1), a);
    let mut out = sum(&ha0, &hb0);
    xor_into(&mut out, &where_coloured(a, &garblers));
    xor_into(&mut out, &where_coloured(b, &sum(&evaluators, a)));
    (out, [garblers, evaluators])
}

/// Active labels of the inputs and the ciphertexts -> active label of the output.
#[inline]
pub(crate) fn evaluate_and(key: u128, a: &Row, b: &Row, [garblers, evaluators]: &Rows) -> Row {
    let [ha] = hash(key, [a]);
    let [hb] = hash(key.wrapping_add(1), [b]);
    let mut out = sum(&ha, &hb);
    xor_into(&mut out, &where_coloured(a, garblers));
    xor_into(&mut out, &where_coloured(b, &sum(evaluators, a)));
    out
}

/// The labels of a sum of two wires.
#[inline(always)]
pub(crate) fn sum(a: &Row, b: &Row) -> Row {
    let mut out = *a;
    xor_into(&mut out, b);
    out
}

/// `x` in lanes whose label has colour 1, otherwise zero; without a branch.
#[inline(always)]
fn where_coloured(labels: &Row, x: &Row) -> Row {
    let mut out = ZERO;
    for lane in 0..LANES_PER_KEY {
        let mask = (labels[2 * lane] & 1).wrapping_neg();
        out[2 * lane] = x[2 * lane] & mask;
        out[2 * lane + 1] = x[2 * lane + 1] & mask;
    }
    out
}
