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
