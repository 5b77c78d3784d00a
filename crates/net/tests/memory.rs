//! Sessions between threads of one process.

use std::collections::BTreeMap;
use std::thread;
use std::time::Duration;
use subrosa_core::{Bytes, PartyId, Rounds, Words, WordsLayout};
use subrosa_net::*;

const P: [PartyId; 3] = [PartyId(0), PartyId(1), PartyId(2)];
const PAIRS: [(PartyId, PartyId); 3] = [(P[0], P[1]), (P[1], P[2]), (P[2], P[0])];

fn terms(me: PartyId) -> SessionTerms {
    SessionTerms {
        fingerprints: P
            .into_iter()
            .filter(|p| *p != me)
            .map(|p| (p, [7; 32]))
            .collect(),
        timeout: Duration::from_secs(5),
        insecure_seed: None,
    }
}

fn run<T: Send>(
    links: BTreeMap<PartyId, Links>,
    party: impl Fn(PartyId, Links) -> T + Sync,
) -> Vec<T> {
    thread::scope(|scope| {
        let party = &party;
        let threads: Vec<_> = links
            .into_iter()
            .map(|(me, links)| scope.spawn(move || party(me, links)))
            .collect();
        threads.into_iter().map(|t| t.join().unwrap()).collect()
    })
}

#[test]
fn a_ring_of_messages_is_billed_and_pair_ids_agree() {
    let words = |p: PartyId, n: usize| Words {
        bits: 48,
        values: vec![u64::from(p.0) + 1; n],
    };
    let ids = run(
        memory_mesh(&P, &PAIRS, Network::LOOPBACK),
        |me, mut links| {
            let (next, before) = (PartyId((me.0 + 1) % 3), PartyId((me.0 + 2) % 3));
            let mut all = Vec::new();
            for _ in 0..2 {
                let mut session = Session::open(links, terms(me)).unwrap();
                session.enter(Phase::Online);
                for (step, count) in [0, 1, 1000, 2_000_000].into_iter().enumerate() {
                    let layout = WordsLayout { count, bits: 48 };
                    let got: Vec<Words> = session
                        .exchange(
                            Step(step as u32),
                            vec![(next, words(me, count))],
                            &[(before, layout)],
                        )
                        .unwrap();
                    assert_eq!(got, [words(before, count)]);
                }
                session.send(Step(9), next, ()).unwrap();
                session.receive::<()>(Step(9), before, ()).unwrap();
                let cost = Cost {
                    bytes: Bytes(6 * 2_001_001),
                    rounds: Rounds(5),
                };
                assert_eq!(
                    *session.bill(),
                    Bill {
                        online: cost,
                        ..Bill::default()
                    }
                );
                all.push((
                    session.pair_id(next).unwrap(),
                    session.pair_id(before).unwrap(),
                ));
                links = session.close();
            }
            all
        },
    );
    for (me, own) in ids.iter().enumerate() {
        for (run, (to_next, _)) in own.iter().enumerate() {
            assert_eq!(*to_next, ids[(me + 1) % 3][run].1);
        }
    }
    assert_ne!(ids[0][0], ids[0][1]);
}
