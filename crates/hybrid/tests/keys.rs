//! Keys that go to disk and back.

use std::time::Duration;
use subrosa_core::{Malformed, PartyId, Wire};
use subrosa_hybrid::{ClientKeys, OwnerKeys};
use subrosa_net::{Links, Network, Session, SessionTerms, memory_mesh};
use subrosa_rlwe::{Parameters, ParametersLiteral};

const CLIENT: PartyId = PartyId(0);
const OWNER: PartyId = PartyId(1);

fn parameters(prime_bits: &[u32]) -> Parameters {
    let prime_bits = prime_bits.to_vec();
    let degree = 64;
    let literal = ParametersLiteral { degree, prime_bits };
    literal.insecure_check().unwrap()
}

fn session(links: Links, peer: PartyId) -> Session {
    let terms = SessionTerms {
        fingerprints: vec![(peer, [0; 32])],
        timeout: Duration::from_secs(20),
        insecure_seed: None,
        untold: Vec::new(),
    };
    Session::open(links, terms).unwrap()
}

/// Of one setup.
fn keys(p: &Parameters) -> (ClientKeys, OwnerKeys) {
    let mut mesh = memory_mesh(&[CLIENT, OWNER], &[(CLIENT, OWNER)], Network::LOOPBACK);
    let (client, owner) = (mesh.remove(&CLIENT).unwrap(), mesh.remove(&OWNER).unwrap());
    std::thread::scope(|scope| {
        let client =
            scope.spawn(|| ClientKeys::setup(p, OWNER, &mut session(client, OWNER)).unwrap());
        let owner = OwnerKeys::setup(p, CLIENT, &mut session(owner, CLIENT)).unwrap();
        (client.join().unwrap(), owner)
    })
}

fn encoded(value: &impl Wire) -> Vec<u8> {
    let mut bytes = Vec::new();
    value.encode(&mut bytes);
    bytes
}

/// Come back from their bytes, and from no part of them.
fn check<T: Wire<Layout = Parameters>>(keys: &T, p: &Parameters) {
    let bytes = encoded(keys);
    assert_eq!(T::size(p).0, bytes.len() as u64);
    let again = T::decode(p, &bytes).unwrap_or_else(|malformed| panic!("{malformed}"));
    assert_eq!(encoded(&again), bytes);
    for wrong in [&bytes[..bytes.len() - 1], &[&bytes[..], &[0]].concat()] {
        let found = T::decode(p, wrong).err();
        assert!(matches!(found, Some(Malformed::Length { .. })));
    }
    assert!(T::decode(p, &bytes[1..]).is_err());
    let mut wrong = bytes.clone();
    wrong[..8].fill(0xff);
    assert_eq!(T::decode(p, &wrong).err(), Some(Malformed::Range));
}

#[test]
fn keys_of_both_sides_come_back_from_their_bytes() {
    let p = parameters(&[40, 30]);
    let (client, owner) = keys(&p);
    check(&client, &p);
    check(&owner, &p);
    let other = OwnerKeys::decode(&parameters(&[40, 31]), &encoded(&owner)).err();
    assert!(matches!(other, Some(Malformed::Length { .. })));
}
