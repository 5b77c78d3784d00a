//! What a step sends, and what it draws.

use super::{Garbling, Shape, bmr, online_all, single};
use crate::ots::OtPlan;
use crate::servers::Place;
use std::slice;
use subrosa_core::{Bytes, Rounds};
use subrosa_net::Cost;

/// Oblivious transfers from one server to another, in planes of a step's lanes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Demand {
    pub correlated: usize,
    pub random: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Message {
    pub from: Place,
    pub to: Place,
    pub bytes: Bytes,
}

/// Messages that cross in one exchange.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Move(pub Vec<Message>);

impl Move {
    pub(super) fn new(messages: impl IntoIterator<Item = (Place, Place, Bytes)>) -> Self {
        let message = |(from, to, bytes)| Message { from, to, bytes };
        Self(messages.into_iter().map(message).collect())
    }

    /// What a server sends, and whether it waits.
    pub fn cost(&self, of: Place) -> Cost {
        let sent = self.0.iter().filter(|m| m.from == of);
        Cost {
            bytes: sent.map(|m| m.bytes).sum(),
            rounds: Rounds(u64::from(self.0.iter().any(|m| m.to == of))),
        }
    }
}

impl Shape {
    /// What a step draws with `from` as the sender.
    pub fn demand(&self, garbling: Garbling, remotes: usize, from: Place, to: Place) -> Demand {
        if from == to || to.0 > remotes {
            return Demand::default();
        }
        match garbling {
            Garbling::Bmr => bmr::demand(self, remotes, from, to),
            Garbling::Single => single::demand(self, from),
        }
    }

    /// Adds what a step draws.
    pub fn add_to(&self, garbling: Garbling, remotes: usize, plan: &mut OtPlan) {
        for from in (0..remotes).map(Place) {
            for to in (0..=remotes).map(Place) {
                let demand = self.demand(garbling, remotes, from, to);
                let count = (demand.correlated + demand.random) as u64 * self.lanes as u64;
                if count > 0 {
                    *plan.0.entry((from, to)).or_default() += count;
                }
            }
        }
    }

    /// The moves of a step offline, in order, without those of the oblivious transfers.
    pub fn offline(&self, garbling: Garbling, remotes: usize) -> Vec<Move> {
        match garbling {
            Garbling::Bmr => bmr::offline(self, remotes),
            Garbling::Single => single::offline(self, remotes),
        }
    }

    /// The moves of a step online, in order.
    pub fn online(&self, garbling: Garbling, remotes: usize) -> Vec<Move> {
        online_all(slice::from_ref(self), garbling, remotes)
    }
}
