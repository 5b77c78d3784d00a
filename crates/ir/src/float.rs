use crate::{Linear, Shape, Spread, Tail, View, WeightId, Window};
use serde::{Deserialize, Serialize};

/// Index into the wires of a graph.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct WireId(pub u32);

/// A network in floating point: the architecture alone. Nodes are in topological order, each defines one wire.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct FloatGraph {
    pub wires: Vec<FloatWire>,
    pub inputs: Vec<InputPort>,
    pub nodes: Vec<FloatNode>,
    /// What a protocol opens: the arguments of the tail.
    pub outputs: Vec<WireId>,
    /// What the receiver computes in the clear from the opened wires.
    pub tail: Tail,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FloatWire {
    /// The name in the user's file.
    pub name: String,
    pub shape: Shape,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct InputPort {
    pub name: String,
    pub wire: WireId,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FloatNode {
    /// The name in the user's file.
    pub name: String,
    pub op: FloatOp,
    pub inputs: Vec<WireId>,
    pub output: WireId,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum FloatOp {
    /// Product with a private weight, plus an optional private bias.
    Linear(Linear),
    /// Sum with a private constant: x + w, w broadcast as `spread` says.
    Bias {
        weight: WeightId,
        spread: Spread,
    },
    /// Product with a public scalar.
    Scale(f32),
    /// Sum with a public scalar.
    Offset(f32),
    /// Two wires of the same shape.
    Add,
    /// Two wires of the same shape, first minus second.
    Sub,
    Relu,
    MaxPool(Window),
    /// Mean over a window; padding counts in the divisor when `include_pad`.
    AveragePool {
        window: Window,
        include_pad: bool,
    },
    /// Indices of the `count` largest along the last axis, largest first; among equals the smaller index first.
    /// [.., n] -> [.., count].
    TopK {
        count: usize,
    },
    View(View),
}

impl FloatGraph {
    pub fn wire(&self, id: WireId) -> &FloatWire {
        &self.wires[id.0 as usize]
    }
}
