//! What graphs must satisfy before anything runs over them. A fixed graph comes from a peer: nothing in it is trusted.

mod fixed;
mod geometry;
mod structure;
mod tail;

pub use fixed::WeightLayout;

use thiserror::Error;

/// Elements that all wires of a graph may have together.
pub const MAX_ELEMENTS: u64 = 1 << 32;
/// Axes that a wire may have.
const MAX_RANK: usize = 16;

/// Why a graph cannot be run.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum GraphFault {
    #[error("not the encoding of a graph")]
    Encoding,
    #[error("ring of {found} bits, expected 8 to 64")]
    Ring { found: u32 },
    #[error("the graph has more than {limit} elements")]
    TooLarge { limit: u64 },
    #[error("wire {wire}: an extent is zero, or there are too many")]
    Extents { wire: String },
    #[error("node {node} reads wire {wire}, which nothing before it defines")]
    Unknown { node: String, wire: u32 },
    #[error("wire {wire} is defined twice, or is not in the graph")]
    Redefined { wire: u32 },
    #[error("wire {wire} is never defined")]
    Undefined { wire: String },
    #[error("the graph opens nothing, or a wire that is not defined")]
    Outputs,
    #[error("node {node}: expected {expected} inputs, found {found}")]
    Arity {
        node: String,
        expected: usize,
        found: usize,
    },
    #[error("node {node}: its shapes are not those of its geometry")]
    Shape { node: String },
    #[error("node {node}: expected {expected} fraction bits, found {found}")]
    Fraction {
        node: String,
        expected: u32,
        found: u32,
    },
    #[error("node {node}: its public factors do not fit its wire")]
    Factors { node: String },
    #[error("wire {wire}: bound {found}, expected at most {limit}")]
    Bound {
        wire: String,
        found: u64,
        limit: u64,
    },
    #[error("input {input}: its declared range does not fit its bound")]
    Declared { input: String },
    #[error("node {node}: weight {weight} has another layout elsewhere")]
    Weight { node: String, weight: u32 },
    #[error("weight {weight} is used by no node")]
    WeightUnused { weight: u32 },
    #[error("output tail, node {node}: its inputs or shapes are not those of its operation")]
    Tail { node: String },
    #[error("output {output} names a value that the output tail does not have")]
    TailOutput { output: String },
}

/// Number of elements; `None` where an extent is zero, or rank or number go beyond the limits.
pub(crate) fn checked_volume(shape: &[usize]) -> Option<usize> {
    if shape.len() > MAX_RANK || shape.contains(&0) {
        return None;
    }
    let volume = shape
        .iter()
        .try_fold(1usize, |v, extent| v.checked_mul(*extent))?;
    (volume as u64 <= MAX_ELEMENTS).then_some(volume)
}
