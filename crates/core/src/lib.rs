//! Floor 1: parties, units, secrets, pseudorandom streams, wire formats and one-time stocks.
//!
//! Nothing here knows a graph, a socket or a protocol.

mod blocks;
mod encoded;
mod party;
mod prg;
mod random_ot;
mod secret;
mod stock;
mod units;
mod wire;
mod words;

pub use blocks::Blocks;
pub use encoded::Encoded;
pub use party::{Parties, PartyId};
pub use prg::{Nonce, Prg, Seed};
pub use random_ot::{ReceiverCots, ReceiverOts, SenderCots, SenderOts};
pub use secret::Secret;
pub use stock::{Shelf, Stock, StockFault};
pub use units::{Bits, Bytes, Rounds};
pub use wire::{Malformed, Never, Wire};
pub use words::{BitsLayout, Words, WordsLayout};

/// Computational security of every primitive, in bits.
pub const COMPUTATIONAL_SECURITY: Bits = Bits(128);
/// Statistical security of every masking argument, in bits.
pub const STATISTICAL_SECURITY: Bits = Bits(40);
