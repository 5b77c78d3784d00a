use crate::{Entry, Error};
use subrosa_core::{Malformed, PartyId};
use subrosa_ir::FixedGraph;
use subrosa_net::{Bill, Cost};
use subrosa_protocol::{Seat, WholePlan};

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
}

impl Planned {
    pub(crate) fn new(protocol: &'static Entry, whole: Box<dyn WholePlan>) -> Result<Self, Error> {
        let mut parties = Vec::new();
        for seat in whole.seats() {
            let view = whole.view(seat.party).ok_or(Malformed::Range)?;
            let price = protocol.price(&view)?;
            parties.push(PartyPrice { seat, view, price });
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

    /// The fixed graph whose clear reading the protocol is held to.
    pub fn graph(&self) -> &FixedGraph {
        self.whole.oracle()
    }

    /// The price of all parties together.
    pub fn price(&self) -> Bill {
        total(self.parties.iter().map(|party| &party.price))
    }
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
