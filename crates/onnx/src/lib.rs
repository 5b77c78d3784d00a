//! ONNX files into float graphs and weights.
//!
//! A file is decoded, checked and lowered here, by this crate's own shape inference and constant folding, so that
//! every refusal names the operator, the node and the opset. [`Reference`] reads the same file with tract,
//! independently, as the float model that answers are compared with.
//!
//! A floating-point constant of the file becomes a private weight; scalars, and constants of the output tail, are
//! public and listed by [`Model::public_constants`].

mod constant;
mod error;
mod file;
mod finish;
mod input;
mod lowering;
mod model;
mod node;
mod operators;
mod ops;
mod order;
mod reference;
mod value;

pub use error::{Fault, InputFault, NotFinite, OnnxError, ReferenceFault, Refusal, TensorFault};
pub use file::FILE_LIMIT;
pub use finish::PublicConstant;
pub use input::{Dim, InputInfo};
pub use model::Model;
pub use operators::{Operator, Place, supported_operators};
pub use reference::Reference;
