//! Matrix products and convolutions at the layer sizes of two small networks,
//! every kernel family of this CPU beside the portable one and the plain
//! triple loop.

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use subrosa_ring::{
    ConvShape, Packed, Simd, conv_acc_with, matmul_acc_bits_with, matmul_acc_packed,
};

fn elements(count: usize) -> Vec<u64> {
    (1..=count as u64)
        .map(|i| i.wrapping_mul(0x9e37_79b9_7f4a_7c15))
        .collect()
}

fn triple_loop(a: &[u64], b: &[u64], out: &mut [u64], k: usize, n: usize) {
    for (a, out) in a.chunks_exact(k).zip(out.chunks_exact_mut(n)) {
        for (&a, b) in a.iter().zip(b.chunks_exact(n)) {
            for (out, &b) in out.iter_mut().zip(b) {
                *out = out.wrapping_add(a.wrapping_mul(b));
            }
        }
    }
}

fn matmul(c: &mut Criterion) {
    for (k, n) in [(784, 128), (128, 128), (800, 500)] {
        for m in [1, 4, 8, 128] {
            let (a, b) = (elements(m * k), elements(k * n));
            let mut out = vec![0; m * n];
            let mut group = c.benchmark_group(format!("matmul/{m}x{k}x{n}"));
            group.throughput(Throughput::Elements((m * k * n) as u64));
            group.bench_function("triple loop", |bench| {
                bench.iter(|| triple_loop(black_box(&a), &b, &mut out, k, n));
            });
            for bits in [64, 32] {
                for simd in Simd::available() {
                    group.bench_function(format!("{simd:?}/{bits}"), |bench| {
                        bench.iter(|| {
                            let a = black_box(&a);
                            matmul_acc_bits_with(simd, bits, a, &b, &mut out, m, k, n);
                        });
                    });
                    let packed = Packed::right_with(simd, bits, &b, k, n);
                    group.bench_function(format!("{simd:?}/{bits} packed"), |bench| {
                        bench.iter(|| matmul_acc_packed(black_box(&a), &packed, &mut out, m));
                    });
                }
            }
        }
    }
}

fn convolution(c: &mut Criterion) {
    let square = |ic: usize, size: usize, oc: usize, kernel: usize, groups: usize| ConvShape {
        batch: 1,
        in_channels: ic,
        in_height: size,
        in_width: size,
        out_channels: oc,
        kernel_height: kernel,
        kernel_width: kernel,
        stride: [1, 1],
        dilation: [1, 1],
        pad_begin: [0, 0],
        pad_end: [0, 0],
        groups,
    };
    let shapes = [
        ("1-20 5x5 of 28x28", square(1, 28, 20, 5, 1)),
        ("20-50 5x5 of 12x12", square(20, 12, 50, 5, 1)),
        ("64-64 3x3 of 34x34", square(64, 34, 64, 3, 1)),
        ("64 depthwise 3x3 of 34x34", square(64, 34, 64, 3, 64)),
    ];
    for (name, shape) in shapes {
        for batch in [1, 128] {
            if batch * shape.in_len() > 1 << 20 {
                continue;
            }
            let shape = ConvShape { batch, ..shape };
            let (x, w) = (elements(shape.in_len()), elements(shape.weight_len()));
            let mut out = vec![0; shape.out_len()];
            let mut group = c.benchmark_group(format!("conv/{batch} of {name}"));
            group.throughput(Throughput::Elements(shape.macs()));
            for bits in [64, 32] {
                for simd in Simd::available() {
                    group.bench_function(format!("{simd:?}/{bits}"), |bench| {
                        bench.iter(|| {
                            conv_acc_with(simd, bits, &shape, black_box(&x), &w, &mut out);
                        });
                    });
                }
            }
        }
    }
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .sample_size(20)
        .warm_up_time(std::time::Duration::from_millis(100))
        .measurement_time(std::time::Duration::from_millis(300));
    targets = matmul, convolution
}
criterion_main!(benches);
