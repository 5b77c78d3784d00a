//! Words of bits against integers, and what they cost.

use proptest::prelude::*;
use subrosa_garble::{Bit, Builder, Owner};
use subrosa_ring::{mask, sign_extend};

type Words<'a> = &'a [Vec<Bit>];

/// Builds a circuit of inputs of `widths`, checks its AND gates, and gives its outputs for `values`.
fn run(
    widths: &[usize],
    values: &[u64],
    ands: Option<usize>,
    make: impl Fn(&mut Builder, Words) -> Vec<Bit>,
) -> u64 {
    let mut builder = Builder::new();
    let inputs: Vec<Vec<Bit>> = widths
        .iter()
        .map(|width| builder.input("x", Owner::Garbler, *width))
        .collect();
    let out = make(&mut builder, &inputs);
    builder.output("out", &out);
    let circuit = builder.finish();
    if let Some(ands) = ands {
        assert_eq!(circuit.ands(), ands, "widths {widths:?}");
    }
    let pairs = widths.iter().zip(values);
    let bits: Vec<bool> = pairs
        .flat_map(|(width, value)| (0..*width).map(move |i| value >> i & 1 == 1))
        .collect();
    let out = circuit.evaluate(&bits);
    out.iter()
        .rev()
        .fold(0, |all, bit| all << 1 | u64::from(*bit))
}

/// Every pair of ends of n bits, and some between.
fn values(n: usize) -> Vec<u64> {
    let all = mask(n as u32);
    let top = 1 << (n - 1);
    let mut values = vec![
        0,
        1,
        2,
        3,
        top,
        top - 1,
        top + 1,
        all,
        all - 1,
        0x5aa5_3cc3_1234_9876,
    ];
    values.iter_mut().for_each(|v| *v &= all);
    values
}

fn signed(x: u64, n: usize) -> i64 {
    sign_extend(x, n as u32)
}

type Make2 = fn(&mut Builder, Words) -> Vec<Bit>;

fn check_two(ands: impl Fn(usize) -> usize, make: Make2, f: impl Fn(usize, u64, u64) -> u64) {
    for n in [2, 3, 8, 33, 40, 64] {
        for a in values(n) {
            for b in values(n) {
                let found = run(&[n, n], &[a, b], Some(ands(n)), make);
                assert_eq!(found, f(n, a, b), "n {n} a {a} b {b}");
            }
        }
    }
}

#[test]
fn sums_and_differences() {
    let cut = |n: usize, x: u64| x & mask(n as u32);
    check_two(
        |n| n - 1,
        |b, x| b.add(&x[0], &x[1]),
        |n, a, b| cut(n, a.wrapping_add(b)),
    );
    check_two(
        |n| n - 1,
        |b, x| b.sub(&x[0], &x[1]),
        |n, a, b| cut(n, a.wrapping_sub(b)),
    );
    check_two(
        |n| n - 2,
        |b, x| b.negate(&x[0]),
        |n, a, _| cut(n, a.wrapping_neg()),
    );
}

#[test]
fn comparisons() {
    check_two(
        |n| n,
        |b, x| vec![b.less_than(&x[0], &x[1])],
        |_, a, b| u64::from(a < b),
    );
    check_two(
        |n| n,
        |b, x| vec![b.less_than_signed(&x[0], &x[1])],
        |n, a, b| u64::from(signed(a, n) < signed(b, n)),
    );
    check_two(
        |n| n - 1,
        |b, x| vec![b.equal(&x[0], &x[1])],
        |_, a, b| u64::from(a == b),
    );
    check_two(
        |_| 0,
        |b, x| vec![b.is_negative(&x[0])],
        |n, a, _| a >> (n - 1),
    );
}

#[test]
fn selections() {
    let larger = |n, a, b| if signed(a, n) < signed(b, n) { b } else { a };
    let smaller = |n, a, b| if signed(a, n) < signed(b, n) { a } else { b };
    check_two(|n| 2 * n, |b, x| b.max(&x[0], &x[1]), larger);
    check_two(|n| 2 * n, |b, x| b.min(&x[0], &x[1]), smaller);
    check_two(
        |n| n - 1,
        |b, x| b.relu(&x[0]),
        |n, a, _| if signed(a, n) < 0 { 0 } else { a },
    );
    for n in [1, 5, 64] {
        for choice in [0, 1] {
            let (a, b) = (0x1234_5678_9abc_def1 & mask(n as u32), 0);
            let found = run(&[1, n, n], &[choice, a, b], Some(n), |b, x| {
                b.mux(x[0][0], &x[1], &x[2])
            });
            assert_eq!(found, if choice == 1 { a } else { b });
        }
    }
}

#[test]
fn shifts_and_widths() {
    for (n, shift) in [(8, 0), (8, 3), (8, 7), (40, 12), (64, 20), (5, 9)] {
        for a in values(n) {
            let found = run(&[n], &[a], Some(0), |b, x| {
                let short = b.truncate(&x[0], shift);
                b.resize_signed(&short, n)
            });
            let expected = (signed(a, n) >> shift.min(n - 1)) as u64 & mask(n as u32);
            assert_eq!(found, expected, "n {n} shift {shift} a {a}");
            let found = run(&[n], &[a], Some(0), |b, x| b.resize(&x[0], n + 3));
            assert_eq!(found, a & mask(64.min(n as u32 + 3)));
        }
    }
}

#[test]
fn clipping() {
    for (n, low, high) in [
        (8, -100, 100),
        (8, 0, 63),
        (16, -1, 0),
        (64, -(1 << 40), 1 << 50),
    ] {
        for a in values(n) {
            let found = run(&[n], &[a], None, |b, x| b.clip(&x[0], low, high));
            assert_eq!(
                signed(found, n),
                signed(a, n).clamp(low, high),
                "n {n} a {a}"
            );
        }
    }
}

#[test]
fn tables_of_constants() {
    let table: Vec<i64> = (0..200).map(|i: i64| i * i * 7919 - 40_000 * i).collect();
    for width in [1, 2, 24, 64] {
        let most = if width == 1 { 127 } else { 247 };
        for at in [0, 1, 77, 199, 200, 255] {
            let mut builder = Builder::new();
            let index = builder.input("i", Owner::Garbler, 8);
            let out = builder.look_up(&index, &table, width);
            builder.output("out", &out);
            assert!(builder.finish().ands() <= most);
            let found = run(&[8], &[at], None, |b, x| b.look_up(&x[0], &table, width));
            let entry = table.get(at as usize).copied().unwrap_or(0);
            assert_eq!(
                found,
                entry as u64 & mask(width as u32),
                "width {width} at {at}"
            );
        }
    }
}

#[test]
fn constants_fold_and_equal_gates_are_shared() {
    let gates = |make: fn(&mut Builder, Bit, Bit) -> Bit| {
        let mut b = Builder::new();
        let x = b.input("x", Owner::Garbler, 2);
        let out = make(&mut b, x[0], x[1]);
        b.output("out", &[out]);
        let circuit = b.finish();
        (circuit.gates().len(), circuit.ands())
    };
    assert_eq!(gates(|b, x, _| b.and(x, Bit::FALSE)), (0, 0));
    assert_eq!(gates(|b, x, _| b.and(x, Bit::TRUE)), (0, 0));
    assert_eq!(gates(|b, x, _| b.and(x, !x)), (0, 0));
    assert_eq!(gates(|b, x, _| b.or(x, x)), (0, 0));
    assert_eq!(gates(|b, x, _| b.xor(!x, Bit::TRUE)), (0, 0));
    let cancelled = gates(|b, x, y| {
        let sum = b.xor(x, y);
        b.xor(sum, y)
    });
    assert_eq!(cancelled, (0, 0));
    // (!x y) + (x !y) + xy are three readings of one AND.
    let one = gates(|b, x, y| {
        let (p, q, r) = (b.and(!x, y), b.and(x, !y), b.and(x, y));
        let sum = b.xor(p, q);
        b.xor(sum, r)
    });
    assert_eq!(one.1, 1);
    let dead = gates(|b, x, y| {
        b.and(x, y);
        x
    });
    assert_eq!(dead, (0, 0));
}

proptest! {
    #[test]
    fn shared_products_keep_their_meaning(flips in prop::collection::vec((any::<bool>(), any::<bool>()), 1..6)) {
        for inputs in 0..4u64 {
            let found = run(&[2], &[inputs], Some(1), |b, x| {
                flips.iter().map(|(s, t)| {
                    let flip = |bit: Bit, by: bool| if by { !bit } else { bit };
                    b.and(flip(x[0][0], *s), flip(x[0][1], *t))
                }).collect()
            });
            for (i, (s, t)) in flips.iter().enumerate() {
                let expected = (inputs & 1 == 1) ^ s && (inputs >> 1 == 1) ^ t;
                prop_assert_eq!(found >> i & 1 == 1, expected);
            }
        }
    }
}
