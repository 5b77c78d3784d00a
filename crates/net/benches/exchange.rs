//! What one exchange among three parties costs, each party in a thread of its own.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use std::thread;
use std::time::{Duration, Instant};
use subrosa_core::{PartyId, Words, WordsLayout};
use subrosa_net::{Links, Network, Session, Step};

#[path = "../tests/net/mesh.rs"]
mod mesh;

/// `rounds` exchanges in a ring: each party sends to the next and waits for the one before.
fn party(me: PartyId, links: Links, rounds: u64, count: usize) -> (Links, Duration) {
    let (next, before) = (PartyId((me.0 + 1) % 3), PartyId((me.0 + 2) % 3));
    let mut session = Session::open(links, mesh::terms(me, 20_000)).unwrap();
    let mut words = Words {
        bits: 64,
        values: vec![u64::from(me.0); count],
    };
    let layout = WordsLayout { count, bits: 64 };
    let start = Instant::now();
    for round in 0..rounds {
        let got = session.exchange(Step(round as u32), vec![(next, words)], &[(before, layout)]);
        words = got.unwrap().remove(0);
    }
    (session.close(), start.elapsed())
}

fn ring(mesh: &mut mesh::Mesh, rounds: u64, count: usize) -> Duration {
    let ends: Vec<_> = thread::scope(|scope| {
        let threads: Vec<_> = std::mem::take(mesh)
            .into_iter()
            .map(|(me, links)| scope.spawn(move || (me, party(me, links, rounds, count))))
            .collect();
        threads
            .into_iter()
            .map(|thread| thread.join().unwrap())
            .collect()
    });
    let slowest = ends.iter().map(|(_, (_, time))| *time).max().unwrap();
    mesh.extend(ends.into_iter().map(|(me, (links, _))| (me, links)));
    slowest
}

fn benches(criterion: &mut Criterion) {
    for (name, count) in [
        ("round of 1 kB", 128),
        ("round of 64 kB", 8 << 10),
        ("round of 8 MB", 1 << 20),
    ] {
        let mut group = criterion.benchmark_group(name);
        group.throughput(Throughput::Bytes(3 * 8 * count as u64));
        group.sample_size(20);
        for (transport, mut mesh) in [
            ("memory", mesh::memory(Network::LOOPBACK)),
            ("tls", mesh::tls(Network::LOOPBACK)),
        ] {
            group.bench_function(transport, |bencher| {
                bencher.iter_custom(|rounds| ring(&mut mesh, rounds, count));
            });
        }
    }
}

criterion_group!(exchange, benches);
criterion_main!(exchange);
