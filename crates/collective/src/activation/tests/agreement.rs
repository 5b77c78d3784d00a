use super::{GARBLINGS, Outcome, clear, kinds, masked, run, samples, seeded, sum};
use crate::activation::{Garbling, Move, Shape};
use crate::{OtPlan, Place, Servers};
use subrosa_core::PartyId;
use subrosa_garble::Owner;
use subrosa_net::Bill;
use subrosa_share::step::Kind;

fn check(shape: Shape, remotes: usize, seed: u64) {
    let mut prg = seeded(seed);
    let columns = samples(&shape, &mut prg);
    let inputs = masked(&shape, &columns, remotes, &mut prg);
    let want = clear(&shape, &columns);
    for garbling in GARBLINGS {
        let outcomes = run(&shape, garbling, &inputs, remotes);
        let found = &outcomes[0].found;
        assert!(outcomes.iter().all(|o| o.found == *found));
        let shares = outcomes.iter().map(|o| &o.own);
        assert_eq!(
            sum(shares.chain([found])),
            want,
            "{shape:?} {garbling:?} {remotes}"
        );
        for (at, outcome) in outcomes.iter().enumerate() {
            price(&shape, garbling, remotes, Place(at), outcome);
        }
    }
}

fn price(shape: &Shape, garbling: Garbling, remotes: usize, me: Place, of: &Outcome) {
    let servers = Servers {
        me,
        parties: (0..=remotes as u8).map(PartyId).collect(),
    };
    let mut plan = OtPlan::default();
    shape.add_to(garbling, remotes, &mut plan);
    let cost = |moves: Vec<Move>| moves.iter().map(|m| m.cost(me)).sum();
    let mut bill = Bill {
        offline: cost(shape.offline(garbling, remotes)),
        online: cost(shape.online(garbling, remotes)),
        ..Bill::default()
    };
    bill.offline += plan.cost(&servers);
    assert_eq!(bill, of.bill, "{shape:?} {garbling:?} {remotes} {me:?}");
}

#[test]
fn results_are_those_in_the_clear_at_the_price() {
    for remotes in [2, 3] {
        for (width, lanes) in [(2, 9), (7, 70), (23, 130)] {
            for kind in kinds(width, width + 5) {
                check(Shape { lanes, kind }, remotes, u64::from(width));
            }
        }
    }
}

#[test]
fn widest_values_many_servers_and_blocks_of_lanes() {
    for kind in kinds(64, 64) {
        check(Shape { lanes: 3, kind }, 2, 1);
    }
    for kind in kinds(9, 9) {
        check(Shape { lanes: 64, kind }, 5, 2);
    }
    let kind = Kind::Choice { bits: 5 };
    check(Shape { lanes: 650, kind }, 5, 3);
}

#[test]
fn planes_are_those_of_the_circuit() {
    for kind in kinds(13, 20) {
        let shape = Shape { lanes: 1, kind };
        let circuit = shape.circuit();
        let of = |owner| {
            let inputs = circuit.inputs().iter().filter(|i| i.owner == owner);
            inputs.map(|i| i.bits.len()).sum::<usize>()
        };
        assert_eq!(shape.public_planes(), of(Owner::Garbler));
        assert_eq!(shape.shared_planes(), of(Owner::Evaluator));
        assert_eq!(shape.output_planes(), circuit.output_bits());
    }
}

#[test]
fn large_steps_are_split() {
    let kind = Kind::Maximum { bits: 8 };
    let lanes: Vec<_> = Shape::split(10_000, kind)
        .map(|shape| shape.lanes)
        .collect();
    assert_eq!(lanes, [4096, 4096, 1808]);
}
