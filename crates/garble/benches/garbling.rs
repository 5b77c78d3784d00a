//! AND gates a second on one core: garbled, evaluated, and in the clear.

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use std::hint::black_box;
use subrosa_core::{Prg, Seed};
use subrosa_garble::{Circuit, Evaluator, Garbler, neural};
use subrosa_ring::BitMatrix;

fn circuits() -> [(&'static str, Circuit, usize); 5] {
    [
        ("relu 40", neural::relu_remask(40, 40), 64),
        (
            "relu 40, shift 12",
            neural::relu_truncate_remask(40, 12, 40),
            64,
        ),
        ("max of 4, 40", neural::max_remask(40, 40, 4), 64),
        ("relu 40, 4096 lanes", neural::relu_remask(40, 40), 4096),
        ("relu 40, one lane", neural::relu_remask(40, 40), 1),
    ]
}

fn garbling(c: &mut Criterion) {
    for (name, circuit, lanes) in circuits() {
        let mut group = c.benchmark_group(name);
        group.throughput(Throughput::Elements((circuit.ands() * lanes) as u64));
        let mut garbler = Garbler::new(Prg::new(&Seed::insecure_seeded(1)));
        group.bench_function("garble", |b| {
            b.iter(|| black_box(garbler.garble(&circuit, lanes)));
        });
        let zeros = BitMatrix::new(circuit.input_bits(), lanes);
        let mut evaluator = Evaluator::new();
        let all = 0..circuit.input_bits();
        group.bench_function("evaluate", |b| {
            b.iter_batched(
                || {
                    let mut garbled = garbler.garble(&circuit, lanes);
                    let labels = garbled.inputs.take(all.clone()).unwrap().choose(&zeros);
                    (garbled.tables, labels.unwrap())
                },
                |(tables, labels)| {
                    let found = evaluator.evaluate(&circuit, tables, labels);
                    black_box(found.unwrap().colours())
                },
                BatchSize::LargeInput,
            );
        });
        group.bench_function("in the clear", |b| {
            b.iter(|| black_box(circuit.evaluate_lanes(&zeros)));
        });
        group.finish();
    }
}

criterion_group!(benches, garbling);
criterion_main!(benches);
