//! What a curious client holds of a step tells nothing of the values.

use crate::gc::{accept, activate, client_bits, correct, decode, evaluate, garble};
use crate::step::{Kind, Operands, Shape};
use crate::testing::ots;
use subrosa_core::{Prg, Seed};
use subrosa_garble::Garbler;
use subrosa_ring::{BitMatrix, from_planes, mask, to_planes, xor_into};
use subrosa_share::select::Lift;

/// The same step in each lane: lanes differ in the owner's randomness alone.
const LANES: usize = 4096;
/// Six and a half standard deviations of a fair coin, in lanes.
const FAR: usize = 208;

/// What the client has after a step whose masks are `lambda` and whose randomness but the owner's is fixed.
struct Client {
    /// Colours of the outputs.
    colours: BitMatrix,
    /// Colours of the owner's inputs.
    given: BitMatrix,
    fresh: Vec<u64>,
    /// What only the owner finds: the result less its mask.
    decoded: Vec<u64>,
}

fn step(kind: Kind, x: u64, lambda: u64, owner: u64) -> Client {
    let shape = Shape { lanes: LANES, kind };
    let keep = mask(shape.lift().narrow);
    let masks = vec![lambda; LANES];
    let values = vec![x.wrapping_sub(lambda) & keep; LANES];
    let (masks, values) = (Operands::one(&masks), Operands::one(&values));
    let mut prg = Prg::new(&Seed::insecure_seeded(1));
    let (bits, fresh) = client_bits(&shape, &masks, &mut prg);
    let mut prg = Prg::new(&Seed::insecure_seeded(owner));
    let (sent, got) = ots(shape.label_ots(), LANES, &mut prg);
    let mut garbler = Garbler::new(prg);
    let (offer, (zeros, colours)) =
        garble(&shape, &mut garbler, &correct(&bits, &got), sent).unwrap();
    let garbled = accept(&shape, offer, &bits, &got).unwrap();
    let active = activate(&shape, zeros, &values).unwrap();
    let lowest: Vec<u64> = active[0]
        .values()
        .iter()
        .map(|label| *label as u64 & 1)
        .collect();
    let rows = lowest
        .chunks(LANES)
        .map(|row| to_planes(row, 0, 1).row(0).to_vec());
    let rows: Vec<Vec<u64>> = rows.collect();
    let given = BitMatrix::from_words(rows.len(), LANES, rows.concat());
    let found = evaluate(&shape, garbled, active).unwrap();
    Client {
        colours: found.clone(),
        given,
        fresh,
        decoded: decode(&shape, colours, &found, &values).unwrap(),
    }
}

fn ones(row: &[u64]) -> usize {
    row.iter().map(|word| word.count_ones() as usize).sum()
}

/// Every row, and the sum of every two, is a fair coin over the lanes.
fn check_fair(rows: &BitMatrix) {
    for one in 0..rows.planes() {
        for other in one..rows.planes() {
            let mut row = rows.row(one).to_vec();
            if other > one {
                xor_into(&mut row, rows.row(other));
            }
            let found = ones(&row);
            assert!(found.abs_diff(LANES / 2) < FAR, "{one} {other}: {found}");
        }
    }
}

const KINDS: [Kind; 3] = [
    Kind::Positive(Lift {
        narrow: 12,
        wide: 20,
    }),
    Kind::Positive(Lift {
        narrow: 12,
        wide: 12,
    }),
    Kind::Lift(Lift {
        narrow: 12,
        wide: 20,
    }),
];

#[test]
fn colours_are_fair_coins_whatever_the_value_is() {
    for kind in KINDS {
        for (x, lambda) in [(0, 0), (5, 0), (1000, 77), (u64::MAX - 3, 77), (1000, 4095)] {
            let client = step(kind, x, lambda, x ^ lambda);
            let all: Vec<u64> = [client.colours.words(), client.given.words()].concat();
            let planes = client.colours.planes() + client.given.planes();
            check_fair(&BitMatrix::from_words(planes, LANES, all));
        }
    }
}

#[test]
fn the_owner_decodes_and_the_client_guesses() {
    for kind in KINDS {
        let wide = Shape { lanes: LANES, kind }.lift().wide;
        let (x, keep) = (1000u64, mask(wide));
        let client = step(kind, x, 77, 9);
        let add = |of: &[u64]| -> Vec<u64> {
            let pairs = of.iter().zip(&client.fresh);
            pairs.map(|(c, r)| c.wrapping_add(*r) & keep).collect()
        };
        assert!(add(&client.decoded).iter().all(|found| *found == x));
        // The client's best attempt: colours for bits, plus its mask.
        let guessed = to_planes(&add(&from_planes(&client.colours)), 0, wide);
        let plain = to_planes(&[x], 0, wide);
        for bit in 0..wide as usize {
            let ones = ones(guessed.row(bit));
            let right = if plain.row(bit)[0] & 1 == 1 {
                ones
            } else {
                LANES - ones
            };
            assert!(
                right.abs_diff(LANES / 2) < FAR,
                "bit {bit}: {right} of {LANES}"
            );
        }
    }
}
