use crate::{InputPort, Linear, Shape, Spread, Tail, View, WeightId, Window, WireId};
use serde::{Deserialize, Serialize};

/// A network over the integers: what protocols compute. Same conventions as `FloatGraph`.
///
/// A wire's integer v stands for v / 2^frac. `|v| <= bound` on every wire, by proof or by calibration,
/// and `bound < 2^(ring - 2)`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FixedGraph {
    /// Width k of the ring Z/2^k in which products are accumulated.
    pub ring: u32,
    pub wires: Vec<FixedWire>,
    pub inputs: Vec<InputPort>,
    /// Smallest and largest integer that each input may hold, as its owner declared.
    pub declared: Vec<[i64; 2]>,
    pub nodes: Vec<FixedNode>,
    pub outputs: Vec<WireId>,
    pub tail: Tail,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FixedWire {
    pub name: String,
    pub shape: Shape,
    pub frac: u32,
    pub bound: u64,
    /// False where the bound is only calibrated.
    pub proven: bool,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FixedNode {
    pub name: String,
    pub op: FixedOp,
    pub inputs: Vec<WireId>,
    pub output: WireId,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum FixedOp {
    /// Exact product with a weight of `weight_frac` fraction bits; the bias has the output's.
    Linear {
        linear: Linear,
        weight_frac: u32,
    },
    /// x + w, w with the wire's own fraction bits.
    Bias {
        weight: WeightId,
        spread: Spread,
    },
    /// Product with public integers.
    Scale(Rescale),
    /// Sum with a public integer.
    Offset(i64),
    Add,
    Sub,
    /// Sum over a window; padding adds nothing.
    SumPool(Window),
    /// floor(x / 2^by), or one less.
    Truncate {
        by: u32,
    },
    Relu,
    MaxPool(Window),
    /// [.., n] -> [.., count]: indices of the largest, largest first, smaller index first among equals.
    TopK {
        count: usize,
    },
    View(View),
}

/// Public integer factors, repeated with their own period over the flattened wire. They carry `frac` fraction bits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rescale {
    pub by: Vec<i64>,
    pub frac: u32,
}

impl FixedGraph {
    pub fn wire(&self, id: WireId) -> &FixedWire {
        &self.wires[id.0 as usize]
    }
}

impl FixedWire {
    /// Width of the narrowest ring that holds the wire with the room that truncation and comparison ask.
    pub fn bits(&self) -> u32 {
        u64::BITS - self.bound.leading_zeros() + 2
    }
}
