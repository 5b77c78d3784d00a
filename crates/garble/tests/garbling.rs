//! Garbled circuits against clear ones, what travels, and what is refused.

mod circuits;
mod uniform;

use aes::Aes128Enc;
use aes::cipher::{Array, BlockCipherEncrypt, KeyInit};
use proptest::prelude::*;
use subrosa_core::{BitsLayout, Malformed, Prg, Seed, Wire};
use subrosa_garble::{
    ActiveLabels, Bit, Circuit, Evaluator, Garbled, Garbler, Gate, LANES_PER_KEY, LabelFault,
    LabelsLayout, OutputColours, Tables, TablesLayout, ZeroLabels, neural,
};
use subrosa_ring::BitMatrix;
use uniform::{sum, uniform};

fn garbler(seed: u64) -> Garbler {
    Garbler::new(Prg::new(&Seed::insecure_seeded(seed)))
}

fn bits(seed: u64, planes: usize, lanes: usize) -> BitMatrix {
    Prg::new(&Seed::insecure_seeded(seed)).bits(planes, lanes)
}

fn labels(garbled: &mut Garbled, circuit: &Circuit, inputs: &BitMatrix) -> ActiveLabels {
    let zeros = garbled.inputs.take(0..circuit.input_bits()).unwrap();
    zeros.choose(inputs).unwrap()
}

/// Garbles, sends, stores, evaluates and decodes.
fn check(circuit: &Circuit, inputs: &BitMatrix, seed: u64) {
    let lanes = inputs.lanes();
    let mut garbled = garbler(seed).garble(circuit, lanes);
    let labels = labels(&mut garbled, circuit, inputs);
    let layout = garbled.tables.layout();
    assert_eq!((layout.ands, layout.lanes), (circuit.ands(), lanes));
    let tables = Tables::decode(&layout, &bytes(&garbled.tables)).unwrap();
    let layout = labels.layout();
    let labels = ActiveLabels::decode(&layout, &bytes(&labels)).unwrap();
    let colours = Evaluator::new()
        .evaluate(circuit, tables, labels)
        .unwrap()
        .colours();
    let layout = BitsLayout {
        planes: circuit.output_bits(),
        lanes,
    };
    let kept = <OutputColours as Wire>::decode(&layout, &bytes(&garbled.colours)).unwrap();
    assert_eq!(
        kept.decode(&colours).unwrap(),
        circuit.evaluate_lanes(inputs)
    );
}

fn bytes<T: Wire>(value: &T) -> Vec<u8> {
    let mut out = Vec::new();
    value.encode(&mut out);
    out
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]
    #[test]
    fn garbled_is_clear(circuit in circuits::any_circuit(), lanes in 0usize..40, seed: u64) {
        check(&circuit, &bits(seed, circuit.input_bits(), lanes), seed ^ 1);
    }
}

/// E_key(s(x)) + s(x) of one label, word for word as the documentation says it.
fn hash(key: u128, x: u128) -> u128 {
    let (high, low) = (x >> 64, x & u128::from(u64::MAX));
    let mapped = (high ^ low) << 64 | high;
    let mut block = Array(mapped.to_le_bytes());
    Aes128Enc::new(&Array(key.to_le_bytes())).encrypt_block(&mut block);
    u128::from_le_bytes(block.0) ^ mapped
}

/// [ZRE15] figure 2, one lane and gate at a time.
#[test]
fn tables_are_those_of_the_paper_bit_by_bit() {
    let circuit = neural::relu_remask(4, 5);
    let (inputs, ands) = (circuit.input_bits(), circuit.ands());
    let lanes = 2 * LANES_PER_KEY + 3;
    let mut garbled = garbler(9).garble(&circuit, lanes);
    let pairs = garbled.inputs.take(0..inputs).unwrap().pairs();
    let bytes = bytes(&garbled.tables);
    let words: Vec<u128> = bytes
        .as_chunks()
        .0
        .iter()
        .map(|w| u128::from_le_bytes(*w))
        .collect();
    let (start, rows) = (words[0], &words[1..]);
    let delta = pairs[0][0] ^ pairs[0][1];
    let if_set = |bit: u128, x: u128| x & (bit & 1).wrapping_neg();
    for lane in 0..lanes {
        let (block, at) = (lane / LANES_PER_KEY, lane % LANES_PER_KEY);
        let width = LANES_PER_KEY.min(lanes - block * LANES_PER_KEY);
        let mut zeros = vec![0];
        zeros.extend((0..inputs).map(|input| pairs[input * lanes + lane][0]));
        let mut index = 0;
        for gate in circuit.gates() {
            let zero =
                |bit: Bit| zeros[bit.wire() as usize] ^ if bit.is_negated() { delta } else { 0 };
            let out = match *gate {
                Gate::Xor(a, b) => zeros[a as usize] ^ zeros[b as usize],
                Gate::And(a, b) => {
                    let (a, b) = (zero(a), zero(b));
                    let key = start.wrapping_add(2 * (block * ands + index) as u128);
                    let next = key.wrapping_add(1);
                    let (ha, ha1) = (hash(key, a), hash(key, a ^ delta));
                    let (hb, hb1) = (hash(next, b), hash(next, b ^ delta));
                    let garblers = ha ^ ha1 ^ if_set(b, delta);
                    let evaluators = hb ^ hb1 ^ a;
                    let first = 2 * (block * LANES_PER_KEY * ands + index * width);
                    assert_eq!(rows[first + at], garblers);
                    assert_eq!(rows[first + width + at], evaluators);
                    index += 1;
                    ha ^ if_set(a, garblers) ^ hb ^ if_set(b, evaluators ^ a)
                }
            };
            zeros.push(out);
        }
        assert_eq!(index, ands);
    }
}

#[test]
fn every_number_of_lanes_about_a_block() {
    let circuit = neural::relu_remask(6, 7);
    for lanes in (0..=3 * LANES_PER_KEY).chain([63, 64, 65, 127, 129]) {
        check(
            &circuit,
            &bits(lanes as u64, circuit.input_bits(), lanes),
            3,
        );
    }
}

#[test]
fn one_evaluator_follows_many_garblings_in_any_order() {
    let circuits = [
        neural::relu_remask(8, 8),
        neural::max_remask(5, 5, 3),
        neural::lift_remask(4, 9),
    ];
    let mut garbler = garbler(5);
    let mut made = Vec::new();
    for (i, circuit) in circuits.iter().enumerate() {
        let inputs = bits(i as u64, circuit.input_bits(), 20);
        let mut garbled = garbler.garble(circuit, 20);
        let labels = labels(&mut garbled, circuit, &inputs);
        made.push((circuit, inputs, garbled, labels));
    }
    let mut evaluator = Evaluator::new();
    for (circuit, inputs, garbled, labels) in made.into_iter().rev() {
        let colours = evaluator
            .evaluate(circuit, garbled.tables, labels)
            .unwrap()
            .colours();
        assert_eq!(
            garbled.colours.decode(&colours).unwrap(),
            circuit.evaluate_lanes(&inputs)
        );
    }
}

/// Tables, active labels and colours of one garbling of zeros.
fn view(garbler: &mut Garbler, circuit: &Circuit, lanes: usize) -> [Vec<u8>; 3] {
    let mut garbled = garbler.garble(circuit, lanes);
    let zeros = BitMatrix::new(circuit.input_bits(), lanes);
    let labels = labels(&mut garbled, circuit, &zeros);
    let (tables, active) = (bytes(&garbled.tables), bytes(&labels));
    let found = Evaluator::new()
        .evaluate(circuit, garbled.tables, labels)
        .unwrap();
    [tables, active, bytes(&found.colours())]
}

#[test]
fn what_the_evaluator_sees_is_uniform_and_never_repeats() {
    let circuit = neural::relu_remask(40, 40);
    let lanes = 3300;
    let mut one = garbler(1);
    let views = [
        view(&mut one, &circuit, lanes),
        view(&mut one, &circuit, lanes),
        view(&mut garbler(2), &circuit, lanes),
    ];
    for view in &views {
        view.iter().for_each(|part| uniform(part));
    }
    for (i, j) in [(0, 1), (0, 2), (1, 2)] {
        for (a, b) in views[i].iter().zip(&views[j]) {
            uniform(&sum(a, b));
        }
    }
    let [tables, active, _] = &views[0];
    // Neighbouring ciphertexts, and labels of neighbouring lanes, have no common mask.
    uniform(&sum(&tables[16..], &tables[32..]));
    uniform(&sum(active, &active[16..]));
}

#[test]
fn garblings_share_nothing_but_the_offset_of_their_garbler() {
    let circuit = neural::lift_remask(40, 40);
    let pairs = |garbler: &mut Garbler| {
        let mut garbled = garbler.garble(&circuit, 3);
        let zeros = garbled.inputs.take(0..circuit.input_bits()).unwrap();
        (zeros.pairs(), bytes(&garbled.tables)[..16].to_vec())
    };
    let mut one = garbler(1);
    let ((a, start_a), (b, start_b)) = (pairs(&mut one), pairs(&mut one));
    let (c, start_c) = pairs(&mut garbler(2));
    assert!(start_a != start_b && start_a != start_c && start_b != start_c);
    let delta = |pairs: &[[u128; 2]]| {
        let delta = pairs[0][0] ^ pairs[0][1];
        assert!(pairs.iter().all(|[zero, one]| zero ^ one == delta));
        assert_eq!(delta & 1, 1);
        delta
    };
    assert_eq!(delta(&a), delta(&b));
    assert_ne!(delta(&a), delta(&c));
    let all = [a, b, c].concat();
    let mut labels: Vec<u128> = all.iter().map(|pair| pair[0]).collect();
    labels.sort_unstable();
    labels.dedup();
    assert_eq!(labels.len(), all.len());
}

#[test]
fn labels_leave_once() {
    let circuit = neural::relu_remask(4, 4);
    let mut inputs = garbler(1).garble(&circuit, 2).inputs;
    inputs.take(2..5).unwrap();
    assert_eq!(inputs.take(4..6).err(), Some(LabelFault::Taken { wire: 4 }));
    assert_eq!(inputs.take(0..3).err(), Some(LabelFault::Taken { wire: 2 }));
    assert_eq!(
        inputs.take(5..13).err(),
        Some(LabelFault::NoSuchInput {
            expected: 12,
            found: 13
        })
    );
    inputs.take(5..12).unwrap();
    inputs.take(0..2).unwrap();
}

#[test]
fn pairs_and_choices_agree_also_after_storage() {
    let circuit = neural::relu_remask(4, 4);
    let choice = bits(4, 12, 70);
    let zeros = || garbler(1).garble(&circuit, 70).inputs.take(0..12).unwrap();
    let stored = ZeroLabels::decode(&zeros().layout(), &bytes(&zeros())).unwrap();
    let active = stored.choose(&choice).unwrap();
    for (i, pair) in zeros().pairs().iter().enumerate() {
        let (plane, lane) = (i / 70, i % 70);
        let bit = choice.row(plane)[lane / 64] >> (lane % 64) & 1;
        assert_eq!(active.values()[i], pair[bit as usize]);
    }
}

#[test]
fn what_does_not_fit_is_refused() {
    let circuit = neural::relu_remask(4, 4);
    let fresh = |lanes| garbler(1).garble(&circuit, lanes);
    let layout = |wires, lanes| LabelsLayout { wires, lanes };
    let active = |wires: usize, lanes: usize| {
        ActiveLabels::from_values(layout(wires, lanes), vec![0; wires * lanes]).unwrap()
    };
    let evaluate = |circuit: &Circuit, labels| {
        Evaluator::new()
            .evaluate(circuit, fresh(3).tables, labels)
            .err()
    };
    let wires = |expected, found| Some(LabelFault::Wires { expected, found });
    let lanes = |expected, found| Some(LabelFault::Lanes { expected, found });
    assert_eq!(evaluate(&circuit, active(11, 3)), wires(11, 12));
    assert_eq!(evaluate(&circuit, active(12, 2)), lanes(2, 3));
    let other = neural::max_remask(4, 4, 1);
    let ands = LabelFault::Ands {
        expected: 6,
        found: 9,
    };
    assert_eq!(evaluate(&other, active(12, 3)), Some(ands));
    assert_eq!(evaluate(&circuit, active(12, 3)), None);
    assert_eq!(active(2, 3).append(active(1, 4)).err(), lanes(3, 4));
    assert_eq!(
        ActiveLabels::from_values(layout(2, 3), vec![0; 5]).err(),
        wires(2, 1)
    );
    let take = || fresh(3).inputs.take(0..4).unwrap();
    assert_eq!(take().choose(&BitMatrix::new(5, 3)).err(), wires(4, 5));
    assert_eq!(take().choose(&BitMatrix::new(4, 2)).err(), lanes(3, 2));
    assert_eq!(
        fresh(3).colours.decode(&BitMatrix::new(3, 3)).err(),
        wires(4, 3)
    );
    assert_eq!(
        fresh(3).colours.decode(&BitMatrix::new(4, 4)).err(),
        lanes(3, 4)
    );
}

#[test]
fn malformed_bytes_are_refused() {
    let circuit = neural::relu_remask(4, 4);
    let mut garbled = garbler(1).garble(&circuit, 3);
    let tables = bytes(&garbled.tables);
    let layout = TablesLayout { ands: 9, lanes: 3 };
    assert_eq!(Tables::size(&layout).0 as usize, tables.len());
    assert_eq!(tables.len(), 16 + 32 * 9 * 3);
    let length = |expected, found| Some(Malformed::Length { expected, found });
    assert_eq!(
        Tables::decode(&layout, &tables[1..]).err(),
        length(880, 879)
    );
    let vast = TablesLayout {
        ands: usize::MAX,
        lanes: usize::MAX,
    };
    assert_eq!(Tables::decode(&vast, &tables).err(), length(u64::MAX, 880));
    let zeros = garbled.inputs.take(0..4).unwrap();
    let layout = zeros.layout();
    let mut stored = bytes(&zeros);
    assert_eq!(stored.len() as u64, ZeroLabels::size(&layout).0);
    assert_eq!(
        ZeroLabels::decode(&layout, &stored[..20]).err(),
        length(208, 20)
    );
    stored[0] &= 0xfe;
    assert_eq!(
        ZeroLabels::decode(&layout, &stored).err(),
        Some(Malformed::Encoding)
    );
    assert_eq!(ActiveLabels::decode(&layout, &[0; 5]).err(), length(192, 5));
}
