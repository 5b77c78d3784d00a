//! Floor 8: parties that live long, and those that ask them.
//!
//! A [`Node`] is a server of any number of deployed models. An [`owner`](deploy) divides a model on its own machine
//! and hands each server its part; a [`Client`] asks all servers together.
//!
//! | module | content |
//! |---|---|
//! | [`config`] | what `node.toml` and the files of owners and clients say |
//! | [`message`], `talk` | what is said outside sessions, and how |
//! | `node`, `places`, `peers` | the daemon, its connections, those to other nodes |
//! | `models`, `staging` | deployments in the store, and on their way in |
//! | `enrolments` | keys and pools of a node or a client |
//! | `admission`, `gather` | how many visits run; connections that come for one session |
//! | `lead`, `guest`, `session`, `visit` | visits that this node leads, or another one; what every party of one does |
//! | `status` | counts and names |
//! | `owner`, `client`, `ask`, `asking` | the other side |
//!
//! A *visit* is one session of a client with all servers of a deployment: a setup, if the client has no keys there,
//! then material made ahead, then inferences. One server *leads*: it is linked to all others, admits visits and
//! calls the others in. The keys of a client are an *enrolment*; every party keeps its own.

mod admission;
mod ask;
mod asking;
mod client;
pub mod config;
mod enrolments;
mod gather;
mod guest;
mod lead;
pub mod message;
mod models;
mod node;
mod owner;
mod peers;
mod places;
mod session;
mod staging;
mod status;
mod talk;
mod visit;

pub use ask::{Answers, Ask, Progress};
pub use client::{Client, ClientFault};
pub use node::{Handle, Node, NodeFault};
pub use owner::{Deployed, Deploying, OwnerFault, deploy, remove};
pub use status::{Counts, ModelStatus, PeerStatus, Status};
pub use talk::TalkFault;
pub use visit::Tally;
