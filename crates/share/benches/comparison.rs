//! One evaluator's work for a layer of comparisons, and the dealer's, at the sizes of nets A (128 values) and
//! C (the first max-pool of one image, and of 128).

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use std::hint::black_box;
use subrosa_core::{Prg, Seed};
use subrosa_ring::BitMatrix;
use subrosa_share::Evaluator::First;
use subrosa_share::compare::{Comparison, Evaluation, deal};

const BITS: u32 = 22;

fn comparison(criterion: &mut Criterion) {
    for (name, lanes) in [("A", 128), ("C", 5760), ("C x 128", 5760 * 128)] {
        let shape = Comparison::new(lanes, BITS);
        let mut prg = Prg::new(&Seed::insecure_seeded(1));
        let c = prg.words(BITS, lanes);
        let random = |prg: &mut Prg, l: subrosa_core::BitsLayout| prg.bits(l.planes, l.lanes);
        let rows = random(&mut prg, shape.rows());
        let masks = random(&mut prg, shape.free_rows());
        let opened: Vec<BitMatrix> = (0..shape.levels())
            .map(|level| random(&mut prg, shape.opening(level)))
            .collect();
        let mut group = criterion.benchmark_group(format!("comparison {name}"));
        group.throughput(Throughput::Elements(lanes as u64));
        group.sample_size(10);
        group.bench_function("look up", |b| {
            b.iter(|| black_box(Evaluation::new(&shape, First, &c, &rows)));
        });
        group.bench_function("evaluate", |b| {
            b.iter(|| {
                let mut evaluation = Evaluation::new(&shape, First, &c, &rows);
                for (level, opened) in opened.iter().enumerate() {
                    black_box(evaluation.open(level));
                    evaluation.merge(level, opened);
                }
                evaluation.masked_sign()
            });
        });
        group.bench_function("deal", |b| b.iter(|| deal(&shape, &c, &masks)));
        group.finish();
    }
}

criterion_group!(benches, comparison);
criterion_main!(benches);
