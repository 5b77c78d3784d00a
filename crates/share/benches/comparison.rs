//! One evaluator's work for a layer of comparisons, and the dealer's, at the sizes of nets A (128 values) and
//! C (the first max-pool of one image, and of 128).

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use std::hint::black_box;
use subrosa_core::{Prg, Seed};
use subrosa_ring::bits::to_planes_with;
use subrosa_ring::{BitMatrix, Simd, look_up_with};
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
        for simd in Simd::available() {
            group.bench_function(format!("look up, {simd:?}"), |b| {
                b.iter(|| black_box(look_up_all(simd, &c, &rows)));
            });
        }
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

/// Transposes c and looks up the first five blocks of four bits, by the kernels of `simd`.
fn look_up_all(simd: Simd, c: &[u64], rows: &BitMatrix) -> (BitMatrix, BitMatrix) {
    let planes = to_planes_with(simd, c, 0, BITS);
    let (mut g, mut p) = (BitMatrix::new(5, c.len()), BitMatrix::new(5, c.len()));
    for block in 0..5 {
        let table: Vec<&[u64]> = (15 * block..15 * block + 15).map(|r| rows.row(r)).collect();
        let choose: Vec<&[u64]> = (4 * block..4 * block + 4).map(|r| planes.row(r)).collect();
        look_up_with(
            simd,
            &table,
            &choose,
            u64::MAX,
            g.row_mut(block),
            p.row_mut(block),
        );
    }
    (g, p)
}

criterion_group!(benches, comparison);
criterion_main!(benches);
