//! What servers together hold of a step: the results, or fair coins.

use super::{GARBLINGS, Outcome, clear, kinds, masked, run, seeded, sum};
use crate::activation::{Garbling, Shape};
use subrosa_ring::BitMatrix;

/// The same step in each lane: lanes differ in randomness alone.
const LANES: usize = 2048;
/// Six and a half standard deviations of a fair coin, in lanes.
const FAR: usize = 147;
const REMOTES: usize = 3;

struct Step {
    garbling: Garbling,
    outcomes: Vec<Outcome>,
    plain: BitMatrix,
}

fn steps(seed: u64) -> Vec<Step> {
    let mut steps = Vec::new();
    for kind in kinds(5, 9) {
        let shape = Shape { lanes: LANES, kind };
        for x in [[11, -13], [-16, 15]] {
            let mut prg = seeded(seed);
            let columns = x.map(|x| vec![x; LANES]);
            let columns = &columns[..shape.public_planes() / shape.width()];
            let inputs = masked(&shape, columns, REMOTES, &mut prg);
            steps.extend(GARBLINGS.map(|garbling| Step {
                garbling,
                outcomes: run(&shape, garbling, &inputs, REMOTES),
                plain: clear(&shape, columns),
            }));
        }
    }
    steps
}

/// e plus the shares of the servers in `coalition`, a set of places as bits.
fn guess(step: &Step, coalition: usize) -> BitMatrix {
    let members = (0..=REMOTES).filter(|at| coalition >> at & 1 == 1);
    let shares = members.map(|at| &step.outcomes[at].own);
    sum(shares.chain([&step.outcomes[0].found]))
}

fn ones(row: impl Iterator<Item = u64>) -> usize {
    row.map(|word| word.count_ones() as usize).sum()
}

/// Every row, and the sum of every two, is a fair coin over the lanes.
fn is_fair(rows: &BitMatrix) -> bool {
    let planes = 0..rows.planes();
    planes.clone().all(|one| {
        (one..planes.end).all(|other| {
            let pairs = rows.row(one).iter().zip(rows.row(other));
            let count = match one == other {
                true => ones(rows.row(one).iter().copied()),
                false => ones(pairs.map(|(a, b)| a ^ b)),
            };
            count.abs_diff(LANES / 2) < FAR
        })
    })
}

#[test]
fn results_are_fair_coins_to_all_servers_but_one() {
    let everyone = (1 << (REMOTES + 1)) - 1;
    let read = |step: &Step, coalition: usize| match step.garbling {
        Garbling::Bmr => false,
        Garbling::Single => coalition & 3 == 3,
    };
    for step in steps(3) {
        for coalition in 0..everyone {
            let guess = guess(&step, coalition);
            if read(&step, coalition) {
                assert_eq!(guess, step.plain);
            } else {
                assert!(is_fair(&guess), "{:?} {coalition:b}", step.garbling);
            }
        }
        assert_eq!(guess(&step, everyone), step.plain);
    }
}
