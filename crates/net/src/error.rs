//! Why a session ended, and through whom. Nothing here can hold a secret.

use serde::{Deserialize, Serialize};
use subrosa_core::{Malformed, PartyId, StockFault};
use thiserror::Error;

/// The end of a session: this party's own fault, a link's, or a peer's.
#[derive(Clone, Debug, PartialEq, Eq, Error, Serialize, Deserialize)]
pub enum RunError {
    #[error("this party failed: {0}")]
    Local(#[from] LocalFault),
    #[error("the link to {peer} failed: {fault}")]
    Link { peer: PartyId, fault: LinkFault },
    #[error("{peer} broke the protocol: {misdeed}")]
    Peer { peer: PartyId, misdeed: Misdeed },
    #[error("{by} gave up because of {culprit}")]
    Aborted { by: PartyId, culprit: PartyId },
}

impl RunError {
    /// The party at fault as far as this one can tell; `None` where it is this party itself.
    pub fn culprit(&self) -> Option<PartyId> {
        match *self {
            Self::Local(_) => None,
            Self::Link { peer, .. } | Self::Peer { peer, .. } => Some(peer),
            Self::Aborted { culprit, .. } => Some(culprit),
        }
    }
}

impl From<StockFault> for RunError {
    fn from(fault: StockFault) -> Self {
        Self::Local(LocalFault::Stock(fault))
    }
}

/// What went wrong at this party.
#[derive(Clone, Debug, PartialEq, Eq, Error, Serialize, Deserialize)]
pub enum LocalFault {
    #[error("{0}")]
    Stock(#[serde(with = "StockFaultDef")] StockFault),
    #[error("the operating system gave no randomness")]
    Randomness,
    #[error("no connection to {0} belongs to this session")]
    UnknownPeer(PartyId),
    #[error("{0} is named twice in one exchange or one mesh")]
    DuplicatePeer(PartyId),
    #[error("the inputs are not those of the plan: {0}")]
    Input(#[from] InputFault),
    #[error("operating system error {code}")]
    System { code: i32 },
    #[error("the certificate or its key cannot be used")]
    Identity,
    #[error("its part of the model: {0}")]
    Part(#[from] PartFault),
    #[error("its keys are another party's or another plan's, or damaged")]
    Keys,
    #[error("its vault: {0}")]
    Store(#[from] StoreFault),
    #[error("a value that the program itself made is not what it must be")]
    Invariant,
}

/// How a party's own inputs differ from what its plan takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error, Serialize, Deserialize)]
pub enum InputFault {
    #[error("they are missing")]
    Missing,
    #[error("this party gives none")]
    Unexpected,
    #[error("expected {expected} values, found {found}")]
    Count { expected: u64, found: u64 },
    #[error("a shape differs")]
    Shape,
    #[error("a value lies outside the declared range")]
    Range,
}

/// Why what a party was given of a divided model is not its part under its plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error, Serialize, Deserialize)]
pub enum PartFault {
    #[error("it is not a part of a model, or one of another version")]
    Foreign,
    #[error("expected that of {expected}, found that of {found}")]
    Party { expected: PartyId, found: PartyId },
    #[error("it belongs to another plan")]
    Plan,
    #[error("expected {expected} bytes, found {found}")]
    Length { expected: u64, found: u64 },
    #[error("a value lies outside its range")]
    Value,
}

/// Why one-time material could not be kept on this party's disk, or taken from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error, Serialize, Deserialize)]
pub enum StoreFault {
    #[error("it is open elsewhere")]
    InUse,
    #[error("its key or its version is another one")]
    Foreign,
    #[error("the disk is full")]
    DiskFull,
    #[error("the file system is read-only")]
    ReadOnly,
    #[error("the operating system denies access")]
    Denied,
    #[error("it was altered since it was written")]
    Corrupted,
    #[error("a file is gone")]
    Missing,
    #[error("input or output failed")]
    Io,
    #[error("an item does not have the length that the plan gives it")]
    Length,
    #[error("material is kept by other parties than the plan says")]
    Keepers,
    #[error("{0} keeps material too, and there is no link to it")]
    Unlinked(PartyId),
    #[error("there is none, or its handshake is still to come")]
    Closed,
}

/// What went wrong between this party and a peer, with neither proven at fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error, Serialize, Deserialize)]
pub enum LinkFault {
    #[error("the connection is closed")]
    Closed,
    #[error("nothing came for {after_ms} ms")]
    TimedOut { after_ms: u64 },
    #[error("the connection was refused until the time was up")]
    Refused,
    #[error("the handshake failed: {0}")]
    Handshake(#[from] HandshakeFault),
    #[error("operating system error {code}")]
    Io { code: i32 },
}

/// Why a connection was not made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error, Serialize, Deserialize)]
pub enum HandshakeFault {
    #[error("the certificate's fingerprint is not the one expected")]
    UnknownFingerprint,
    #[error("the peer refused this party's certificate or its offer")]
    Rejected,
    #[error("no TLS 1.3 with the hybrid key exchange came about")]
    Tls,
    #[error("the certificate is not valid now")]
    Expired,
    #[error("it was not finished in time")]
    Unfinished,
}

/// Why a [`Line`](crate::Line) carries no more messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error, Serialize, Deserialize)]
pub enum LineFault {
    #[error("the connection is closed")]
    Closed,
    #[error("the time was up")]
    TimedOut,
    #[error("a message of {found} bytes is over the limit of {limit}")]
    Oversized { limit: u64, found: u64 },
    #[error("operating system error {code}")]
    Io { code: i32 },
    #[error("what came is not a message of a peer that keeps to the protocol")]
    Tampered,
}

/// What a peer did that an honest peer does not do.
#[derive(Clone, Debug, PartialEq, Eq, Error, Serialize, Deserialize)]
pub enum Misdeed {
    #[error("a message is malformed: {0}")]
    Malformed(#[serde(with = "MalformedDef")] Malformed),
    #[error("expected step {expected}, found {found}")]
    WrongStep { expected: u32, found: u32 },
    #[error("expected frame number {expected}, found {found}")]
    WrongSequence { expected: u32, found: u32 },
    #[error("expected a frame of {expected} bytes, found {found}")]
    WrongLength { expected: u64, found: u64 },
    #[error("a frame of {found} bytes is over the limit of {limit}")]
    Oversized { limit: u64, found: u64 },
    #[error("a frame ended before its length")]
    Truncated,
    #[error("a frame's header is not one")]
    BadHeader,
    #[error("expected protocol version {expected}, found {found}")]
    Version { expected: u8, found: u8 },
    #[error("a frame of a kind that is not due now")]
    OutOfTurn,
    #[error("a frame of another session")]
    WrongSession,
    #[error("its plan is another one")]
    Fingerprint,
    #[error("expected {expected}, found {found}")]
    WrongIdentity { expected: PartyId, found: PartyId },
    #[error("its nonce has been used before")]
    RepeatedNonce,
    #[error("a TLS record does not authenticate")]
    Tampered,
    #[error("it speaks of one-time material of another deployment or epoch")]
    OtherMaterial,
}

impl From<StoreFault> for RunError {
    fn from(fault: StoreFault) -> Self {
        Self::Local(LocalFault::Store(fault))
    }
}

impl From<Malformed> for Misdeed {
    fn from(malformed: Malformed) -> Self {
        Self::Malformed(malformed)
    }
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "StockFault")]
enum StockFaultDef {
    Exhausted,
    Malformed,
    Closed,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "Malformed")]
enum MalformedDef {
    Length { expected: u64, found: u64 },
    Padding,
    Range,
    Encoding,
}
