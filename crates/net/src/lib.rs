//! Floor 2: transports, sessions, bills, and errors that name who is at fault.
//!
//! A party holds [`Links`] to its neighbours, over memory or over TCP with TLS 1.3. One [`Session`] at a time
//! runs on them, in the protocol's own thread; nothing here spawns another. A protocol calls
//! [`Session::exchange`] once a round, the session counts what it sends and where it waits, and whatever a
//! peer does wrong comes back as a [`RunError`] with that peer's number in it.

mod bill;
mod dial;
mod drive;
mod error;
mod frame;
mod identity;
mod inbound;
mod link;
mod listen;
mod memory;
mod network;
mod opening;
mod outbound;
mod poll;
mod session;
mod socket;
mod tcp;
mod tls;

pub use bill::{Bill, Cost, Phase};
pub use error::{HandshakeFault, InputFault, LinkFault, LocalFault, Misdeed, RunError};
pub use frame::{HEADER_LEN, MAX_PAYLOAD, Step};
pub use identity::{Fingerprint, Identity};
pub use link::Links;
pub use listen::Endpoint;
pub use memory::{Tap, memory_mesh, memory_mesh_tapped};
pub use network::{Network, UnknownNetwork};
pub use session::{Session, SessionTerms};
pub use tcp::{Peer, connect};
