//! Floor 4: inference among servers that share both values and weights.
//!
//! Some servers, the *remotes*, and one more, the *gateway*. Every value is held as x = c + λ (`subrosa_share::flow`): **all
//! servers learn c online; of λ every server has an additive share, offline.** Weights are shared additively, too, among all
//! servers or among the remotes.
//!
//! | module | content |
//! |---|---|
//! | [`scheme`] | what all servers know: graph, encryption parameters, every step in order |
//! | [`keys`], [`prepare`], [`evaluate`] | a server: setup, offline, online |
//! | [`shares`] | the weights, divided |
//! | [`linear`] | products under a collective key |
//! | [`refresh`], [`dabits`] | masks of which every bit is shared, and truncation; bits shared by XOR made additive |
//! | [`activation`] | activations in garbled circuits |
//! | [`piece`] | the one-time material of a step |
//! | [`servers`], [`mesh`], [`ots`] | who is who; messages among all; oblivious transfers between every two |
//!
//! # What all but one of the servers see
//!
//! All are semi-honest: nothing checks that a server does what it should. Let h be the one that the others have not.
//!
//! | message of h | why it says nothing |
//! |---|---|
//! | shares of λ and contributions, encrypted | the collective key is h's, too; contributions are re-randomised |
//! | decryption shares | masked, uniform modulo q |
//! | choices and corrections of oblivious transfers | uniform: choices less random ones, and what keys mask that the reader lacks |
//! | shares of δ = λ - μ | uniform: h has a share of every bit of μ |
//! | shares of what is opened online | uniform with the opened sum: h's share of the new mask is fresh |
//! | the opened sums c | uniform: h's share of the mask is |
//!
//! The shares of the weights of all holders but one are uniform. For the circuits see [`activation`]: with [`Garbling::Single`]
//! remotes 0 and 1 together read every value, and then the weights.

pub mod activation;
pub mod dabits;
pub mod evaluate;
pub mod keys;
pub mod linear;
pub mod mesh;
pub mod ots;
pub mod piece;
pub mod prepare;
mod price;
pub mod refresh;
pub mod scheme;
pub mod servers;
pub mod shares;
mod walk;

pub use activation::Garbling;
pub use evaluate::evaluate_all;
pub use keys::Keys;
pub use mesh::Mesh;
pub use ots::{OtKeys, OtPlan, Ots};
pub use piece::{Piece, PieceLayout};
pub use prepare::prepare_all;
pub use scheme::{Scheme, Step};
pub use servers::{Place, Servers};
pub use shares::{Holders, Shares};
