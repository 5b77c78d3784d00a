//! Weights of the hidden half: from the parts of the model, from masked products, from values of activations.

use crate::coins::Coins;
use crate::decode::{Coalition, Seen};
use crate::nets::{Model, drawn, fixed, model};
use crate::record::{Job, record};
use crate::solve::{Modular, least_squares};
use subrosa_core::{Seed, Wire, Words};
use subrosa_ir::{Tensor, encode_weights};
use subrosa_protocol::{Division, Garbling, Holders, Holding, WholePlan};
use subrosa_ring::mask;
use subrosa_seco::part::{to_gateway, to_remote};
use subrosa_seco::{GATEWAY, INPUT, Whole, remote_party};

fn divided(rows: usize, remotes: usize, garbling: Garbling, holders: Holders) -> Model {
    let division = Division {
        at: Some(INPUT.to_owned()),
        hide: None,
        remotes,
        garbling,
        holders,
    };
    model(rows, &WIDTHS, 0, division)
}

/// Of the layers: input, ReLU, answer.
const WIDTHS: [usize; 3] = [3, 4, 2];

/// All weights behind each other, modulo 2^bits.
fn plain(model: &Model, bits: u32) -> Vec<u64> {
    let all = encode_weights(&model.whole.hidden.graph, &model.weights).unwrap();
    all.into_iter().flatten().map(|w| w & mask(bits)).collect()
}

/// A server's share of all weights behind each other; zeros where it holds none.
fn part(model: &Model, place: usize, seed: u64) -> Vec<u64> {
    let whole: &Whole = &model.whole;
    let (scheme, seed) = (&whole.hidden, Seed::insecure_seeded(seed));
    let party = match place < scheme.remotes {
        true => remote_party(place),
        false => GATEWAY,
    };
    let Holding::Part(part) = whole.holding(party, &model.weights, &seed).unwrap() else {
        panic!("a server has a part");
    };
    let share = match party {
        GATEWAY => to_gateway(&whole.gateway(), &part).unwrap().share,
        _ => to_remote(&whole.remote(place), &part).unwrap(),
    };
    let mut bytes = Vec::new();
    share.encode(&mut bytes);
    let place = subrosa_collective::Place(place);
    let words = Vec::<Words>::decode(&scheme.shares(place), &bytes).unwrap();
    match words.is_empty() {
        true => vec![0; scheme.weights().iter().map(|layout| layout.count).sum()],
        false => words.into_iter().flat_map(|words| words.values).collect(),
    }
}

/// The parts of a coalition, added: the weights where all holders are among them, else fair coins over many divisions of one model.
#[test]
fn parts_add_up_to_the_weights_where_all_holders_are_together_and_nowhere_else() {
    for (remotes, holders) in [
        (2, Holders::AllServers),
        (3, Holders::AllServers),
        (2, Holders::Remotes),
        (3, Holders::Remotes),
    ] {
        let model = divided(1, remotes, Garbling::Bmr, holders);
        let ring = model.whole.hidden.graph.ring;
        let plain = plain(&model, ring);
        let all = Coalition((1 << (remotes + 1)) - 1);
        let needed = match holders {
            Holders::AllServers => all,
            Holders::Remotes => Coalition(all.0 >> 1),
        };
        let division = |seed| (0..=remotes).map(move |at| (at, seed));
        let divisions: Vec<Vec<Vec<u64>>> = (0..160)
            .map(|seed| {
                division(seed)
                    .map(|(at, seed)| part(&model, at, seed))
                    .collect()
            })
            .collect();
        for coalition in Coalition::all(remotes + 1) {
            // Who holds none adds none: a coalition without holders has nothing.
            if coalition.0 & needed.0 == 0 {
                continue;
            }
            let sums = divisions.iter().map(|parts| {
                let mut sum = vec![0u64; plain.len()];
                let members = parts.iter().enumerate();
                for (_, part) in members.filter(|(place, _)| coalition.has(*place)) {
                    let pairs = sum.iter_mut().zip(part);
                    pairs.for_each(|(sum, w)| *sum = sum.wrapping_add(*w) & mask(ring));
                }
                sum
            });
            let mut coins = Coins::default();
            let mut read = true;
            for sum in sums {
                read &= sum == plain;
                for (at, weight) in sum.into_iter().enumerate() {
                    coins.throw(at, weight, ring);
                }
            }
            let expected = coalition.includes(needed);
            assert_eq!((read, coins.fair()), (expected, !expected), "{coalition:?}");
        }
    }
}

/// All servers but one know c, and of the last one y = W c + τ over many inferences. With τ they solve for its part of the weights,
/// and so have the first layer; without it what they solve for is fair coins.
#[test]
fn from_masked_products_nobody_solves_for_the_last_part() {
    const INFERENCES: usize = 4;
    let [inner, columns, _] = WIDTHS;
    let model = divided(256, 2, Garbling::Bmr, Holders::AllServers);
    let scheme = &model.whole.hidden;
    let record = record(&Job {
        model: &model,
        inputs: vec![fixed(&model); INFERENCES],
        insecure_seed: None,
    });
    for last in 0..scheme.servers() {
        let mut coins = Coins::default();
        for number in 0..INFERENCES {
            let seen = Seen {
                scheme,
                record: &record,
                number,
            };
            let (bits, said) = seen.product(0);
            let c = &seen.input().public[last];
            let [y, tau] = &said[last];
            let all = plain(&model, bits);
            let mut found = 0;
            for given in [false, true] {
                let mut system = Modular::new(inner, bits);
                for (row, c) in c.chunks(inner).enumerate() {
                    let at = row * columns..(row + 1) * columns;
                    let pairs = y[at.clone()].iter().zip(&tau[at]);
                    let y = pairs.map(|(y, tau)| match given {
                        true => y.wrapping_sub(*tau),
                        false => *y,
                    });
                    let Some(solved) = system.add(c, &y.collect::<Vec<_>>()) else {
                        continue;
                    };
                    let solved: Vec<u64> = solved.concat();
                    if !given {
                        let weights = solved.iter().enumerate();
                        weights.for_each(|(at, weight)| coins.throw(at, *weight, bits));
                        continue;
                    }
                    let mut sum = solved;
                    for other in (0..scheme.servers()).filter(|other| *other != last) {
                        let part = part(&model, other, 7);
                        let pairs = sum.iter_mut().zip(part);
                        pairs.for_each(|(sum, w)| *sum = sum.wrapping_add(w) & mask(bits));
                    }
                    assert_eq!(sum, all[..inner * columns]);
                    found += 1;
                }
            }
            assert!(found > 20, "{found}");
        }
        assert!(coins.fair(), "without {last}");
    }
}

/// Values behind ReLU, as a coalition has them, and answers: a linear system for the last layer. What truncation takes from answers
/// leaves the solutions of those who read the values uncertain by some hundredths of a unit; all others solve for some hundred
/// units at most, whatever the weights are.
#[test]
fn garbled_by_one_the_remotes_0_and_1_solve_for_the_weights_behind_an_activation() {
    const INFERENCES: usize = 2;
    let [inputs, inner, columns] = WIDTHS;
    for (garbling, remotes) in [
        (Garbling::Single, 2),
        (Garbling::Single, 3),
        (Garbling::Bmr, 2),
    ] {
        let model = divided(1024, remotes, garbling, Holders::AllServers);
        let scheme = &model.whole.hidden;
        let queries: Vec<Tensor> = (0..INFERENCES).map(|q| drawn(&model, q as u64)).collect();
        let record = record(&Job {
            model: &model,
            inputs: queries,
            insecure_seed: None,
        });
        let weights = plain(&model, 64);
        let weights: Vec<i64> = weights[inputs * inner..]
            .iter()
            .map(|w| *w as i64)
            .collect();
        assert!(weights.iter().all(|w| w.abs() > 1 << 12), "{weights:?}");
        let all = Coalition((1 << (remotes + 1)) - 1);
        for coalition in Coalition::all(remotes + 1) {
            let (mut x, mut y) = (Vec::new(), vec![Vec::new(); columns]);
            for number in 0..INFERENCES {
                let seen = Seen {
                    scheme,
                    record: &record,
                    number,
                };
                let values = seen.activated()[1].guess(coalition);
                let rows = values.chunks(inner);
                x.extend(rows.map(|row| row.iter().map(|v| *v as f64).collect::<Vec<_>>()));
                let answer = &record.user.answers[number].as_ref().unwrap()[1];
                for (at, value) in answer.values.iter().enumerate() {
                    // Answers and values have as many fraction bits as weights.
                    y[at % columns].push(f64::from(*value) * 32f64.exp2());
                }
            }
            let solved: Vec<Vec<f64>> = y.iter().map(|y| least_squares(&x, y)).collect();
            let found = (0..inner * columns).map(|at| solved[at % columns][at / columns]);
            let found: Vec<i64> = found.map(|w| w.round() as i64).collect();
            let pairs = found.iter().zip(&weights);
            let closest = pairs.map(|(found, weight)| found.abs_diff(*weight)).min();
            let reads = coalition == all
                || garbling == Garbling::Single && coalition.includes(Coalition(3));
            match reads {
                true => assert_eq!(found, weights, "{coalition:?}"),
                false => assert!(closest > Some(1 << 10), "{coalition:?}: {closest:?}"),
            }
        }
    }
}
