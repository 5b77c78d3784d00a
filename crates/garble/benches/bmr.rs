//! AND gates a second on one core, garbled by several parties: the messages among them, one garbler's rows, and evaluation.

#[path = "../tests/bmr/ideal.rs"]
mod ideal;

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use ideal::{blocks, cots, pairs, prg};
use std::hint::black_box;
use subrosa_core::{Prg, Secret};
use subrosa_garble::bmr::{
    ActiveInputs, Demand, ExpectThird, Garbled, Garbler, Pair, Rows, Third, evaluate,
    receiver_labels, sender_zeros,
};
use subrosa_garble::{ActiveLabels, Circuit, Owner, neural};
use subrosa_ring::BitMatrix;

/// What one garbler begins with.
type Start = (Garbler, Vec<u128>, Vec<Pair>);

/// All garblers, and the evaluator's labels of shared inputs that are 0.
fn start(circuit: &Circuit, n: usize, lanes: usize) -> (Vec<Start>, Vec<ActiveLabels>) {
    let mut ideal = prg(1);
    let offsets: Vec<u128> = blocks(&mut ideal, n).iter().map(|r| r | 1).collect();
    let bits = BitMatrix::new(circuit.bits_of(Owner::Evaluator), lanes);
    let mut labels = Vec::new();
    let all = pairs(&offsets, Demand::of(circuit), lanes, &mut ideal);
    let starts = all.into_iter().enumerate().map(|(i, pairs)| {
        let (sender, receiver) = cots(offsets[i], bits.planes(), lanes, &mut ideal);
        let (flips, label) = receiver_labels(receiver, &bits).unwrap();
        labels.push(label);
        let offset = Secret::new(offsets[i]);
        let zeros = sender_zeros(sender, &flips, &offset).unwrap();
        (Garbler::new(i, n, offset, stream(i)), zeros, pairs)
    });
    (starts.collect(), labels)
}

fn stream(place: usize) -> Prg {
    prg(100 + place as u64)
}

/// Messages by sender to messages by receiver.
fn delivered<M>(sent: Vec<Vec<M>>) -> Vec<Vec<M>> {
    let mut received: Vec<Vec<M>> = sent.iter().map(|_| Vec::new()).collect();
    for (from, messages) in sent.into_iter().enumerate() {
        for (i, message) in messages.into_iter().enumerate() {
            received[i + usize::from(i >= from)].push(message);
        }
    }
    received
}

fn messages<'c>(
    circuit: &'c Circuit,
    lanes: usize,
    starts: Vec<Start>,
) -> Vec<(ExpectThird<'c>, Vec<Third>)> {
    let shares = BitMatrix::new(circuit.bits_of(Owner::Evaluator), lanes);
    let begun = starts.into_iter().map(|(mut garbler, zeros, pairs)| {
        garbler
            .begin(circuit, lanes, &shares, zeros, pairs)
            .unwrap()
    });
    let (stages, sent): (Vec<_>, Vec<_>) = begun.unzip();
    let next = stages.into_iter().zip(delivered(sent));
    let (stages, sent): (Vec<_>, Vec<_>) = next.map(|(s, m)| s.second(m).unwrap()).unzip();
    let next = stages.into_iter().zip(delivered(sent));
    let (stages, sent): (Vec<_>, Vec<_>) = next.map(|(s, m)| s.third(m).unwrap()).unzip();
    stages.into_iter().zip(delivered(sent)).collect()
}

fn bmr(c: &mut Criterion) {
    let circuit = neural::relu_shared(40);
    for (n, lanes) in [(2, 64), (2, 4096), (3, 64), (8, 64)] {
        let mut group = c.benchmark_group(format!("{n} garblers, relu 40, {lanes} lanes"));
        let gates = (circuit.ands() * lanes) as u64;
        group.throughput(Throughput::Elements(gates * n as u64));
        group.bench_function("messages", |b| {
            b.iter_batched(
                || start(&circuit, n, lanes).0,
                |starts| black_box(messages(&circuit, lanes, starts)),
                BatchSize::PerIteration,
            );
        });
        group.throughput(Throughput::Elements(gates));
        group.bench_function("rows", |b| {
            b.iter_batched(
                || messages(&circuit, lanes, start(&circuit, n, lanes).0).remove(0),
                |(stage, thirds)| black_box(stage.finish(thirds).unwrap()),
                BatchSize::PerIteration,
            );
        });
        let bits = BitMatrix::new(circuit.bits_of(Owner::Evaluator), lanes);
        group.bench_function("evaluate", |b| {
            b.iter_batched(
                || {
                    let (starts, labels) = start(&circuit, n, lanes);
                    let made = messages(&circuit, lanes, starts).into_iter();
                    let made: Vec<Garbled> = made.map(|(s, m)| s.finish(m).unwrap()).collect();
                    let (mut rows, mut public) = (Vec::new(), Vec::new());
                    for part in made {
                        rows.push(part.rows);
                        public.push(part.publics.choose(&bits).unwrap());
                    }
                    (Rows::add(rows).unwrap(), labels, public)
                },
                |(rows, shared, public)| {
                    let of = |labels| ActiveInputs {
                        bits: &bits,
                        labels,
                    };
                    black_box(evaluate(&circuit, rows, of(shared), of(public)).unwrap())
                },
                BatchSize::PerIteration,
            );
        });
        group.finish();
    }
}

criterion_group!(benches, bmr);
criterion_main!(benches);
