use crate::{Entry, Error};
use std::time::Duration;
use subrosa_core::{Malformed, PartyId, Seed};
use subrosa_ir::{FixedGraph, Weights};
use subrosa_net::{Bill, Cost, LocalFault, Network};
use subrosa_protocol::{Holding, Seat, WholePlan};

/// A plan of all parties, each one's view and each one's price.
pub struct Planned {
    pub protocol: &'static Entry,
    whole: Box<dyn WholePlan>,
    parties: Vec<PartyPrice>,
}

/// A party, what it is told of the plan, and what it will send and wait for.
pub struct PartyPrice {
    pub seat: Seat,
    /// The bytes that are published to this party.
    pub view: Vec<u8>,
    pub price: Bill,
    /// Whether it keeps material between the offline phase and the inference.
    pub keeps: bool,
}

impl Planned {
    pub(crate) fn new(protocol: &'static Entry, whole: Box<dyn WholePlan>) -> Result<Self, Error> {
        let mut parties = Vec::new();
        for seat in whole.seats() {
            let view = whole.view(seat.party).ok_or(Malformed::Range)?;
            let party = (protocol.seat)(&view, 1)?;
            parties.push(PartyPrice {
                seat,
                view,
                price: party.price(),
                keeps: !party.pieces().is_empty(),
            });
        }
        Ok(Self {
            protocol,
            whole,
            parties,
        })
    }

    /// In the order of their numbers.
    pub fn parties(&self) -> &[PartyPrice] {
        &self.parties
    }

    pub fn seats(&self) -> Vec<Seat> {
        self.parties.iter().map(|party| party.seat).collect()
    }

    /// Pairs of parties that talk to each other.
    pub fn links(&self) -> Vec<(PartyId, PartyId)> {
        self.whole.links()
    }

    /// Those that `party` talks to.
    pub fn neighbours(&self, party: PartyId) -> Vec<PartyId> {
        let links = self.whole.links();
        let ends = links.into_iter().flat_map(|(a, b)| [(a, b), (b, a)]);
        ends.filter(|(me, _)| *me == party)
            .map(|(_, peer)| peer)
            .collect()
    }

    /// Where the network is cut, if it is.
    pub fn cut(&self) -> Option<String> {
        self.whole.cut()
    }

    /// What each party is given of the model before setup, in the order of the seats. Parts are drawn afresh.
    pub fn holdings(&self, weights: &Weights) -> Result<Vec<Holding>, LocalFault> {
        let seed = Seed::random().map_err(|_| LocalFault::Randomness)?;
        let seats = self.parties.iter().map(|party| party.seat.party);
        seats
            .map(|party| self.whole.holding(party, weights, &seed))
            .collect()
    }

    /// The parties that keep material, none if no party has any. They settle their vaults by way of one of them, the
    /// hub, which comes first and must be linked to every other party.
    pub fn keepers(&self) -> Result<Vec<PartyId>, Error> {
        let keepers = self.parties.iter().filter(|party| party.keeps);
        let keepers: Vec<PartyId> = keepers.map(|party| party.seat.party).collect();
        if keepers.is_empty() {
            return Ok(keepers);
        }
        let all: Vec<PartyId> = self.parties.iter().map(|party| party.seat.party).collect();
        let hub = hub(&keepers, &all, &self.links());
        let protocol = self.protocol.name();
        let hub = hub.ok_or(Error::NoHub { protocol })?;
        let others = keepers.into_iter().filter(|keeper| *keeper != hub);
        Ok([hub].into_iter().chain(others).collect())
    }

    /// Of [`Planned::keepers`] those that `party` is told of, the hub first: all at the hub, at others the hub, and the
    /// party itself if it is one.
    pub fn keepers_told(&self, party: PartyId) -> Result<Vec<PartyId>, Error> {
        let mut keepers = self.keepers()?;
        let hub = keepers.first().copied();
        if hub != Some(party) {
            keepers.retain(|keeper| Some(*keeper) == hub || *keeper == party);
        }
        Ok(keepers)
    }

    /// How activations are computed, where the protocol has more than one way.
    pub fn reading(&self) -> Option<&'static str> {
        self.whole.reading()
    }

    /// How long an inference with its offline phase is reckoned to take on `network`, for a choice between readings:
    /// without what they have in common.
    pub fn predicted(&self, network: &Network) -> Option<Duration> {
        self.whole.predicted(network)
    }

    /// The fixed graph whose clear reading the protocol is held to.
    pub fn graph(&self) -> &FixedGraph {
        self.whole.oracle()
    }

    /// The price of all parties together.
    pub fn price(&self) -> Bill {
        total(self.parties.iter().map(|party| &party.price))
    }
}

/// The first keeper that is linked to all other parties.
fn hub(keepers: &[PartyId], all: &[PartyId], links: &[(PartyId, PartyId)]) -> Option<PartyId> {
    let linked = |a: PartyId, b: PartyId| links.contains(&(a, b)) || links.contains(&(b, a));
    let to_all = |keeper: PartyId| all.iter().all(|p| *p == keeper || linked(keeper, *p));
    keepers.iter().copied().find(|keeper| to_all(*keeper))
}

/// Bytes of all parties together; rounds of the party that waits most often.
pub fn total<'a>(bills: impl IntoIterator<Item = &'a Bill>) -> Bill {
    let join = |all: &mut Cost, one: &Cost| {
        all.bytes += one.bytes;
        all.rounds = all.rounds.max(one.rounds);
    };
    let mut all = Bill::default();
    for bill in bills {
        join(&mut all.setup, &bill.setup);
        join(&mut all.offline, &bill.offline);
        join(&mut all.online, &bill.online);
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hub_is_the_first_keeper_that_is_linked_to_all() {
        let all = [0, 1, 2, 3].map(PartyId);
        let link = |(a, b): &(u8, u8)| (PartyId(*a), PartyId(*b));
        let hub = |keepers: &[PartyId], links: &[(u8, u8)]| {
            let links: Vec<_> = links.iter().map(link).collect();
            super::hub(keepers, &all, &links)
        };
        let star = [(0, 1), (2, 1), (1, 3)];
        assert_eq!(hub(&all, &star), Some(PartyId(1)));
        let most = [(0, 1), (1, 2), (1, 3), (2, 3), (0, 2)];
        assert_eq!(hub(&all, &most), Some(PartyId(1)));
        assert_eq!(hub(&all[2..], &most), Some(PartyId(2)));
        assert_eq!(hub(&all[2..], &star), None);
        let whole = [(0, 1), (0, 2), (0, 3), (1, 2), (1, 3), (2, 3)];
        assert_eq!(hub(&all, &whole), Some(PartyId(0)));
        assert_eq!(hub(&all, &star[1..]), None);
    }
}
