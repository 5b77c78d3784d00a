//! Floor 3: masked sharing of Z/2^k.
//!
//! A value x of Z/2^k is held as x = c + λ. The mask λ is drawn, or follows from what was drawn, before the input
//! is known; c is known only online. No single party knows both. How a graph is evaluated in this form does
//! not depend on who holds what: [`flow`] decides it, for any number of parties.
//!
//! [`compare`] and [`select`] are for a dealer and two evaluators. Both evaluators know c, the dealer knows λ. Where the mask has *parts*, λ = λ0 + λ2 with λ0 known to the first evaluator and λ2 to
//! the second, and (λ0, c, λ2) is a 2-out-of-3 replicated sharing. All masks are drawn before the input is
//! known, so the dealer prepares every correlation offline and is silent online ([ASTRA], [ABY2.0]).
//!
//! This crate holds the local steps; it sends nothing.
//!
//! | module | content |
//! |---|---|
//! | [`flow`] | the one walk of a graph on masked values, with a backend for each reading of the plan |
//! | [`step`] | what a step compares, selects or lifts |
//! | [`compare`] | sign of a shared value: dealt threshold tables, then a carry tree of radix 4 |
//! | [`select`] | products of a shared bit with a shared value, and the lift into a wider ring |
//!
//! [ASTRA]: Chaudhari, Choudhury, Patra, Suresh, CCSW 2019. [ABY2.0]: Patra, Schneider, Suresh, Yalame, USENIX Security 2021.

pub mod compare;
pub mod flow;
pub mod select;
pub mod step;
mod widths;

pub use widths::widths;

/// Which of the two evaluators. Public terms are added by the first alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Evaluator {
    First,
    Second,
}

impl Evaluator {
    /// All ones for the first, zero for the second.
    pub fn first_mask(self) -> u64 {
        match self {
            Self::First => u64::MAX,
            Self::Second => 0,
        }
    }
}

/// Width of the narrowest ring in which a value of absolute value at most `bound` is compared and lifted:
/// `bound < 2^(width - 2)`.
pub fn width_for(bound: u64) -> u32 {
    (64 - bound.leading_zeros() + 2).max(3)
}
