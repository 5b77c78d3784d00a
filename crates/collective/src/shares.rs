//! Weights divided among servers.

use crate::scheme::Scheme;
use crate::servers::Place;
use std::cmp::Ordering;
use subrosa_core::{Bytes, Malformed, Prg, Seed, Wire, Words, WordsLayout};
use subrosa_ir::{Spread, WeightId, volume};
use subrosa_net::{LocalFault, RunError};
use subrosa_ring::{mask, mask_into, sub_into};

/// Who holds shares of the weights.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Holders {
    /// All but one of the servers learn nothing of the weights.
    AllServers,
    /// All remotes together hold the weights.
    Remotes,
}

impl Holders {
    /// Holders have the places below this.
    pub fn count(self, remotes: usize) -> usize {
        match self {
            Self::AllServers => remotes + 1,
            Self::Remotes => remotes,
        }
    }
}

/// One server's additive share of every weight, in Z/2^ring; empty at a server that holds none. Any number of servers less than all
/// holders have shares that are uniform.
#[derive(Debug, PartialEq, Eq)]
pub struct Shares {
    weights: Vec<Words>,
}

impl Shares {
    /// The share of the server at `place`: a stream of `seed` for all holders but the last, which has what is missing. `weights` are
    /// encoded modulo 2^ring.
    ///
    /// # Errors
    /// [`LocalFault::Invariant`] where the weights are not those of the scheme.
    pub fn divide(
        scheme: &Scheme,
        weights: &[Vec<u64>],
        seed: &Seed,
        place: Place,
    ) -> Result<Self, RunError> {
        let layouts = scheme.weights();
        let sizes = layouts.iter().map(|layout| layout.count);
        if !weights.iter().map(Vec::len).eq(sizes) {
            return Err(LocalFault::Invariant.into());
        }
        let last = scheme.last_holder();
        let mut weights = match place.cmp(&last) {
            Ordering::Less => stream(&layouts, seed, place),
            Ordering::Equal => whole(&layouts, weights),
            Ordering::Greater => Vec::new(),
        };
        if place == last {
            for share in (0..last.0).map(|at| stream(&layouts, seed, Place(at))) {
                subtract(&mut weights, &share);
            }
        }
        Ok(Self { weights })
    }

    /// None at a server that holds none.
    pub(crate) fn get(&self, id: WeightId) -> Option<&[u64]> {
        let words = self.weights.get(id.0 as usize);
        words.map(|words| words.values.as_slice())
    }

    pub(crate) fn add_bias(&self, id: WeightId, spread: &Spread, x: &mut [u64]) {
        if let Some(bias) = self.get(id) {
            spread.each(|at, channel| x[at] = x[at].wrapping_add(bias[channel]));
        }
    }
}

fn stream(layouts: &[WordsLayout], seed: &Seed, place: Place) -> Vec<Words> {
    let mut prg = Prg::new(&seed.derive("share of weights", &[place.0 as u8]));
    let draw = |layout: &WordsLayout| Words {
        bits: layout.bits,
        values: prg.words(layout.bits, layout.count),
    };
    layouts.iter().map(draw).collect()
}

fn whole(layouts: &[WordsLayout], weights: &[Vec<u64>]) -> Vec<Words> {
    let pairs = layouts.iter().zip(weights);
    let words = pairs.map(|(layout, values)| Words {
        bits: layout.bits,
        values: values.iter().map(|w| w & mask(layout.bits)).collect(),
    });
    words.collect()
}

fn subtract(from: &mut [Words], share: &[Words]) {
    for (from, share) in from.iter_mut().zip(share) {
        sub_into(&mut from.values, &share.values);
        mask_into(&mut from.values, from.bits);
    }
}

/// The layout is [`Scheme::shares`] of a place.
impl Wire for Shares {
    type Layout = Vec<WordsLayout>;

    fn size(layout: &Self::Layout) -> Bytes {
        Vec::<Words>::size(layout)
    }

    fn encode(&self, out: &mut Vec<u8>) {
        self.weights.encode(out);
    }

    fn decode(layout: &Self::Layout, bytes: &[u8]) -> Result<Self, Malformed> {
        let weights = Vec::<Words>::decode(layout, bytes)?;
        Ok(Self { weights })
    }
}

impl Scheme {
    /// The weights modulo 2^ring.
    pub fn weights(&self) -> Vec<WordsLayout> {
        let layouts = self.graph.weight_layouts();
        let layout = |weight: &subrosa_ir::WeightLayout| WordsLayout {
            count: volume(&weight.shape),
            bits: self.graph.ring,
        };
        layouts.iter().map(layout).collect()
    }

    /// What the server at `place` holds of the weights.
    pub fn shares(&self, place: Place) -> Vec<WordsLayout> {
        if place <= self.last_holder() {
            self.weights()
        } else {
            Vec::new()
        }
    }

    pub(crate) fn last_holder(&self) -> Place {
        Place(self.holders.count(self.remotes).saturating_sub(1))
    }
}
