//! A client and a model owner, no third party: linear layers under BFV, activations on oblivious transfers or in
//! garbled circuits.
//!
//! | party | brings | learns |
//! |---|---|---|
//! | vendor | the weights | nothing about input or answer |
//! | client | the input | the answer |
//!
//! The protocol itself is `subrosa-hybrid`; here are its two roles, the plan and the card.

mod card;
mod parties;
mod plan;
mod roles;

use std::time::Duration;
use subrosa_core::{Malformed, PartyId};
use subrosa_hybrid::Reading;
use subrosa_ir::{FixedGraph, RangedGraph};
use subrosa_net::Network;
use subrosa_protocol::{Card, Member, Party, Plan, PlanError, Protocol, Seat, Terms, WholePlan};

pub use card::CARD;
pub use parties::{CLIENT, VENDOR};
pub use plan::{View, Whole};
pub use roles::{Asking, Serving};

/// The protocol.
pub struct TwoParty;

impl Protocol for TwoParty {
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
        &self.scheme.graph
    }

    fn reading(&self) -> Option<&'static str> {
        Some(match self.scheme.reading {
            Reading::Ot => "ot",
            Reading::Gc => "gc",
        })
    }

    fn predicted(&self, network: &Network) -> Option<Duration> {
        Some(self.scheme.predicted(network))
    }

    /// Both shares of a product are rounded, as SPU's H2A does.
    fn product_error(&self) -> u64 {
        1
    }

    fn view(&self, party: PartyId) -> Option<Vec<u8>> {
        (party <= CLIENT).then(|| Whole::view(self, party).encode())
    }
}

/// Seats the party that a published plan is for. `threads` is how many cores it may use.
pub fn seat(plan: &[u8], threads: usize) -> Result<Box<dyn Party>, Malformed> {
    let plan = View::parse(plan)?;
    Ok(match plan.me {
        VENDOR => Box::new(Member::new(Serving { threads }, plan)),
        CLIENT => Box::new(Member::new(Asking { threads }, plan)),
        _ => return Err(Malformed::Range),
    })
}
