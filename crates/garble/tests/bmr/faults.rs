//! What does not fit is refused, and lies are found where they can be.

use crate::dealer::{Dealer, bytes, finish, split, zeros};
use crate::ideal::{blocks, cots, pairs, prg};
use subrosa_core::{BitsLayout, Malformed, Secret, Wire};
use subrosa_garble::bmr::{
    Demand, ExpectFirst, Fault, First, Garbler, Pair, RowShares, Rows, RowsLayout, Second, Third,
    receiver_labels, sender_zeros,
};
use subrosa_garble::{ActiveLabels, Circuit, LabelFault, LabelsLayout, neural};
use subrosa_ring::BitMatrix;

const LANES: usize = 11;

fn wires(expected: usize, found: usize) -> LabelFault {
    LabelFault::Wires { expected, found }
}

fn lanes(expected: usize, found: usize) -> LabelFault {
    LabelFault::Lanes { expected, found }
}

fn of(garbler: usize, fault: LabelFault) -> Option<Fault> {
    Some(Fault::Garbler { garbler, fault })
}

fn garblers(expected: usize, found: usize) -> Option<Fault> {
    Some(Fault::Garblers { expected, found })
}

/// Four bits: 6 AND gates, 4 shared inputs, so 16 correlated OTs.
fn circuit() -> Circuit {
    neural::relu_shared(4)
}

/// Garbler 1 of three, its pairs with the others.
fn three_pairs() -> Vec<Pair> {
    pairs(&[1, 3, 5], Demand::of(&circuit()), LANES, &mut prg(1)).remove(1)
}

fn begin<'c>(
    circuit: &'c Circuit,
    shares: &BitMatrix,
    zeros: Vec<u128>,
    pairs: Vec<Pair>,
) -> Result<ExpectFirst<'c>, Fault> {
    let mut garbler = Garbler::new(1, 3, Secret::new(3), prg(2));
    let begun = garbler.begin(circuit, LANES, shares, zeros, pairs);
    begun.map(|(stage, _)| stage)
}

#[test]
fn what_a_garbler_begins_with() {
    let circuit = circuit();
    let shares = BitMatrix::new(4, LANES);
    let zeros = || vec![0; 4 * LANES];
    let fault = |shares: &BitMatrix, zeros, pairs| begin(&circuit, shares, zeros, pairs).err();
    assert_eq!(fault(&shares, zeros(), three_pairs()), None);
    let plain = |fault| Some(Fault::Labels(fault));
    assert_eq!(
        fault(&BitMatrix::new(5, LANES), zeros(), three_pairs()),
        plain(wires(4, 5))
    );
    assert_eq!(
        fault(&BitMatrix::new(4, 12), zeros(), three_pairs()),
        plain(lanes(11, 12))
    );
    assert_eq!(
        fault(&shares, vec![0; 33], three_pairs()),
        plain(wires(4, 3))
    );
    let mut odd = zeros();
    odd[2 * LANES + 1] = 7;
    assert_eq!(
        fault(&shares, odd, three_pairs()),
        Some(Fault::OddZero { wire: 2 })
    );
    let mut few = three_pairs();
    few.truncate(1);
    assert_eq!(fault(&shares, zeros(), few), garblers(3, 2));
}

#[test]
fn pairs_of_another_shape() {
    let circuit = circuit();
    let shares = BitMatrix::new(4, LANES);
    let changed = |at: usize, change: &dyn Fn(&mut Pair)| {
        let mut pairs = three_pairs();
        change(&mut pairs[at]);
        begin(&circuit, &shares, vec![0; 4 * LANES], pairs).err()
    };
    assert_eq!(changed(0, &|p| p.sent.planes = 17), of(0, wires(16, 17)));
    assert_eq!(changed(1, &|p| p.sent.lanes = 10), of(2, lanes(11, 10)));
    let all = 16 * LANES;
    assert_eq!(
        changed(0, &|p| p.sent.zeros.truncate(all - LANES)),
        of(0, wires(16, 15))
    );
    assert_eq!(
        changed(1, &|p| p.got.values.truncate(all - LANES)),
        of(2, wires(16, 15))
    );
    assert_eq!(
        changed(1, &|p| p.got.choices = BitMatrix::new(15, LANES)),
        of(2, wires(16, 15))
    );
    assert_eq!(changed(0, &|p| p.sent_bits.planes = 7), of(0, wires(6, 7)));
    assert_eq!(
        changed(0, &|p| p.sent_bits.keys.truncate(LANES)),
        of(0, wires(6, 1))
    );
    assert_eq!(
        changed(1, &|p| p.got_bits.choices = BitMatrix::new(6, 9)),
        of(2, lanes(11, 9))
    );
    assert_eq!(
        changed(1, &|p| p.got_bits.keys.truncate(LANES)),
        of(2, wires(6, 1))
    );
}

fn bits(planes: usize, lanes: usize) -> BitsLayout {
    BitsLayout { planes, lanes }
}

#[test]
fn messages_missing_or_of_another_shape() {
    let circuit = circuit();
    let first = || {
        begin(
            &circuit,
            &BitMatrix::new(4, LANES),
            vec![0; 4 * LANES],
            three_pairs(),
        )
        .unwrap()
    };
    let second = || {
        let messages = vec![zeros(bits(16, LANES)), zeros(bits(16, LANES))];
        first().second(messages).unwrap().0
    };
    let third = || {
        let messages = vec![zeros(bits(6, LANES)), zeros(bits(6, LANES))];
        second().third(messages).unwrap().0
    };

    assert_eq!(
        first().second(vec![zeros::<First>(bits(16, LANES))]).err(),
        garblers(3, 2)
    );
    let short = vec![zeros::<First>(bits(16, LANES)), zeros(bits(15, LANES))];
    assert_eq!(first().second(short).err(), of(2, wires(16, 15)));
    assert_eq!(second().third(Vec::new()).err(), garblers(3, 1));
    let narrow = vec![zeros::<Second>(bits(6, 10)), zeros(bits(6, LANES))];
    assert_eq!(second().third(narrow).err(), of(0, lanes(11, 10)));
    assert_eq!(
        third().finish(vec![zeros::<Third>(bits(6, LANES))]).err(),
        garblers(3, 2)
    );
    let long = vec![zeros::<Third>(bits(7, LANES)), zeros(bits(6, LANES))];
    assert_eq!(third().finish(long).err(), of(0, wires(6, 7)));
}

fn rows(ands: usize, lanes: usize, garblers: usize) -> RowShares {
    let layout = RowsLayout {
        garblers,
        ands,
        lanes,
    };
    RowShares::decode(&layout, &vec![0; RowShares::size(&layout).0 as usize]).unwrap()
}

#[test]
fn rows_that_do_not_add_up() {
    assert_eq!(Rows::add(Vec::new()).err(), garblers(2, 0));
    assert_eq!(Rows::add(vec![rows(6, 5, 2)]).err(), garblers(2, 1));
    assert_eq!(
        Rows::add(vec![rows(6, 5, 2), rows(6, 5, 3)]).err(),
        garblers(2, 3)
    );
    assert_eq!(
        Rows::add(vec![rows(6, 5, 2), rows(6, 4, 2)]).err(),
        of(1, lanes(5, 4))
    );
    let ands = LabelFault::Ands {
        expected: 6,
        found: 7,
    };
    assert_eq!(
        Rows::add(vec![rows(6, 5, 2), rows(7, 5, 2)]).err(),
        of(1, ands)
    );
    assert!(Rows::add(vec![rows(6, 5, 2), rows(6, 5, 2)]).is_ok());
}

#[test]
fn what_the_evaluator_is_given() {
    let circuit = neural::relu_shared(8);
    let inputs = prg(1).bits(circuit.input_bits(), LANES);
    let (shared, public) = split(&circuit, &inputs);
    let material = || Dealer::new(3, 4).garble(&circuit, &shared, &public).1;
    assert_eq!(finish(&circuit, material(), &public).err(), None);

    let ands = LabelFault::Ands {
        expected: 12,
        found: 14,
    };
    let other = neural::relu_shared(7);
    assert_eq!(
        finish(&other, material(), &public).err(),
        Some(Fault::Labels(ands))
    );
    let mut few = material();
    few.rows.pop();
    assert_eq!(finish(&circuit, few, &public).err(), garblers(3, 2));
    let mut few = material();
    few.shared.pop();
    assert_eq!(finish(&circuit, few, &public).err(), garblers(3, 2));
    let mut few = material();
    few.public.clear();
    assert_eq!(finish(&circuit, few, &public).err(), garblers(3, 0));
    let mut wide = material();
    wide.bits = BitMatrix::new(8, LANES + 1);
    let fault = Fault::Labels(lanes(LANES, LANES + 1));
    assert_eq!(finish(&circuit, wide, &public).err(), Some(fault));
    let mut short = material();
    let layout = LabelsLayout {
        wires: 7,
        lanes: LANES,
    };
    short.public[1] = ActiveLabels::from_values(layout, vec![0; 7 * LANES]).unwrap();
    assert_eq!(finish(&circuit, short, &public).err(), of(1, wires(8, 7)));
}

#[test]
fn labels_of_the_other_bit() {
    let circuit = neural::relu_shared(8);
    let inputs = prg(1).bits(circuit.input_bits(), 70);
    let (shared, public) = split(&circuit, &inputs);
    for (garbler, wire, lane) in [(0, 0, 0), (2, 7, 69), (1, 3, 64)] {
        let flipped = |labels: &ActiveLabels| {
            let mut values = labels.values().to_vec();
            values[wire * 70 + lane] ^= 1;
            ActiveLabels::from_values(labels.layout(), values).unwrap()
        };
        let fault = Fault::Colour {
            garbler,
            wire,
            lane,
        };
        let mut material = Dealer::new(3, 4).garble(&circuit, &shared, &public).1;
        material.shared[garbler] = flipped(&material.shared[garbler]);
        assert_eq!(finish(&circuit, material, &public), Err(fault));
    }
}

/// Bit 0 of a label of a public input is not read; any other bit breaks the gates after it.
#[test]
fn labels_of_public_inputs_that_lie() {
    let circuit = neural::relu_shared(8);
    let inputs = prg(1).bits(circuit.input_bits(), 70);
    let (shared, public) = split(&circuit, &inputs);
    let found = |at: usize, change: u128| {
        let mut material = Dealer::new(3, 4).garble(&circuit, &shared, &public).1;
        let labels = &mut material.public[1];
        let mut values = labels.values().to_vec();
        values[at] ^= change;
        *labels = ActiveLabels::from_values(labels.layout(), values).unwrap();
        finish(&circuit, material, &public)
    };
    let honest = found(0, 0);
    assert!(honest.is_ok());
    for (wire, lane) in [(0, 0), (6, 69), (3, 64)] {
        assert_eq!(found(wire * 70 + lane, 1), honest);
        for bit in [1, 64, 127] {
            let lie = found(wire * 70 + lane, 1 << bit);
            assert_eq!(lie, Err(Fault::Disagreement { lane }));
        }
    }
}

/// Blocks of one gate in one lane, for one target or for all, in all rows: whichever row opens is wrong.
#[test]
fn rows_that_lie() {
    let circuit = neural::relu_shared(8);
    let (n, ands) = (3, circuit.ands());
    let inputs = prg(1).bits(circuit.input_bits(), LANES);
    let (shared, public) = split(&circuit, &inputs);
    let lie = |lane: usize, gate: usize, targets: &[usize], change: u128| {
        let mut material = Dealer::new(n, 4).garble(&circuit, &shared, &public).1;
        let layout = material.rows[1].layout();
        let mut sent = bytes(&material.rows[1]);
        let (block, at) = (lane / 8, lane % 8);
        let width = 8.min(LANES - 8 * block);
        for (row, target) in (0..4).flat_map(|row| targets.iter().map(move |t| (row, t))) {
            let first = 1 + 4 * n * (8 * block * ands + gate * width);
            let place = 16 * (first + (row * n + target) * width + at);
            let (changed, _) = sent[place..].split_first_chunk_mut().unwrap();
            *changed = (u128::from_le_bytes(*changed) ^ change).to_le_bytes();
        }
        material.rows[1] = RowShares::decode(&layout, &sent).unwrap();
        finish(&circuit, material, &public).err()
    };
    for lane in [0, 7, 8, 10] {
        let found = Some(Fault::Disagreement { lane });
        for gate in [0, 5, ands - 1] {
            for target in 0..n {
                assert_eq!(lie(lane, gate, &[target], 1), found);
            }
        }
        // A label that is wrong elsewhere than in its colour breaks the gates after it.
        assert_eq!(lie(lane, 0, &[0], 1 << 77), found);
        assert_eq!(lie(lane, 0, &[0, 1, 2], 1 << 77), found);
    }
}

#[test]
fn malformed_bytes() {
    let layout = RowsLayout {
        garblers: 3,
        ands: 6,
        lanes: 5,
    };
    let size = 4 * 3 * 6 * 5 * 16;
    let length = |expected, found| Some(Malformed::Length { expected, found });
    assert_eq!(RowShares::size(&layout).0, size + 16);
    assert_eq!(Rows::size(&layout).0, size + 3 * 16);
    assert_eq!(
        RowShares::decode(&layout, &[0; 9]).err(),
        length(size + 16, 9)
    );
    assert_eq!(Rows::decode(&layout, &[0; 9]).err(), length(size + 48, 9));
    let vast = RowsLayout {
        garblers: 8,
        ands: usize::MAX,
        lanes: usize::MAX,
    };
    assert_eq!(RowShares::decode(&vast, &[]).err(), length(u64::MAX, 0));
    let demand = Demand::of(&circuit());
    assert_eq!(First::size(&demand.first(LANES)).0, 22);
    assert_eq!(
        First::decode(&demand.first(LANES), &[0; 21]).err(),
        length(22, 21)
    );
    assert_eq!(Second::size(&demand.second(LANES)).0, 9);
    assert_eq!(
        Second::decode(&demand.second(LANES), &[0xff; 9]).err(),
        Some(Malformed::Padding)
    );
    assert_eq!(
        Third::decode(&demand.second(LANES), &[0; 10]).err(),
        length(9, 10)
    );
}

#[test]
fn labels_of_correlated_ots() {
    let mut ideal = prg(7);
    let offset = blocks(&mut ideal, 1)[0] | 1;
    let bits = ideal.bits(3, 70);
    let (sender, receiver) = cots(offset, 3, 70, &mut ideal);
    let (flips, labels) = receiver_labels(receiver, &bits).unwrap();
    let zeros = sender_zeros(sender, &flips, &Secret::new(offset)).unwrap();
    for (i, (label, zero)) in labels.values().iter().zip(&zeros).enumerate() {
        let is_one = bits.row(i / 70)[i % 70 / 64] >> (i % 70 % 64) & 1 == 1;
        assert_eq!(zero & 1, 0);
        assert_eq!(*label, zero ^ if is_one { offset } else { 0 });
    }

    let make = || cots(offset, 3, 70, &mut prg(8));
    let (_, receiver) = make();
    let found = receiver_labels(receiver, &BitMatrix::new(2, 70)).err();
    assert_eq!(found, Some(wires(2, 3)));
    let (_, mut receiver) = make();
    receiver.values.truncate(70);
    let found = receiver_labels(receiver, &BitMatrix::new(3, 70)).err();
    assert_eq!(found, Some(wires(3, 1)));
    let secret = Secret::new(offset);
    let found = sender_zeros(make().0, &BitMatrix::new(3, 71), &secret).err();
    assert_eq!(found, Some(lanes(70, 71)));
    let (mut sender, _) = make();
    sender.zeros.truncate(140);
    let found = sender_zeros(sender, &BitMatrix::new(3, 70), &secret).err();
    assert_eq!(found, Some(wires(3, 2)));
}

#[test]
fn offsets_and_places_that_no_garbler_has() {
    let new = |place, garblers, offset| {
        std::panic::catch_unwind(|| {
            drop(Garbler::new(place, garblers, Secret::new(offset), prg(1)))
        })
    };
    assert!(new(1, 2, 3).is_ok());
    assert!(new(2, 2, 3).is_err());
    assert!(new(0, 1, 3).is_err());
    assert!(new(0, 2, 2).is_err());
}
