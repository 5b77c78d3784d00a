use super::{GARBLINGS, Outcome, clear, keys, kinds, masked, run, samples, seeded, sum, together};
use crate::activation::{Garbling, Move, Shape, evaluate_all, online_all, prepare};
use crate::{Mesh, OtPlan, Ots, Place, Servers};
use subrosa_core::{PartyId, Prg};
use subrosa_garble::Owner;
use subrosa_net::{Bill, Phase};
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
fn steps_together_take_the_exchanges_of_one() {
    let remotes = 3;
    let [positive, _, choice, _] = kinds(6, 9);
    let shapes = [(70, choice), (3, positive), (64, choice)];
    let shapes = shapes.map(|(lanes, kind)| Shape { lanes, kind });
    let mut prg = seeded(4);
    let columns = shapes.map(|shape| samples(&shape, &mut prg));
    let pairs = shapes.iter().zip(&columns);
    let inputs = pairs.map(|(shape, x)| masked(shape, x, remotes, &mut prg));
    let inputs: Vec<_> = inputs.collect();
    let public: Vec<_> = inputs.iter().map(|of| of.public.clone()).collect();
    let keys = keys(remotes);
    for garbling in GARBLINGS {
        let outcomes = together(remotes, None, |servers, s| {
            let me = servers.me;
            s.enter(Phase::Offline);
            let mut plan = OtPlan::default();
            shapes
                .iter()
                .for_each(|shape| shape.add_to(garbling, remotes, &mut plan));
            let (mut prg, mut pieces, mut own) = (Prg::new(&s.seed()), Vec::new(), Vec::new());
            let mut ots = Ots::new(&keys[me.0], &plan, servers, s)?;
            let mut mesh = Mesh::new(servers, s);
            for (shape, of) in shapes.iter().zip(&inputs) {
                let bits = &of.shares[me.0];
                let (piece, l) = prepare(shape, garbling, bits, &mut ots, &mut prg, &mut mesh)?;
                pieces.push(piece);
                own.push(l);
            }
            s.enter(Phase::Online);
            let mut mesh = Mesh::new(servers, s);
            let found = evaluate_all(&shapes, garbling, pieces, &public, &mut mesh)?;
            let moves = online_all(&shapes, garbling, remotes);
            assert_eq!(s.bill().online, moves.iter().map(|m| m.cost(me)).sum());
            assert_eq!(moves.len(), 2);
            Ok((own, found))
        });
        let outcomes: Vec<_> = outcomes.into_iter().map(Result::unwrap).collect();
        for (at, (shape, x)) in shapes.iter().zip(&columns).enumerate() {
            let shares = outcomes.iter().map(|(own, _)| &own[at]);
            let found = outcomes.iter().map(|(_, found)| &found[at]).take(1);
            assert_eq!(
                sum(shares.chain(found)),
                clear(shape, x),
                "{garbling:?} {at}"
            );
        }
    }
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
