//! Three servers, at most one curious: masked replicated secret sharing over Z/2^k.
//!
//! See the folder's README for the card in prose.

mod card;
mod correlation;
mod offline;
mod online;
mod part;
mod parties;
mod plan;
mod price;
mod roles;
mod setup;

use subrosa_core::{Malformed, PartyId, Seed};
use subrosa_ir::{FixedGraph, RangedGraph, Weights};
use subrosa_net::LocalFault;
use subrosa_protocol::{
    Card, Holding, Member, Party, Plan, PlanError, Protocol, Seat, Terms, WholePlan,
};
use subrosa_share::Evaluator;

pub use card::CARD;
pub use parties::{CLIENT, DEALER, FIRST, SECOND, SERVERS};
pub use plan::{View, Whole};
pub use roles::{Asking, Dealing, Evaluating};

/// The protocol.
pub struct Replicated3;

impl Protocol for Replicated3 {
    const CARD: Card = CARD;
    type Whole = Whole;

    fn plan(graph: &RangedGraph, terms: &Terms) -> Result<Whole, PlanError> {
        plan::plan(graph, terms)
    }
}

impl WholePlan for Whole {
    fn seats(&self) -> Vec<Seat> {
        parties::seats()
    }

    fn links(&self) -> Vec<(PartyId, PartyId)> {
        parties::links()
    }

    fn oracle(&self) -> &FixedGraph {
        &self.graph
    }

    fn holding(
        &self,
        party: PartyId,
        weights: &Weights,
        seed: &Seed,
    ) -> Result<Holding, LocalFault> {
        part::divide(self, party, weights, seed)
    }

    fn view(&self, party: PartyId) -> Option<Vec<u8>> {
        (party <= CLIENT).then(|| View::new(party, self.graph.clone()).encode())
    }
}

/// Seats the party that a published plan is for. `threads` is how many cores it may use.
pub fn seat(plan: &[u8], threads: usize) -> Result<Box<dyn Party>, Malformed> {
    let plan = View::parse(plan)?;
    let evaluating = |who| Evaluating { who, threads };
    Ok(match plan.me {
        FIRST => Box::new(Member::new(evaluating(Evaluator::First), plan)),
        SECOND => Box::new(Member::new(evaluating(Evaluator::Second), plan)),
        DEALER => Box::new(Member::new(Dealing { threads }, plan)),
        CLIENT => Box::new(Member::new(Asking, plan)),
        _ => return Err(Malformed::Range),
    })
}
