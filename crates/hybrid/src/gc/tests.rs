mod secrecy;

use super::{Garbled, Garbling, accept, activate, client_bits, correct, decode, evaluate, garble};
use crate::step::{Kind, Operands, Shape};
use crate::testing::{coded, ots, samples};
use subrosa_core::{Prg, Seed};
use subrosa_garble::Garbler;
use subrosa_ring::{mask, sign_extend};
use subrosa_share::select::Lift;

/// One step from plain values to plain results, every message and piece through its encoding.
fn run(shape: Shape, compared: &[i64], between: [&[i64]; 2], seed: u64) -> Vec<i64> {
    let mut prg = Prg::new(&Seed::insecure_seeded(seed));
    let lift = shape.lift();
    let keep = mask(lift.narrow);
    let mut split = |x: &[i64]| -> (Vec<u64>, Vec<u64>) {
        let lambda = prg.words(lift.narrow, x.len());
        let pairs = x.iter().zip(&lambda);
        let c = pairs.map(|(x, l)| (*x as u64).wrapping_sub(*l) & keep);
        (c.collect(), lambda)
    };
    let (cc, lc) = split(compared);
    let (c1, l1) = split(between[0]);
    let (c2, l2) = split(between[1]);
    let masks = Operands {
        between: [&l1, &l2],
        ..Operands::one(&lc)
    };
    let values = Operands {
        between: [&c1, &c2],
        ..Operands::one(&cc)
    };
    let (sent, got) = ots(shape.label_ots(), shape.lanes, &mut prg);
    let (bits, mask_out) = client_bits(&shape, &masks, &mut prg);
    let corrections = coded(&correct(&bits, &got), &shape.corrected_bits());
    let mut garbler = Garbler::new(Prg::new(&Seed::insecure_seeded(seed + 1)));
    let (offer, garbling) = garble(&shape, &mut garbler, &corrections, sent).unwrap();
    let garbling: Garbling = coded(&garbling, &shape.garbling_piece());
    let offer = coded(&offer, &shape.offer());
    let garbled: Garbled = accept(&shape, offer, &bits, &got).unwrap();
    let garbled = coded(&garbled, &shape.garbled_piece());
    let active = coded(
        &activate(&shape, garbling.0, &values).unwrap(),
        &shape.active(),
    );
    let found = coded(&evaluate(&shape, garbled, active).unwrap(), &shape.found());
    let c = decode(&shape, garbling.1, &found, &values).unwrap();
    let plain = c.iter().zip(&mask_out).map(|(c, r)| c.wrapping_add(*r));
    plain
        .map(|v| sign_extend(v & mask(lift.wide), lift.wide))
        .collect()
}

#[test]
fn one_value_is_kept_cut_or_lifted() {
    for (narrow, wide) in [(3, 3), (4, 40), (13, 32), (28, 40), (33, 64), (64, 64)] {
        let lift = Lift { narrow, wide };
        let x = samples(narrow, 70, 7);
        let shape = |kind| Shape { lanes: 70, kind };
        let positive: Vec<i64> = x.iter().map(|x| *x.max(&0)).collect();
        let of = [&[][..], &[]];
        assert_eq!(run(shape(Kind::Positive(lift)), &x, of, 3), positive);
        assert_eq!(run(shape(Kind::Lift(lift)), &x, of, 4), x);
    }
}

#[test]
fn the_greater_and_the_chosen_of_two() {
    for bits in [4u32, 9, 30, 64] {
        let quarter = |seed| -> Vec<i64> { samples(bits - 1, 100, seed) };
        let (mut a, mut b) = (quarter(1), quarter(2));
        a.rotate_left(5);
        b[40] = a[40];
        let d: Vec<i64> = a.iter().zip(&b).map(|(a, b)| a - b).collect();
        let want: Vec<i64> = a.iter().zip(&b).map(|(a, b)| *a.max(b)).collect();
        let shape = |kind| Shape { lanes: 100, kind };
        assert_eq!(run(shape(Kind::Maximum { bits }), &d, [&a, &b], 5), want);
        let turned: Vec<i64> = d.iter().map(|d| -d).collect();
        let want: Vec<i64> = a
            .iter()
            .zip(&b)
            .map(|(a, b)| if b >= a { *a } else { *b })
            .collect();
        assert_eq!(
            run(shape(Kind::Choice { bits }), &turned, [&a, &b], 6),
            want
        );
    }
}
