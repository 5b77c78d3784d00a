//! The suite that every protocol passes, in both readings of activations.

use subrosa_conformance::*;
use subrosa_protocol::{Nonlinear, Protocol, Terms};
use subrosa_two_party::{TwoParty, seat};

const OT: Subject = Subject {
    plan: |graph, terms| {
        let nonlinear = Nonlinear::Ot;
        let terms = Terms {
            nonlinear,
            ..terms.clone()
        };
        Ok(Box::new(TwoParty::plan(graph, &terms)?))
    },
    seat,
};

const GC: Subject = Subject {
    plan: |graph, terms| {
        let nonlinear = Nonlinear::Gc;
        let terms = Terms {
            nonlinear,
            ..terms.clone()
        };
        Ok(Box::new(TwoParty::plan(graph, &terms)?))
    },
    seat,
};

#[test]
fn answers_agree_and_prices_are_bills() -> Result<(), Failure> {
    agrees(&OT, &cases())?;
    agrees(&GC, &cases())
}
