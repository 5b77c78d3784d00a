//! Floor 4: linear layers under BFV and activations under OT or garbling, between a client and a model owner.

pub mod ot;
pub mod step;
