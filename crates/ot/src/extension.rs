//! What one direction of an offline phase will draw, and how it is made.

use crate::lpn::SilentSize;
use crate::plan;
use crate::softspoken::message_len;
use subrosa_core::{Bytes, Rounds};
use subrosa_net::Cost;

/// A batch of correlated OTs, made whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lot {
    /// `count` by SoftSpoken, a multiple of 128, with base OTs in groups of `k`. Costs the receiver a message of about
    /// `16 count / k` bytes, and both about `2^k / k` blocks of AES for each OT.
    SoftSpoken { count: u64, k: u32 },
    /// Silent: fed with the last lot's outputs. Costs the sender a message.
    Silent(SilentSize),
}

/// How random OTs are made where somebody insists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// SoftSpoken alone; `k` from 1 to 12: larger means fewer bytes and more work.
    SoftSpoken { k: u32 },
    /// Silent lots of one size, fed by SoftSpoken with `k = 10`.
    Silent(SilentSize),
}

/// A list of whole lots: public, and the same at both ends.
///
/// A silent lot uses up the first outputs of the lot before it, so what may be drawn is less than what is made. Lots
/// run in order, each when a draw finds the stock short. A list has no lot that its total does not need: who draws all
/// that was asked for runs all lots, and pays exactly [`Extension::sender_cost`] or [`Extension::receiver_cost`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Extension {
    lots: Vec<Lot>,
}

impl Extension {
    /// The cheapest lots for `total` random OTs: fewest bytes first, work weighed lightly.
    pub fn plan(total: u64) -> Self {
        plan::cheapest(total)
    }

    /// Lots of one kind for `total` random OTs.
    pub fn insist(total: u64, method: Method) -> Self {
        plan::insist(total, method)
    }

    pub(crate) fn new(lots: Vec<Lot>) -> Self {
        Self { lots }
    }

    pub fn lots(&self) -> &[Lot] {
        &self.lots
    }

    /// How many random OTs may be drawn: at least as many as were asked for.
    pub fn total(&self) -> u64 {
        (0..self.lots.len()).map(|at| self.yielded(at)).sum()
    }

    /// What lot `at` leaves for draws.
    pub(crate) fn yielded(&self, at: usize) -> u64 {
        let made = self.lots.get(at).map_or(0, |lot| lot.outputs());
        let fed = self.lots.get(at + 1).map_or(0, |lot| lot.inputs());
        made.saturating_sub(fed)
    }

    /// What the sender sends, and exchanges that it waits in: one for each lot of SoftSpoken.
    pub fn sender_cost(&self) -> Cost {
        self.cost(false)
    }

    /// What the receiver sends, and exchanges that it waits in: one for each silent lot.
    pub fn receiver_cost(&self) -> Cost {
        self.cost(true)
    }

    fn cost(&self, receiver: bool) -> Cost {
        let mut cost = Cost::default();
        let mut grown = Vec::new();
        for lot in &self.lots {
            let (from_receiver, bytes) = match *lot {
                Lot::SoftSpoken { count, k } => {
                    let first = !grown.contains(&k);
                    grown.push(k);
                    (true, message_len(k, count, first))
                }
                Lot::Silent(size) => (false, size.message_len()),
            };
            if from_receiver == receiver {
                cost.bytes += Bytes(bytes);
            } else {
                cost.rounds += Rounds(1);
            }
        }
        cost
    }
}

impl Lot {
    /// Correlated OTs that it makes.
    pub fn outputs(self) -> u64 {
        match self {
            Self::SoftSpoken { count, .. } => count,
            Self::Silent(size) => size.outputs(),
        }
    }

    /// Correlated OTs of the lot before that it uses up.
    pub fn inputs(self) -> u64 {
        match self {
            Self::SoftSpoken { .. } => 0,
            Self::Silent(size) => size.inputs(),
        }
    }
}
