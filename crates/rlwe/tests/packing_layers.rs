//! Encrypted layers against the plain kernels.

use proptest::prelude::*;
use subrosa_core::{Prg, Seed, Wire};
use subrosa_ring::{ConvShape, conv_acc, mask, matmul_acc};
use subrosa_rlwe::{
    Answer, Hiding, Layer, Parameters, ParametersLiteral, Product, Query, SecretKey, parameters_for,
};

fn small(degree: usize) -> Parameters {
    let prime_bits = vec![45, 45];
    ParametersLiteral { degree, prime_bits }
        .insecure_check()
        .unwrap()
}

fn conv(shape: [usize; 5], kernel: usize, stride: usize, pad: usize, groups: usize) -> Product {
    let [batch, in_channels, in_height, in_width, out_channels] = shape;
    Product::Conv(ConvShape {
        batch,
        in_channels,
        in_height,
        in_width,
        out_channels,
        kernel_height: kernel,
        kernel_width: kernel,
        stride: [stride; 2],
        dilation: [1; 2],
        pad_begin: [pad; 2],
        pad_end: [pad; 2],
        groups,
    })
}

fn plain(product: &Product, x: &[u64], w: &[i64]) -> Vec<u64> {
    let w: Vec<u64> = w.iter().map(|w| *w as u64).collect();
    let mut out = vec![0; product.out_len()];
    match *product {
        Product::MatMul {
            rows,
            inner,
            columns,
        } => {
            matmul_acc(x, &w, &mut out, rows, inner, columns);
        }
        Product::Conv(shape) => conv_acc(64, &shape, x, &w, &mut out),
        Product::Diagonal {
            channels, inner, ..
        } => {
            let channel = |i: usize| i / inner % channels;
            out = x
                .iter()
                .enumerate()
                .map(|(i, x)| x.wrapping_mul(w[channel(i)]))
                .collect();
        }
    }
    out
}

/// Largest weights that the tests use: 2^WEIGHT_BITS - 1.
const WEIGHT_BITS: u32 = 12;

fn operands(product: &Product, plain_bits: u32, rng: &mut Prg) -> (Vec<u64>, Vec<i64>) {
    let x = rng.words(plain_bits, product.in_len());
    let w = rng.words(WEIGHT_BITS + 1, product.weight_len());
    let half = 1 << WEIGHT_BITS;
    (x, w.into_iter().map(|w| w as i64 - half).collect())
}

fn through<T: Wire>(layout: &T::Layout, value: &T, bytes: u64) -> T {
    let mut encoded = Vec::new();
    value.encode(&mut encoded);
    assert_eq!(encoded.len() as u64, bytes);
    for wrong in [
        &encoded[..encoded.len().saturating_sub(1)],
        &[&encoded[..], &[0]].concat(),
    ] {
        assert!(wrong.is_empty() || T::decode(layout, wrong).is_err());
    }
    T::decode(layout, &encoded).unwrap()
}

fn check(p: &Parameters, product: &Product, plain_bits: u32, dropped: u32, seed: u64) {
    let mut rng = Prg::new(&Seed::insecure_seeded(seed));
    let key = SecretKey::random(p, &mut rng);
    let pk = key.public_key(p, &mut rng);
    let layer = Layer::dropping(product, p, plain_bits, dropped);
    let (x, w) = operands(product, plain_bits, &mut rng);

    let query = layer.encrypt(&key, &x, 2, &mut rng);
    let query: Query = through(&layer.query_layout(), &query, layer.query_bytes().0);
    let (answer, share) = layer.evaluate(&pk, &query, &w, Hiding::full(), 2, &mut rng);
    let answer: Answer = through(&layer.answer_layout(), &answer, layer.answer_bytes().0);
    let found = layer.join(&layer.open(&key, &answer, 2), &share);

    let kept = plain_bits - dropped;
    for (found, out) in found.iter().zip(plain(product, &x, &w)) {
        let exact = (out & mask(plain_bits)) >> dropped;
        // The part that is dropped rounds either way.
        let error = found.wrapping_sub(exact).wrapping_add(1) & mask(kept);
        assert!(
            error <= 2 + u64::from(dropped > 0),
            "{product:?} {plain_bits} {dropped}"
        );
    }
}

fn convolutions() -> impl Strategy<Value = Product> {
    let sizes = (1usize..3, 1usize..4, 1usize..9, 1usize..9, 1usize..4);
    (sizes, 1usize..4, 1usize..4, 0usize..3, 1usize..3).prop_map(
        |((batch, ic, h, w, oc), kernel, stride, pad, groups)| {
            conv(
                [batch, ic * groups, h, w, oc * groups],
                kernel,
                stride,
                pad,
                groups,
            )
        },
    )
}

fn products() -> impl Strategy<Value = Product> {
    prop_oneof![
        2 => convolutions(),
        1 => (1usize..5, 1usize..30, 1usize..30).prop_map(|(rows, inner, columns)| {
            Product::MatMul { rows, inner, columns }
        }),
        1 => (1usize..3, 1usize..9, 1usize..70).prop_map(|(outer, channels, inner)| {
            Product::Diagonal { outer, channels, inner }
        }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn layers_at_a_small_degree(product in products(), plain_bits in 13u32..=60, seed in any::<u64>()) {
        check(&small(64), &product, plain_bits, 0, seed);
        check(&small(64), &product, plain_bits, plain_bits / 2, seed);
    }
}

#[test]
fn layers_at_a_secure_degree() {
    let fully_connected = Product::MatMul {
        rows: 1,
        inner: 784,
        columns: 128,
    };
    let cases = [
        (&fully_connected, 40),
        (&fully_connected, 64),
        (&conv([1, 16, 16, 16, 8], 3, 1, 1, 1), 40),
        (&conv([1, 4, 33, 31, 5], 3, 2, 1, 1), 24),
        (&conv([3, 6, 28, 28, 6], 5, 1, 2, 6), 40),
        (&conv([1, 1, 80, 80, 2], 5, 1, 0, 1), 40),
        (
            &Product::Diagonal {
                outer: 2,
                channels: 300,
                inner: 3,
            },
            40,
        ),
    ];
    for (seed, (product, plain_bits)) in cases.into_iter().enumerate() {
        let literal = parameters_for(plain_bits, WEIGHT_BITS, 1 << 15).unwrap();
        check(
            &literal.check().unwrap(),
            product,
            plain_bits,
            0,
            seed as u64,
        );
    }
}

/// Twelve bits less to keep take 52-bit elements from degree 8192 to 4096.
#[test]
fn dropped_bits_save_a_degree() {
    let product = Product::MatMul {
        rows: 1,
        inner: 200,
        columns: 60,
    };
    let whole = parameters_for(52, WEIGHT_BITS, 1 << 12).unwrap();
    let literal = parameters_for(40, WEIGHT_BITS, 1 << 12).unwrap();
    assert_eq!((whole.degree, literal.degree), (8192, 4096));
    check(&literal.check().unwrap(), &product, 52, 12, 3);
}

#[test]
fn what_comes_out_does_not_depend_on_threads() {
    let p = small(64);
    let product = conv([2, 3, 9, 9, 4], 3, 1, 1, 1);
    let layer = Layer::new(&product, &p, 40);
    let run = |threads: usize| {
        let mut rng = Prg::new(&Seed::insecure_seeded(5));
        let key = SecretKey::random(&p, &mut rng);
        let pk = key.public_key(&p, &mut rng);
        let (x, w) = operands(&product, 40, &mut rng);
        let query = layer.encrypt(&key, &x, threads, &mut rng);
        let mut bytes = Vec::new();
        query.encode(&mut bytes);
        let (answer, share) = layer.evaluate(&pk, &query, &w, Hiding::full(), threads, &mut rng);
        answer.encode(&mut bytes);
        (bytes, share, layer.open(&key, &answer, threads))
    };
    let one = run(1);
    for threads in [0, 2, 3, 40] {
        assert!(run(threads) == one, "{threads} threads");
    }
}

/// An output that reads padding alone is zero at both ends, without a ciphertext.
#[test]
fn products_of_nothing() {
    let p = small(64);
    for product in [
        Product::MatMul {
            rows: 2,
            inner: 0,
            columns: 3,
        },
        Product::MatMul {
            rows: 2,
            inner: 3,
            columns: 0,
        },
        conv([1, 1, 0, 4, 1], 3, 1, 3, 1),
        conv([1, 2, 2, 2, 2], 3, 1, 0, 1),
        Product::Diagonal {
            outer: 1,
            channels: 0,
            inner: 4,
        },
    ] {
        let layer = Layer::new(&product, &p, 40);
        assert_eq!(
            layer.query_bytes().0 + layer.answer_bytes().0,
            0,
            "{product:?}"
        );
        check(&p, &product, 40, 0, 1);
    }
}

/// More answers with the same weights, and more weights for an answer, than are held at a time.
#[test]
fn layers_of_many_polynomials() {
    let p = small(16);
    for product in [
        Product::MatMul {
            rows: 9,
            inner: 150,
            columns: 3,
        },
        conv([2, 1, 30, 30, 2], 3, 1, 1, 1),
    ] {
        let layer = Layer::new(&product, &p, 40);
        let packing = layer.packing();
        let sums = packing.products() / packing.weight_polynomials();
        let weights = packing.products() / packing.answers();
        assert!(weights > 8 || sums > 32, "{weights} {sums}");
        check(&p, &product, 40, 0, 11);
    }
}
