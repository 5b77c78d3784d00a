//! The parts into which a model's owner divides it.

use std::collections::BTreeSet;
use subrosa_conformance::{large, short};
use subrosa_core::{PartyId, Seed};
use subrosa_ir::{Weights, encode_weights, ranges, simplify};
use subrosa_net::{LocalFault, PartFault, RunError};
use subrosa_protocol::{Holding, Protocol, Role, Terms, WholePlan};
use subrosa_replicated3::{
    CLIENT, DEALER, Dealing, Evaluating, FIRST, Replicated3, SECOND, SERVERS, View, Whole,
};
use subrosa_ring::{packed_len, unpack};
use subrosa_share::Evaluator;

/// Before the body: magic, version, party, hash of the plan. The body begins with seeds.
const HEADER: usize = 46;
const SEED: usize = 32;

fn whole(case: &subrosa_conformance::Case) -> (Whole, Weights) {
    let (graph, weights) = simplify(case.graph.clone(), case.weights.clone());
    let ranged = ranges(graph, &weights, &case.declared, None).unwrap();
    let whole = Replicated3::plan(&ranged, &Terms::default()).unwrap();
    (whole, weights)
}

fn part(whole: &Whole, party: PartyId, weights: &Weights, seed: u64) -> Vec<u8> {
    let holding = whole.holding(party, weights, &Seed::insecure_seeded(seed));
    holding.unwrap().part().unwrap().to_vec()
}

/// At the role that a party plays.
fn read(whole: &Whole, party: PartyId, bytes: &[u8]) -> Result<(), RunError> {
    let view = View::new(party, whole.graph.clone());
    let holding = Holding::Part(bytes.to_vec());
    let evaluating = |who| Evaluating { who, threads: 1 };
    match party {
        DEALER => Dealing { threads: 1 }.part(&view, &holding).map(|_| ()),
        SECOND => evaluating(Evaluator::Second)
            .part(&view, &holding)
            .map(|_| ()),
        _ => evaluating(Evaluator::First)
            .part(&view, &holding)
            .map(|_| ()),
    }
}

#[test]
fn any_two_servers_have_all_three_shares_and_one_has_two() {
    let (whole, weights) = whole(&short());
    let parts = SERVERS.map(|server| part(&whole, server, &weights, 1)[HEADER..].to_vec());
    let [first, second, dealer] = &parts;
    assert_eq!(first[..SEED], dealer[..SEED]);
    assert_eq!(second[..SEED], dealer[SEED..]);
    assert_ne!(first[..SEED], second[..SEED]);
    assert_eq!(first[SEED..], second[SEED..]);
    assert_eq!(dealer.len(), 2 * SEED);
    let ring = whole.graph.ring;
    let sizes = encode_weights(&whole.graph, &weights).unwrap();
    let bytes: usize = sizes.iter().map(|w| packed_len(w.len(), ring)).sum();
    assert_eq!(first.len(), SEED + bytes);
    assert!(matches!(
        whole.holding(CLIENT, &weights, &Seed::insecure_seeded(1)),
        Ok(Holding::Nothing)
    ));
    let nobody = whole.holding(PartyId(4), &weights, &Seed::insecure_seeded(1));
    assert!(nobody.is_err());
}

/// w1 less w1 of another division has no weights in it: it must be as good as noise, too.
#[test]
fn what_an_evaluator_is_given_is_uniform_and_drawn_anew_for_each_seed() {
    let (whole, weights) = whole(&large()[0]);
    let ring = whole.graph.ring;
    let count = encode_weights(&whole.graph, &weights).unwrap()[0].len();
    let shares = |seed: u64| {
        let part = part(&whole, FIRST, &weights, seed);
        let packed = &part[HEADER + SEED..][..packed_len(count, ring)];
        unpack(packed, ring, count).unwrap()
    };
    let (one, other) = (shares(1), shares(2));
    assert_eq!(one, shares(1));
    let differences: Vec<u64> = one.iter().zip(&other).map(|(a, b)| a ^ b).collect();
    for words in [&one, &other, &differences] {
        for low in [0, ring / 2, ring - 8] {
            let mut counts = [0u64; 256];
            words
                .iter()
                .for_each(|word| counts[(word >> low & 255) as usize] += 1);
            let expected = count as f64 / 256.0;
            let square = |n: &u64| (*n as f64 - expected).powi(2) / expected;
            let chi: f64 = counts.iter().map(square).sum();
            assert!((110.0..460.0).contains(&chi), "{low}: {chi}");
        }
    }
    let distinct: BTreeSet<&u64> = one.iter().collect();
    assert!(distinct.len() > count - 10);
}

#[test]
fn a_part_that_is_not_this_partys_is_refused_by_name() {
    let (one, weights) = whole(&short());
    let (other, others) = whole(&large()[0]);
    for party in SERVERS {
        let good = part(&one, party, &weights, 1);
        let fault = |bytes: &[u8]| match read(&one, party, bytes) {
            Ok(()) => None,
            Err(RunError::Local(LocalFault::Part(fault))) => Some(fault),
            Err(error) => panic!("{error}"),
        };
        assert_eq!(fault(&good), None);
        for found in SERVERS.into_iter().filter(|found| *found != party) {
            let expected = party;
            let wrong = fault(&part(&one, found, &weights, 1));
            assert_eq!(wrong, Some(PartFault::Party { expected, found }));
        }
        let wrong = fault(&part(&other, party, &others, 1));
        assert_eq!(wrong, Some(PartFault::Plan));
        let (expected, found) = (good.len() as u64, good.len() as u64 - 1);
        let wrong = fault(&good[..good.len() - 1]);
        assert_eq!(wrong, Some(PartFault::Length { expected, found }));
        assert_eq!(fault(&good[1..]), Some(PartFault::Foreign));
        assert_eq!(fault(&good[..HEADER - 1]), Some(PartFault::Foreign));
    }
}
