//! What a curious server sees of models of a usual size, and exactness where values lie at their bounds.

use subrosa_conformance::*;
use subrosa_protocol::Protocol;
use subrosa_replicated3::{Replicated3, seat};

const SUBJECT: Subject = Subject::new(
    |graph, terms| Ok(Box::new(Replicated3::plan(graph, terms)?)),
    seat,
);

#[test]
fn servers_of_large_models_see_uniform_bytes() -> Result<(), Failure> {
    views_are_uniform(&SUBJECT, &large(), Randomness::Fixed(11))
}

#[test]
fn large_models_use_no_mask_twice() -> Result<(), Failure> {
    masks_are_used_once(&SUBJECT, &large(), Randomness::Fixed(12))
}

#[test]
fn large_models_agree_and_share_nothing() -> Result<(), Failure> {
    agrees(&SUBJECT, &large())?;
    sessions_are_fresh(&SUBJECT, &large())
}

#[test]
fn values_at_every_bound_are_exact() -> Result<(), Failure> {
    bounds_are_exact(&SUBJECT)
}
