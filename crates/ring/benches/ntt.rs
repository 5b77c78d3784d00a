//! Transforms and sums of products, every kernel of this CPU beside the portable one.

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use subrosa_ring::ntt::{Kernel, Modulus, Ntt};

/// The largest prime below 2^50 that is 1 modulo 2 `degree`.
fn prime(degree: usize) -> u64 {
    let step = 2 * degree as u64;
    (1..)
        .map(|i| (1 << 50) - i * step + 1)
        .find(|p| Modulus::new(*p).is_some())
        .unwrap()
}

fn residues(seed: u64, prime: u64, count: usize) -> Vec<u64> {
    (1..=count as u64)
        .map(|i| (i ^ seed << 32).wrapping_mul(0x9e37_79b9_7f4a_7c15) % prime)
        .collect()
}

fn transforms(c: &mut Criterion) {
    for degree in [1024, 2048, 4096, 8192, 16384, 32768] {
        let prime = prime(degree);
        let mut values = residues(0, prime, degree);
        let mut group = c.benchmark_group(format!("ntt/{degree}"));
        for kernel in Kernel::available() {
            let ntt = Ntt::with(kernel, degree, prime).unwrap();
            group.bench_function(format!("forward/{kernel:?}"), |bench| {
                bench.iter(|| ntt.forward(black_box(&mut values)));
            });
            group.bench_function(format!("inverse/{kernel:?}"), |bench| {
                bench.iter(|| ntt.inverse(black_box(&mut values)));
            });
        }
    }
}

fn sums_of_products(c: &mut Criterion) {
    let degree = 8192;
    let prime = prime(degree);
    for count in [1, 8, 32] {
        let factors: Vec<_> = (0..count)
            .map(|i| (residues(i, prime, degree), residues(!i, prime, degree)))
            .collect();
        let products: Vec<_> = factors.iter().map(|(x, w)| (&x[..], &w[..])).collect();
        let mut sums = residues(7, prime, degree);
        let mut group = c.benchmark_group(format!("multiply_add/{degree}x{count}"));
        group.throughput(Throughput::Elements(count * degree as u64));
        for kernel in Kernel::available() {
            let ntt = Ntt::with(kernel, degree, prime).unwrap();
            group.bench_function(format!("{kernel:?}"), |bench| {
                bench.iter(|| ntt.multiply_add(black_box(&mut sums), &products));
            });
        }
    }
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .sample_size(20)
        .warm_up_time(std::time::Duration::from_millis(100))
        .measurement_time(std::time::Duration::from_millis(300));
    targets = transforms, sums_of_products
}
criterion_main!(benches);
