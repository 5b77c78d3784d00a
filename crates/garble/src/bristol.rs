//! Bristol Fashion: circuits as text (Archer, Abril Juarez, Lu, Maene, Mertens, Sijacic, Smart: "Bristol Fashion MPC circuits").
//!
//! First line: number of gates and of wires. Second and third line: number of input (output) values, then the width of each.
//! Then a line for each gate: number of its inputs and outputs, the wires, the kind, one of `XOR`, `AND`, `INV`, `EQ` (a constant),
//! `EQW` (a copy) and `MAND` (many ANDs). The first wires are the inputs, the last ones the outputs.

mod read;
mod write;

pub use read::{MOST_GATES, MOST_INPUT_BITS, MOST_WIRES, parse};
pub use write::write;

use thiserror::Error;

/// Why a text is not a circuit.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("line {line}: {fault}")]
pub struct BristolError {
    /// Counted from 1; one past the last where the text ends too early.
    pub line: usize,
    pub fault: BristolFault,
}

#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum BristolFault {
    #[error("the text ends too early")]
    Ended,
    #[error("expected a number")]
    NotANumber,
    #[error("expected {expected} words, found {found}")]
    WordCount { expected: usize, found: usize },
    #[error("expected at most {most} {of}, found {found}")]
    TooMany {
        of: &'static str,
        most: usize,
        found: usize,
    },
    #[error("expected XOR, AND, INV, EQ, EQW or MAND")]
    UnknownGate,
    #[error(
        "expected a gate of {inputs} inputs and {outputs} outputs, found {found_inputs} and {found_outputs}"
    )]
    Arity {
        inputs: usize,
        outputs: usize,
        found_inputs: usize,
        found_outputs: usize,
    },
    #[error("expected a wire below {expected}, found {found}")]
    NoSuchWire { expected: usize, found: usize },
    #[error("wire {wire} has no value yet")]
    NoValue { wire: usize },
    #[error("wire {wire} has a value already")]
    SecondValue { wire: usize },
    #[error("expected a constant 0 or 1, found {found}")]
    NotABit { found: usize },
    #[error("expected {expected} gates, found {found}")]
    GateCount { expected: usize, found: usize },
    #[error("expected {expected} wires at least, found {found}")]
    WireCount { expected: usize, found: usize },
}
