//! Cuts, what each party is told of a plan, and the parts of a model.

use crate::nets::{AT, Begins, Net, at, divided, halves};
use subrosa_conformance::Case;
use subrosa_core::{PartyId, Seed};
use subrosa_ir::{RangedGraph, Reveal, Weights, encode_weights, ranges, simplify};
use subrosa_net::{InputFault, LocalFault, PartFault, RunError};
use subrosa_protocol::{Division, Holders, Holding, Plan, PlanError, Protocol, Terms, WholePlan};
use subrosa_ring::mask;
use subrosa_seco::part::{to_gateway, to_remote};
use subrosa_seco::{GATEWAY, Seco, USER, UserView, Whole, remote_party, splits};

fn ranged(case: &Case) -> (RangedGraph, Weights) {
    let (graph, weights) = simplify(case.graph.clone(), case.weights.clone());
    let ranged = ranges(graph, &weights, &case.declared, None).unwrap();
    (ranged, weights)
}

fn whole(case: &Case) -> (Whole, Weights) {
    let (ranged, weights) = ranged(case);
    (Seco::plan(&ranged, &case.terms).unwrap(), weights)
}

fn refused(case: &Case) -> PlanError {
    let (ranged, _) = ranged(case);
    Seco::plan(&ranged, &case.terms).err().unwrap()
}

/// Of a plan whose answer is a place, so that its width and scale are the same whatever the values are.
fn user_view(mut case: Case) -> Vec<u8> {
    case.terms.reveal = Reveal::ArgMax;
    let (whole, _) = whole(&case);
    whole.view(USER).unwrap()
}

#[test]
fn the_users_view_does_not_depend_on_the_hidden_half() {
    let one = user_view(divided(halves(Begins::Dense, 1), at(AT, 2)));
    for (begins, layers, remotes) in [
        (Begins::Dense, 1, 3),
        (Begins::Dense, 30, 2),
        (Begins::Conv, 1, 2),
        (Begins::Conv, 5, 8),
    ] {
        let mut division = at(AT, remotes);
        division.holders = Holders::Remotes;
        division.garbling = subrosa_protocol::Garbling::Single;
        let other = user_view(divided(halves(begins, layers), division));
        assert_eq!(one, other, "{begins:?}, {layers} layers, {remotes} remotes");
    }
    let view = UserView::parse(&one).unwrap();
    assert_eq!(view.encode(), one);
    let names = String::from_utf8_lossy(&one).into_owned();
    assert!(names.contains("front dense") && !names.contains("hidden"));
}

/// Not even by its width: a ReLU reads fewer bits than a product.
#[test]
fn the_users_view_does_not_say_who_reads_what_it_hands_on() {
    let place = "front dense";
    let view = |begins| user_view(divided(halves(begins, 1), at(place, 2)));
    let (relu, product) = (view(Begins::Dense), view(Begins::Product));
    assert_eq!(relu, product);
    let (whole, _) = whole(&divided(halves(Begins::Dense, 1), at(place, 2)));
    assert!(whole.hidden.inputs[0].bits < whole.face.transition[0].bits);
}

#[test]
fn cuts_are_found_by_wire_and_by_node_and_a_wrong_one_lists_all() {
    for (name, expected) in [
        (AT, Some("front relu")),
        ("front relu out", Some("front relu")),
        ("hidden dense 0", Some("hidden dense 0 (truncate)")),
        ("input", Some("input")),
        ("x", Some("input")),
        ("front", None),
        ("y", None),
    ] {
        let case = divided(halves(Begins::Dense, 2), at(name, 2));
        match expected {
            Some(expected) => assert_eq!(whole(&case).0.cut.name, expected),
            None => {
                let PlanError::Cut { at, possible } = refused(&case) else {
                    panic!("{name}");
                };
                assert_eq!(at, name);
                assert!(possible.iter().any(|name| name == AT));
                assert_eq!(possible[0], "input");
            }
        }
    }
    for remotes in [0, 1, 9] {
        let found = refused(&divided(halves(Begins::Dense, 1), at(AT, remotes)));
        assert!(matches!(found, PlanError::Remotes { found, .. } if found == remotes));
    }
}

/// An image of `size` times `size` points, made four times four by means.
fn image(size: usize) -> Case {
    let (mut net, x) = Net::new(8, &[1, 1, size, size]);
    let y = net.pool("pool", x, size / 4);
    let y = net.conv("conv", y);
    let y = net.relu("relu", y);
    let y = net.reshape("row", y, &[1, 16]);
    let y = net.dense("dense", y, 4);
    net.ending(y)
}

/// A large image is made small at the gateway: that costs the user hardly more than its input does, and spares the servers the
/// truncations. A product costs it more.
#[test]
fn a_choice_spares_the_servers_where_it_costs_the_user_little() {
    let chosen = |size| whole(&divided(image(size), Division::default())).0.cut.name;
    let (small, large) = (chosen(8), chosen(128));
    assert_eq!(
        (small.as_str(), large.as_str()),
        ("input", "pool (truncate)")
    );
}

#[test]
fn a_choice_spares_the_user_first() {
    let case = divided(halves(Begins::Dense, 3), Division::default());
    assert_eq!(whole(&case).0.cut.name, "input");
    let (ranged, _) = ranged(&case);
    let all = splits(&ranged, &case.terms).unwrap();
    let of = |bill: &subrosa_net::Bill| bill.offline.bytes.0 + bill.online.bytes.0;
    assert!(all.len() > 5);
    assert!(
        all[1..]
            .iter()
            .all(|split| of(&split.user) > of(&all[0].user))
    );
    assert!(
        all[1..]
            .iter()
            .all(|split| of(&split.servers) <= of(&all[0].servers))
    );
    // What must be hidden is never the gateway's.
    let hide = |name: &str| Terms {
        division: Division {
            hide: Some(name.to_owned()),
            ..Division::default()
        },
        ..case.terms.clone()
    };
    let names = |terms: &Terms| -> Vec<String> {
        let all = splits(&ranged, terms).unwrap();
        all.into_iter().map(|split| split.at).collect()
    };
    assert_eq!(names(&hide("front dense")), ["input"]);
    let some = names(&hide("hidden dense 1"));
    assert!(some.len() > 3 && some.iter().all(|name| !name.contains('1')));
    let unknown = splits(&ranged, &hide("nothing"));
    assert!(matches!(unknown, Err(PlanError::Cut { .. })));
}

fn part(whole: &Whole, party: PartyId, weights: &Weights, seed: u64) -> Vec<u8> {
    let seed = Seed::insecure_seeded(seed);
    match whole.holding(party, weights, &seed).unwrap() {
        Holding::Part(bytes) => bytes,
        _ => panic!("{party} has no part"),
    }
}

/// Weights of the hidden half as all these parts give them, or what is left of them.
fn sum(whole: &Whole, parts: &[Vec<u8>]) -> Vec<u64> {
    let ring = whole.hidden.graph.ring;
    let bytes = ring as usize / 8;
    let count: usize = whole
        .hidden
        .weights()
        .iter()
        .map(|layout| layout.count)
        .sum();
    let mut sums = vec![0u64; count];
    for part in parts {
        let share = &part[part.len() - count * bytes..];
        for (sum, word) in sums.iter_mut().zip(share.chunks(bytes)) {
            let mut wide = [0; 8];
            wide[..bytes].copy_from_slice(word);
            *sum = sum.wrapping_add(u64::from_le_bytes(wide)) & mask(ring);
        }
    }
    sums
}

#[test]
fn weights_are_what_all_holders_have_together_and_no_fewer() {
    for holders in [Holders::AllServers, Holders::Remotes] {
        let mut division = at(AT, 3);
        division.holders = holders;
        let (whole, weights) = whole(&divided(halves(Begins::Dense, 2), division));
        let used = whole.weights[1]
            .iter()
            .map(|id| weights.tensors[id.0 as usize].clone());
        let tensors = used.collect();
        let plain = encode_weights(&whole.hidden.graph, &Weights { tensors }).unwrap();
        let plain: Vec<u64> = plain.into_iter().flatten().map(|w| w & mask(48)).collect();
        let parts = |parties: &[PartyId]| -> Vec<Vec<u8>> {
            let part = |party: &PartyId| part(&whole, *party, &weights, 3);
            parties.iter().map(part).collect()
        };
        let remotes = [0, 1, 2].map(remote_party);
        let all: Vec<PartyId> = remotes.into_iter().chain([GATEWAY]).collect();
        match holders {
            Holders::AllServers => {
                assert_eq!(sum(&whole, &parts(&all)), plain);
                for without in 0..all.len() {
                    let mut some = all.clone();
                    some.remove(without);
                    fair(&sum(&whole, &parts(&some)), 48);
                }
            }
            Holders::Remotes => {
                assert_eq!(sum(&whole, &parts(&remotes)), plain);
                fair(&sum(&whole, &parts(&remotes[..2])), 48);
                let gateway = part(&whole, GATEWAY, &weights, 3);
                assert_eq!(gateway.len(), 46 + 6 * 20 * 16);
            }
        }
    }
}

/// Every bit is one about half of the time.
fn fair(words: &[u64], bits: u32) {
    for bit in 0..bits {
        let ones = words.iter().filter(|w| **w >> bit & 1 == 1).count() as f64;
        let half = words.len() as f64 / 2.0;
        let deviation = (ones - half) / (half / 2.0).sqrt();
        assert!(deviation.abs() < 6.5, "bit {bit}: {deviation}");
    }
}

#[test]
fn a_remotes_part_alone_is_uniform_and_drawn_anew_for_each_seed() {
    let (whole, weights) = whole(&divided(halves(Begins::Dense, 8), at(AT, 2)));
    for party in [0, 1].map(remote_party) {
        let one = part(&whole, party, &weights, 1);
        let other = part(&whole, party, &weights, 2);
        assert_eq!(one, part(&whole, party, &weights, 1));
        let mut differences = [0u32; 256];
        let mut counts = [0u32; 256];
        for (a, b) in one[46..].iter().zip(&other[46..]) {
            counts[*a as usize] += 1;
            differences[(a ^ b) as usize] += 1;
        }
        let expected = (one.len() - 46) as f64 / 256.0;
        assert!(expected > 20.0);
        for counts in [counts, differences] {
            let square = |n: &u32| (f64::from(*n) - expected).powi(2) / expected;
            let chi: f64 = counts.iter().map(square).sum();
            assert!((110.0..460.0).contains(&chi), "{chi}");
        }
    }
}

#[test]
fn a_part_that_is_not_this_partys_is_refused_by_name() {
    let (one, weights) = whole(&divided(halves(Begins::Dense, 1), at(AT, 2)));
    let (other, _) = whole(&divided(halves(Begins::Dense, 1), at(AT, 3)));
    let view = one.remote(1);
    let good = part(&one, remote_party(1), &weights, 1);
    assert!(to_remote(&view, &good).is_ok());
    let fault = |bytes: &[u8]| match to_remote(&view, bytes) {
        Err(RunError::Local(LocalFault::Part(fault))) => fault,
        _ => panic!("not refused"),
    };
    assert_eq!(
        fault(&part(&one, remote_party(0), &weights, 1)),
        PartFault::Party {
            expected: remote_party(1),
            found: remote_party(0)
        }
    );
    assert_eq!(
        fault(&part(&other, remote_party(1), &weights, 1)),
        PartFault::Plan
    );
    let (expected, found) = (good.len() as u64, good.len() as u64 - 1);
    assert_eq!(fault(&good[1..]), PartFault::Foreign);
    assert_eq!(
        fault(&good[..good.len() - 1]),
        PartFault::Length { expected, found }
    );
    for (at, fault_of) in [
        (0, PartFault::Foreign),
        (12, PartFault::Foreign),
        (20, PartFault::Plan),
    ] {
        let mut bytes = good.clone();
        bytes[at] ^= 1;
        assert_eq!(fault(&bytes), fault_of);
    }
    let gateway = part(&one, GATEWAY, &weights, 1);
    assert!(to_gateway(&one.gateway(), &gateway).is_ok());
    let mut large = gateway.clone();
    large[46..52].copy_from_slice(&[0xff, 0xff, 0xff, 0xff, 0xff, 0x3f]);
    let found = to_gateway(&one.gateway(), &large).err();
    let range = LocalFault::Input(InputFault::Range);
    assert_eq!(found, Some(RunError::Local(range)));
    let nothing = one.holding(USER, &weights, &Seed::insecure_seeded(1));
    assert!(matches!(nothing, Ok(Holding::Nothing)));
    assert!(
        one.holding(PartyId(9), &weights, &Seed::insecure_seeded(1))
            .is_err()
    );
}

#[test]
fn the_readme_has_the_cards_table() {
    let readme = include_str!("../../README.md");
    for row in Seco::CARD.learns {
        let row = format!("| {} | {} | {} |", row.who, row.holds, row.learns);
        assert!(readme.contains(&row), "the README lacks {row}");
    }
}

/// Bounds make room for the units that products of the hidden half are off.
#[test]
fn the_hidden_half_has_room_for_its_rounding() {
    for remotes in [2, 3, 8] {
        let (whole, _) = whole(&divided(halves(Begins::Dense, 1), at(AT, remotes)));
        let hidden = &whole.hidden.graph;
        let product = hidden
            .nodes
            .iter()
            .find(|node| node.inputs[0] == hidden.inputs[0].wire);
        let wire = hidden.wire(product.unwrap().output);
        let mut wires = whole.graph.wires.iter();
        let before = wires.find(|before| before.name == wire.name).unwrap().bound - 1;
        assert_eq!(wire.bound, before + whole.hidden.product_error());
        assert_eq!(whole.product_error(), whole.hidden.product_error());
    }
}
