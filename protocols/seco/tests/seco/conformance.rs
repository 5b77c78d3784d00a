//! The suite that every protocol passes, with cuts at the input and behind it, both ways of garbling and both kinds of holders.

use crate::nets::{AT, at, full, tiny};
use subrosa_conformance::*;
use subrosa_core::PartyId;
use subrosa_ir::{RangedGraph, WireId};
use subrosa_protocol::{Division, Garbling, Holders, PlanError, Protocol, Terms, WholePlan};
use subrosa_seco::cut::cuts;
use subrosa_seco::{GATEWAY, INPUT, Seco, USER, remote_party, seat};

/// Everything on two remotes.
const BEHIND: Subject = subject(|graph, terms| at_input(graph, terms, Garbling::Bmr));
const SINGLE: Subject = subject(|graph, terms| at_input(graph, terms, Garbling::Single));
/// Half of the network at the gateway, the rest on three remotes, who hold its weights.
const HALVED: Subject = subject(|graph, terms| halfway(graph, terms, Garbling::Bmr));
const HALVED_SINGLE: Subject = subject(|graph, terms| halfway(graph, terms, Garbling::Single));
/// Cut at [`AT`], with two remotes.
const CUT: Subject = subject(|graph, terms| at_node(graph, terms, Garbling::Bmr)).exempting(SETUP);
const CUT_SINGLE: Subject =
    subject(|graph, terms| at_node(graph, terms, Garbling::Single)).exempting(SETUP);

const fn subject(plan: PlanFn) -> Subject {
    Subject::new(plan, seat)
        .watching(Watched::All)
        .trying(TRIALS)
}

const ONE: PartyId = remote_party(0);
const TWO: PartyId = remote_party(1);

/// The front half has base OTs both ways, the user's behind a public key. With every remote a seed and a share of a key
/// go before base OTs, the gateway being the receiver alone.
const SETUP: &[Exempt] = &[
    points(USER, GATEWAY, 1),
    points(USER, GATEWAY, 2),
    points(GATEWAY, USER, 0),
    points(GATEWAY, USER, 1),
    kem(USER, GATEWAY, 3),
    kem(GATEWAY, USER, 2),
    kem(GATEWAY, ONE, 0),
    kem(GATEWAY, TWO, 0),
    kem(ONE, GATEWAY, 0),
    kem(TWO, GATEWAY, 0),
    points(GATEWAY, ONE, 3),
    points(GATEWAY, TWO, 3),
    points(ONE, GATEWAY, 3),
    points(TWO, GATEWAY, 3),
    points(ONE, TWO, 2),
    points(ONE, TWO, 3),
    points(TWO, ONE, 2),
    points(TWO, ONE, 3),
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

const fn kem(from: PartyId, to: PartyId, place: usize) -> Exempt {
    Exempt {
        from,
        to,
        stage: Stage::Setup,
        place,
        seeded: false,
        why: "coefficients of ML-KEM are no bytes, and its randomness is the operating system's",
    }
}

/// Each run begins with base OTs among all servers.
const TRIALS: usize = 24;
/// As many as there are kinds of messages at least, so that each meets a fault.
const FRAMES: usize = 120;

fn plan(
    graph: &RangedGraph,
    terms: &Terms,
    division: Division,
) -> Result<Box<dyn WholePlan>, PlanError> {
    let terms = Terms {
        division,
        ..terms.clone()
    };
    Ok(Box::new(Seco::plan(graph, &terms)?))
}

fn at_input(
    graph: &RangedGraph,
    terms: &Terms,
    garbling: Garbling,
) -> Result<Box<dyn WholePlan>, PlanError> {
    let division = Division {
        at: Some(INPUT.to_owned()),
        garbling,
        ..Division::default()
    };
    plan(graph, terms, division)
}

/// Cut at the middle one of all wires at which it can be, if there is any.
fn halfway(
    graph: &RangedGraph,
    terms: &Terms,
    garbling: Garbling,
) -> Result<Box<dyn WholePlan>, PlanError> {
    let whole = at_input(graph, terms, garbling)?;
    let graph_of = whole.oracle();
    let wires: Vec<WireId> = cuts(graph_of).iter().filter_map(|cut| cut.wire).collect();
    let middle = wires.get(wires.len() / 2);
    let name = middle.map_or(INPUT, |wire| graph_of.wire(*wire).name.as_str());
    let division = Division {
        at: Some(name.to_owned()),
        remotes: 3,
        garbling,
        holders: Holders::Remotes,
        hide: None,
    };
    plan(graph, terms, division)
}

fn at_node(
    graph: &RangedGraph,
    terms: &Terms,
    garbling: Garbling,
) -> Result<Box<dyn WholePlan>, PlanError> {
    let division = Division {
        garbling,
        ..at(AT, 2)
    };
    plan(graph, terms, division)
}

/// Each case with one of the four, in turn.
#[test]
fn answers_agree_and_prices_are_bills() -> Result<(), Failure> {
    let subjects = [BEHIND, HALVED_SINGLE, SINGLE, HALVED];
    for (case, subject) in cases().iter().zip(subjects.iter().cycle()) {
        agrees(subject, std::slice::from_ref(case))?;
    }
    Ok(())
}

#[test]
fn both_garblings_agree_at_both_cuts() -> Result<(), Failure> {
    let subjects = [BEHIND, HALVED_SINGLE, SINGLE, HALVED];
    subjects
        .iter()
        .try_for_each(|subject| agrees(subject, &[short()]))
}

#[test]
fn plans_round_trip() -> Result<(), Failure> {
    plans_are_parsed(&BEHIND, &[short()])?;
    plans_are_parsed(&HALVED, &even()[..1])
}

#[test]
fn lengths_depend_on_the_architecture_alone() -> Result<(), Failure> {
    lengths_are_public(&CUT, &[tiny()])
}

#[test]
fn sessions_share_nothing() -> Result<(), Failure> {
    sessions_are_fresh(&CUT, &[tiny()])
}

#[test]
fn all_see_uniform_bytes() -> Result<(), Failure> {
    views_are_uniform(&CUT, &[full()], Randomness::Fixed(1))
}

#[test]
fn no_mask_is_used_twice() -> Result<(), Failure> {
    for subject in [CUT, CUT_SINGLE] {
        masks_are_used_once(&subject, &[full()], Randomness::Fixed(2))?;
        masks_are_used_once(&subject, &[full()], Randomness::Fresh)?;
    }
    Ok(())
}

#[test]
fn faults_name_their_sender() -> Result<(), Failure> {
    faults_are_noticed(&CUT.trying(FRAMES), &tiny())
}

/// The user names the gateway, whoever it was.
#[test]
fn deaths_name_the_dead() -> Result<(), Failure> {
    deaths_are_noticed(&CUT, &tiny())
}
