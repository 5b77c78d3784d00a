//! What the user sees does not depend on what it must not know.

use crate::nets::{AT, Begins, at, divided, halves, tiny};
use std::time::Duration;
use subrosa_conformance::{Case, Failure, Job, PlanFn, Stage, Subject};
use subrosa_ir::Reveal;
use subrosa_net::Bill;
use subrosa_protocol::{Garbling, Holders, Protocol};
use subrosa_seco::{GATEWAY, INPUT, Seco, USER, remote_party, seat};

const PLAN: PlanFn = |graph, terms| Ok(Box::new(Seco::plan(graph, terms)?));

/// Direction, stage, step and length of every message to and from the user, in two inferences; its price, and its plan.
type Seen = (Vec<String>, Bill, Vec<u8>);

fn seen(begins: Begins, layers: usize, place: &str, remotes: usize) -> Result<Seen, Failure> {
    let mut division = at(place, remotes);
    if remotes > 2 {
        division.garbling = Garbling::Single;
        division.holders = Holders::Remotes;
    }
    let mut case: Case = divided(halves(begins, layers), division);
    // The width of a place does not depend on bounds of the hidden half.
    case.terms.reveal = Reveal::ArgMax;
    let planned = case.plan(&Subject::new(PLAN, seat))?;
    let inputs = vec![case.inputs(1), case.inputs(2)];
    let record = planned
        .table
        .run(&Job::new(planned.weights.clone(), inputs))?;
    let mut frames = record.frames;
    frames.retain(|frame| [frame.from, frame.to].contains(&USER));
    frames.sort_by_key(|frame| (frame.from, frame.index));
    let message = |frame: &subrosa_conformance::Frame| {
        let step = frame.bytes.get(8..12);
        let length = frame.payload().len();
        format!("{} {:?} {step:?} {length}", frame.from, frame.stage)
    };
    let price = planned.table.seat(USER)?.price();
    let view = planned.table.views.get(&USER).cloned();
    Ok((
        frames.iter().map(message).collect(),
        price,
        view.unwrap_or_default(),
    ))
}

#[test]
fn messages_of_the_user_do_not_depend_on_the_hidden_half() -> Result<(), Failure> {
    let one = seen(Begins::Dense, 0, AT, 2)?;
    assert!(one.0.len() > 20);
    for (begins, layers, remotes) in [
        (Begins::Dense, 0, 3),
        (Begins::Dense, 4, 2),
        (Begins::Conv, 0, 4),
    ] {
        let other = seen(begins, layers, AT, remotes)?;
        assert!(one == other, "{begins:?}, {layers}, {remotes}");
    }
    Ok(())
}

#[test]
fn without_a_front_half_the_user_sends_its_input_and_hardly_more() -> Result<(), Failure> {
    let (messages, price, view) = seen(Begins::Dense, 1, INPUT, 2)?;
    // A key and sealed seeds; then nonces, the masked input and the masked answer, twice.
    assert_eq!(messages.len(), 2 + 2 * 4);
    assert_eq!(price.setup.bytes.0, 1184);
    assert_eq!(price.offline.bytes.0, 32);
    assert_eq!(price.online.bytes.0, 20 * 48 / 8);
    assert_eq!(
        [price.setup, price.offline, price.online].map(|cost| cost.rounds.0),
        [1; 3]
    );
    let names = String::from_utf8_lossy(&view).into_owned();
    assert!(!names.contains("hidden") && !names.contains("front"));
    let deeper = seen(Begins::Conv, 3, INPUT, 3)?;
    assert!((messages, price, view) == deeper);
    Ok(())
}

/// Whether a remote leaves in setup, offline or online.
#[test]
fn the_user_hears_of_the_gateway_alone() -> Result<(), Failure> {
    let case = divided(tiny(), at(AT, 2));
    let planned = case.plan(&Subject::new(PLAN, seat))?;
    for stage in [Stage::Setup, Stage::Offline(0), Stage::Online(0)] {
        let mut job = Job::new(planned.weights.clone(), vec![case.inputs(1)]);
        job.leaves = Some((remote_party(1), stage));
        job.timeout = Duration::from_secs(20);
        match planned.table.run(&job) {
            // The first party that failed.
            Err(Failure::Run { party: USER, error }) => {
                assert_eq!(error.culprit(), Some(GATEWAY), "{stage:?}");
            }
            other => panic!("{stage:?}: {:?}", other.err()),
        }
    }
    Ok(())
}
