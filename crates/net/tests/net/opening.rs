//! What both ends hold against each other before the first message.

use crate::mesh::{self, P, run, terms};
use std::sync::{Arc, Mutex};
use subrosa_core::PartyId;
use subrosa_net::*;

#[test]
fn another_plan_is_refused_at_both_ends() {
    for transport in [mesh::memory, mesh::tls] {
        let ends = run(transport(Network::LOOPBACK), |me, links| {
            let mut terms = terms(me, 5_000);
            if me == P[1] {
                terms.fingerprints[0].1[31] ^= 1;
            }
            Session::open(links, terms).err()
        });
        for (me, peer) in [(0, P[1]), (1, P[0])] {
            let error = RunError::Peer {
                peer,
                misdeed: Misdeed::Fingerprint,
            };
            assert_eq!(ends[me], Some(error));
        }
    }
}

/// Delivers to P1 what P0 said in its first opening, in place of its second one.
#[derive(Default)]
struct Replay(Mutex<Vec<u8>>);

impl Tap for Replay {
    fn frame(&self, from: PartyId, _: PartyId, index: u64, mut bytes: Vec<u8>) -> Vec<Vec<u8>> {
        let mut first = self.0.lock().unwrap();
        match (from.0, index) {
            (0, 0) => first.extend_from_slice(&bytes[HEADER_LEN..]),
            (0, 1) => bytes[HEADER_LEN..].copy_from_slice(&first),
            _ => {}
        }
        vec![bytes]
    }
}

/// Changes P0's first opening.
struct Change(fn(&mut [u8]));

impl Tap for Change {
    fn frame(&self, from: PartyId, _: PartyId, index: u64, mut bytes: Vec<u8>) -> Vec<Vec<u8>> {
        if from == P[0] && index == 0 {
            (self.0)(&mut bytes[HEADER_LEN..]);
        }
        vec![bytes]
    }
}

fn open_twice(tap: Arc<dyn Tap>, seed: Option<u64>) -> Result<[[u8; 32]; 2], RunError> {
    let pair = [P[0], P[1]];
    let mesh = memory_mesh_tapped(&pair, &[(P[0], P[1])], Network::LOOPBACK, tap);
    let mut ends = run(mesh, |me, mut links| {
        let peer = pair[usize::from(1 - me.0)];
        let mut ids = Vec::new();
        for _ in 0..2 {
            let mut terms = terms(me, 2_000);
            terms.fingerprints.retain(|(peer, _)| pair.contains(peer));
            terms.insecure_seed = seed;
            let session = Session::open(links, terms)?;
            ids.push(session.pair_id(peer)?);
            links = session.close();
        }
        Ok([ids[0], ids[1]])
    });
    ends.remove(1)
}

#[test]
fn pair_ids_repeat_only_for_a_seed() {
    let plain = || Arc::new(Change(|_| ()));
    let [one, two] = open_twice(plain(), None).unwrap();
    assert_ne!(one, two);
    let [one, two] = open_twice(plain(), Some(3)).unwrap();
    assert_eq!(one, two);
    assert_eq!(open_twice(plain(), Some(3)).unwrap()[0], one);
    assert_ne!(open_twice(plain(), Some(4)).unwrap()[0], one);
}

#[test]
fn used_nonces_and_other_identities_are_refused() {
    let blame = |misdeed| {
        Err(RunError::Peer {
            peer: P[0],
            misdeed,
        })
    };
    let end = open_twice(Arc::<Replay>::default(), None);
    assert_eq!(end, blame(Misdeed::RepeatedNonce));
    let end = open_twice(Arc::new(Change(|opening| opening[0] = 2)), None);
    assert_eq!(
        end,
        blame(Misdeed::WrongIdentity {
            expected: P[0],
            found: P[2]
        })
    );
    let end = open_twice(Arc::new(Change(|opening| opening[64] ^= 1)), None);
    assert_eq!(end, blame(Misdeed::Fingerprint));
}

#[test]
fn seeds_are_fresh_unless_they_are_fixed() {
    let draw = |seed: Option<u64>| {
        run(mesh::memory(Network::LOOPBACK), |me, links| {
            let terms = SessionTerms {
                insecure_seed: seed,
                ..terms(me, 2_000)
            };
            let mut session = Session::open(links, terms).unwrap();
            [*session.seed().reveal(), *session.seed().reveal()]
        })
        .concat()
    };
    let mut all = [draw(None), draw(None), draw(Some(1)), draw(Some(2))].concat();
    assert_eq!(draw(Some(1)), all[12..18]);
    all.sort_unstable();
    all.dedup();
    assert_eq!(all.len(), 24);
}

#[test]
fn neighbours_without_a_link_are_refused() {
    let mut meshes = memory_mesh(&P[..2], &[(P[0], P[1])], Network::LOOPBACK);
    let links = meshes.remove(&P[0]).unwrap();
    assert_eq!((links.me(), links.peers()), (P[0], vec![P[1]]));
    let end = Session::open(links, terms(P[0], 100)).err();
    assert_eq!(end, Some(LocalFault::UnknownPeer(P[2]).into()));
}
