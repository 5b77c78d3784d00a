use super::client::{Answering, Masks};
use super::layout::Material;
use super::owner::{Asking, Values};
use super::{client, owner};
use crate::step::{Kind, Shape};
use subrosa_core::{Prg, ReceiverOts, Seed, SenderOts, Wire};
use subrosa_ring::{BitMatrix, mask, sign_extend, xor_into};
use subrosa_share::select::Lift;

/// Random OTs from one generator that knows both sides.
fn ots(planes: usize, lanes: usize, prg: &mut Prg) -> (SenderOts, ReceiverOts) {
    let words = prg.words(64, 4 * planes * lanes);
    let wide = |at: usize| u128::from(words[at]) << 64 | u128::from(words[at + 1]);
    let keys: Vec<[u128; 2]> = (0..planes * lanes)
        .map(|i| [wide(4 * i), wide(4 * i + 2)])
        .collect();
    let choices = prg.bits(planes, lanes);
    let chosen = keys.iter().enumerate().map(|(i, pair)| {
        let lane = i % lanes.max(1);
        pair[(choices.row(i / lanes)[lane / 64] >> (lane % 64) & 1) as usize]
    });
    let receiver = ReceiverOts {
        keys: chosen.collect(),
        choices,
    };
    (
        SenderOts {
            planes,
            lanes,
            keys,
        },
        receiver,
    )
}

fn coded<T: Wire>(value: &T, layout: &T::Layout) -> T {
    let mut bytes = Vec::new();
    value.encode(&mut bytes);
    assert_eq!(bytes.len() as u64, T::size(layout).0);
    T::decode(layout, &bytes).unwrap()
}

/// One step from plain values to plain results, every message and piece through its encoding.
fn run(shape: Shape, compared: &[i64], selected: &[i64], added: &[i64], seed: u64) -> Vec<i64> {
    let mut prg = Prg::new(&Seed::insecure_seeded(seed));
    let lift = shape.lift();
    let keep = mask(lift.narrow);
    let lanes = shape.lanes;
    let mut split = |x: &[i64]| -> (Vec<u64>, Vec<u64>) {
        let lambda = prg.words(lift.narrow, x.len());
        let c = x
            .iter()
            .zip(&lambda)
            .map(|(x, l)| (*x as u64).wrapping_sub(*l) & keep);
        (c.collect(), lambda)
    };
    let (cc, lc) = split(compared);
    let (cs, ls) = split(selected);
    let (ca, la) = split(added);
    let (client_sent, owner_got) = ots(shape.client_ots(), lanes, &mut prg);
    let (owner_sent, client_got) = ots(shape.owner_ots(), lanes, &mut prg);
    let masks = Masks {
        compared: &lc,
        selected: &ls,
        added: &la,
    };
    let ready = client::prepare(&shape, &masks, client_sent, client_got, &mut prg).unwrap();
    let correction: Material = coded(&ready.correction, &shape.correction());
    let client_piece: Material = coded(&ready.piece, &shape.client_piece());
    let owner_piece = owner::prepare(&shape, owner_got, owner_sent, &correction).unwrap();
    let owner_piece: Material = coded(&owner_piece, &shape.owner_piece());

    let values = Values {
        compared: &cc,
        selected: &cs,
        added: &ca,
    };
    let mut asking = Asking::new(&shape, &owner_piece, &values);
    let mut answering = Answering::new(&shape, &client_piece);
    let mut sign = None;
    if let Some(tree) = shape.tree() {
        let shifts = coded(&asking.shifts(&tree).unwrap(), &shape.shifts(&tree));
        let tables = answering.tables(&tree, &shifts).unwrap();
        asking
            .pick(&tree, &coded(&tables, &shape.answers(&tree)))
            .unwrap();
        for nodes in tree.levels() {
            let layout = shape.level(nodes);
            let mut opened: BitMatrix = coded(&asking.open().unwrap(), &layout);
            xor_into(
                opened.words_mut(),
                coded(&answering.open().unwrap(), &layout).words(),
            );
            asking.close(&opened).unwrap();
            answering.close(&opened).unwrap();
        }
        sign = Some(coded(&answering.sign().unwrap(), &shape.sign()));
    }
    let choices = coded(
        &asking.choices(&values, sign.as_ref()).unwrap(),
        &shape.choices(),
    );
    let part = coded(&answering.result(&choices).unwrap(), &shape.result());
    let c = asking.result(&part);
    let plain = c.iter().zip(&ready.mask).map(|(c, r)| c.wrapping_add(*r));
    plain
        .map(|v| sign_extend(v & mask(lift.wide), lift.wide))
        .collect()
}

/// Boundaries and random values of absolute value below 2^(bits - 2).
fn samples(bits: u32, count: usize, seed: u64) -> Vec<i64> {
    let top = 1i64 << (bits - 2);
    let mut values = vec![
        0,
        1,
        -1,
        top - 1,
        -top,
        1 - top,
        2.min(top - 1),
        top / 2,
        -top / 2,
    ];
    let drawn = Prg::new(&Seed::insecure_seeded(seed)).words(bits - 1, count - values.len());
    values.extend(drawn.iter().map(|v| *v as i64 - top));
    values
}

#[test]
fn positive_keeps_what_is_not_negative() {
    for (narrow, wide) in [
        (3, 3),
        (4, 40),
        (5, 5),
        (6, 64),
        (13, 32),
        (28, 40),
        (28, 28),
        (33, 64),
        (64, 64),
    ] {
        for lanes in [9, 64, 200] {
            let lift = Lift { narrow, wide };
            let shape = Shape {
                lanes,
                kind: Kind::Positive(lift),
            };
            let x = samples(narrow, lanes, 7);
            let want: Vec<i64> = x.iter().map(|x| *x.max(&0)).collect();
            assert_eq!(run(shape, &x, &x, &[], 3), want, "{narrow} {wide} {lanes}");
        }
    }
}

#[test]
fn lift_keeps_the_value() {
    for (narrow, wide) in [(3, 4), (8, 64), (28, 40), (63, 64)] {
        let shape = Shape {
            lanes: 300,
            kind: Kind::Lift(Lift { narrow, wide }),
        };
        let x = samples(narrow, 300, 8);
        assert_eq!(run(shape, &[], &x, &[], 4), x);
    }
}

#[test]
fn choice_takes_the_first_where_the_difference_is_not_negative() {
    for bits in [4u32, 9, 30, 64] {
        let shape = Shape {
            lanes: 300,
            kind: Kind::Choice { bits },
        };
        let quarter = |seed| -> Vec<i64> { samples(bits - 1, 300, seed) };
        let (mut a, mut b) = (quarter(1), quarter(2));
        a.rotate_left(5);
        b[40] = a[40];
        let d: Vec<i64> = a.iter().zip(&b).map(|(a, b)| a - b).collect();
        let want: Vec<i64> = a.iter().zip(&b).map(|(a, b)| *a.max(b)).collect();
        assert_eq!(run(shape, &d, &d, &b, 5), want, "{bits}");
    }
}
