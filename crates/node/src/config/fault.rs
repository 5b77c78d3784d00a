//! What is wrong with a file of settings.

use std::net::SocketAddr;
use thiserror::Error;

/// One fault, at its place.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("line {line}: {}{problem}", if .key.is_empty() { String::new() } else { format!("{}: ", .key) })]
pub struct ConfigFault {
    /// From 1. Of a key that is missing: of its table.
    pub line: usize,
    /// With its tables, as `peer.fingerprint`. Empty where the text is no TOML.
    pub key: String,
    pub problem: Problem,
}

#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Problem {
    #[error("not TOML: {0}")]
    Syntax(String),
    #[error("unknown key, expected one of {}", expected.join(", "))]
    Unknown { expected: &'static [&'static str] },
    #[error("missing")]
    Missing,
    #[error("expected {expected}, found {found}")]
    Form {
        expected: &'static str,
        found: String,
    },
    #[error("expected {low} to {high}, found {found}")]
    Range { low: u64, high: u64, found: String },
    /// Two entries that must differ are the same.
    #[error("the same as on line {first}")]
    Repeated { first: usize },
    /// A name that two entries of different fingerprints share.
    #[error("the name of another fingerprint on line {first}")]
    Ambiguous { first: usize },
    #[error("expected an address that this machine alone reaches, as 127.0.0.1, found {found}")]
    NotLoopback { found: SocketAddr },
    #[error("stands beside {other}, expected one of the two")]
    Beside { other: &'static str },
    /// A node that is its own peer.
    #[error("the fingerprint of this file's own identity")]
    Own,
}
