//! What is particular to two parties who are both curious: exactness at every bound, material that serves once, and what the
//! client holds of a product.

use std::sync::Arc;
use std::time::Duration;
use subrosa_conformance::*;
use subrosa_core::{PartyId, StockFault, Wire};
use subrosa_hybrid::{ClientKeys, Encoded, OwnerKeys, Piece, Scheme, client, owner};
use subrosa_ir::{encode_weights, ranges, simplify};
use subrosa_net::{LocalFault, Network, Phase, RunError, Session, SessionTerms, memory_mesh};
use subrosa_protocol::{Nonlinear, Protocol, Terms};
use subrosa_two_party::{CLIENT, TwoParty, VENDOR, seat};

const READINGS: [(Subject, Nonlinear); 2] = [
    (
        subject(|graph, terms| {
            Ok(Box::new(TwoParty::plan(
                graph,
                &with(terms, Nonlinear::Ot),
            )?))
        }),
        Nonlinear::Ot,
    ),
    (
        subject(|graph, terms| {
            Ok(Box::new(TwoParty::plan(
                graph,
                &with(terms, Nonlinear::Gc),
            )?))
        }),
        Nonlinear::Gc,
    ),
];

const fn subject(plan: PlanFn) -> Subject {
    Subject::new(plan, seat).watching(Watched::All).trying(12)
}

fn with(terms: &Terms, nonlinear: Nonlinear) -> Terms {
    Terms {
        nonlinear,
        ..terms.clone()
    }
}

#[test]
fn values_at_every_bound_are_exact() -> Result<(), Failure> {
    for (subject, _) in READINGS {
        bounds_are_exact(&subject)?;
    }
    Ok(())
}

#[test]
fn large_models_agree() -> Result<(), Failure> {
    READINGS
        .iter()
        .try_for_each(|(subject, _)| agrees(subject, &large()[..1]))
}

/// Runs both parties, each in a thread with a session of its own.
fn together<V: Send, C: Send>(
    vendor: impl FnOnce(&mut Session) -> V + Send,
    client: impl FnOnce(&mut Session) -> C + Send,
) -> (V, C) {
    let mut mesh = memory_mesh(&[VENDOR, CLIENT], &[(VENDOR, CLIENT)], Network::LOOPBACK);
    let mut session = |me: PartyId, peer: PartyId| {
        let links = mesh.remove(&me).unwrap();
        move || {
            let terms = SessionTerms {
                fingerprints: vec![(peer, [0; 32])],
                untold: Vec::new(),
                timeout: Duration::from_secs(60),
                insecure_seed: None,
            };
            Session::open(links, terms).unwrap()
        }
    };
    let (here, there) = (session(VENDOR, CLIENT), session(CLIENT, VENDOR));
    std::thread::scope(|scope| {
        let vendor = scope.spawn(move || vendor(&mut here()));
        let client = scope.spawn(move || client(&mut there()));
        (vendor.join().unwrap(), client.join().unwrap())
    })
}

/// The scheme of a case, and its weights times `factor`, encoded.
fn scheme(case: &Case, nonlinear: Nonlinear, factor: f32) -> (Arc<Scheme>, Encoded) {
    let (graph, mut weights) = simplify(case.graph.clone(), case.weights.clone());
    let ranged = ranges(graph, &weights, &case.declared, None).unwrap();
    let scheme = TwoParty::plan(&ranged, &with(&case.terms, nonlinear))
        .unwrap()
        .scheme;
    for value in weights.tensors.iter_mut().flat_map(|t| &mut t.values) {
        *value *= factor;
    }
    let encoded = encode_weights(&scheme.graph, &weights).unwrap();
    let encoded = Encoded::new(&scheme, encoded).unwrap();
    (scheme, encoded)
}

fn keys(scheme: &Scheme) -> (OwnerKeys, ClientKeys) {
    let parameters = &scheme.parameters;
    together(
        |s| OwnerKeys::setup(parameters, CLIENT, s).unwrap(),
        |s| ClientKeys::setup(parameters, VENDOR, s).unwrap(),
    )
}

/// One offline phase in a session of its own.
fn prepare(scheme: &Scheme, weights: &Encoded, keys: &(OwnerKeys, ClientKeys)) -> [Vec<Piece>; 2] {
    let (vendor, client) = together(
        |s| {
            let mut shelf = Vec::new();
            owner::prepare_all(scheme, &keys.0, weights, CLIENT, &mut shelf, 1, s).unwrap();
            shelf
        },
        |s| {
            let mut shelf = Vec::new();
            client::prepare_all(scheme, &keys.1, VENDOR, &mut shelf, 1, s).unwrap();
            shelf
        },
    );
    [vendor, client]
}

fn bytes(pieces: &[Piece]) -> Vec<u8> {
    let mut bytes = Vec::new();
    pieces.iter().for_each(|piece| piece.encode(&mut bytes));
    bytes
}

/// Keys as from a restored backup, in two sessions: whatever a party keeps of the one is not in the other.
#[test]
fn sessions_from_the_same_keys_share_no_material() {
    let case = &even()[0];
    for (_, nonlinear) in READINGS {
        let (scheme, weights) = scheme(case, nonlinear, 1.0);
        let keys = keys(&scheme);
        let one = prepare(&scheme, &weights, &keys);
        let other = prepare(&scheme, &weights, &keys);
        for (one, other) in one.iter().zip(&other) {
            let (one, other) = (bytes(one), bytes(other));
            assert!(one.len() > 1000 && one.len() == other.len());
            let blocks: std::collections::BTreeSet<&[u8]> = one.chunks_exact(8).collect();
            let again = other.chunks_exact(8).filter(|b| blocks.contains(b)).count();
            assert_eq!(again, 0);
        }
    }
}

/// What the client opens of a product is uniform: it is the mask of the output, which is the last of its pieces.
#[test]
fn opened_products_are_uniform_whatever_the_weights_are() {
    let case = &even()[0];
    for factor in [0.0, 1.0, -1.0] {
        let (scheme, weights) = scheme(case, Nonlinear::Ot, factor);
        let keys = keys(&scheme);
        let mut values = Vec::new();
        for _ in 0..16 {
            let [_, client] = prepare(&scheme, &weights, &keys);
            let last = client.into_iter().next_back().unwrap();
            values.extend(last.columns().unwrap().remove(0).values);
        }
        let layout = scheme.outputs[0];
        assert_eq!(values.len(), 16 * layout.count);
        for bit in 0..layout.bits {
            let ones = values.iter().filter(|v| **v >> bit & 1 == 1).count() as f64;
            let expected = values.len() as f64 / 2.0;
            let deviation = (ones - expected) / (expected / 2.0).sqrt();
            assert!(
                deviation.abs() < 6.5,
                "factor {factor}, bit {bit}: {deviation}"
            );
        }
        let count = values.len();
        values.sort_unstable();
        values.dedup();
        // Of 1024 draws from 2^21, sixteen pairs are equal with a chance below 2^-70.
        assert!(layout.bits > 20 && values.len() + 16 > count);
    }
}

/// A second inference on the material of one: both parties stop, and the client gets nothing.
#[test]
fn material_of_one_inference_does_not_serve_two() -> Result<(), Failure> {
    for (subject, _) in READINGS {
        let case = short();
        let planned = case.plan(&subject)?;
        let sit = |me: PartyId| {
            let mut party = planned.table.seat(me).unwrap();
            let holding = planned.table.holding(me, &planned.weights).unwrap();
            let inputs = (me == CLIENT).then(|| case.inputs(1));
            move |s: &mut Session| {
                s.enter(Phase::Setup);
                party.setup(&holding, s)?;
                party.offline(s)?;
                assert_eq!(party.stocked(), 1);
                let answered = party.infer(inputs.clone(), s)?.is_some();
                assert_eq!((answered, party.stocked()), (me == CLIENT, 0));
                party.infer(inputs, s)
            }
        };
        let (vendor, client) = together(sit(VENDOR), sit(CLIENT));
        for again in [vendor, client] {
            let exhausted = RunError::Local(LocalFault::Stock(StockFault::Exhausted));
            assert_eq!(again.err(), Some(exhausted));
        }
    }
    Ok(())
}
