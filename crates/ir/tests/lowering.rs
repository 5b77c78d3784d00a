//! The fixed-point graph computes what the float graph computes.

mod nets;

use nets::{Net, amplification, random};
use proptest::prelude::*;
use subrosa_ir::{
    Clear, FixedGraph, LowerOptions, RangedGraph, Reveal, Tensor, decode_output, encode_input,
    encode_weights, eval_float, lower, lower_auto, ranges,
};

fn ranged(net: &Net, size: f32) -> RangedGraph {
    ranges(net.graph.clone(), &net.weights, &[[-size, size]], None).unwrap()
}

fn fixed_outputs(net: &Net, graph: &FixedGraph, input: &Tensor) -> Vec<Tensor> {
    let weights = encode_weights(graph, &net.weights).unwrap();
    let inputs = vec![encode_input(graph, 0, input).unwrap()];
    let mut clear = Clear::new(graph, &weights, 1).unwrap();
    let opened = clear.run(graph, inputs).unwrap();
    for wire in clear.exceeded() {
        assert!(
            !graph.wire(*wire).proven,
            "{} goes beyond its proof",
            graph.wire(*wire).name
        );
    }
    opened
        .iter()
        .enumerate()
        .map(|(i, v)| decode_output(graph, i, 64, v).unwrap())
        .collect()
}

fn check_close(net: &mut Net, graph: &FixedGraph, size: f32, unit: f64) {
    let largest = amplification(net) * f64::from(size) * unit;
    let input = net.sample(size);
    let expected = eval_float(&net.graph, &net.weights, std::slice::from_ref(&input)).unwrap();
    let found = fixed_outputs(net, graph, &input);
    for (expected, found) in expected.iter().zip(&found) {
        assert_eq!(expected.shape, found.shape);
        for (e, f) in expected.values.iter().zip(&found.values) {
            assert!(
                f64::from((e - f).abs()) < largest,
                "expected {e}, found {f}, may differ by {largest}"
            );
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn fixed_point_is_close_to_float(seed in any::<u64>(), codes in prop::collection::vec(any::<u8>(), 1..9)) {
        let mut net = random(seed, &codes);
        let ranged = ranged(&net, 4.0);
        for ring in [48, 64] {
            let options = LowerOptions { ring, ..LowerOptions::default() };
            if let Ok(graph) = lower(&ranged, &options) {
                prop_assert_eq!(FixedGraph::parse(&graph.encode()), Ok(graph.clone()));
                check_close(&mut net, &graph, 4.0, 1e-3);
            }
        }
        let graph = lower_auto(&ranged, 16, Reveal::All).unwrap();
        check_close(&mut net, &graph, 4.0, 1e-3);
    }
    #[test]
    fn intervals_hold_what_is_seen(seed in any::<u64>(), codes in prop::collection::vec(any::<u8>(), 1..12)) {
        let net = random(seed, &codes);
        let ranged = ranged(&net, 4.0);
        for ((wire, proven), seen) in net.graph.wires.iter().zip(&ranged.proven).zip(&ranged.calibrated) {
            prop_assert!(*seen <= proven.magnitude() * 1.0001 + 1e-4, "{}: {seen}, {proven:?}", wire.name);
        }
    }
}
