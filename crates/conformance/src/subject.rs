use crate::{Failure, Frame, Stage};
use std::collections::BTreeMap;
use subrosa_core::{Malformed, PartyId, Seed};
use subrosa_ir::{FixedGraph, RangedGraph, Weights};
use subrosa_net::LocalFault;
use subrosa_protocol::{Holding, Party, PlanError, Seat, Terms, WholePlan};

/// A protocol as the suite sees it: how it plans, how a published plan becomes a party, and what of its messages is
/// held to be uniform.
#[derive(Clone, Copy)]
pub struct Subject {
    pub plan: PlanFn,
    pub seat: SeatFn,
    pub watched: Watched,
    pub exempt: &'static [Exempt],
    /// The most runs with a fault or at a bound, and the most changed plans that are taken and priced, of one case.
    pub trials: usize,
}

/// Whose views must be uniform.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Watched {
    /// All parties but clients, which may receive their answer in shares that sum to it.
    Servers,
    /// All parties: a client, too, receives masked values alone.
    All,
}

/// One message of a phase that is not uniform.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Exempt {
    pub from: PartyId,
    pub to: PartyId,
    /// Of whichever inference: its number is left out.
    pub stage: Stage,
    /// Its number among the messages of this direction and stage that are not empty.
    pub place: usize,
    /// Whether it follows from the session's randomness: it must then be the same whatever inputs and weights are, as long as
    /// the randomness is the same. Else it is the work of a library that draws for itself.
    pub seeded: bool,
    pub why: &'static str,
}

impl Exempt {
    pub(crate) fn covers(&self, frame: &Frame, place: usize) -> bool {
        (self.from, self.to) == (frame.from, frame.to)
            && self.stage.of_any() == frame.stage.of_any()
            && self.place == place
    }
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
    whole: Box<dyn WholePlan>,
    pub seats: Vec<Seat>,
    pub links: Vec<(PartyId, PartyId)>,
    pub views: BTreeMap<PartyId, Vec<u8>>,
    /// Parties that must not be told of others, and who does not tell them.
    sheltered: BTreeMap<PartyId, PartyId>,
    pub oracle: FixedGraph,
    /// Units by which a product may be off the oracle.
    pub product_error: u64,
}

impl Subject {
    /// One whose servers see uniform bytes and nothing else.
    pub const fn new(plan: PlanFn, seat: SeatFn) -> Self {
        Self {
            plan,
            seat,
            watched: Watched::Servers,
            exempt: &[],
            trials: usize::MAX,
        }
    }

    pub const fn watching(self, watched: Watched) -> Self {
        Self { watched, ..self }
    }

    pub const fn exempting(self, exempt: &'static [Exempt]) -> Self {
        Self { exempt, ..self }
    }

    /// A selection of trials, for a protocol whose runs are slow: of faults, as many as there are frames have each frame once.
    pub const fn trying(self, trials: usize) -> Self {
        Self { trials, ..self }
    }

    /// Plans and publishes.
    pub fn table(&self, graph: &RangedGraph, terms: &Terms) -> Result<Table, Failure> {
        let whole = (self.plan)(graph, terms)?;
        let seats = whole.seats();
        let (mut views, mut sheltered) = (BTreeMap::new(), BTreeMap::new());
        for seat in &seats {
            let party = seat.party;
            let view = whole.view(party).ok_or(Failure::NoView { party })?;
            let seated = (self.seat)(&view, 1);
            let untold = seated.map_or_else(|_| Vec::new(), |seated| seated.untold());
            sheltered.extend(untold.into_iter().map(|untold| (untold, party)));
            views.insert(party, view);
        }
        Ok(Table {
            subject: *self,
            links: whole.links(),
            oracle: whole.oracle().clone(),
            product_error: whole.product_error(),
            seats,
            views,
            sheltered,
            whole,
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

    /// What a party has of the model: of one division of these weights, however often it is asked for.
    pub fn holding(&self, party: PartyId, weights: &Weights) -> Result<Holding, LocalFault> {
        self.whole
            .holding(party, weights, &Seed::insecure_seeded(7))
    }

    /// Whom `party` can name where `culprit` is at fault: one who must not be told of others knows the one who shelters it.
    pub(crate) fn named(&self, party: PartyId, culprit: PartyId) -> PartyId {
        let knows = culprit == party || self.neighbours(party).contains(&culprit);
        let shelter = self.sheltered.get(&party).filter(|_| !knows);
        shelter.copied().unwrap_or(culprit)
    }

    /// Those whom `party` talks to.
    pub fn neighbours(&self, party: PartyId) -> Vec<PartyId> {
        let ends = self.links.iter().flat_map(|&(a, b)| [(a, b), (b, a)]);
        ends.filter(|(me, _)| *me == party)
            .map(|(_, peer)| peer)
            .collect()
    }
}
