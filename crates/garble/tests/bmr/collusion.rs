//! What coalitions see: the evaluator with all garblers but one, and all garblers.

use crate::circuits;
use crate::dealer::{Dealer, bytes, split, zeros};
use crate::ideal::{bit, pairs, prg};
use crate::reference::{Lane, Met};
use crate::uniform::{sum, uniform};
use proptest::prelude::*;
use subrosa_core::Secret;
use subrosa_garble::bmr::{Demand, Garbler};
use subrosa_garble::{Bit, Builder, Circuit, Owner, neural};
use subrosa_ring::{BitMatrix, xor_into};

/// Six AND gates of which every output is seen, with both kinds of inputs.
fn gates() -> Circuit {
    let mut b = Builder::new();
    let x = b.input("x", Owner::Evaluator, 4);
    let c = b.input("c", Owner::Garbler, 2);
    let p = b.and(x[0], x[1]);
    let q = b.and(!p, x[2]);
    let r = b.and(q, !c[0]);
    let s = b.xor(q, x[3]);
    let t = b.and(s, p);
    let u = b.and(c[0], c[1]);
    let v = b.and(t, u);
    b.output("out", &[p, q, r, t, u, v]);
    b.finish()
}

/// The same inputs in all lanes.
fn fixed(circuit: &Circuit, lanes: usize, inputs: u64) -> BitMatrix {
    let planes = circuit.input_bits();
    let mut all = BitMatrix::new(planes, lanes);
    for plane in 0..planes {
        let word = (inputs >> plane & 1).wrapping_neg();
        all.row_mut(plane).fill(word);
    }
    all.mask_padding();
    all
}

/// Over the randomness of one garbler, with everything else fixed, e of all wires are independent fair coins.
#[test]
fn what_opens_is_a_coin_of_each_garbler() {
    let circuit = gates();
    let lanes = 1 << 13;
    for (garblers, inputs) in [(2, 0b000000), (2, 0b101111), (3, 0b111011)] {
        let inputs = fixed(&circuit, lanes, inputs);
        for honest in 0..garblers {
            let mut dealer = Dealer::new(garblers, 1);
            let before = dealer.run(&circuit, &inputs);
            dealer.garblers[honest] = 99;
            let after = dealer.run(&circuit, &inputs);
            // Sums of the two: what is left is due to this garbler alone.
            let mut bits = after.bits;
            xor_into(bits.words_mut(), before.bits.words());
            let mut outputs = after.outputs;
            xor_into(outputs.words_mut(), before.outputs.words());
            let planes: Vec<&[u64]> = (0..4)
                .map(|p| bits.row(p))
                .chain((0..6).map(|p| outputs.row(p)))
                .collect();
            for subset in 1u32..1 << planes.len() {
                let ones: u32 = (0..lanes / 64)
                    .map(|word| {
                        let chosen = (0..planes.len()).filter(|p| subset >> p & 1 == 1);
                        chosen.fold(0, |sum, p| sum ^ planes[p][word]).count_ones()
                    })
                    .sum();
                let deviation =
                    (2.0 * f64::from(ones) - lanes as f64).abs() / (lanes as f64).sqrt();
                assert!(
                    deviation < 6.0,
                    "garbler {honest}, set {subset:b}: {deviation}"
                );
            }
        }
    }
}

/// Everything that the evaluator and all garblers but `honest` can take off a row.
fn less_known(met: &Met, offsets: &[u128], honest: usize, row: usize, target: usize) -> u128 {
    let others = (0..offsets.len()).filter(|i| *i != honest);
    let hashes = others.map(|i| met.known_hash(i, offsets[i], row, target));
    hashes.fold(met.rows[row][target], |sum, hash| sum ^ hash)
}

fn check_rows(circuit: &Circuit, garblers: usize, lanes: usize, seed: u64) {
    let inputs = prg(seed).bits(circuit.input_bits(), lanes);
    let view = Dealer::new(garblers, seed).run(circuit, &inputs);
    for lane in 0..lanes {
        let (gates, bits) = Lane::new(circuit, &view, lanes, lane).walk(&view);
        for (plane, found) in bits.into_iter().enumerate() {
            assert_eq!(found, bit(&view.outputs, plane, lane));
        }
        for met in &gates {
            for honest in 0..garblers {
                check_gate(met, &view.offsets, honest);
            }
        }
    }
}

fn check_gate(met: &Met, offsets: &[u128], honest: usize) {
    let label = |target: usize, found: u128| {
        [0, offsets[target]]
            .map(|r| met.out[target] ^ r)
            .contains(&found)
    };
    let (a, b, opens) = (met.a[honest], met.b[honest], met.row());
    for target in 0..offsets.len() {
        let mut all_rows = 0;
        for row in 0..4 {
            let left = less_known(met, offsets, honest, row, target);
            // With the honest garbler's own labels every row is a label.
            let hash = met.known_hash(honest, offsets[honest], row, target);
            assert!(label(target, left ^ hash));
            all_rows ^= left;
            if row == opens {
                assert_eq!(left ^ hash, met.out[target]);
                continue;
            }
            assert!(!label(target, left));
            for tag in 0..4 {
                for other in 0..offsets.len() {
                    let known = met.hash(honest, tag, other, a, b);
                    assert!(!label(target, left ^ known));
                }
            }
        }
        // The four rows hold (x + l_a)(y + l_b) R in sum, which is R: were the hashes dependent, it would be bare.
        let known = met.known_hash(honest, offsets[honest], opens, target);
        for found in [all_rows, all_rows ^ known] {
            assert!(found != 0 && found != offsets[target]);
        }
    }
}

#[test]
fn known_labels_open_one_row_of_each_gate() {
    for garblers in [2, 3, 4] {
        check_rows(&gates(), garblers, 70, 1);
        check_rows(&neural::relu_shared(6), garblers, 19, 2);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn known_labels_open_one_row_of_each_gate_in_any_circuit(circuit in circuits::any_circuit(), garblers in 2usize..=3, lanes in 1usize..20, seed in 0u64..1 << 50) {
        check_rows(&circuit, garblers, lanes, seed);
    }
}

/// Zero labels of inputs and of AND gates: were one zero, or two equal, an active label would tell an offset or a mask.
#[test]
fn zero_labels_are_uniform_and_never_repeat() {
    let circuit = neural::relu_shared(16);
    let (n, lanes) = (3, 60);
    let inputs = prg(1).bits(circuit.input_bits(), lanes);
    let view = Dealer::new(n, 1).run(&circuit, &inputs);
    let mut zeros = Vec::new();
    for garbler in 0..n {
        let zero = |label: &u128| label ^ view.offsets[garbler] & (label & 1).wrapping_neg();
        zeros.extend(view.shared[garbler].iter().map(zero));
        zeros.extend(view.public[garbler].iter().map(zero));
        for lane in 0..lanes {
            let (gates, _) = Lane::new(&circuit, &view, lanes, lane).walk(&view);
            zeros.extend(gates.iter().map(|met| zero(&met.out[garbler])));
        }
    }
    // Bit 0, which is unset in all, gives way to its neighbour.
    let blocks = zeros.iter().map(|zero| zero | zero >> 1 & 1);
    uniform(&blocks.flat_map(u128::to_le_bytes).collect::<Vec<u8>>());
    let count = zeros.len();
    zeros.sort_unstable();
    zeros.dedup();
    assert_eq!(zeros.len(), count);
    assert_ne!(zeros[0], 0);
}

/// One garbler twice with the same OTs and answers.
#[test]
fn calls_share_nothing_but_the_offset() {
    let circuit = neural::relu_shared(40);
    let (shared, lanes) = (circuit.bits_of(Owner::Evaluator), 1800);
    let demand = Demand::of(&circuit);
    let shares = BitMatrix::new(shared, lanes);
    let mut garbler = Garbler::new(0, 2, Secret::new(1 << 100 | 1), prg(2));
    let mut call = || {
        let pairs = pairs(&[1 << 100 | 1, 3], demand, lanes, &mut prg(1)).remove(0);
        let begun = garbler.begin(&circuit, lanes, &shares, vec![0; shared * lanes], pairs);
        let (stage, first) = begun.unwrap();
        let (stage, _) = stage.second(vec![zeros(demand.first(lanes))]).unwrap();
        let (stage, _) = stage.third(vec![zeros(demand.second(lanes))]).unwrap();
        let garbled = stage.finish(vec![zeros(demand.second(lanes))]).unwrap();
        (
            bytes(&first[0]),
            bytes(&garbled.rows),
            garbled.publics.pairs(),
        )
    };
    let (one, two) = (call(), call());
    // Own bits of shared inputs are the same, masks of AND gates are not.
    let fresh = shared * lanes / 8;
    uniform(&sum(&one.0[fresh..fresh + 78 * lanes / 8], &two.0[fresh..]));
    uniform(&sum(&one.1, &two.1));
    assert_ne!(one.1[..16], two.1[..16]);
    for (one, two) in one.2.iter().zip(&two.2) {
        assert_eq!(one[0] ^ one[1], 1 << 100 | 1);
        assert_eq!(two[0] ^ two[1], 1 << 100 | 1);
        assert_ne!(one[0] >> 1, two[0] >> 1);
    }
}

/// All that garblers see of the evaluator's bits is where they differ from random choices: with those equal, all they have is equal.
#[test]
fn nothing_of_the_garblers_depends_on_what_the_evaluator_holds() {
    let circuit = neural::relu_shared(8);
    let lanes = 100;
    let inputs = prg(1).bits(circuit.input_bits(), lanes);
    let (shared, public) = split(&circuit, &inputs);
    let mut other = shared.clone();
    xor_into(other.words_mut(), prg(2).bits(8, lanes).words());
    let mut dealer = Dealer::new(3, 3);
    let (one, _) = dealer.garble(&circuit, &shared, &public);
    let mut change = shared.clone();
    xor_into(change.words_mut(), other.words());
    dealer.choices = Some(change);
    let (two, _) = dealer.garble(&circuit, &other, &public);
    assert_ne!(one.bits, two.bits);
    assert_eq!(one.flips, two.flips);
    assert_eq!(one.messages, two.messages);
    assert_eq!(one.rows, two.rows);
    assert_eq!(one.public, two.public);
    assert_eq!(one.masks, two.masks);
}

/// Each message, each garbler's rows and labels, and sums of equal parts, also of different runs.
#[test]
fn everything_that_travels_is_uniform() {
    let circuit = neural::relu_shared(40);
    let lanes = 1800;
    let zeros = BitMatrix::new(circuit.input_bits(), lanes);
    let views = [1, 2].map(|seed| Dealer::new(2, seed).run(&circuit, &zeros));
    let parts = views.each_ref().map(|view| {
        let mut parts = view.messages.concat();
        parts.extend(view.rows.iter().cloned());
        parts.extend(view.sent.iter().cloned());
        parts
    });
    for (i, part) in parts[0].iter().enumerate() {
        uniform(part);
        uniform(&sum(part, &parts[1][i]));
        for other in &parts[0][..i] {
            if other.len() == part.len() {
                uniform(&sum(part, other));
            }
        }
    }
    let rows = &views[0].rows[0];
    // Neighbouring lanes, targets and rows have no common mask.
    for step in [1, 8, 16, 32] {
        uniform(&sum(&rows[16..], &rows[16 + 16 * step..]));
    }
}

/// A constant has the mask 0 and its negation the mask 1, at garbler 0.
#[test]
fn masks_of_constants_are_public() {
    let mut b = Builder::new();
    b.output("out", &[Bit::FALSE, Bit::TRUE]);
    let circuit = b.finish();
    let view = Dealer::new(3, 1).run(&circuit, &BitMatrix::new(0, 5));
    let words: Vec<&[u64]> = view.masks.iter().map(BitMatrix::words).collect();
    assert_eq!(words, [&[0, 31], &[0, 0], &[0, 0]]);
    assert_eq!(view.outputs.words(), [0, 0]);
}
