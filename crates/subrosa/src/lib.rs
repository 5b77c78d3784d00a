//! Private machine-learning inference: one ONNX file, several trust models.
//!
//! ```text
//! Model --prepare--> Prepared --plan(protocol)--> Planned --view--> each party's bytes --seat--> Participant
//! ```
//!
//! [`protocols`] lists what there is to choose from. A [`Participant`] is one party with its connections:
//! `setup` once, then `offline` and `infer` for each inference; or `join` and `fill` to make material ahead in the
//! party's [`Vault`], then `ready` and `infer`. [`InMemory`] runs all parties of a plan in
//! threads of one process, to try a model and for tests; real parties are processes of their own.

mod blame;
mod error;
mod hub;
mod memory;
mod oracle;
mod part_file;
mod participant;
mod planned;
mod pool;
mod prepared;
mod protocols;
mod spilling;

pub use blame::{Blame, blame};
pub use error::Error;
pub use memory::{InMemory, InMemoryRun, run_in_memory};
pub use oracle::{Oracle, OracleAnswer};
pub use part_file::{PartFault, PartFile};
pub use participant::{Participant, Phased, Source as MaterialSource};
pub use planned::{PartyPrice, Planned, total};
pub use pool::{PoolTerms, store_fault};
pub use prepared::Prepared;
pub use protocols::{Entry, find, protocols};

pub use subrosa_core::{Bits, Bytes, Malformed, PartyId, Rounds, Secret, Seed};
pub use subrosa_ir::{
    Element, FixedGraph, FixedNode, FixedOp, FloatGraph, InputFault, InputPort, Interval,
    LowerError, OutputPort, RangeError, RangedGraph, Reveal, Samples, Shape, TailValue, Tensor,
    Weights, encode_input, volume,
};
pub use subrosa_net::{
    Bill, Cost, Endpoint, Fingerprint, HEADER_LEN, Identity, LinkFault, Links, LocalFault, Network,
    Peer, Phase, RunError, StoreFault, Tap, UnknownNetwork, connect,
};
pub use subrosa_onnx::{
    Dim, InputInfo, Model, OnnxError, PublicConstant, Reference, supported_operators,
};
pub use subrosa_protocol::{
    Card, Division, Garbling, Holders, Holding, Learns, Nonlinear, PartyKind, PlanError, Seat,
    SharedPart, Source, Terms,
};
pub use subrosa_seco::Split;
pub use subrosa_vault::{SeriesName, Vault, VaultFault};
