//! Random OTs made and drawn in a second, two parties on two threads over memory, and the kernels on their own.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use std::time::{Duration, Instant};
use subrosa_ot::*;
use subrosa_ring::{Simd, transpose_128_with};

#[path = "../tests/ot/pair.rs"]
mod pair;

/// OTs of one draw.
const DRAW: usize = 1 << 16;

fn both(keys: &(SenderKeys, ReceiverKeys), extension: &Extension, rounds: u64) -> Duration {
    let draws = extension.total() as usize / DRAW;
    let start = Instant::now();
    let (first, second) = pair::run(
        None,
        |s, turns| {
            for _ in 0..rounds {
                let mut ots = Sender::new(&keys.0, extension, pair::RECEIVER, s)?;
                for _ in 0..draws {
                    ots.draw(1, DRAW, turns, s)?;
                }
            }
            Ok(())
        },
        |s, turns| {
            for _ in 0..rounds {
                let mut ots = Receiver::new(&keys.1, extension, pair::SENDER, s)?;
                for _ in 0..draws {
                    ots.draw(1, DRAW, turns, s)?;
                }
            }
            Ok(())
        },
    );
    first.and(second).unwrap();
    start.elapsed()
}

fn extensions(criterion: &mut Criterion) {
    let keys = pair::keys();
    let mut group = criterion.benchmark_group("random OTs");
    group.sample_size(10);
    let softspoken = [1, 2, 3, 4, 6, 8, 10]
        .map(|k| (format!("softspoken {k}"), Method::SoftSpoken { k }, 1 << 21));
    let silent = SilentSize::ALL.map(|size| {
        (
            format!("silent {size:?}"),
            Method::Silent(size),
            2 * size.outputs(),
        )
    });
    for (name, method, total) in softspoken.into_iter().chain(silent) {
        let extension = Extension::insist(total, method);
        let drawn = extension.total() as usize / DRAW * DRAW;
        group.throughput(Throughput::Elements(drawn as u64));
        group.bench_function(name, |bencher| {
            bencher.iter_custom(|rounds| both(&keys, &extension, rounds));
        });
    }
    group.finish();
}

fn transpositions(criterion: &mut Criterion) {
    let blocks = 128;
    let rows: Vec<u128> = (0..128 * blocks as u128)
        .map(|i| (i << 64) | (i * i))
        .collect();
    let mut out = vec![0; rows.len()];
    let mut group = criterion.benchmark_group("transposition of 128 rows");
    group.throughput(Throughput::Elements(rows.len() as u64));
    for simd in Simd::available() {
        group.bench_function(format!("{simd:?}"), |bencher| {
            bencher.iter(|| transpose_128_with(simd, &rows, &mut out));
        });
    }
    group.finish();
}

criterion_group!(benches, transpositions, extensions);
criterion_main!(benches);
