//! Keys that outlive their process, with a front half and without one.

use crate::nets::{AT, at, tiny};
use subrosa_conformance::*;
use subrosa_ir::RangedGraph;
use subrosa_protocol::{Division, PlanError, Protocol, Terms, WholePlan};
use subrosa_seco::{INPUT, Seco, seat};

const CUT: Subject = Subject::new(|graph, terms| plan(graph, terms, at(AT, 2)), seat);
const BEHIND: Subject = Subject::new(|graph, terms| plan(graph, terms, at(INPUT, 3)), seat);

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

#[test]
fn keys_outlive_their_process() -> Result<(), Failure> {
    keys_are_restored(&CUT, &[tiny()])?;
    keys_are_restored(&BEHIND, &[tiny()])
}
