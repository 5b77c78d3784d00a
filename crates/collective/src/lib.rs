//! Floor 4: inference among servers that share both values and weights.
//!
//! Some servers, the *remotes*, and one more, the *gateway*. Every value is held as x = c + λ (`subrosa_share::flow`): **all
//! servers learn c online; of λ every server has an additive share, offline.** Weights are shared additively, too, among all
//! servers or among the remotes.
//!
//! | module | content |
//! |---|---|
//! | [`servers`] | who is who |
//! | [`mesh`] | messages among all servers of one phase |
//! | [`ots`] | keys and stocks of oblivious transfers between every two servers |

pub mod mesh;
pub mod ots;
pub mod servers;

pub use mesh::Mesh;
pub use ots::{OtKeys, OtPlan, Ots};
pub use servers::{Place, Servers};
