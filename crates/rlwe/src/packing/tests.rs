//! Every spread that the planner may choose, on polynomials over Z/2^64 without encryption.

use super::plan::{place, spreads};
use super::{Costs, Packing, Product, Spread};
use proptest::prelude::*;
use subrosa_ring::ConvShape;

fn spread(product: &Product, degree: usize, choice: u64) -> Option<Packing> {
    let mut packing = Packing::of_nothing(product, degree);
    if packing.reads_something() {
        let all = || spreads(&packing.shape, degree);
        let chosen = choice as usize % all().count();
        let (grid, tile) = all().nth(chosen)?;
        packing.spread = Some(Spread::new(&packing.shape, (*grid).clone(), tile));
    }
    Some(packing)
}

fn check(packing: &Packing, seed: u64) {
    let word = |i: usize| {
        (seed ^ i as u64)
            .wrapping_mul(0x9e37_79b9_7f4a_7c15)
            .rotate_left(29)
    };
    let shape = &packing.shape;
    let x: Vec<u64> = (0..shape.in_len()).map(word).collect();
    let w: Vec<i64> = (0..shape.weight_len()).map(|i| word(!i) as i64).collect();
    let mut out = vec![None; shape.out_len()];
    for answer in 0..packing.answers() {
        let mut sum = vec![0u64; packing.degree()];
        let mut taps = 0;
        for query in 0..packing.queries() {
            let Some(w) = packing.encode_weight(query, answer, &w) else {
                continue;
            };
            taps += w.iter().filter(|&&w| w != 0).count();
            let x = packing.encode_input(query, &x);
            negacyclic(&x, &w, &mut sum);
        }
        assert!(taps <= packing.l1_taps(), "{packing:?}");
        let positions = packing.positions(answer);
        assert!(positions.is_sorted_by(|a, b| a < b));
        for (position, output) in positions.into_iter().zip(packing.outputs(answer)) {
            assert_eq!(out[output].replace(sum[position]), None, "opened once");
        }
    }
    let mut expected = vec![0; shape.out_len()];
    let mut weights: Vec<u64> = w.iter().map(|&w| w as u64).collect();
    if packing.transposed {
        let columns = shape.out_channels;
        let at = |i: usize| i % shape.in_channels * columns + i / shape.in_channels;
        weights = (0..w.len()).map(|i| w[at(i)] as u64).collect();
    }
    subrosa_ring::conv_acc(64, shape, &x, &weights, &mut expected);
    let found: Vec<u64> = out.into_iter().map(|value| value.unwrap_or(0)).collect();
    assert_eq!(found, expected, "{packing:?}");
}

fn negacyclic(x: &[u64], w: &[i64], sum: &mut [u64]) {
    let degree = sum.len();
    for (i, &x) in x.iter().enumerate().filter(|(_, x)| **x != 0) {
        for (j, &w) in w.iter().enumerate().filter(|(_, w)| **w != 0) {
            let product = x.wrapping_mul(w as u64);
            if i + j < degree {
                sum[i + j] = sum[i + j].wrapping_add(product);
            } else {
                sum[i + j - degree] = sum[i + j - degree].wrapping_sub(product);
            }
        }
    }
}

fn convolutions() -> impl Strategy<Value = ConvShape> {
    let pair = |range: std::ops::Range<usize>| [range.clone(), range];
    (
        (1usize..4, 1usize..4, 0usize..4, 0usize..4),
        (0usize..9, 0usize..11, 0usize..4, 0usize..4),
        (pair(1..4), pair(1..4), pair(0..4), pair(0..4)),
    )
        .prop_map(
            |((batch, groups, ic, oc), (h, w, kh, kw), (stride, dilation, begin, end))| ConvShape {
                batch,
                in_channels: ic * groups,
                in_height: h,
                in_width: w,
                out_channels: oc * groups,
                kernel_height: kh,
                kernel_width: kw,
                stride,
                dilation,
                pad_begin: begin,
                pad_end: end,
                groups,
            },
        )
}

fn products() -> impl Strategy<Value = Product> {
    prop_oneof![
        4 => convolutions().prop_map(Product::Conv),
        1 => (0usize..4, 0usize..20, 0usize..20).prop_map(|(rows, inner, columns)| {
            Product::MatMul { rows, inner, columns }
        }),
        1 => (0usize..4, 0usize..12, 0usize..90).prop_map(|(outer, channels, inner)| {
            Product::Diagonal { outer, channels, inner }
        }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn every_spread_is_the_product(
        product in products(),
        degree in prop_oneof![Just(1usize), Just(16), Just(64), Just(256)],
        choice in any::<u64>(),
        seed in any::<u64>(),
    ) {
        check(&spread(&product, degree, choice).unwrap(), seed);
    }

    #[test]
    fn the_planned_one_is_the_product(
        product in products(),
        degree in prop_oneof![Just(64usize), Just(256), Just(1024)],
        query_bits in 1u32..200,
        answer_bits in 1u32..200,
        seed in any::<u64>(),
    ) {
        check(&Packing::plan(&product, &Costs { degree, query_bits, answer_bits }), seed);
    }
}

/// No place is half way between two others.
#[test]
fn places_have_no_arithmetic_progression() {
    let places: Vec<usize> = (0..64).map(place).collect();
    assert!(places.is_sorted_by(|a, b| a < b));
    for a in 0..64 {
        for b in 0..a {
            assert!(places.iter().all(|p| 2 * p != places[a] + places[b]));
        }
    }
}
