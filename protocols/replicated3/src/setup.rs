//! Setup: pairwise keys between dealer and evaluators. Deployment: the owner shares its weights.

use crate::parties::{DEALER, FIRST, OWNER, SECOND};
use crate::plan::View;
use subrosa_core::{PartyId, Prg, Seed, Wire, Words};
use subrosa_ir::{Spread, WeightId, Weights, encode_weights};
use subrosa_net::{InputFault, LocalFault, RunError, Session, Turns};
use subrosa_ring::mask;
use subrosa_share::Evaluator;

/// A key that this party shares with a neighbour, made from both sides' randomness.
pub fn agree(peer: PartyId, s: &mut Session) -> Result<Seed, RunError> {
    let mine = s.seed();
    let theirs: Vec<Seed> = s.exchange(Turns::FIRST, vec![(peer, mine.share())], &[(peer, ())])?;
    let theirs = theirs.into_iter().next().ok_or(LocalFault::Invariant)?;
    let (low, high) = if s.me() < peer {
        (&mine, &theirs)
    } else {
        (&theirs, &mine)
    };
    Ok(low.derive("replicated3 pair key", high.reveal()))
}

/// The stream of one offline phase: fresh by the nonces of both holders.
pub fn stream(key: &Seed, peer: PartyId, s: &mut Session) -> Result<Prg, RunError> {
    let nonce = s.fresh(peer)?;
    Ok(Prg::new(&key.derive("replicated3 offline", &nonce)))
}

/// What the owner sends a server: seeds of shares, and the share that has none.
type Shared = (Vec<Seed>, Vec<Words>);

/// [ABY3] sharing w = w0 + w1 + w2 in Z/2^ring: w0 and w2 are streams, w1 is sent to both evaluators.
pub fn share_weights(view: &View, weights: &Weights, s: &mut Session) -> Result<(), RunError> {
    let (zero, two) = (s.seed(), s.seed());
    let ring = view.graph.ring;
    let mut streams = (Prg::new(&zero), Prg::new(&two));
    let encoded =
        encode_weights(&view.graph, weights).map_err(|_| LocalFault::Input(InputFault::Shape))?;
    let mut common = Vec::with_capacity(encoded.len());
    for values in &encoded {
        let w0 = streams.0.words(ring, values.len());
        let w2 = streams.1.words(ring, values.len());
        let rest = values.iter().zip(w0.iter().zip(&w2));
        let w1 = rest.map(|(w, (a, b))| w.wrapping_sub(*a).wrapping_sub(*b) & mask(ring));
        common.push(Words {
            bits: ring,
            values: w1.collect(),
        });
    }
    let messages: Vec<(PartyId, Shared)> = vec![
        (FIRST, (vec![zero.share()], common.clone())),
        (SECOND, (vec![two.share()], common)),
        (DEALER, (vec![zero, two], Vec::new())),
    ];
    s.exchange::<Shared, ()>(Turns::LAST, messages, &[])?;
    Ok(())
}

fn receive(view: &View, seeds: usize, words: bool, s: &mut Session) -> Result<Shared, RunError> {
    let layout: <Shared as Wire>::Layout = (
        vec![(); seeds],
        if words {
            view.layouts.weights.clone()
        } else {
            Vec::new()
        },
    );
    s.receive(Turns::LAST, OWNER, layout)
}

fn expand(view: &View, seed: &Seed) -> Vec<Vec<u64>> {
    let mut stream = Prg::new(seed);
    view.layouts
        .weights
        .iter()
        .map(|l| stream.words(l.bits, l.count))
        .collect()
}

/// An evaluator's shares of the weights.
pub struct Shares {
    /// w0 + w1 at the first evaluator, w2 at the second: what multiplies c.
    own: Vec<Vec<u64>>,
    /// w1, known to both: what multiplies this evaluator's mask part.
    common: Vec<Vec<u64>>,
}

impl Shares {
    pub fn receive(view: &View, who: Evaluator, s: &mut Session) -> Result<Self, RunError> {
        let (seeds, words) = receive(view, 1, true, s)?;
        let seed = seeds.first().ok_or(LocalFault::Invariant)?;
        let mut own = expand(view, seed);
        let common: Vec<Vec<u64>> = words.into_iter().map(|w| w.values).collect();
        if who == Evaluator::First {
            for (own, common) in own.iter_mut().zip(&common) {
                subrosa_ring::add_into(own, common);
            }
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
    pub fn receive(view: &View, s: &mut Session) -> Result<Self, RunError> {
        let (seeds, _) = receive(view, 2, false, s)?;
        let mut sums = Vec::new();
        for seed in &seeds {
            let shares = expand(view, seed);
            if sums.is_empty() {
                sums = shares;
            } else {
                for (sum, share) in sums.iter_mut().zip(&shares) {
                    subrosa_ring::add_into(sum, share);
                }
            }
        }
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

fn find(shares: &[Vec<u64>], id: WeightId) -> Result<&[u64], RunError> {
    Ok(shares.get(id.0 as usize).ok_or(LocalFault::Invariant)?)
}

fn broadcast(shares: &[Vec<u64>], id: WeightId, spread: &Spread, x: &mut [u64]) {
    if let Some(share) = shares.get(id.0 as usize) {
        spread.each(|at, channel| x[at] = x[at].wrapping_add(share[channel]));
    }
}
