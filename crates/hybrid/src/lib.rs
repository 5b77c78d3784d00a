//! Floor 4: linear layers under BFV and activations under OT or garbling, between a client and a model owner.
//!
//! Every value is held as x = c + λ (`subrosa_share::flow`). **The client knows λ of every value before its input is there; the owner
//! learns c online.** Inputs and results of activations get fresh masks of the client's; the mask of a product W x is
//! W λ - s, which the client obtains offline under encryption while s stays with the owner ([Delphi], section 4.1). So a linear layer costs
//! nothing online but the owner's integer product, and all tables of the comparisons can be made ahead, for one of
//! its two operands is known.
//!
//! | module | content |
//! |---|---|
//! | [`scheme`] | what both know: graph, reading, encryption parameters, every step in order |
//! | [`client`], [`owner`] | the two parties: setup, offline, online |
//! | [`ot`], [`gc`] | activations on random OTs, in garbled circuits |
//! | [`step`], [`piece`] | the steps, and the one-time material of one |
//!
//! [Delphi]: Mishra, Lehmkuhl, Srinivasan, Zheng, Popa, USENIX Security 2020.

pub mod client;
pub mod gc;
mod line;
pub mod ot;
pub mod owner;
pub mod piece;
mod predict;
mod price;
pub mod scheme;
pub mod step;
#[cfg(test)]
mod testing;

pub use client::ClientKeys;
pub use owner::{Encoded, OwnerKeys};
pub use piece::{Piece, PieceLayout};
pub use price::Side;
pub use scheme::{Reading, Scheme};
