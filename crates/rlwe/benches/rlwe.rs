//! What a client and an owner do for one ciphertext: N = 4096, two primes of 40 bits, plaintexts of 40 bits.

use std::hint::black_box;

use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use subrosa_core::{Prg, Seed, Wire};
use subrosa_rlwe::{Ciphertext, Fresh, Hiding, ParametersLiteral, SecretKey};

const PLAIN_BITS: u32 = 40;

fn ciphertext(c: &mut Criterion) {
    let literal = ParametersLiteral {
        degree: 4096,
        prime_bits: vec![40, 40],
    };
    let p = literal.check().unwrap();
    let n = p.degree();
    let mut rng = Prg::new(&Seed::insecure_seeded(1));
    let key = SecretKey::random(&p, &mut rng);
    let public = key.public_key(&p, &mut rng);
    let m = rng.words(PLAIN_BITS, n);
    let weights: Vec<i64> = rng
        .words(8, n)
        .into_iter()
        .map(|w| w as i64 - 128)
        .collect();
    let positions: Vec<usize> = (0..n).collect();
    let fresh = key.encrypt(&p, p.scale(PLAIN_BITS, &m), &mut rng);
    let x = fresh.expand(&p);
    let w = p.lift(&weights).into_eval(&p);
    let mut sum = Ciphertext::zero(&p);
    let mut bytes = Vec::new();
    fresh.encode(&mut bytes);

    let mut group = c.benchmark_group("4096x[40,40]");
    group.bench_function("scale and encrypt", |bench| {
        bench.iter(|| key.encrypt(&p, p.scale(PLAIN_BITS, black_box(&m)), &mut rng));
    });
    group.bench_function("encode", |bench| {
        bench.iter(|| {
            bytes.clear();
            black_box(&fresh).encode(&mut bytes);
        });
    });
    group.bench_function("decode", |bench| {
        bench.iter(|| Fresh::decode(&p, black_box(&bytes)).unwrap());
    });
    group.bench_function("expand", |bench| {
        bench.iter(|| black_box(&fresh).expand(&p))
    });
    group.bench_function("lift weights", |bench| {
        bench.iter(|| p.lift(black_box(&weights)).into_eval(&p));
    });
    group.bench_function("multiply_add", |bench| {
        bench.iter(|| sum.multiply_add(&p, black_box(&x), &w));
    });
    let products = [(&x, &w); 16];
    group.bench_function("multiply_add_all, of 16", |bench| {
        bench.iter(|| sum.multiply_add_all(&p, black_box(&products)));
    });
    for count in [n / 8, n] {
        let positions = &positions[..count];
        group.bench_function(format!("answer at {count}"), |bench| {
            let answer = |sum: Ciphertext| {
                sum.answer(&p, &public, PLAIN_BITS, positions, Hiding::full(), &mut rng)
            };
            bench.iter_batched(|| sum.clone(), answer, BatchSize::LargeInput);
        });
        let (answer, _) =
            sum.clone()
                .answer(&p, &public, PLAIN_BITS, positions, Hiding::full(), &mut rng);
        group.bench_function(format!("open at {count}"), |bench| {
            bench.iter(|| key.open(&p, PLAIN_BITS, black_box(&answer), positions));
        });
    }
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .sample_size(20)
        .warm_up_time(std::time::Duration::from_millis(100))
        .measurement_time(std::time::Duration::from_millis(300));
    targets = ciphertext
}
criterion_main!(benches);
