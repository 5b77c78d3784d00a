//! What is said outside sessions: requests, replies, refusals. Encoded by postcard, one message each.

use serde::{Deserialize, Serialize};
use std::fmt;
use subrosa::{Bytes, Fingerprint, PartyId, Reveal, Seed};
use thiserror::Error;

/// Of the words in this file and the phases that a visit goes through. Nodes of another version are refused.
pub const VERSION: u16 = 1;
/// The longest request of a client, but for the parts of a model.
pub const MOST_ASKED: usize = 64 << 10;
/// The longest piece of a model's part in one request.
pub const CHUNK: usize = 1 << 20;
/// The longest reply: the architecture of a model for several batch sizes.
pub const MOST_TOLD: usize = 64 << 20;
/// Inferences in one visit: then others have their turn.
pub const MOST_INFERRED: u32 = 32;
/// Inferences whose material is made in one visit.
pub const MOST_FILLED: u32 = 8;

/// A name that nobody else draws: of a deployment, an enrolment, a visit.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Id(pub [u8; 16]);

impl Id {
    /// `None` where the operating system gives no randomness.
    pub fn random() -> Option<Self> {
        let seed = Seed::random().ok()?;
        let mut id = [0; 16];
        id.copy_from_slice(&seed.reveal()[..16]);
        Some(Self(id))
    }

    /// By which servers know a client that they may not see: the same in each of its visits to one deployment.
    pub fn of_client(deployment: Self, client: &Fingerprint) -> Self {
        let mut hasher = blake3::Hasher::new_derive_key("subrosa 2026 client of a deployment");
        hasher.update(&deployment.0).update(&client.0);
        let mut id = [0; 16];
        id.copy_from_slice(&hasher.finalize().as_bytes()[..16]);
        Self(id)
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[derive(Serialize, Deserialize)]
pub enum Request {
    /// The first on every connection.
    Hello {
        version: u16,
    },
    /// What a client must know of a model.
    Describe {
        model: String,
    },
    Visit(Visit),
    Join(Join),
    /// A deployment's record and, in requests of their own, its bytes.
    Stage(Staging),
    Chunk(Vec<u8>),
    /// Makes what is staged the model of that name.
    Activate {
        model: String,
        deployment: Id,
    },
    /// Whether a deployment is the model of that name.
    Standing {
        model: String,
        deployment: Id,
    },
    Remove {
        model: String,
    },
    Status,
}

impl Request {
    /// The model that it names.
    pub fn model(&self) -> Option<&str> {
        match self {
            Self::Describe { model }
            | Self::Activate { model, .. }
            | Self::Standing { model, .. }
            | Self::Remove { model } => Some(model),
            Self::Visit(visit) => Some(&visit.model),
            Self::Join(join) => join.call.as_ref().map(|call| &call.model[..]),
            Self::Stage(staging) => Some(&staging.model),
            Self::Hello { .. } | Self::Chunk(_) | Self::Status => None,
        }
    }
}

#[derive(Serialize, Deserialize)]
pub enum Reply {
    Hello {
        version: u16,
        name: String,
    },
    Described(Box<Described>),
    /// The visit is admitted: its ticket, its enrolment, and whether the pool that the client named goes on.
    Ticket {
        ticket: Id,
        enrolment: Id,
        pool: bool,
    },
    Joined,
    /// As many bytes are expected, or were found.
    Staged,
    Standing(Standing),
    Done,
    Status(Box<crate::status::Status>),
    Refused(Refusal),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Standing {
    Active,
    Staged,
    Unknown,
}

/// What a client asks of all parties of a deployment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Visit {
    pub model: String,
    pub deployment: Id,
    /// One of the batch sizes that the model was deployed for.
    pub batch: u32,
    /// The keys that the client still has; `None` asks for a setup.
    pub enrolment: Option<Id>,
    /// Whether material is taken from the pool.
    pub pooled: bool,
    /// What the client calls its pool, if it has one.
    pub pool: Option<[u8; 16]>,
    /// Inferences whose material is made ahead.
    pub fill: u32,
    pub infer: u32,
}

/// A connection for a session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Join {
    pub ticket: Id,
    pub from: PartyId,
    /// What the session is for, from the node that leads it.
    pub call: Option<Call>,
}

/// What the leading node tells the other servers of a visit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Call {
    pub deployment: Id,
    pub model: String,
    pub batch: u32,
    /// [`Id::of_client`].
    pub client: Id,
    pub enrolment: Id,
    /// Whether the enrolment begins with this visit.
    pub setup: bool,
    pub pooled: bool,
    pub pool: Option<[u8; 16]>,
    pub fill: u32,
    pub infer: u32,
}

/// What a server is told of a deployment.
#[derive(Clone, Serialize, Deserialize)]
pub struct Appointment {
    pub deployment: Id,
    pub model: String,
    pub protocol: String,
    pub me: PartyId,
    /// The name of this party's seat.
    pub seat: String,
    pub client: PartyId,
    pub lead: PartyId,
    /// The other servers that this one is linked to, with their certificates and the names of their seats.
    pub neighbours: Vec<(PartyId, Fingerprint, String)>,
    /// Whether the client is linked to this server.
    pub faces_client: bool,
    /// Those of the keepers of material that this party is told of, the hub first.
    pub keepers: Vec<PartyId>,
    pub lots: Vec<Lot>,
    /// At servers that the client is linked to.
    pub side: Option<ClientSide>,
}

/// A deployment for one batch size.
#[derive(Clone, Serialize, Deserialize)]
pub struct Lot {
    pub batch: u32,
    /// This party's view of the plan.
    pub view: Vec<u8>,
    /// Bytes of what it has of the model, in the order of the lots.
    pub holding: Bytes,
}

/// A deployment that is about to come. `lengths` are those of what follows in chunks: the appointment, the holdings.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Staging {
    pub model: String,
    pub deployment: Id,
    pub appointment: Bytes,
    pub holdings: Vec<Bytes>,
}

/// What a client knows of a model.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ClientSide {
    pub protocol: String,
    pub me: PartyId,
    /// The servers that it talks to, with the names of their seats.
    pub neighbours: Vec<(PartyId, String)>,
    pub lead: PartyId,
    /// As in [`Appointment::keepers`].
    pub keepers: Vec<PartyId>,
    pub inputs: Vec<InputSide>,
    pub outputs: Vec<OutputSide>,
    /// What is opened.
    pub opened: Opened,
    /// Batch sizes with the client's view of the plan for each.
    pub lots: Vec<(u32, Vec<u8>)>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct InputSide {
    pub name: String,
    /// Extents; none where the batch goes.
    pub shape: Vec<Option<u64>>,
    /// Smallest and largest value.
    pub range: [f32; 2],
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutputSide {
    pub name: String,
    pub integer: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Opened {
    All,
    Argmax,
    Top(u32),
}

impl From<Reveal> for Opened {
    fn from(reveal: Reveal) -> Self {
        match reveal {
            Reveal::All => Self::All,
            Reveal::ArgMax => Self::Argmax,
            Reveal::TopK(k) => Self::Top(k as u32),
        }
    }
}

impl fmt::Display for Opened {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All => f.write_str("all"),
            Self::Argmax => f.write_str("argmax"),
            Self::Top(k) => write!(f, "top:{k}"),
        }
    }
}

impl ClientSide {
    /// Of everything that does not change when the same architecture is deployed again with other weights.
    pub fn fingerprint(&self) -> Fingerprint {
        let bytes = postcard::to_allocvec(self).unwrap_or_default();
        let context = "subrosa 2026 architecture of a deployed model";
        Fingerprint(blake3::derive_key(context, &bytes))
    }
}

/// A node's answer to [`Request::Describe`].
#[derive(Serialize, Deserialize)]
pub struct Described {
    pub deployment: Id,
    /// Which party this node is.
    pub me: PartyId,
    /// Of its [`ClientSide`]: the same at all nodes.
    pub fingerprint: Fingerprint,
    /// At the node that leads.
    pub side: Option<ClientSide>,
    /// Inferences whose material the node keeps for this client at most.
    pub level: u32,
}

/// Why a node does not do what it is asked.
#[derive(Clone, Debug, PartialEq, Eq, Error, Serialize, Deserialize)]
pub enum Refusal {
    #[error("it speaks version {ours} of the nodes' protocol, this side version {theirs}")]
    Version { ours: u16, theirs: u16 },
    #[error("it is busy: {running} visits run and {waiting} wait")]
    Busy { running: u32, waiting: u32 },
    #[error("it is shutting down")]
    Draining,
    #[error("the certificate {who} may not {what}")]
    Denied { who: Fingerprint, what: Right },
    #[error("it has no model `{model}`")]
    NoModel { model: String },
    #[error("its model `{model}` is {found}, not {expected}: another version")]
    OtherDeployment {
        model: String,
        expected: Id,
        found: Id,
    },
    #[error("the model was not deployed for a batch of {batch}")]
    NoBatch { batch: u32 },
    #[error("it does not have the keys of this enrolment any more")]
    NoEnrolment,
    #[error("{what}: at most {limit}, asked for {found}")]
    TooMuch {
        what: Amount,
        limit: u64,
        found: u64,
    },
    #[error("the request is not one that it understands here")]
    Malformed,
    #[error("the deployment {deployment} is not complete at this node")]
    Incomplete { deployment: Id },
    #[error("the deployment names a node that is not among this node's peers: {0}")]
    UnknownPeer(Fingerprint),
    #[error("the deployment names this node as its own peer")]
    OwnPeer,
    #[error("it knows no protocol `{0}`")]
    NoProtocol(String),
    #[error("the part of the model does not fit its plan")]
    BadPart,
    #[error("{seat} does not take part: {why}")]
    Elsewhere { seat: String, why: Box<Refusal> },
    #[error("{seat} cannot be reached: {fault}")]
    Unreachable { seat: String, fault: String },
    #[error("its store: {0}")]
    Store(String),
    #[error("a fault of its own")]
    Fault,
}

impl Refusal {
    /// Whether the same request may be granted a little later.
    pub fn passes(&self) -> bool {
        match self {
            Self::Busy { .. } => true,
            Self::Elsewhere { why, .. } => why.passes(),
            _ => false,
        }
    }

    /// Whether another enrolment is needed.
    pub fn forgot(&self) -> bool {
        match self {
            Self::NoEnrolment => true,
            Self::Elsewhere { why, .. } => why.forgot(),
            _ => false,
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Right {
    Predict(String),
    Deploy(String),
    Status,
    /// What only nodes ask of each other.
    Join,
}

impl fmt::Display for Right {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Predict(model) => write!(f, "ask the model `{model}`"),
            Self::Deploy(model) => write!(f, "deploy `{model}`"),
            Self::Status => f.write_str("ask for status"),
            Self::Join => f.write_str("take part in a session"),
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Amount {
    Inferences,
    Material,
    ModelBytes,
    Sessions,
}

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Inferences => "inferences in one visit",
            Self::Material => "inferences' material",
            Self::ModelBytes => "bytes of a model",
            Self::Sessions => "sessions that other nodes lead",
        })
    }
}
