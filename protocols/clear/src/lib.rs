//! One server computes in the clear: the protocol to copy from. It protects nothing.
//!
//! | party | brings | learns |
//! |---|---|---|
//! | server | the weights | every input, value and answer |
//! | client | the input | the answer |
//!
//! Online the client sends its inputs as fixed-point integers, the server runs the clear reading of the plan's
//! graph and sends the opened wires back: one message each way. There is no setup and no offline phase. The
//! client decodes and evaluates the output tail.
//!
//! | file | what a new protocol puts there |
//! |---|---|
//! | `card.rs` | what it says of itself |
//! | `parties.rs` | who takes part, and who talks to whom |
//! | `plan.rs` | each party's view of a plan: its bytes, its price, its fingerprint |
//! | `roles.rs` | one implementation of the spine for each role |

mod card;
mod parties;
mod plan;
mod roles;

use subrosa_core::{Malformed, PartyId};
use subrosa_ir::{FixedGraph, RangedGraph};
use subrosa_protocol::{Card, Member, Party, Plan, PlanError, Protocol, Seat, Terms, WholePlan};

pub use card::CARD;
pub use parties::{CLIENT, SERVER};
pub use plan::{View, Whole};
pub use roles::{Asking, Serving};

/// The protocol.
pub struct Clear;

impl Protocol for Clear {
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

    fn view(&self, party: PartyId) -> Option<Vec<u8>> {
        let graph = self.graph.clone();
        (party <= CLIENT).then(|| View { me: party, graph }.encode())
    }
}

/// Seats the party that a published plan is for. `threads` is how many cores it may use.
pub fn seat(plan: &[u8], threads: usize) -> Result<Box<dyn Party>, Malformed> {
    let plan = View::parse(plan)?;
    Ok(match plan.me {
        SERVER => Box::new(Member::new(Serving { threads }, plan)),
        CLIENT => Box::new(Member::new(Asking, plan)),
        _ => return Err(Malformed::Range),
    })
}
