use crate::Failure;
use std::collections::BTreeMap;
use subrosa_core::{Malformed, PartyId};
use subrosa_ir::{FixedGraph, RangedGraph};
use subrosa_protocol::{Party, PlanError, Seat, Terms, WholePlan};

/// A protocol as the suite sees it: how it plans, and how a published plan becomes a party.
#[derive(Clone, Copy)]
pub struct Subject {
    pub plan: PlanFn,
    pub seat: SeatFn,
}

type Planning = Result<Box<dyn WholePlan>, PlanError>;
type Seating = Result<Box<dyn Party>, Malformed>;
/// The plan of all parties for a graph.
pub type PlanFn = fn(&RangedGraph, &Terms) -> Planning;
/// A party from the bytes of a plan and the number of cores that it may use.
pub type SeatFn = fn(&[u8], usize) -> Seating;

/// A plan with the bytes that each of its parties gets.
pub struct Table {
    subject: Subject,
    pub seats: Vec<Seat>,
    pub links: Vec<(PartyId, PartyId)>,
    pub views: BTreeMap<PartyId, Vec<u8>>,
    pub oracle: FixedGraph,
    /// Units by which a product may be off the oracle.
    pub product_error: u64,
}

impl Subject {
    /// Plans and publishes.
    pub fn table(&self, graph: &RangedGraph, terms: &Terms) -> Result<Table, Failure> {
        let whole = (self.plan)(graph, terms)?;
        let seats = whole.seats();
        let mut views = BTreeMap::new();
        for seat in &seats {
            let party = seat.party;
            let view = whole.view(party).ok_or(Failure::NoView { party })?;
            views.insert(party, view);
        }
        Ok(Table {
            subject: *self,
            links: whole.links(),
            oracle: whole.oracle().clone(),
            product_error: whole.product_error(),
            seats,
            views,
        })
    }
}

impl Table {
    pub fn parties(&self) -> Vec<PartyId> {
        self.seats.iter().map(|seat| seat.party).collect()
    }

    pub fn seat_of(&self, party: PartyId) -> Option<&Seat> {
        self.seats.iter().find(|seat| seat.party == party)
    }

    /// A new party from its published plan.
    pub fn seat(&self, party: PartyId) -> Result<Box<dyn Party>, Failure> {
        let view = self.views.get(&party).ok_or(Failure::NoView { party })?;
        (self.subject.seat)(view, 1).map_err(|fault| Failure::View { party, fault })
    }

    /// A party from bytes that may be anything.
    pub(crate) fn seat_bytes(&self, bytes: &[u8]) -> Seating {
        (self.subject.seat)(bytes, 1)
    }

    /// Those whom `party` talks to.
    pub fn neighbours(&self, party: PartyId) -> Vec<PartyId> {
        let ends = self.links.iter().flat_map(|&(a, b)| [(a, b), (b, a)]);
        ends.filter(|(me, _)| *me == party)
            .map(|(_, peer)| peer)
            .collect()
    }
}
