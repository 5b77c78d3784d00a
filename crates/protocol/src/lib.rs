//! Floor 4: what a protocol is.
//!
//! A protocol lowers a ranged graph into a plan of all parties; each role gets its own view of that plan as
//! bytes, parses, checks and prices it, and then runs the spine `share`, `online`, `reveal` over a session.
//! This crate knows no share, label or ciphertext.

mod ahead;
mod card;
mod holding;
mod part;
mod party;
mod plan;
mod role;
mod terms;

pub use card::{Card, Learns, PartyKind, Seat, Source};
pub use holding::Holding;
pub use part::{decode_part, encode_part};
pub use party::{Member, Party, SharedPart, WholePlan};
pub use plan::{Fingerprint, Plan, PlanError, fingerprint_of};
pub use role::{Protocol, Role};
pub use terms::{Division, Garbling, Holders, Nonlinear, Terms};
