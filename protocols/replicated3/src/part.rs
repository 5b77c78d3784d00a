//! The weights in three shares: the model's owner divides them, and hands each server its part before any session.

use crate::Replicated3;
use crate::parties::{CLIENT, DEALER, FIRST, SECOND};
use crate::plan::{View, Whole};
use subrosa_core::{PartyId, Prg, Seed, Wire, Words};
use subrosa_ir::{Spread, WeightId, Weights, encode_weights};
use subrosa_net::{InputFault, LocalFault, RunError};
use subrosa_protocol::{Holding, decode_part, encode_part};
use subrosa_ring::{add_into, mask_into, sub_into};

/// What a server is given: seeds of shares, and the share that has none.
type Shared = (Vec<Seed>, Vec<Words>);

/// [ABY3] sharing w = w0 + w1 + w2 in Z/2^ring: w0 and w2 are streams. The first evaluator is given w0 and w1, the second one w2
/// and w1, the dealer w0 and w2; the client nothing. Parts that are drawn from one seed fit together.
pub fn divide(
    whole: &Whole,
    party: PartyId,
    weights: &Weights,
    seed: &Seed,
) -> Result<Holding, LocalFault> {
    match party {
        CLIENT => return Ok(Holding::Nothing),
        FIRST | SECOND | DEALER => {}
        _ => return Err(LocalFault::Invariant),
    }
    let view = View::new(party, whole.graph.clone());
    // Models of different plans share no stream.
    let seed = seed.derive("replicated3 parts", &whole.graph.encode());
    let [zero, two] = [0, 2].map(|share| seed.derive("share of weights", &[share]));
    let shared: Shared = match party {
        DEALER => (vec![zero, two], Vec::new()),
        _ => {
            let common = common(&view, weights, [&zero, &two])?;
            let own = if party == FIRST { zero } else { two };
            (vec![own], common)
        }
    };
    let part = encode_part::<Replicated3>(party, &view, &shared);
    Ok(Holding::Part(part))
}

/// w1 = w - w0 - w2.
fn common(view: &View, weights: &Weights, seeds: [&Seed; 2]) -> Result<Vec<Words>, LocalFault> {
    let encoded = encode_weights(&view.graph, weights).map_err(|_| InputFault::Shape)?;
    let mut streams = seeds.map(Prg::new);
    let pairs = encoded.into_iter().zip(&view.layouts.weights);
    let share = |(mut values, layout): (Vec<u64>, &subrosa_core::WordsLayout)| {
        for stream in &mut streams {
            sub_into(&mut values, &stream.words(layout.bits, layout.count));
        }
        mask_into(&mut values, layout.bits);
        Words {
            bits: layout.bits,
            values,
        }
    };
    Ok(pairs.map(share).collect())
}

/// The shares of which a server is given seeds, and w1 at an evaluator. `PartFault` where the bytes are another party's, of
/// another plan, or none.
fn read(view: &View, holding: &Holding) -> Result<[Vec<Vec<u64>>; 2], RunError> {
    let weights = &view.layouts.weights;
    let layout: <Shared as Wire>::Layout = match view.me {
        DEALER => (vec![(); 2], Vec::new()),
        _ => (vec![()], weights.clone()),
    };
    let shared = decode_part::<Replicated3, Shared>(view.me, view, &layout, holding.part()?);
    let (seeds, common) = shared.map_err(LocalFault::from)?;
    let mut seeds = seeds.iter();
    let own = seeds.next().map(|seed| expand(view, seed));
    let other = match seeds.next() {
        Some(seed) => expand(view, seed),
        None => common.into_iter().map(|words| words.values).collect(),
    };
    Ok([own.ok_or(LocalFault::Invariant)?, other])
}

/// An evaluator's shares of the weights.
pub struct Shares {
    /// w0 + w1 at the first evaluator, w2 at the second: what multiplies c.
    own: Vec<Vec<u64>>,
    /// w1, known to both: what multiplies this evaluator's mask part.
    common: Vec<Vec<u64>>,
}

impl Shares {
    /// Of an evaluator's part.
    pub fn of(view: &View, holding: &Holding) -> Result<Self, RunError> {
        let [mut own, common] = read(view, holding)?;
        if view.me == FIRST {
            add_all(&mut own, &common);
        }
        Ok(Self { own, common })
    }

    pub fn own(&self, id: WeightId) -> Result<&[u64], RunError> {
        find(&self.own, id)
    }

    pub fn common(&self, id: WeightId) -> Result<&[u64], RunError> {
        find(&self.common, id)
    }

    /// Adds w1, broadcast.
    pub fn add_common(&self, id: WeightId, spread: &Spread, x: &mut [u64]) {
        broadcast(&self.common, id, spread, x);
    }
}

/// The dealer's w0 + w2.
pub struct Sums(Vec<Vec<u64>>);

impl Sums {
    /// Of the dealer's part.
    pub fn of(view: &View, holding: &Holding) -> Result<Self, RunError> {
        let [mut sums, other] = read(view, holding)?;
        add_all(&mut sums, &other);
        Ok(Self(sums))
    }

    pub fn get(&self, id: WeightId) -> Result<&[u64], RunError> {
        find(&self.0, id)
    }

    /// Adds w0 + w2, broadcast.
    pub fn add_bias(&self, id: WeightId, spread: &Spread, x: &mut [u64]) {
        broadcast(&self.0, id, spread, x);
    }
}

fn expand(view: &View, seed: &Seed) -> Vec<Vec<u64>> {
    let mut stream = Prg::new(seed);
    view.layouts
        .weights
        .iter()
        .map(|l| stream.words(l.bits, l.count))
        .collect()
}

fn add_all(sums: &mut [Vec<u64>], shares: &[Vec<u64>]) {
    for (sum, share) in sums.iter_mut().zip(shares) {
        add_into(sum, share);
    }
}

fn find(shares: &[Vec<u64>], id: WeightId) -> Result<&[u64], RunError> {
    Ok(shares.get(id.0 as usize).ok_or(LocalFault::Invariant)?)
}

fn broadcast(shares: &[Vec<u64>], id: WeightId, spread: &Spread, x: &mut [u64]) {
    if let Some(share) = shares.get(id.0 as usize) {
        spread.each(|at, channel| x[at] = x[at].wrapping_add(share[channel]));
    }
}
