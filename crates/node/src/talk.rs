//! Typed messages over a connection.

use crate::message::{MOST_TOLD, Refusal, Reply, Request, VERSION};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::time::Duration;
use subrosa::{Fingerprint, Identity, LinkFault};
use subrosa_net::{HandshakeFault, Line, LineFault, resolve};
use thiserror::Error;

/// Time for one whole message, once it has begun to come.
pub const MESSAGE: Duration = Duration::from_secs(20);

/// Why a question got no answer.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum TalkFault {
    #[error("{0}")]
    Link(#[from] LinkFault),
    #[error("{0}")]
    Line(#[from] LineFault),
    #[error("what it says is not understood")]
    Malformed,
    #[error("{0}")]
    Refused(#[from] Refusal),
    #[error("the name `{0}` does not resolve to an address")]
    Unresolved(String),
}

impl TalkFault {
    /// Whether the same question may be answered a little later.
    pub fn passes(&self) -> bool {
        match self {
            Self::Refused(refusal) => refusal.passes(),
            _ => false,
        }
    }

    /// Whether the node's certificate is not the one that this side was told.
    pub fn is_other_node(&self) -> bool {
        let other = HandshakeFault::UnknownFingerprint;
        *self == Self::Link(LinkFault::Handshake(other))
    }
}

pub fn tell<T: Serialize>(line: &mut Line, message: &T) -> Result<(), TalkFault> {
    let bytes = postcard::to_allocvec(message).map_err(|_| TalkFault::Malformed)?;
    Ok(line.send(&bytes, MESSAGE)?)
}

/// Waits `idle` for the first byte.
pub fn hear<T: DeserializeOwned>(
    line: &mut Line,
    most: usize,
    idle: Duration,
) -> Result<T, TalkFault> {
    let bytes = line.receive(most, idle, MESSAGE)?;
    postcard::from_bytes(&bytes).map_err(|_| TalkFault::Malformed)
}

/// Asks and waits for a reply that is no refusal.
pub fn ask(line: &mut Line, request: &Request, patience: Duration) -> Result<Reply, TalkFault> {
    tell(line, request)?;
    match hear(line, MOST_TOLD, patience)? {
        Reply::Refused(refusal) => Err(refusal.into()),
        reply => Ok(reply),
    }
}

/// A connection to a node of the same version, and the node's name.
pub fn call(
    address: &str,
    identity: &Identity,
    peer: Fingerprint,
    patience: Duration,
) -> Result<(Line, String), TalkFault> {
    let unresolved = || TalkFault::Unresolved(address.to_owned());
    let mut last = unresolved();
    for address in resolve(address) {
        match Line::dial(address, identity, peer, patience) {
            Ok(mut line) => {
                let ours = VERSION;
                let hello = Request::Hello { version: ours };
                return match ask(&mut line, &hello, patience)? {
                    Reply::Hello { version, name } if version == ours => Ok((line, name)),
                    Reply::Hello { version, .. } => Err(Refusal::Version {
                        ours: version,
                        theirs: ours,
                    }
                    .into()),
                    _ => Err(TalkFault::Malformed),
                };
            }
            Err(fault) => last = fault.into(),
        }
    }
    Err(last)
}
