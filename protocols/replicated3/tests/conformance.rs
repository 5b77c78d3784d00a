//! The suite that every protocol passes.

use subrosa_conformance::*;
use subrosa_protocol::Protocol;
use subrosa_replicated3::{Replicated3, seat};

const SUBJECT: Subject = Subject::new(
    |graph, terms| Ok(Box::new(Replicated3::plan(graph, terms)?)),
    seat,
);

#[test]
fn answers_agree_and_prices_are_bills() -> Result<(), Failure> {
    agrees(&SUBJECT, &cases())
}

#[test]
fn plans_round_trip() -> Result<(), Failure> {
    plans_are_parsed(&SUBJECT, &cases())
}

#[test]
fn keys_outlive_their_process() -> Result<(), Failure> {
    keys_are_restored(&SUBJECT, &[short(), even().remove(0)])
}

#[test]
fn lengths_depend_on_the_architecture_alone() -> Result<(), Failure> {
    lengths_are_public(&SUBJECT, &cases())
}

#[test]
fn sessions_share_nothing() -> Result<(), Failure> {
    sessions_are_fresh(&SUBJECT, &cases())
}

#[test]
fn servers_see_uniform_bytes() -> Result<(), Failure> {
    views_are_uniform(&SUBJECT, &even(), Randomness::Fixed(1))?;
    views_are_uniform(&SUBJECT, &even(), Randomness::Fresh)
}

#[test]
fn no_mask_is_used_twice() -> Result<(), Failure> {
    masks_are_used_once(&SUBJECT, &even(), Randomness::Fixed(2))?;
    masks_are_used_once(&SUBJECT, &even(), Randomness::Fresh)
}

#[test]
fn faults_name_their_sender() -> Result<(), Failure> {
    faults_are_noticed(&SUBJECT, &short())
}

#[test]
fn deaths_name_the_dead() -> Result<(), Failure> {
    deaths_are_noticed(&SUBJECT, &short())
}
