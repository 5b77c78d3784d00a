//! Floor 3: oblivious transfer: base OTs, extension, silent extension.
//!
//! Two parties, semi-honest. The *sender* ends with pairs of uniform 128-bit keys, the *receiver* with a uniform choice
//! bit and the chosen key of each pair ([`SenderOts`](subrosa_core::SenderOts), [`ReceiverOts`](subrosa_core::ReceiverOts)).
//! The sender learns no choice, the receiver no other key. 128-bit security, of which the sender's offset has 127 bits;
//! base OTs rest on Diffie-Hellman and are not post-quantum.
//!
//! | step | source | cost |
//! |---|---|---|
//! | [`SenderKeys::setup`], [`ReceiverKeys::setup`] | Naor, Pinkas, SODA 2001, on ristretto255 | once: 4,128 bytes, 1 exchange |
//! | [`Lot::SoftSpoken`] | Roy, Crypto 2022 | receiver to sender, about `16 / k` bytes an OT |
//! | [`Lot::Silent`] | Ferret, CCS 2020; half-tree, Eurocrypt 2023 | sender to receiver, 0.04 to 0.3 bytes an OT |
//! | hash of correlated OTs | MiTCCRH, Crypto 2020 | nothing sent |
//! | [`local`] | chosen, correlated, one of 2^m | corrections that the caller sends |
//!
//! Keys are kept; every session makes streams of its own from them under a fresh nonce of both ends. [`Extension`]
//! says which lots run for how many OTs and what that costs, before anything is sent.
//!
//! Not done: malicious security (no consistency check anywhere).

mod base;
mod cipher;
mod code;
mod extension;
mod hash;
mod keys;
pub mod local;
pub mod lpn;
mod message;
mod plan;
mod receiver;
mod sender;
mod silent;
mod softspoken;
mod stock;
mod tree;

pub use extension::{Extension, Lot, Method};
pub use keys::{ReceiverKeys, SenderKeys, random_offset};
pub use lpn::SilentSize;
pub use receiver::Receiver;
pub use sender::Sender;
