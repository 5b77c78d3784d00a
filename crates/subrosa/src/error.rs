use crate::Blame;
use subrosa_core::Malformed;
use subrosa_ir::{ClearError, EvalError, InputFault, OutputFault, RangeError, WeightFault};
use subrosa_net::LocalFault;
use subrosa_onnx::OnnxError;
use subrosa_protocol::PlanError;
use thiserror::Error;

/// Why a model cannot be read, prepared, planned or run. Each is one line.
#[derive(Clone, Debug, Error)]
pub enum Error {
    #[error(transparent)]
    Onnx(#[from] OnnxError),
    #[error(transparent)]
    Range(#[from] RangeError),
    #[error(transparent)]
    Plan(#[from] PlanError),
    #[error(transparent)]
    Input(#[from] InputFault),
    #[error("expected {expected} inputs, found {found}")]
    Inputs { expected: usize, found: usize },
    #[error("weights: {0}")]
    Weights(#[from] WeightFault),
    #[error("a plan does not read back: {0}")]
    Malformed(#[from] Malformed),
    #[error("clear reading: {0}")]
    Clear(#[from] ClearError),
    #[error("clear reading: {0}")]
    Output(#[from] OutputFault),
    #[error("output tail: {0}")]
    Tail(#[from] EvalError),
    #[error("parts of the model: {0}")]
    Parts(#[from] LocalFault),
    #[error(
        "{protocol}: no party that keeps material is linked to all others, so that they could agree on it"
    )]
    NoHub { protocol: &'static str },
    #[error(transparent)]
    Run(#[from] Box<Blame>),
}
