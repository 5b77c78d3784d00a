//! Whole networks: answers against the clear reading, bills against prices.

use crate::graphs::{Network, active, small, smooth, wide};
use crate::harness::{Known, Silent, infer};
use std::sync::Arc;
use subrosa_collective::{Garbling, Holders, Scheme, Step};
use subrosa_core::Malformed;
use subrosa_ir::{clear, tolerance};
use subrosa_ring::sign_extend;
use subrosa_rlwe::{Release, collective_parameters_for};

pub const HOLDERS: [Holders; 2] = [Holders::AllServers, Holders::Remotes];

/// c and all masks of each output.
fn opened(known: &[Known]) -> Vec<Vec<i64>> {
    let outputs = known[0].outputs.iter().enumerate();
    let sum = |(at, c): (usize, &subrosa_core::Words)| {
        let value = |i: usize| {
            let masks = known.iter().map(|one| one.masks[at].values[i]);
            let sum = masks.fold(c.values[i], u64::wrapping_add);
            sign_extend(sum & subrosa_ring::mask(c.bits), c.bits)
        };
        (0..c.values.len()).map(value).collect()
    };
    outputs.map(sum).collect()
}

fn check(network: &Network, remotes: usize, garbling: Garbling, holders: Holders, exact: bool) {
    let Network { graph, weights, x } = network;
    let scheme = Scheme::new(graph.clone(), remotes, garbling, holders).unwrap();
    let known = infer(&scheme, weights, x, 3, Arc::new(Silent));
    assert!(known.iter().all(|one| one.outputs == known[0].outputs));
    let layouts = known[0].outputs.iter().map(|w| (w.values.len(), w.bits));
    assert!(layouts.eq(scheme.outputs.iter().map(|l| (l.count, l.bits))));
    let want = clear(graph, weights, x.clone()).unwrap();
    let most = tolerance(graph, weights, scheme.product_error()).unwrap();
    for ((found, want), most) in opened(&known).iter().zip(&want).zip(most) {
        let most = if exact { 0 } else { most };
        assert_eq!(found.len(), want.len());
        for (found, want) in found.iter().zip(want) {
            assert!(
                found.abs_diff(*want as i64) <= most,
                "{found} {want} {most}"
            );
        }
    }
}

#[test]
fn products_and_truncations_are_right() {
    for (remotes, holders) in [2, 3].into_iter().flat_map(|n| HOLDERS.map(|h| (n, h))) {
        check(&smooth(), remotes, Garbling::Single, holders, false);
    }
}

#[test]
fn networks_with_activations_are_right() {
    for garbling in [Garbling::Bmr, Garbling::Single] {
        for (remotes, holders) in [2, 3].into_iter().zip(HOLDERS) {
            check(&active(None), remotes, garbling, holders, false);
        }
    }
}

#[test]
fn the_two_largest() {
    for garbling in [Garbling::Bmr, Garbling::Single] {
        check(&active(Some(2)), 2, garbling, Holders::Remotes, true);
    }
}

#[test]
fn more_lanes_than_a_chunk() {
    check(&wide(), 2, Garbling::Single, Holders::AllServers, false);
}

#[test]
fn as_many_servers_as_there_may_be() {
    check(&small(), 8, Garbling::Bmr, Holders::AllServers, false);
    for remotes in [0, 1, 9] {
        let graph = small().graph;
        let scheme = Scheme::new(graph, remotes, Garbling::Bmr, Holders::AllServers);
        assert_eq!(scheme.err(), Some(Malformed::Range));
    }
}

/// One set of parameters has room for the noise of each product.
#[test]
fn parameters_hold_for_every_product() {
    for network in [smooth(), active(None)] {
        let scheme = Scheme::new(network.graph, 2, Garbling::Single, HOLDERS[0]).unwrap();
        let products = scheme.steps.iter().filter_map(|step| match step {
            Step::Linear(product) => Some(product),
            _ => None,
        });
        let mut count = 0;
        for product in products {
            let taps = product.layer.packing().l1_taps();
            let need = collective_parameters_for(product.out.bits, taps, Release::Masked);
            let need = need.unwrap().check().unwrap();
            assert!(need.degree() <= scheme.parameters.degree());
            assert!(need.log_q() <= scheme.parameters.log_q());
            count += 1;
        }
        assert_eq!(count, 3);
    }
}
