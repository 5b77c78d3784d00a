//! Messages that go round, messages that cross, and what they cost.

use crate::mesh::{self, Mesh, run, terms};
use std::time::{Duration, Instant};
use subrosa_core::{Bytes, PartyId, Rounds, Words, WordsLayout};
use subrosa_net::*;

fn check_ring(mesh: Mesh) {
    let words = |p: PartyId, n: usize| Words {
        bits: 48,
        values: vec![u64::from(p.0) + 1; n],
    };
    let ids = run(mesh, |me, mut links| {
        let (next, before) = (PartyId((me.0 + 1) % 3), PartyId((me.0 + 2) % 3));
        let mut all = Vec::new();
        for _ in 0..2 {
            let mut session = Session::open(links, terms(me, 20_000)).unwrap();
            session.enter(Phase::Online);
            for (step, count) in [0, 1, 1000, 2_000_000].into_iter().enumerate() {
                let layout = WordsLayout { count, bits: 48 };
                let out = vec![(next, words(me, count))];
                let got: Vec<Words> = session
                    .exchange(Step(step as u32), out, &[(before, layout)])
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
    });
    for (me, own) in ids.iter().enumerate() {
        for (run, (to_next, _)) in own.iter().enumerate() {
            assert_eq!(*to_next, ids[(me + 1) % 3][run].1);
        }
    }
    assert_ne!(ids[0][0], ids[0][1]);
}

#[test]
fn a_ring_is_billed_and_pair_ids_agree() {
    check_ring(mesh::memory(Network::LOOPBACK));
    check_ring(mesh::tls(Network::LOOPBACK));
    check_ring(mesh::memory(Network::LAN));
    check_ring(mesh::tls(Network::LAN));
}

/// P0 and P1 send 64 MB to each other.
fn check_bulk(mesh: Mesh) -> Duration {
    const COUNT: usize = 8 << 20;
    let words = |from: PartyId, to: PartyId| {
        let tag = u64::from(from.0) << 60 | u64::from(to.0) << 56;
        Words {
            bits: 64,
            values: (0..COUNT as u64).map(|i| i | tag).collect(),
        }
    };
    let times = run(mesh, |me, links| {
        let mut session = Session::open(links, terms(me, 20_000)).unwrap();
        let peer = match me.0 {
            0 => PartyId(1),
            1 => PartyId(0),
            _ => return Duration::ZERO,
        };
        let layout = WordsLayout {
            count: COUNT,
            bits: 64,
        };
        let out = vec![(peer, words(me, peer))];
        let start = Instant::now();
        let got: Vec<Words> = session.exchange(Step(1), out, &[(peer, layout)]).unwrap();
        let time = start.elapsed();
        assert!(got[0] == words(peer, me));
        let cost = Cost {
            bytes: Bytes(64 << 20),
            rounds: Rounds(1),
        };
        assert_eq!(
            *session.bill(),
            Bill {
                setup: cost,
                ..Bill::default()
            }
        );
        time
    });
    times.into_iter().max().unwrap()
}

#[test]
fn messages_of_64_mb_cross() {
    println!("memory {:?}", check_bulk(mesh::memory(Network::LOOPBACK)));
    println!("tls {:?}", check_bulk(mesh::tls(Network::LOOPBACK)));
    let lan = check_bulk(mesh::memory(Network::LAN));
    println!("memory over a lan {lan:?}");
    // 64 MiB at 1 Gbit/s.
    assert!(lan >= Duration::from_millis(536));
    let lan = check_bulk(mesh::tls(Network::LAN));
    println!("tls over a lan {lan:?}");
    assert!(lan >= Duration::from_millis(536));
}

#[test]
fn who_has_sent_its_last_message_takes_part_no_more() {
    run(mesh::memory(Network::LOOPBACK), |me, links| {
        let mut session = Session::open(links, terms(me, 20_000)).unwrap();
        let (next, before) = (PartyId((me.0 + 1) % 3), PartyId((me.0 + 2) % 3));
        session.enter(Phase::Online);
        assert_eq!(session.participation(), Duration::ZERO);
        let word = || Words {
            bits: 8,
            values: vec![1],
        };
        session.send(Step(1), next, word()).unwrap();
        let sent = session.participation();
        assert!(sent > Duration::ZERO);
        let layout = WordsLayout { count: 1, bits: 8 };
        let got: Words = session.receive(Step(1), before, layout).unwrap();
        assert_eq!((got, session.participation()), (word(), sent));
        assert_eq!(session.received(), Bytes(1));
        session.send(Step(2), next, word()).unwrap();
        assert!(session.participation() > sent);
        session.receive::<Words>(Step(2), before, layout).unwrap();
        session.enter(Phase::Offline);
        assert_eq!(session.participation(), Duration::ZERO);
    });
}
