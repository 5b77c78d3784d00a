//! Wire values of the hidden half: input and model are the same in every row of every inference, only the randomness differs.

use crate::coins::Coins;
use crate::decode::{Coalition, Masked, Seen};
use crate::nets::{Model, fixed, model};
use crate::record::{Job, Record, record};
use crate::redrawn::first_product;
use subrosa_ir::{encode_input, encode_weights};
use subrosa_protocol::{Division, Garbling, Holders};
use subrosa_ring::sign_extend;
use subrosa_seco::INPUT;

const ROWS: usize = 64;
/// Of the layers: input, ReLU, answer.
const WIDTHS: [usize; 3] = [3, 4, 2];

struct Trial {
    model: Model,
    record: Record,
    inferences: usize,
}

/// A wire, how wide it is, and what it holds as each inference has it.
struct Wire {
    columns: usize,
    samples: Vec<Masked>,
}

impl Trial {
    fn new(
        remotes: usize,
        garbling: Garbling,
        holders: Holders,
        insecure_seed: Option<u64>,
    ) -> Self {
        let division = Division {
            at: Some(INPUT.to_owned()),
            hide: None,
            remotes,
            garbling,
            holders,
        };
        let model = model(ROWS, &WIDTHS, 0, division);
        let inferences = 3;
        let record = record(&Job {
            model: &model,
            inputs: vec![fixed(&model); inferences],
            insecure_seed,
        });
        Self {
            model,
            record,
            inferences,
        }
    }

    fn wire(&self, columns: usize, of: impl Fn(&Seen<'_>) -> Masked) -> Wire {
        let sample = |number| {
            of(&Seen {
                scheme: &self.model.whole.hidden,
                record: &self.record,
                number,
            })
        };
        let samples = (0..self.inferences).map(sample).collect();
        Wire { columns, samples }
    }

    /// The input, what goes into ReLU, what comes out of it (as c and λ, then as e and l), the answer.
    fn wires(&self) -> [Wire; 5] {
        let [input, hidden, answer] = WIDTHS;
        let activated = |at: usize| {
            self.wire(hidden, move |seen| {
                let [words, bits] = seen.activated();
                [words, bits].into_iter().nth(at).unwrap()
            })
        };
        [
            self.wire(input, |seen| seen.input()),
            self.wire(hidden, |seen| seen.answer(0)),
            activated(0),
            activated(1),
            self.wire(answer, |seen| seen.answer(1)),
        ]
    }

    /// The values of all wires but those behind ReLU, row after row.
    fn plain(&self) -> [Vec<i64>; 3] {
        let (graph, weights) = (&self.model.whole.graph, &self.model.weights);
        let weights = encode_weights(graph, weights).unwrap();
        let x = encode_input(graph, 0, &fixed(&self.model)).unwrap();
        let all = subrosa_ir::clear(graph, &weights, vec![x.clone()]).unwrap();
        let signed = |values: &[u64]| values.iter().map(|v| *v as i64).collect();
        [signed(&x), signed(&all[0]), signed(&all[1])]
    }
}

impl Wire {
    /// What the coalition takes for the values.
    fn guesses(&self, coalition: Coalition) -> Vec<Vec<u64>> {
        let samples = self.samples.iter();
        samples.map(|masked| masked.guess(coalition)).collect()
    }

    fn is_fair(&self, coalition: Coalition) -> bool {
        let mut coins = Coins::default();
        for guess in self.guesses(coalition) {
            for (at, value) in guess.into_iter().enumerate() {
                coins.throw(at % self.columns, value, self.samples[0].bits);
            }
        }
        coins.fair()
    }

    /// Whether the guesses are `plain` but for what truncations are off.
    fn is_read(&self, coalition: Coalition, plain: &[i64], off: u64) -> bool {
        let bits = self.samples[0].bits;
        self.guesses(coalition).iter().all(|guess| {
            assert_eq!(guess.len(), plain.len());
            let pairs = guess.iter().zip(plain);
            let mut differences = pairs.map(|(v, plain)| sign_extend(*v, bits).abs_diff(*plain));
            differences.all(|difference| difference <= off)
        })
    }
}

/// Remotes 0 and 1.
const PAIR: Coalition = Coalition(3);

/// Of all wires all servers read the values and every smaller coalition throws fair coins, but for e and l of the pair.
fn check(remotes: usize, garbling: Garbling, holders: Holders) {
    let trial = Trial::new(remotes, garbling, holders, None);
    let all = Coalition((1 << (remotes + 1)) - 1);
    let [input, before, behind, bits, answer] = trial.wires();
    let [x, y, z] = trial.plain();
    let positive: Vec<i64> = y.iter().map(|y| *y.max(&0)).collect();
    for coalition in Coalition::all(remotes + 1) {
        let complete = coalition == all;
        for (wire, plain, off) in [
            (&input, &x, 0),
            (&before, &y, 2),
            (&behind, &positive, 2),
            (&answer, &z, 8),
        ] {
            assert_eq!(wire.is_fair(coalition), !complete, "{coalition:?}");
            let read = wire.is_read(coalition, plain, off);
            assert_eq!(read, complete, "{coalition:?}");
        }
        let read = complete || garbling == Garbling::Single && coalition.includes(PAIR);
        assert_eq!(bits.is_fair(coalition), !read, "{coalition:?}");
        let found = bits.guesses(coalition);
        assert_eq!(found == bits.guesses(all), read, "{coalition:?}");
    }
    assert_eq!(behind.guesses(all), bits.guesses(all));
}

/// A product before it is truncated, whose mask no server keeps.
#[test]
fn of_a_product_no_coalition_but_all_servers_reads_anything() {
    const SEED: u64 = 21;
    let trial = Trial::new(2, Garbling::Bmr, Holders::AllServers, Some(SEED));
    let [inner, columns, _] = WIDTHS;
    let wire = trial.wire(columns, |seen| first_product(seen, SEED));
    let graph = &trial.model.whole.graph;
    let weights = encode_weights(graph, &trial.model.weights).unwrap();
    let x = encode_input(graph, 0, &fixed(&trial.model)).unwrap();
    let product = |row: &[u64], column: usize| {
        let pairs = row.iter().zip(weights[0][column..].iter().step_by(columns));
        pairs.map(|(x, w)| *x as i64 * *w as i64).sum()
    };
    let rows = x.chunks(inner);
    let plain: Vec<i64> = rows
        .flat_map(|row| (0..columns).map(move |column| product(row, column)))
        .collect();
    for coalition in Coalition::all(3) {
        let complete = coalition == Coalition(7);
        assert_eq!(wire.is_fair(coalition), !complete, "{coalition:?}");
        assert_eq!(
            wire.is_read(coalition, &plain, 1),
            complete,
            "{coalition:?}"
        );
    }
}

#[test]
fn garbled_by_all_remotes_no_coalition_but_all_servers_reads_anything() {
    check(2, Garbling::Bmr, Holders::AllServers);
    check(3, Garbling::Bmr, Holders::Remotes);
}

#[test]
fn garbled_by_one_the_remotes_0_and_1_read_what_comes_out_of_activations() {
    check(2, Garbling::Single, Holders::Remotes);
    check(3, Garbling::Single, Holders::AllServers);
}
