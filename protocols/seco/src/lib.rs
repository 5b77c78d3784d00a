//! A thin user, a gateway, and a model whose rest is shared among remote servers.
//!
//! | party | brings | learns |
//! |---|---|---|
//! | user | the input | the answer; of the model its front half's architecture |
//! | gateway | the front half in clear, a share of the rest | nothing about input or answer |
//! | remotes, 2 to 8 | shares of the rest | nothing about input or answer |
//!
//! The front half is `subrosa-hybrid` between user and gateway, the hidden half `subrosa-collective` among all servers. Here are
//! what joins them, the plan with its cut, the parts of the model, the roles and the card.
//!
//! | module | content |
//! |---|---|
//! | `parties`, `card` | who is who |
//! | [`plan`], [`cut`], [`choice`] | the plan of all parties; where a network is cut, and where best |
//! | [`view`], [`face`], `behind` | what each party knows of it; what user and gateway, and what servers share |
//! | [`part`] | a server's part of the model, as a file |
//! | `seal`, `slots`, `relay` | masks that user and servers share, although the user talks to the gateway alone |
//! | [`user`], [`gateway`], [`remote`] | the roles |
//! | `price`, `piece`, `masked` | costs; the gateway's one-time material; sums of masked values |

mod behind;
mod card;
pub mod choice;
pub mod cut;
pub mod face;
pub mod gateway;
mod masked;
pub mod part;
mod parties;
mod piece;
pub mod plan;
mod price;
mod relay;
pub mod remote;
mod seal;
mod slots;
pub mod user;
pub mod view;

use std::time::Duration;
use subrosa_core::{Malformed, PartyId, Seed};
use subrosa_hybrid::Reading;
use subrosa_ir::{FixedGraph, RangedGraph, Weights};
use subrosa_net::{LocalFault, Network};
use subrosa_protocol::{
    Card, Holding, Member, Party, Plan, PlanError, Protocol, Seat, Terms, WholePlan,
};

pub use card::CARD;
pub use choice::{Split, splits};
pub use cut::INPUT;
pub use gateway::Gateway;
pub use parties::{GATEWAY, USER, remote as remote_party};
pub use plan::Whole;
pub use remote::Remote;
pub use user::Asking;
pub use view::{GatewayView, RemoteView, UserView};

/// The protocol.
pub struct Seco;

impl Protocol for Seco {
    const CARD: Card = CARD;
    const DIVIDES: bool = true;
    type Whole = Whole;

    fn plan(graph: &RangedGraph, terms: &Terms) -> Result<Whole, PlanError> {
        plan::plan(graph, terms)
    }
}

impl WholePlan for Whole {
    fn seats(&self) -> Vec<Seat> {
        parties::seats(self.remotes())
    }

    fn links(&self) -> Vec<(PartyId, PartyId)> {
        parties::links(self.remotes())
    }

    fn oracle(&self) -> &FixedGraph {
        &self.graph
    }

    fn cut(&self) -> Option<String> {
        Some(self.cut.name.clone())
    }

    /// Of the front half.
    fn reading(&self) -> Option<&'static str> {
        let scheme = self.face.hybrid()?;
        Some(match scheme.reading {
            Reading::Ot => "ot",
            Reading::Gc => "gc",
        })
    }

    /// Of the front half.
    fn predicted(&self, network: &Network) -> Option<Duration> {
        Some(self.face.hybrid()?.predicted(network))
    }

    fn product_error(&self) -> u64 {
        Whole::product_error(self)
    }

    fn holding(
        &self,
        party: PartyId,
        weights: &Weights,
        seed: &Seed,
    ) -> Result<Holding, LocalFault> {
        self.divided(party, weights, seed)
    }

    fn view(&self, party: PartyId) -> Option<Vec<u8>> {
        self.published(party)
    }
}

/// Seats the party that a published plan is for. `threads` is how many cores it may use.
pub fn seat(plan: &[u8], threads: usize) -> Result<Box<dyn Party>, Malformed> {
    let (party, _) = view::whose(plan)?;
    Ok(match party {
        USER => Box::new(Member::new(Asking { threads }, UserView::parse(plan)?)),
        GATEWAY => Box::new(Member::new(Gateway { threads }, GatewayView::parse(plan)?)),
        _ => {
            let view = RemoteView::parse(plan)?;
            let number = view.servers.me.0;
            Box::new(Member::new(Remote { number, threads }, view))
        }
    })
}
