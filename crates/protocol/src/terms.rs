use subrosa_ir::Reveal;
use subrosa_net::Network;

/// What the user asks of a plan beyond the model.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Terms {
    /// Width of the accumulating ring; `None` lets the protocol choose.
    pub ring: Option<u32>,
    /// What the client may open.
    pub reveal: Reveal,
    /// How activations are computed, where a protocol has more than one way.
    pub nonlinear: Nonlinear,
    /// What a choice by predicted time reckons with.
    pub network: Network,
    /// How the network is divided, where a protocol does so.
    pub division: Division,
}

/// How a network is divided between a gateway and remote servers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Division {
    /// The name of the wire whose value the gateway hands on, or of the node that gives it; everything behind it is the
    /// remotes'. `None` lets the protocol choose.
    pub at: Option<String>,
    /// The first node that must not be the gateway's, for a choice by the protocol.
    pub hide: Option<String>,
    pub remotes: usize,
    pub garbling: Garbling,
    pub holders: Holders,
}

impl Default for Division {
    fn default() -> Self {
        Self {
            at: None,
            hide: None,
            remotes: 2,
            garbling: Garbling::default(),
            holders: Holders::default(),
        }
    }
}

/// Who garbles.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Garbling {
    /// All remotes together: safe against all servers but one.
    #[default]
    Bmr,
    /// One remote for another one: those two together read every value.
    Single,
}

/// Among whom the weights behind the cut are shared.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Holders {
    /// The gateway and all remotes.
    #[default]
    AllServers,
    /// The remotes: all of them together know the weights.
    Remotes,
}

/// How activations are computed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Nonlinear {
    /// Whatever is predicted to be fastest on the network at hand.
    #[default]
    Auto,
    /// Oblivious transfer: fewer bytes, more rounds.
    Ot,
    /// Garbled circuits: more bytes, fewer rounds.
    Gc,
}
