//! The suite, but for privacy: this protocol has none.

use subrosa_clear::{Clear, seat};
use subrosa_conformance::*;
use subrosa_protocol::Protocol;

const SUBJECT: Subject = Subject::new(
    |graph, terms| Ok(Box::new(Clear::plan(graph, terms)?)),
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
fn faults_name_their_sender() -> Result<(), Failure> {
    faults_are_noticed(&SUBJECT, &short())
}

#[test]
fn deaths_name_the_dead() -> Result<(), Failure> {
    deaths_are_noticed(&SUBJECT, &short())
}
