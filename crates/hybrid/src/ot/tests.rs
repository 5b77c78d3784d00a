use super::client::Answering;
use super::layout::Material;
use super::owner::Asking;
use super::{client, owner};
use crate::step::{Kind, Operands, Shape};
use crate::testing::{coded, ots, samples};
use subrosa_core::{Prg, Seed};
use subrosa_ring::{BitMatrix, mask, sign_extend, xor_into};
use subrosa_share::select::Lift;

/// One step from plain values to plain results, every message and piece through its encoding.
fn run(shape: Shape, compared: &[i64], between: [&[i64]; 2], seed: u64) -> Vec<i64> {
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
    let (c1, l1) = split(between[0]);
    let (c2, l2) = split(between[1]);
    let (client_sent, owner_got) = ots(shape.client_ots(), lanes, &mut prg);
    let (owner_sent, client_got) = ots(shape.owner_ots(), lanes, &mut prg);
    let masks = Operands {
        between: [&l1, &l2],
        ..Operands::one(&lc)
    };
    let ready = client::prepare(&shape, &masks, client_sent, client_got, &mut prg).unwrap();
    let correction: Material = coded(&ready.correction, &shape.correction());
    let client_piece: Material = coded(&ready.piece, &shape.client_piece());
    let owner_piece = owner::prepare(&shape, owner_got, owner_sent, &correction).unwrap();
    let owner_piece: Material = coded(&owner_piece, &shape.owner_piece());

    let values = Operands {
        between: [&c1, &c2],
        ..Operands::one(&cc)
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
            assert_eq!(
                run(shape, &x, [&[], &[]], 3),
                want,
                "{narrow} {wide} {lanes}"
            );
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
        assert_eq!(run(shape, &x, [&[], &[]], 4), x);
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
        assert_eq!(run(shape, &d, [&a, &b], 5), want, "{bits}");
    }
}
