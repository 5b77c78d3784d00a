//! Every circuit of `neural`, in the clear and garbled, against integers.

use proptest::prelude::*;
use subrosa_core::{Prg, Secret, Seed};
use subrosa_garble::{ActiveLabels, Circuit, Evaluator, Garbler, LabelsLayout, neural};
use subrosa_ring::{BitMatrix, from_planes, mask, sign_extend, to_planes};

const WIDTHS: [(usize, usize); 8] = [
    (2, 2),
    (3, 5),
    (5, 3),
    (8, 8),
    (16, 40),
    (40, 40),
    (40, 64),
    (64, 64),
];

/// Input planes [inputs, lanes] of values named by input.
fn planes(circuit: &Circuit, values: &[(String, Vec<u64>)]) -> BitMatrix {
    let lanes = values[0].1.len();
    let mut all = BitMatrix::new(circuit.input_bits(), lanes);
    assert_eq!(values.len(), circuit.inputs().len());
    for (name, values) in values {
        let wires = circuit.input(name).unwrap();
        let part = to_planes(values, 0, wires.len() as u32);
        for (i, wire) in wires.enumerate() {
            all.row_mut(wire).copy_from_slice(part.row(i));
        }
    }
    all
}

fn garbled(circuit: &Circuit, inputs: &BitMatrix, seed: u64) -> BitMatrix {
    let mut garbler = Garbler::new(Prg::new(&Seed::insecure_seeded(seed)));
    let mut garbled = garbler.garble(circuit, inputs.lanes());
    let labels: ActiveLabels = garbled
        .inputs
        .take(0..circuit.input_bits())
        .unwrap()
        .choose(inputs)
        .unwrap();
    let found = Evaluator::new()
        .evaluate(circuit, garbled.tables, labels)
        .unwrap()
        .colours();
    garbled.colours.decode(&found).unwrap()
}

fn check(circuit: &Circuit, values: &[(String, Vec<u64>)], expected: &[u64]) {
    let inputs = planes(circuit, values);
    let clear = circuit.evaluate_lanes(&inputs);
    assert_eq!(from_planes(&clear), expected);
    assert_eq!(garbled(circuit, &inputs, 7), clear);
    for lane in [0, inputs.lanes() - 1] {
        let bit = |m: &BitMatrix, plane: usize| m.row(plane)[lane / 64] >> (lane % 64) & 1 == 1;
        let one: Vec<bool> = (0..inputs.planes()).map(|p| bit(&inputs, p)).collect();
        let all: Vec<bool> = (0..clear.planes()).map(|p| bit(&clear, p)).collect();
        assert_eq!(circuit.evaluate(&one), all);
    }
}

/// Values about every boundary of n bits.
fn boundaries(n: usize) -> Vec<i64> {
    let top = 1i128 << (n - 1);
    let near = [
        -top,
        -top + 1,
        -top / 2,
        -2,
        -1,
        0,
        1,
        2,
        top / 2,
        top - 2,
        top - 1,
    ];
    near.iter().map(|x| sign(*x as u64, n)).collect()
}

fn sign(x: u64, n: usize) -> i64 {
    sign_extend(x & mask(n as u32), n as u32) as i64
}

/// Masks: the ends, the middle, and a uniform one for each value.
fn masks(n: usize, seed: u64, count: usize) -> Vec<u64> {
    let mut masks = Prg::new(&Seed::insecure_seeded(seed)).words(n as u32, count);
    let fixed = [0, 1, mask(n as u32), 1 << (n - 1)];
    for (to, from) in masks.iter_mut().step_by(3).zip(fixed.iter().cycle()) {
        *to = *from;
    }
    masks
}

/// x = c + lambda mod 2^n for each x.
fn shares(x: &[i64], n: usize, seed: u64) -> (Vec<u64>, Vec<u64>) {
    let lambda = masks(n, seed, x.len());
    let pairs = x.iter().zip(&lambda);
    let c = pairs.map(|(x, l)| (*x as u64).wrapping_sub(*l) & mask(n as u32));
    (c.collect(), lambda)
}

fn minus(value: i64, r: u64, k: usize) -> u64 {
    (value as u64).wrapping_sub(r) & mask(k as u32)
}

type Unary = fn(usize, usize, usize) -> Circuit;

fn check_unary(n: usize, shift: usize, k: usize, make: Unary, f: impl Fn(i64) -> i64, ands: usize) {
    let circuit = make(n, shift, k);
    assert_eq!(circuit.ands(), ands, "n {n} shift {shift} k {k}");
    let x: Vec<i64> = boundaries(n).into_iter().cycle().take(90).collect();
    let (c, lambda) = shares(&x, n, 1);
    let r = masks(k, 2, x.len());
    let expected: Vec<u64> = x.iter().zip(&r).map(|(x, r)| minus(f(*x), *r, k)).collect();
    let values = [("c".into(), c), ("lambda".into(), lambda), ("r".into(), r)];
    check(&circuit, &values, &expected);
}

#[test]
fn relu_and_lift() {
    for (n, k) in WIDTHS {
        let gated = (n - 1).min(k);
        check_unary(
            n,
            0,
            k,
            |n, _, k| neural::relu_remask(n, k),
            |x| x.max(0),
            n - 1 + gated + k - 1,
        );
        // A narrower result does not need the top of the sum.
        let opened = (n - 1).min(k - 1);
        check_unary(
            n,
            0,
            k,
            |n, _, k| neural::lift_remask(n, k),
            |x| x,
            opened + k - 1,
        );
    }
}

#[test]
fn truncations() {
    for (n, shift, k) in [
        (40, 12, 40),
        (8, 3, 8),
        (5, 3, 5),
        (16, 1, 20),
        (64, 20, 64),
    ] {
        let relu = |n: usize, shift, k| neural::relu_truncate_remask(n, shift, k);
        check_unary(
            n,
            shift,
            k,
            relu,
            |x| (x >> shift).max(0),
            n - 1 + n - shift - 1 + k - 1,
        );
        let lift = |n: usize, shift, k| neural::truncate_remask(n, shift, k);
        check_unary(n, shift, k, lift, |x| x >> shift, n - 1 + k - 1);
    }
    // Truncation and ReLU at k = 40, f = 12.
    assert_eq!(neural::relu_truncate_remask(40, 12, 40).ands(), 105);
}

#[test]
fn maxima() {
    for (n, k) in WIDTHS.into_iter().filter(|(n, k)| k >= n) {
        for m in [1, 2, 3, 4, 9] {
            for relu in [false, true] {
                let make = if relu {
                    neural::relu_max_remask
                } else {
                    neural::max_remask
                };
                let circuit = make(n, k, m);
                let gates = m * (n - 1) + (m - 1) * 2 * n + k - 1 + if relu { n - 1 } else { 0 };
                assert_eq!(circuit.ands(), gates, "n {n} k {k} m {m}");
                let ends = boundaries(n);
                let lanes = 70;
                let mut values = Vec::new();
                let mut largest = vec![if relu { 0 } else { i64::MIN }; lanes];
                for i in 0..m {
                    let at = |l: usize| ends[(l * (2 * i + 1) + l / 11 * i + i) % ends.len()];
                    let x: Vec<i64> = (0..lanes).map(at).collect();
                    for (most, x) in largest.iter_mut().zip(&x) {
                        *most = (*most).max(*x);
                    }
                    let (c, lambda) = shares(&x, n, 10 + i as u64);
                    values.push((format!("c{i}"), c));
                    values.push((format!("lambda{i}"), lambda));
                }
                let r = masks(k, 3, lanes);
                let pairs = largest.iter().zip(&r);
                let expected: Vec<u64> = pairs.map(|(x, r)| minus(*x, *r, k)).collect();
                values.push(("r".into(), r));
                check(&circuit, &values, &expected);
            }
        }
    }
}

#[test]
fn selection() {
    for n in [2, 3, 8, 40, 64] {
        let circuit = neural::select_remask(n);
        assert_eq!(circuit.ands(), 4 * n - 3);
        let d: Vec<i64> = boundaries(n).into_iter().cycle().take(121).collect();
        let ends = boundaries(n);
        let y1: Vec<i64> = (0..d.len()).map(|l| ends[l / 11 % ends.len()]).collect();
        let y2: Vec<i64> = (0..d.len())
            .map(|l| ends[(l * 5 + 3) % ends.len()])
            .collect();
        let ((dc, dl), (c1, l1), (c2, l2)) =
            (shares(&d, n, 1), shares(&y1, n, 2), shares(&y2, n, 3));
        let r = masks(n, 4, d.len());
        let less = |l: &[u64]| -> Vec<u64> {
            l.iter()
                .zip(&r)
                .map(|(l, r)| minus(*l as i64, *r, n))
                .collect()
        };
        let expected: Vec<u64> = (0..d.len())
            .map(|i| minus(if d[i] < 0 { y2[i] } else { y1[i] }, r[i], n))
            .collect();
        let values = [
            ("dc".into(), dc),
            ("dl".into(), dl),
            ("c1".into(), c1),
            ("l1".into(), less(&l1)),
            ("c2".into(), c2),
            ("l2".into(), less(&l2)),
        ];
        check(&circuit, &values, &expected);
    }
}

#[test]
fn values_with_shared_masks() {
    for n in [2, 3, 8, 40, 64] {
        let ends = boundaries(n);
        let x: Vec<i64> = ends.iter().copied().cycle().take(121).collect();
        let q: Vec<i64> = (0..x.len()).map(|l| ends[l / 11]).collect();
        let ((c, mu), (qc, qm)) = (shares(&x, n, 1), shares(&q, n, 2));
        let values = [("c".into(), c.clone()), ("mu".into(), mu.clone())];
        let cut = |x: i64| x as u64 & mask(n as u32);

        let circuit = neural::relu_shared(n);
        assert_eq!((circuit.ands(), circuit.output_bits()), (2 * n - 2, n - 1));
        let positive: Vec<u64> = x.iter().map(|x| *x.max(&0) as u64).collect();
        check(&circuit, &values, &positive);

        let circuit = neural::lift_shared(n);
        assert_eq!((circuit.ands(), circuit.output_bits()), (n - 1, n));
        let lifted: Vec<u64> = x.iter().map(|x| cut(*x)).collect();
        check(&circuit, &values, &lifted);

        let circuit = neural::choice_shared(n);
        assert_eq!((circuit.ands(), circuit.output_bits()), (3 * n - 2, n));
        let values = [("dc", c), ("dm", mu), ("qc", qc), ("qm", qm)];
        let values = values.map(|(name, values)| (name.into(), values));
        let pairs = x.iter().zip(&q);
        let chosen: Vec<u64> = pairs
            .map(|(d, q)| if *d < 0 { 0 } else { cut(*q) })
            .collect();
        check(&circuit, &values, &chosen);
    }
}

/// Half gates where the garbler knows c, and each bit of mu is a sum of one bit of the garbler and of two others. The evaluator adds
/// the others' labels, which they have by correlated OTs under the garbler's offset; the garbler's own bit goes into its zero label.
#[test]
fn labels_of_bits_that_several_hold() {
    let (n, lanes) = (16, 90);
    let circuit = neural::relu_shared(n);
    let mut prg = Prg::new(&Seed::insecure_seeded(5));
    let mut drawn = || {
        let words = prg.words(64, 2 * n * lanes);
        words
            .as_chunks()
            .0
            .iter()
            .map(|[a, b]| u128::from(*a) << 64 | u128::from(*b))
            .collect::<Vec<u128>>()
    };
    let offset = drawn()[0] | 1;
    let (one, two) = (drawn(), drawn());
    let [c, own, first, second] =
        [1, 2, 3, 4].map(|seed| Prg::new(&Seed::insecure_seeded(seed)).words(n as u32, lanes));
    let set = |values: &[u64], i: usize| {
        if values[i % lanes] >> (i / lanes) & 1 == 1 {
            offset
        } else {
            0
        }
    };
    let label = |i: usize| one[i] ^ set(&first, i) ^ two[i] ^ set(&second, i);
    let labels = LabelsLayout { wires: n, lanes };
    let labels = ActiveLabels::from_values(labels, (0..n * lanes).map(label).collect()).unwrap();
    let zeros = (0..n * lanes)
        .map(|i| one[i] ^ two[i] ^ set(&own, i))
        .collect();

    let mut garbler =
        Garbler::with_offset(Prg::new(&Seed::insecure_seeded(6)), Secret::new(offset));
    let wires = circuit.input("mu").unwrap();
    let mut garbled = garbler
        .garble_given(&circuit, lanes, vec![(wires, zeros)])
        .unwrap();
    let public = garbled.inputs.take(circuit.input("c").unwrap()).unwrap();
    let mut active = public.choose(&to_planes(&c, 0, n as u32)).unwrap();
    active.append(labels).unwrap();
    let found = Evaluator::new()
        .evaluate(&circuit, garbled.tables, active)
        .unwrap();
    let out = garbled.colours.decode(&found.colours()).unwrap();
    let expected: Vec<u64> = (0..lanes)
        .map(|l| {
            let x = c[l].wrapping_add(own[l] ^ first[l] ^ second[l]);
            sign(x, n).max(0) as u64
        })
        .collect();
    assert_eq!(from_planes(&out), expected);
}

#[test]
#[should_panic]
fn an_even_offset_is_refused() {
    Garbler::with_offset(Prg::new(&Seed::insecure_seeded(6)), Secret::new(2));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn relu_of_uniform_masks(n in 2usize..=64, k in 2usize..=64, c: u64, lambda: u64, r: u64) {
        let (c, lambda, r) = (c & mask(n as u32), lambda & mask(n as u32), r & mask(k as u32));
        let x = sign(c.wrapping_add(lambda), n);
        let circuit = neural::relu_remask(n, k);
        let values = [("c".into(), vec![c]), ("lambda".into(), vec![lambda]), ("r".into(), vec![r])];
        check(&circuit, &values, &[minus(x.max(0), r, k)]);
    }
}
