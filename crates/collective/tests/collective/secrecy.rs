//! What all but one of the servers see together.

use crate::graphs::{active, smooth};
use crate::harness::{Silent, assert_uniform, bytes_of, infer};
use crate::whole::HOLDERS;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use subrosa_collective::{Garbling, Place, Scheme, Shares};
use subrosa_core::{PartyId, Seed};
use subrosa_net::{HEADER_LEN, Tap, is_data};

/// Any servers but one holder have uniform shares of weights that are all zero; all holders have the weights.
#[test]
fn a_part_alone_is_uniform() {
    let network = smooth();
    for (remotes, holders) in [(2, HOLDERS[0]), (2, HOLDERS[1]), (3, HOLDERS[0])] {
        let scheme = Scheme::new(network.graph.clone(), remotes, Garbling::Single, holders);
        let scheme = scheme.unwrap();
        let zeros: Vec<Vec<u64>> = network.weights.iter().map(|w| vec![0; w.len()]).collect();
        let divide = |weights: &[Vec<u64>], seed: u64, at: usize| {
            let seed = Seed::insecure_seeded(seed);
            let part = Shares::divide(&scheme, weights, &seed, Place(at)).unwrap();
            bytes_of(&part, &scheme.shares(Place(at)))
        };
        let count = holders.count(remotes);
        for at in 0..remotes + 1 {
            let files = (0..20).flat_map(|seed| divide(&zeros, seed, at));
            match at < count {
                true => assert_uniform(256, files.map(usize::from)),
                false => assert_eq!(files.count(), 0),
            }
        }
        // All but one: what the last holder lacks does not depend on the weights.
        for at in 0..count - 1 {
            assert_eq!(divide(&zeros, 1, at), divide(&network.weights, 1, at));
            assert_ne!(divide(&zeros, 1, at), divide(&zeros, 2, at));
        }
        let last = count - 1;
        assert_ne!(divide(&zeros, 1, last), divide(&network.weights, 1, last));
    }
}

type Direction = (PartyId, PartyId);

/// Payloads of each direction.
#[derive(Default)]
struct Listener(Mutex<BTreeMap<Direction, Vec<Vec<u8>>>>);

impl Tap for Listener {
    fn frame(&self, from: PartyId, to: PartyId, _: u64, bytes: Vec<u8>) -> Vec<Vec<u8>> {
        if is_data(&bytes) {
            let mut heard = self.0.lock().unwrap();
            let payload = bytes[HEADER_LEN..].to_vec();
            heard.entry((from, to)).or_default().push(payload);
        }
        vec![bytes]
    }
}

/// Fixed inputs, weights and input masks: all that is drawn differs between two runs.
#[test]
fn masks_are_drawn_once() {
    for network in [smooth(), active(None)] {
        let scheme = Scheme::new(network.graph.clone(), 2, Garbling::Bmr, HOLDERS[0]).unwrap();
        let run = || infer(&scheme, &network.weights, &network.x, 3, Arc::new(Silent));
        for (one, other) in run().iter().zip(&run()) {
            assert_eq!(one.inputs, other.inputs);
            for (at, wire) in network.graph.outputs.iter().enumerate() {
                let (mine, again) = (&one.masks[at].values, &other.masks[at].values);
                let same = mine.iter().zip(again).filter(|(a, b)| a == b).count();
                match wire.0 {
                    0 => assert_eq!(same, mine.len()),
                    _ => assert!(same <= 1, "{same} of {}", mine.len()),
                }
            }
            let pairs = one.pieces.iter().zip(&other.pieces);
            assert!(
                pairs
                    .into_iter()
                    .all(|(one, other)| one.is_empty() || one != other)
            );
        }
    }
}

/// Fixed inputs and weights, many runs: c of a truncated value, and of a product, with the shares of its mask of any two of three
/// servers is uniform, and so is every byte that is sent online.
#[test]
fn of_a_value_all_but_one_hold_nothing() {
    let network = smooth();
    let scheme = Scheme::new(network.graph.clone(), 2, Garbling::Single, HOLDERS[0]).unwrap();
    let mut seen = [(); 6].map(|()| Vec::new());
    let mut online = Vec::new();
    for _ in 0..8 {
        let listener = Arc::new(Listener::default());
        let known = infer(&scheme, &network.weights, &network.x, 3, listener.clone());
        for (absent, at) in (0..3).flat_map(|absent| [2, 3].map(|at| (absent, at))) {
            for (lane, c) in known[0].outputs[at].values.iter().enumerate() {
                let shares = (0..3).filter(|place| *place != absent);
                let shares = shares.map(|place| known[place].masks[at].values[lane]);
                let cell = shares.fold(c & 1, |cell, share| cell * 2 + (share & 1));
                seen[2 * absent + at - 2].push(cell as usize);
            }
        }
        // The three products of the network; everybody tells all others the same.
        for ((from, to), payloads) in listener.0.lock().unwrap().iter() {
            if to.0 == from.0 % 3 + 1 {
                let last = payloads.iter().rev().take(3);
                online.extend(last.flatten().map(|byte| usize::from(*byte)));
            }
        }
    }
    seen.into_iter()
        .for_each(|seen| assert_uniform(8, seen.into_iter()));
    assert!(online.len() > 20_000);
    assert_uniform(256, online.into_iter());
}
