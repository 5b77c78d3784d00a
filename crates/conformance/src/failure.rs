use crate::stats::Deviation;
use crate::{Reading, Stage, Target};
use subrosa_core::{Malformed, PartyId};
use subrosa_ir::{ClearError, EvalError, InputFault, OutputFault, RangeError, WeightFault};
use subrosa_net::{Bill, RunError};
use subrosa_protocol::PlanError;
use thiserror::Error;

/// What a protocol does not do as it should.
#[derive(Clone, Debug, PartialEq, Error)]
pub enum Failure {
    #[error("case `{case}`: {failure}")]
    Case {
        case: &'static str,
        failure: Box<Failure>,
    },
    #[error(transparent)]
    Range(#[from] RangeError),
    #[error(transparent)]
    Plan(#[from] PlanError),
    #[error(transparent)]
    Eval(#[from] EvalError),
    #[error(transparent)]
    Clear(#[from] ClearError),
    #[error(transparent)]
    Weights(#[from] WeightFault),
    #[error(transparent)]
    Input(#[from] InputFault),
    #[error(transparent)]
    Output(#[from] OutputFault),
    #[error("{party} has no view of the plan, or no seat")]
    NoView { party: PartyId },
    #[error("{party} does not take its own plan: {fault}")]
    View { party: PartyId, fault: Malformed },
    #[error("{party} failed in an honest run: {error}")]
    Run { party: PartyId, error: RunError },
    #[error("{party} panicked")]
    Panicked { party: PartyId },
    #[error("{party} did not end")]
    Hung { party: PartyId },
    #[error("the client gave {found} answers, expected {expected}")]
    Answers { expected: usize, found: usize },
    #[error("output {output}: the shape is not the clear reading's")]
    Shape { output: usize },
    #[error(
        "inference {inference}, output {output}, element {element}: expected {expected} up to {within}, found {found}"
    )]
    Value {
        inference: usize,
        output: usize,
        element: usize,
        expected: f32,
        found: f32,
        within: f64,
    },
    #[error("inference {inference}, output {output}, row {row}: {found:?} are not the largest")]
    Choice {
        inference: usize,
        output: usize,
        row: usize,
        found: Vec<f32>,
    },
    #[error("{party} at {stage:?}: priced {expected:?}, billed {found:?}")]
    Price {
        party: PartyId,
        stage: Stage,
        expected: Box<Bill>,
        found: Box<Bill>,
    },
    #[error("{party}: {sent} payload bytes were sent, {billed} are on the bill")]
    Unbilled {
        party: PartyId,
        sent: u64,
        billed: u64,
    },
    #[error("{one} and {other} have different fingerprints of what they share")]
    Fingerprint { one: PartyId, other: PartyId },
    #[error("{party}: a plan that is parsed from its bytes differs from the one before")]
    RoundTrip { party: PartyId },
    #[error("{party} panicked on changed plan bytes, variant {variant}")]
    PlanPanic { party: PartyId, variant: usize },
    #[error("{party} takes a plan cut to {length} bytes")]
    PlanCut { party: PartyId, length: usize },
    #[error("{party} has keys before setup, or none after it, or others after they were restored")]
    NoKeys { party: PartyId },
    #[error("{party} takes keys that are not its own: {what}")]
    Keys { party: PartyId, what: &'static str },
    #[error("where {parties:?} came back with their keys alone: {failure}")]
    Restored {
        parties: Vec<PartyId>,
        failure: Box<Failure>,
    },
    #[error("message {at:?} has another length or place in a run with other data")]
    Length { at: Target },
    #[error("{to} received the same {bytes} bytes twice")]
    Repeated { to: PartyId, bytes: usize },
    #[error(
        "what {to} received from {from} at {stage:?} is not uniform ({reading:?}): {deviation:?}"
    )]
    NotUniform {
        from: PartyId,
        to: PartyId,
        stage: Stage,
        reading: Reading,
        deviation: Deviation,
    },
    #[error("two messages are not independent ({reading:?}): {one:?} and {other:?}, {deviation:?}")]
    Dependent {
        reading: Reading,
        one: Target,
        other: Target,
        deviation: Deviation,
    },
    #[error("there is no message to test")]
    Nothing,
    #[error("message {at:?} is exempt ({why}), but depends on inputs or weights")]
    NotConstant { at: Target, why: &'static str },
    #[error("no message is exempt because {why}")]
    NotExempt { why: &'static str },
    #[error("{fault} at {at:?}: {failure}")]
    Under {
        fault: &'static str,
        at: Target,
        failure: Box<Failure>,
    },
    #[error("{party} went on as if nothing had happened")]
    Unnoticed { party: PartyId },
    #[error("{party} blames the wrong one: {found:?}")]
    Blame {
        party: PartyId,
        found: Option<RunError>,
    },
    #[error("the client has an answer")]
    Answered,
    #[error("no run of this kind was noticed by its receiver")]
    NeverNoticed,
}

impl Failure {
    pub(crate) fn of(self, case: &'static str) -> Self {
        let failure = Box::new(self);
        Self::Case { case, failure }
    }

    pub(crate) fn under(self, fault: &'static str, at: Target) -> Self {
        let failure = Box::new(self);
        Self::Under { fault, at, failure }
    }
}
