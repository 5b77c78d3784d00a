use crate::{Shape, Tensor, View};
use serde::{Deserialize, Serialize};

/// What the receiver computes in the clear, in floating point, from the opened wires.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Tail {
    pub nodes: Vec<TailNode>,
    /// The outputs under the names of the user's file.
    pub outputs: Vec<OutputPort>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OutputPort {
    pub name: String,
    pub value: TailValue,
    pub element: Element,
}

/// Type of an output's elements as the user's file declares it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Element {
    Float,
    Integer,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TailNode {
    pub name: String,
    pub op: TailOp,
    pub inputs: Vec<TailValue>,
    pub shape: Shape,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum TailValue {
    /// Index into the graph's outputs.
    Opened(usize),
    /// Index into the tail's nodes.
    Node(usize),
    /// A public constant.
    Constant(Tensor),
}

/// Element by element with broadcasting unless said otherwise.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum TailOp {
    Softmax { axis: usize },
    LogSoftmax { axis: usize },
    Exp,
    Log,
    Sigmoid,
    Tanh,
    Sqrt,
    Neg,
    Add,
    Sub,
    Mul,
    Div,
    View(View),
}
