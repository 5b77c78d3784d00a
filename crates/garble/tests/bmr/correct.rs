//! Outputs and their masks against the clear.

use crate::circuits;
use crate::dealer::Dealer;
use crate::ideal::prg;
use proptest::prelude::*;
use subrosa_garble::bmr::Demand;
use subrosa_garble::{Bit, Builder, Circuit, LANES_PER_KEY, Owner, neural};
use subrosa_ring::xor_into;

fn check(circuit: &Circuit, garblers: usize, lanes: usize, seed: u64) {
    let inputs = prg(seed).bits(circuit.input_bits(), lanes);
    let view = Dealer::new(garblers, seed).run(circuit, &inputs);
    let mut found = view.outputs;
    for mask in &view.masks {
        xor_into(found.words_mut(), mask.words());
    }
    assert_eq!(
        found,
        circuit.evaluate_lanes(&inputs),
        "{garblers} garblers, {lanes} lanes"
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(120))]
    #[test]
    fn every_circuit(circuit in circuits::any_circuit(), garblers in 2usize..=4, lanes in 0usize..40, seed in 0u64..1 << 50) {
        check(&circuit, garblers, lanes, seed);
    }
}

#[test]
fn every_number_of_lanes_about_a_block() {
    let circuit = neural::relu_shared(5);
    for lanes in (0..=2 * LANES_PER_KEY + 1).chain([63, 64, 65, 130]) {
        check(&circuit, 2, lanes, lanes as u64);
    }
}

#[test]
fn circuits_of_neural_layers() {
    for garblers in [2, 3, 4, 8] {
        for n in [1, 2, 7, 40, 64] {
            check(&neural::relu_shared(n), garblers, 20, 1);
            check(&neural::lift_shared(n), garblers, 20, 2);
            check(&neural::choice_shared(n), garblers, 20, 3);
        }
        check(&neural::relu_truncate_remask(16, 4, 20), garblers, 90, 4);
    }
}

/// All negations of inputs of a gate, of its output, and of constants.
#[test]
fn negations() {
    for negated in 0..8 {
        let mut b = Builder::new();
        let flip = |bit: Bit, at: u64| if negated >> at & 1 == 1 { !bit } else { bit };
        let x = b.input("x", Owner::Evaluator, 2);
        let c = b.input("c", Owner::Garbler, 1);
        let y = b.and(flip(x[0], 0), flip(x[1], 1));
        let z = b.and(flip(y, 2), flip(c[0], 0));
        b.output(
            "out",
            &[flip(y, 2), !y, z, !z, Bit::TRUE, Bit::FALSE, !x[0], !c[0]],
        );
        let circuit = b.finish();
        for garblers in [2, 3] {
            check(&circuit, garblers, 64, negated);
        }
    }
}

#[test]
fn counts() {
    let circuit = neural::relu_shared(40);
    assert_eq!(circuit.ands(), 78);
    assert_eq!(
        Demand::of(&circuit),
        Demand {
            cots: 40 + 2 * 78,
            ots: 78
        }
    );
    assert_eq!(neural::lift_shared(40).ands(), 39);
    assert_eq!(neural::choice_shared(40).ands(), 118);
    let outputs = [
        neural::relu_shared(40),
        neural::lift_shared(40),
        neural::choice_shared(40),
    ];
    assert_eq!(outputs.map(|circuit| circuit.output_bits()), [39, 40, 40]);
}

#[test]
fn inputs_of_both_kinds_may_be_absent() {
    for owner in [Owner::Garbler, Owner::Evaluator] {
        let mut b = Builder::new();
        let x = b.input("x", owner, 3);
        let y = b.and(x[0], x[1]);
        let z = b.and(y, !x[2]);
        b.output("out", &[y, z]);
        check(&b.finish(), 3, 17, 5);
    }
    check(&Builder::new().finish(), 2, 9, 6);
    assert_eq!(
        Demand::of(&Builder::new().finish()),
        Demand { cots: 0, ots: 0 }
    );
}
