//! Floor 2: graphs of a network in floating point and in fixed point, the way from one to the other,
//! and the clear reading that every protocol is held to.
//!
//! ```text
//! FloatGraph + Weights --simplify--> --ranges--> RangedGraph --lower--> FixedGraph
//! ```
//!
//! A graph is made for one batch size; every shape in it is concrete. Weights are never in a graph.
//!
//! | step | function |
//! |---|---|
//! | the model as its maker meant it | [`eval_float`], [`Tail::eval`] |
//! | fewer nodes, the same function | [`simplify()`] |
//! | intervals, proven and seen on samples | [`ranges`] |
//! | fraction bits and bounds for a ring | [`lower()`], [`lower_auto`] |
//! | a graph from a peer | [`FixedGraph::parse`], [`FixedGraph::check`] |
//! | integers in and out | [`encode_weights`], [`encode_input`], [`decode_output`] |
//! | the oracle, and how far from it is right | [`clear()`], [`tolerance()`] |

mod check;
mod clear;
mod encode;
mod eval;
mod fixed;
mod float;
mod kernels;
mod linear;
mod lower;
mod range;
mod simplify;
mod split;
mod tail;
mod tail_eval;
mod tensor;
mod tolerance;
mod view;
mod window;

pub use check::{GraphFault, MAX_ELEMENTS, WeightLayout};
pub use clear::{Clear, ClearError, clear};
pub use encode::{
    InputFault, OutputFault, WeightFault, decode_output, encode_input, encode_weights,
};
pub use eval::{EvalError, eval_float, eval_float_visiting};
pub use fixed::{FixedGraph, FixedNode, FixedOp, FixedWire, Rescale};
pub use float::{FloatGraph, FloatNode, FloatOp, FloatWire, InputPort, WireId};
pub use kernels::{At, Kernels, walk};
pub use linear::{Conv, Linear, LinearKind, Spread, WeightId, Weights};
pub use lower::{LowerError, LowerOptions, RINGS, Reveal, TooWide, lower, lower_auto};
pub use range::{Gain, Interval, RangeError, RangedGraph, Samples, ranges};
pub use simplify::simplify;
pub use split::{Part, SplitFault};
pub use tail::{Element, OutputPort, Tail, TailNode, TailOp, TailValue};
pub use tensor::{Shape, Tensor, volume};
pub use tolerance::tolerance;
pub use view::{SliceAxis, View};
pub use window::Window;
