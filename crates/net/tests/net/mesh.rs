//! Three parties, each in a thread of its own, on any transport.
#![allow(dead_code)]

use std::collections::BTreeMap;
use std::thread;
use std::time::Duration;
use subrosa_core::PartyId;
use subrosa_net::*;

pub const P: [PartyId; 3] = [PartyId(0), PartyId(1), PartyId(2)];
pub const PAIRS: [(PartyId, PartyId); 3] = [(P[0], P[1]), (P[1], P[2]), (P[2], P[0])];

pub type Mesh = BTreeMap<PartyId, Links>;

pub fn memory(network: Network) -> Mesh {
    memory_mesh(&P, &PAIRS, network)
}

/// Each listens, and dials those below itself.
pub fn tls(network: Network) -> Mesh {
    let identities: Vec<_> = P.iter().map(|_| Identity::generate().unwrap()).collect();
    let endpoints: Vec<_> = P
        .iter()
        .map(|_| Endpoint::bind("127.0.0.1:0").unwrap())
        .collect();
    let addresses: Vec<_> = endpoints.iter().map(|e| e.local_addr().unwrap()).collect();
    let prints: Vec<_> = identities.iter().map(Identity::fingerprint).collect();
    thread::scope(|scope| {
        let threads: Vec<_> = P
            .iter()
            .zip(&identities)
            .zip(endpoints)
            .map(|((me, identity), endpoint)| {
                let peer = |p: &PartyId| Peer {
                    party: *p,
                    fingerprint: prints[usize::from(p.0)],
                    address: (p < me).then(|| addresses[usize::from(p.0)]),
                };
                let peers: Vec<_> = P.iter().filter(|p| *p != me).map(peer).collect();
                let timeout = Duration::from_secs(20);
                scope.spawn(move || {
                    let links = connect(*me, identity, Some(endpoint), &peers, network, timeout);
                    (*me, links.unwrap())
                })
            })
            .collect();
        threads
            .into_iter()
            .map(|thread| thread.join().unwrap())
            .collect()
    })
}

pub fn terms(me: PartyId, timeout_ms: u64) -> SessionTerms {
    SessionTerms {
        fingerprints: P
            .into_iter()
            .filter(|p| *p != me)
            .map(|p| (p, [7; 32]))
            .collect(),
        untold: Vec::new(),
        timeout: Duration::from_millis(timeout_ms),
        insecure_seed: None,
    }
}

/// Runs every party to its end, in the order of their numbers.
pub fn run<T: Send>(mesh: Mesh, party: impl Fn(PartyId, Links) -> T + Sync) -> Vec<T> {
    thread::scope(|scope| {
        let party = &party;
        let threads: Vec<_> = mesh
            .into_iter()
            .map(|(me, links)| scope.spawn(move || party(me, links)))
            .collect();
        threads
            .into_iter()
            .map(|thread| thread.join().unwrap())
            .collect()
    })
}
