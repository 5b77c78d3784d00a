//! Bit planes and packing: a layer of ANDs, the transpositions, every kernel
//! family of this CPU beside the portable one.

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use subrosa_ring::bits::{and_xor_into_with, from_planes_with, to_planes_with};
use subrosa_ring::{Simd, expand_bits, pack_into, to_planes, unpack};

fn elements(count: usize) -> Vec<u64> {
    (1..=count as u64)
        .map(|i| i.wrapping_mul(0x9e37_79b9_7f4a_7c15))
        .collect()
}

fn and_layer(c: &mut Criterion) {
    let mut group = c.benchmark_group("and_xor_into");
    for lanes in [8192, 1 << 20] {
        let (a, b) = (elements(lanes / 64), elements(lanes / 64));
        let mut acc = a.clone();
        group.throughput(Throughput::Elements(lanes as u64));
        for simd in Simd::available() {
            group.bench_function(format!("{lanes} lanes/{simd:?}"), |bench| {
                bench.iter(|| and_xor_into_with(simd, &mut acc, black_box(&a), &b));
            });
        }
    }
}

fn transposition(c: &mut Criterion) {
    for count in [128, 1000, 65536] {
        let values = elements(count);
        let mut group = c.benchmark_group(format!("planes/{count} values"));
        group.throughput(Throughput::Elements(count as u64));
        for planes in [1, 32, 64] {
            for simd in Simd::available() {
                group.bench_function(format!("to/{planes}/{simd:?}"), |bench| {
                    bench.iter(|| to_planes_with(simd, black_box(&values), 0, planes));
                });
                let matrix = to_planes(&values, 0, planes);
                group.bench_function(format!("from/{planes}/{simd:?}"), |bench| {
                    bench.iter(|| from_planes_with(simd, black_box(&matrix)));
                });
            }
        }
        let row = elements(count.div_ceil(64));
        group.bench_function("expand_bits", |bench| {
            bench.iter(|| expand_bits(black_box(&row), count));
        });
    }
}

fn packing(c: &mut Criterion) {
    let values = elements(65536);
    let mut group = c.benchmark_group("packing/65536 values");
    group.throughput(Throughput::Elements(values.len() as u64));
    for bits in [1, 32, 33, 40, 48, 64] {
        let mut bytes = Vec::new();
        group.bench_function(format!("pack/{bits}"), |bench| {
            bench.iter(|| {
                bytes.clear();
                pack_into(black_box(&values), bits, &mut bytes);
            });
        });
        group.bench_function(format!("unpack/{bits}"), |bench| {
            bench.iter(|| unpack(black_box(&bytes), bits, values.len()));
        });
    }
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .sample_size(20)
        .warm_up_time(std::time::Duration::from_millis(100))
        .measurement_time(std::time::Duration::from_millis(300));
    targets = and_layer, transposition, packing
}
criterion_main!(benches);
