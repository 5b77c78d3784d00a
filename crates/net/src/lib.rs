//! Floor 2: transports, sessions, bills, and errors that name who is at fault.
//!
//! A party holds [`Links`] to its neighbours, over memory or over TCP with TLS 1.3. One [`Session`] at a time
//! runs on them, in the protocol's own thread; nothing here spawns another. A protocol calls
//! [`Session::exchange`] once a round, the session counts what it sends and where it waits, and whatever a
//! peer does wrong comes back as a [`RunError`] with that peer's number in it.
//!
//! Programs that live longer than one session keep [`Line`]s: authenticated connections that carry messages of
//! their own, which they [dial](Line::dial) or get from a [`Door`]. For a session, [`Links::of`] makes links of
//! them, and [`Links::into_lines`] gives them back after it. A peer is known by the [`Fingerprint`] of its
//! certificate, and is let in while that is valid.
//!
//! ```
//! use std::time::Duration;
//! use subrosa_core::{PartyId, Words, WordsLayout};
//! use subrosa_net::{Network, Phase, RunError, Session, SessionTerms, Step, memory_mesh};
//!
//! let pair = [PartyId(0), PartyId(1)];
//! let mesh = memory_mesh(&pair, &[(pair[0], pair[1])], Network::LOOPBACK);
//! let ends: Vec<_> = mesh
//!     .into_values()
//!     .map(|links| {
//!         std::thread::spawn(move || -> Result<u64, RunError> {
//!             let peer = links.peers()[0];
//!             let fingerprints = vec![(peer, [0; 32])];
//!             let timeout = Duration::from_secs(5);
//!             let terms = SessionTerms { fingerprints, untold: vec![], timeout, insecure_seed: None };
//!             let mut session = Session::open(links, terms)?;
//!             session.enter(Phase::Online);
//!             let mine = Words { bits: 8, values: vec![40 + u64::from(session.me().0)] };
//!             let layout = WordsLayout { count: 1, bits: 8 };
//!             let got: Vec<Words> =
//!                 session.exchange(Step(0), vec![(peer, mine)], &[(peer, layout)])?;
//!             assert_eq!((session.bill().online.bytes.0, session.bill().online.rounds.0), (1, 1));
//!             session.close();
//!             Ok(got[0].values[0])
//!         })
//!     })
//!     .collect();
//! let got: Vec<_> = ends.into_iter().map(|end| end.join().unwrap()).collect();
//! assert_eq!(got, [Ok(41), Ok(40)]);
//! ```

mod bill;
mod dial;
mod door;
mod drive;
mod error;
mod frame;
mod identity;
mod inbound;
mod line;
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
mod turns;

pub use bill::{Bill, Cost, Phase};
pub use door::Door;
pub use error::{
    HandshakeFault, InputFault, LineFault, LinkFault, LocalFault, Misdeed, PartFault, RunError,
    StoreFault,
};
pub use frame::{HEADER_LEN, MAX_PAYLOAD, Step, is_data};
pub use identity::{Fingerprint, Identity};
pub use line::{Closer, Line, resolve};
pub use link::Links;
pub use listen::Endpoint;
pub use memory::{Tap, memory_mesh, memory_mesh_tapped};
pub use network::{Network, UnknownNetwork};
pub use session::{Session, SessionTerms};
pub use tcp::{Peer, connect};
pub use turns::Turns;
