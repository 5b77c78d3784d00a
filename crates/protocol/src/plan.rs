use subrosa_core::{Malformed, PartyId};
use subrosa_ir::LowerError;
use subrosa_net::Bill;
use thiserror::Error;

/// Hash of what two ends must agree on before they talk.
pub type Fingerprint = [u8; 32];

/// What one role may know of a plan. Published as bytes; who receives it parses it, checks it and prices it again.
pub trait Plan: Sized + Send + Sync {
    fn encode(&self) -> Vec<u8>;
    fn parse(bytes: &[u8]) -> Result<Self, Malformed>;
    /// This party's cost of setup, of one offline phase and of one inference:
    /// payload bytes it sends and exchanges in which it waits. Equals its `Session::bill`.
    fn price(&self) -> Bill;
    /// Of what this party and `peer` share.
    fn fingerprint(&self, peer: PartyId) -> Fingerprint;
}

/// Domain-separated hash for [`Plan::fingerprint`].
pub fn fingerprint_of(protocol: &str, shared: &[u8]) -> Fingerprint {
    let mut hasher = blake3::Hasher::new_derive_key("subrosa 2026 plan fingerprint");
    hasher.update(&(protocol.len() as u64).to_le_bytes());
    hasher.update(protocol.as_bytes());
    hasher.update(shared);
    *hasher.finalize().as_bytes()
}

/// Why a model cannot be planned under a protocol.
#[derive(Clone, Debug, PartialEq, Error)]
pub enum PlanError {
    #[error(transparent)]
    Lower(#[from] LowerError),
    #[error("node `{node}`: {protocol} has no {operator}")]
    Unsupported {
        protocol: &'static str,
        operator: &'static str,
        node: String,
    },
    #[error("the model cannot be divided at `{at}`; possible: {}", possible.join(", "))]
    Cut { at: String, possible: Vec<String> },
    #[error("{found} remote servers, expected {least} to {most}")]
    Remotes {
        least: usize,
        most: usize,
        found: usize,
    },
}
