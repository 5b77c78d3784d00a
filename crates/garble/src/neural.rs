//! The circuits of neural layers on masked values.
//!
//! A value x of n bits in two's complement is c + lambda mod 2^n: the garbler puts in c, the evaluator lambda and the
//! mask r of the result. Every `_remask` circuit ends with "minus r", so that the result is again masked, by a mask of the
//! evaluator's choice. Inputs are named, least bit first; the output is `out`.
//!
//! | circuit | garbler | evaluator | ANDs |
//! |---|---|---|---|
//! | [`relu_remask`] | `c` | `lambda`, `r` | (n-1) + (n-1) + (k-1) |
//! | [`relu_truncate_remask`] | `c` | `lambda`, `r` | (n-1) + (n-f-1) + (k-1) |
//! | [`lift_remask`], [`truncate_remask`] | `c` | `lambda`, `r` | (n-1) + (k-1) |
//! | [`max_remask`] | `c0`, `c1`, .. | `lambda0`, `lambda1`, .., `r` | m(n-1) + (m-1)2n + (k-1) |
//! | [`relu_max_remask`] | likewise | likewise | n-1 more |
//! | [`select_remask`] | `dc`, `c1`, `c2` | `dl`, `l1`, `l2` | 4n - 3 |
//!
//! Counts are for n >= 2 and k >= n. A result that is wider than its value carries on the sign; a narrower one is taken mod 2^k.
//! `max_remask` asks nothing of its values; where their differences fit n bits, `relu_remask` of a difference is cheaper: with
//! y the second value, max(x, y) = y + max(x - y, 0), at 3n - 3 ANDs for two.
//!
//! The `_shared` circuits are for x = c + mu with the bits of c public and those of mu shared, as [`crate::bmr`] has them. Their
//! outputs stay shared bits.
//!
//! | circuit | public | shared | output bits | ANDs |
//! |---|---|---|---|---|
//! | [`relu_shared`] | `c` | `mu` | n - 1 | 2n - 2 |
//! | [`lift_shared`] | `c` | `mu` | n | n - 1 |
//! | [`choice_shared`] | `dc`, `qc` | `dm`, `qm` | n | 3n - 2 |
//!
//! With half gates they serve where the garbler knows c and the evaluator gets labels of mu that belong to no one bit's holder
//! ([`crate::Garbler::garble_given`]).

use crate::builder::Builder;
use crate::circuit::{Bit, Circuit, Owner};

/// `max(x, 0) - r mod 2^k`.
pub fn relu_remask(n: usize, k: usize) -> Circuit {
    relu_truncate_remask(n, 0, k)
}

/// `max(floor(x / 2^shift), 0) - r mod 2^k`.
pub fn relu_truncate_remask(n: usize, shift: usize, k: usize) -> Circuit {
    let mut b = Builder::new();
    let x = opened(&mut b, "c", "lambda", n);
    let x = b.truncate(&x, shift);
    let positive = b.relu(&x);
    remasked(b, &positive, k)
}

/// `x - r mod 2^k`, with the sign of x carried on: from a ring of n bits to one of k.
pub fn lift_remask(n: usize, k: usize) -> Circuit {
    truncate_remask(n, 0, k)
}

/// `floor(x / 2^shift) - r mod 2^k`.
pub fn truncate_remask(n: usize, shift: usize, k: usize) -> Circuit {
    let mut b = Builder::new();
    let x = opened(&mut b, "c", "lambda", n);
    let x = b.truncate(&x, shift);
    remasked(b, &x, k)
}

/// `max(x_0, .., x_(m-1)) - r mod 2^k`.
///
/// # Panics
/// Where `m` is zero.
pub fn max_remask(n: usize, k: usize, m: usize) -> Circuit {
    let mut b = Builder::new();
    let largest = maximum(&mut b, n, m);
    remasked(b, &largest, k)
}

/// `max(x_0, .., x_(m-1), 0) - r mod 2^k`.
///
/// # Panics
/// Where `m` is zero.
pub fn relu_max_remask(n: usize, k: usize, m: usize) -> Circuit {
    let mut b = Builder::new();
    let largest = maximum(&mut b, n, m);
    let positive = b.relu(&largest);
    remasked(b, &positive, k)
}

/// `(if d < 0 { y2 } else { y1 }) - r mod 2^n`, where d = dc + dl and y_i = c_i + lambda_i.
///
/// Both lambda_i and r are the evaluator's, so it takes their difference itself: `l1` is lambda_1 - r, `l2` is
/// lambda_2 - r mod 2^n.
pub fn select_remask(n: usize) -> Circuit {
    let mut b = Builder::new();
    let d = opened(&mut b, "dc", "dl", n);
    let y1 = opened(&mut b, "c1", "l1", n);
    let y2 = opened(&mut b, "c2", "l2", n);
    let negative = b.is_negative(&d);
    let chosen = b.mux(negative, &y2, &y1);
    b.output("out", &chosen);
    b.finish()
}

/// `max(x, 0)` without its sign, which is 0: n - 1 bits.
pub fn relu_shared(n: usize) -> Circuit {
    let mut b = Builder::new();
    let x = opened(&mut b, "c", "mu", n);
    let positive = b.relu(&x);
    b.output("out", &positive[..n.saturating_sub(1)]);
    b.finish()
}

/// `x` in n bits.
pub fn lift_shared(n: usize) -> Circuit {
    let mut b = Builder::new();
    let x = opened(&mut b, "c", "mu", n);
    b.output("out", &x);
    b.finish()
}

/// `if d < 0 { 0 } else { q }`, n bits, where d = dc + dm and q = qc + qm.
pub fn choice_shared(n: usize) -> Circuit {
    let mut b = Builder::new();
    let d = opened(&mut b, "dc", "dm", n);
    let q = opened(&mut b, "qc", "qm", n);
    let keep = !b.is_negative(&d);
    let chosen = b.keep_if(keep, &q);
    b.output("out", &chosen);
    b.finish()
}

fn opened(b: &mut Builder, garblers: &str, evaluators: &str, n: usize) -> Vec<Bit> {
    let c = b.input(garblers, Owner::Garbler, n);
    let lambda = b.input(evaluators, Owner::Evaluator, n);
    b.add(&c, &lambda)
}

fn maximum(b: &mut Builder, n: usize, m: usize) -> Vec<Bit> {
    assert!(m > 0);
    let mut values: Vec<Vec<Bit>> = (0..m)
        .map(|i| opened(b, &format!("c{i}"), &format!("lambda{i}"), n))
        .collect();
    while values.len() > 1 {
        let pairs = values.chunks(2);
        values = pairs
            .map(|pair| match pair {
                [x, y] => b.max(x, y),
                _ => pair.concat(),
            })
            .collect();
    }
    values.concat()
}

fn remasked(mut b: Builder, value: &[Bit], k: usize) -> Circuit {
    let r = b.input("r", Owner::Evaluator, k);
    let value = b.resize_signed(value, k);
    let out = b.sub(&value, &r);
    b.output("out", &out);
    b.finish()
}
