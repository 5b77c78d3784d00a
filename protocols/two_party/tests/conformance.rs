//! The suite that every protocol passes, in both readings of activations.
//!
//! Both parties are adversaries, so the client's view is tested like the vendor's. All that it receives is masked by a
//! mask that it does not hold, but for the output, whose mask alone it holds.

use subrosa_conformance::*;
use subrosa_core::PartyId;
use subrosa_ir::RangedGraph;
use subrosa_protocol::{Nonlinear, PlanError, Protocol, Terms, WholePlan};
use subrosa_two_party::{CLIENT, TwoParty, VENDOR, seat};

const OT: Subject = subject(|graph, terms| plan(graph, terms, Nonlinear::Ot));
const GC: Subject = subject(|graph, terms| plan(graph, terms, Nonlinear::Gc));

const fn subject(plan: PlanFn) -> Subject {
    Subject::new(plan, seat)
        .watching(Watched::All)
        .exempting(POINTS)
        .trying(TRIALS)
}

fn plan(
    graph: &RangedGraph,
    terms: &Terms,
    nonlinear: Nonlinear,
) -> Result<Box<dyn WholePlan>, PlanError> {
    let terms = Terms {
        nonlinear,
        ..terms.clone()
    };
    Ok(Box::new(TwoParty::plan(graph, &terms)?))
}

/// Each run begins with base OTs and keys, which takes a while.
const TRIALS: usize = 80;

/// Base OTs, both ways. The client's message before them is its public key.
const POINTS: &[Exempt] = &[
    points(CLIENT, VENDOR, 1),
    points(CLIENT, VENDOR, 2),
    points(VENDOR, CLIENT, 0),
    points(VENDOR, CLIENT, 1),
];

const fn points(from: PartyId, to: PartyId, place: usize) -> Exempt {
    Exempt {
        from,
        to,
        stage: Stage::Setup,
        place,
        seeded: true,
        why: "points of a curve have an encoding of their own",
    }
}

/// Both readings, one after the other.
fn both(check: impl Fn(&Subject) -> Result<(), Failure>) -> Result<(), Failure> {
    check(&OT)?;
    check(&GC)
}

#[test]
fn answers_agree_and_prices_are_bills() -> Result<(), Failure> {
    both(|subject| agrees(subject, &cases()))
}

#[test]
fn plans_round_trip() -> Result<(), Failure> {
    both(|subject| {
        plans_are_parsed(subject, &even())?;
        plans_are_parsed(subject, &[short()])
    })
}

#[test]
fn keys_outlive_their_process() -> Result<(), Failure> {
    both(|subject| keys_are_restored(subject, &[short(), even().remove(0)]))
}

#[test]
fn lengths_depend_on_the_architecture_alone() -> Result<(), Failure> {
    both(|subject| lengths_are_public(subject, &cases()))
}

#[test]
fn sessions_share_nothing() -> Result<(), Failure> {
    both(|subject| sessions_are_fresh(subject, &cases()))
}

#[test]
fn both_parties_see_uniform_bytes() -> Result<(), Failure> {
    both(|subject| views_are_uniform(subject, &even(), Randomness::Fixed(1)))
}

#[test]
fn no_mask_is_used_twice() -> Result<(), Failure> {
    both(|subject| {
        masks_are_used_once(subject, &even(), Randomness::Fixed(2))?;
        masks_are_used_once(subject, &even(), Randomness::Fresh)
    })
}

#[test]
fn faults_name_their_sender() -> Result<(), Failure> {
    both(|subject| faults_are_noticed(subject, &short()))
}

#[test]
fn deaths_name_the_dead() -> Result<(), Failure> {
    both(|subject| deaths_are_noticed(subject, &short()))
}
