//! Bytes and products of known layers.

use subrosa_ring::ConvShape;
use subrosa_rlwe::noise::{self, Noise};
use subrosa_rlwe::{
    Costs, Layer, Packing, ParametersFault, ParametersLiteral, Product, parameters_for,
    parameters_for_all,
};

fn matmul(rows: usize, inner: usize, columns: usize) -> Product {
    Product::MatMul {
        rows,
        inner,
        columns,
    }
}

/// Channels, size, channels, kernel, stride, padding.
fn conv(shape: [usize; 6]) -> Product {
    let [in_channels, size, out_channels, kernel, stride, pad] = shape;
    Product::Conv(ConvShape {
        batch: 1,
        in_channels,
        in_height: size,
        in_width: size,
        out_channels,
        kernel_height: kernel,
        kernel_width: kernel,
        stride: [stride; 2],
        dilation: [1; 2],
        pad_begin: [pad; 2],
        pad_end: [pad; 2],
        groups: 1,
    })
}

/// Queries, answers and products of known layers where a query's coefficient has 80 bits and an answer's 48.
#[test]
fn plans_of_known_layers() {
    let costs = Costs {
        degree: 4096,
        query_bits: 80,
        answer_bits: 48,
    };
    let cases = [
        (matmul(1, 784, 128), [5, 5, 25]),
        (matmul(1, 128, 128), [2, 2, 4]),
        (matmul(1, 128, 10), [1, 1, 1]),
        (matmul(1, 980, 100), [5, 5, 25]),
        (matmul(1, 800, 500), [9, 11, 99]),
        (matmul(128, 800, 500), [100, 125, 12500]),
        (conv([1, 28, 5, 5, 2, 2]), [1, 2, 2]),
        (conv([1, 28, 20, 5, 1, 0]), [1, 4, 4]),
        (conv([20, 12, 50, 5, 1, 0]), [5, 8, 40]),
        (conv([3, 32, 16, 3, 1, 1]), [3, 6, 18]),
        (conv([16, 32, 16, 3, 1, 1]), [6, 16, 96]),
        (conv([16, 32, 32, 3, 2, 1]), [10, 16, 160]),
        (conv([32, 16, 32, 3, 1, 1]), [5, 16, 80]),
        (conv([32, 16, 64, 3, 2, 1]), [11, 16, 176]),
        (conv([64, 8, 64, 3, 1, 1]), [8, 11, 88]),
        (conv([16, 32, 32, 1, 2, 0]), [4, 8, 32]),
        (conv([32, 16, 64, 1, 2, 0]), [4, 8, 32]),
    ];
    for (product, expected) in cases {
        let packing = Packing::plan(&product, &costs);
        let found = [packing.queries(), packing.answers(), packing.products()];
        assert_eq!(found, expected, "{product:?}");
        let opened: usize = (0..packing.answers())
            .map(|a| packing.positions(a).len())
            .sum();
        assert_eq!(
            opened,
            product.out_len(),
            "{product:?}: nothing else is opened"
        );
    }
}

/// A convolution of 1x1 with stride 2 sends a quarter of its input.
#[test]
fn what_no_tap_reads_is_not_sent() {
    let product = conv([4, 8, 4, 1, 2, 0]);
    let costs = Costs {
        degree: 256,
        query_bits: 80,
        answer_bits: 48,
    };
    let packing = Packing::plan(&product, &costs);
    let x = vec![1; product.in_len()];
    let sent = |query| packing.encode_input(query, &x).iter().sum::<u64>();
    assert_eq!((0..packing.queries()).map(sent).sum::<u64>(), 4 * 8 * 8 / 4);
}

/// Queries are one polynomial at the width of the primes, and a seed; answers are one polynomial
/// at eight bits more than the plaintext, and the outputs.
#[test]
fn bytes_are_those_of_the_layouts() {
    let prime_bits = vec![40, 40];
    let p = ParametersLiteral {
        degree: 4096,
        prime_bits,
    }
    .check()
    .unwrap();
    let cases = [
        (matmul(1, 784, 128), 5 * (40960 + 32), 5 * 24576 + 128 * 6),
        (
            conv([16, 32, 16, 3, 1, 1]),
            6 * (40960 + 32),
            16 * 24576 + 16384 * 6,
        ),
    ];
    for (product, query, answer) in cases {
        let layer = Layer::new(&product, &p, 40);
        assert_eq!(
            (layer.query_bytes().0, layer.answer_bytes().0),
            (query, answer)
        );
    }
}

/// Times, and a layer.
fn resnet_20() -> Vec<(u64, Product)> {
    vec![
        (1, conv([3, 32, 16, 3, 1, 1])),
        (6, conv([16, 32, 16, 3, 1, 1])),
        (1, conv([16, 32, 32, 3, 2, 1])),
        (1, conv([16, 32, 32, 1, 2, 0])),
        (5, conv([32, 16, 32, 3, 1, 1])),
        (1, conv([32, 16, 64, 3, 2, 1])),
        (1, conv([32, 16, 64, 1, 2, 0])),
        (5, conv([64, 8, 64, 3, 1, 1])),
        (1, matmul(1, 64, 10)),
    ]
}

/// Two hidden layers on 28x28 images, then a LeNet.
fn small_networks() -> [Vec<(u64, Product)>; 2] {
    [
        vec![
            (1, matmul(1, 784, 128)),
            (1, matmul(1, 128, 128)),
            (1, matmul(1, 128, 10)),
        ],
        vec![
            (1, conv([1, 28, 20, 5, 1, 0])),
            (1, conv([20, 12, 50, 5, 1, 0])),
            (1, matmul(1, 800, 500)),
            (1, matmul(1, 500, 10)),
        ],
    ]
}

/// All linear layers, with one set of parameters for 13-bit weights.
fn bytes(layers: &[(u64, Product)], plain_bits: u32, dropped: u32) -> u64 {
    let all: Vec<_> = layers
        .iter()
        .map(|(_, p)| (p.clone(), plain_bits, dropped))
        .collect();
    let p = parameters_for_all(&all, 13).unwrap().check().unwrap();
    let bytes = |(times, product): &(u64, Product)| {
        let layer = Layer::dropping(product, &p, plain_bits, dropped);
        times * (layer.query_bytes().0 + layer.answer_bytes().0)
    };
    layers.iter().map(bytes).sum()
}

#[test]
fn bytes_of_known_networks() {
    let [mlp, lenet] = small_networks();
    let cases = [
        ((&mlp, 40, 0), 620_000),
        ((&mlp, 40, 12), 500_000),
        ((&lenet, 40, 0), 1_560_000),
        ((&lenet, 40, 12), 1_260_000),
        ((&resnet_20(), 40, 0), 15_400_000),
        ((&resnet_20(), 40, 12), 12_500_000),
    ];
    for ((layers, plain_bits, dropped), most) in cases {
        let found = bytes(layers, plain_bits, dropped);
        assert!(
            found <= most && found > most - most / 20,
            "{plain_bits} {dropped}: {found}, not {most}"
        );
    }
}

/// The sum of weights may be said to be twice their norm where it is larger: the tail of the errors stays in the bound.
#[test]
fn errors_stay_in_the_bound() {
    let noise = Noise::of_products(200.0, 100.0);
    let tail = noise.deviation() * (2.0 * 65.0 * std::f64::consts::LN_2).sqrt();
    assert!(noise.bound(64.0) > tail);
}

#[test]
fn parameters_are_the_smallest_that_hold() {
    let cases = [
        ((24, 8, 64), 4096),
        ((40, 13, 1 << 12), 4096),
        ((64, 13, 1 << 15), 8192),
        ((64, 30, 1 << 15), 8192),
    ];
    for ((plain_bits, weight_bits, taps), degree) in cases {
        let literal = parameters_for(plain_bits, weight_bits, taps).unwrap();
        assert_eq!(literal.degree, degree);
        let opens = |literal: ParametersLiteral| {
            let l1 = taps as f64 * f64::from(weight_bits).exp2();
            let l2 = l1 / (taps as f64).sqrt();
            let p = literal.check().unwrap();
            let outputs = (1u64 << 24) as f64;
            noise::opens(&p, plain_bits, l1, l2, outputs)
                && noise::hides(&p, plain_bits, l1, l2, outputs)
        };
        let mut narrower = literal.clone();
        *narrower.prime_bits.iter_mut().max().unwrap() -= 1;
        assert!(
            opens(literal) && !opens(narrower),
            "{plain_bits} {weight_bits} {taps}"
        );
    }
    assert!(matches!(
        parameters_for(64, 150, 1 << 20),
        Err(ParametersFault::Insecure { .. })
    ));
}
