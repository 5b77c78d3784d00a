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

    /// What each party is given of the model before setup, in the order of the seats. Parts are drawn afresh.
    pub fn holdings(&self, weights: &Weights) -> Result<Vec<Holding>, LocalFault> {
        let seed = Seed::random().map_err(|_| LocalFault::Randomness)?;
        let seats = self.parties.iter().map(|party| party.seat.party);
        seats
            .map(|party| self.whole.holding(party, weights, &seed))
            .collect()
    }

    /// The parties that keep material. They settle their vaults among themselves, so all of them must be linked.
    pub fn keepers(&self) -> Result<Vec<PartyId>, Error> {
        let keepers = self.parties.iter().filter(|party| party.keeps);
        let keepers: Vec<Seat> = keepers.map(|party| party.seat).collect();
        if let Some([one, other]) = unlinked(&keepers, &self.links()) {
            let protocol = self.protocol.name();
            return Err(Error::Unlinked {
                protocol,
                one,
                other,
            });
        }
        Ok(keepers.iter().map(|seat| seat.party).collect())
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

/// Two parties that no link joins.
fn unlinked(seats: &[Seat], links: &[(PartyId, PartyId)]) -> Option<[&'static str; 2]> {
    let linked = |a: PartyId, b: PartyId| links.contains(&(a, b)) || links.contains(&(b, a));
    let pairs = seats
        .iter()
        .enumerate()
        .flat_map(|(at, one)| seats.iter().skip(at + 1).map(move |other| (one, other)));
    let mut missing = pairs.filter(|(one, other)| !linked(one.party, other.party));
    missing.next().map(|(one, other)| [one.name, other.name])
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
    use subrosa_protocol::PartyKind;

    #[test]
    fn a_missing_link_is_found() {
        let seat = |number, name| Seat {
            party: PartyId(number),
            name,
            kind: PartyKind::Server,
        };
        let seats = [seat(0, "a"), seat(1, "b"), seat(2, "c")];
        let link = |a, b| (PartyId(a), PartyId(b));
        let most = [link(0, 1), link(2, 0)];
        assert_eq!(unlinked(&seats, &most), Some(["b", "c"]));
        assert_eq!(unlinked(&seats, &[most[0], most[1], link(1, 2)]), None);
    }
}
