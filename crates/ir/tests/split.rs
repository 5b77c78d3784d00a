//! Both parts together are the whole.

mod nets;

use nets::random;
use proptest::prelude::*;
use subrosa_ir::{
    FixedGraph, LowerOptions, Part, SplitFault, WireId, clear, encode_input, encode_weights, lower,
    ranges,
};

fn of(part: &Part, weights: &[Vec<u64>]) -> Vec<Vec<u64>> {
    let pick = |id: &subrosa_ir::WeightId| weights[id.0 as usize].clone();
    part.weights.iter().map(pick).collect()
}

fn planned(seed: u64, codes: &[u8]) -> (FixedGraph, Vec<Vec<u64>>, Vec<u64>) {
    let mut net = random(seed, codes);
    let ranged = ranges(net.graph.clone(), &net.weights, &[[-4.0, 4.0]], None).unwrap();
    let graph = lower(&ranged, &LowerOptions::default()).unwrap();
    let weights = encode_weights(&graph, &net.weights).unwrap();
    let x = encode_input(&graph, 0, &net.sample(4.0)).unwrap();
    (graph, weights, x)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn halves_compose(seed in any::<u64>(), codes in prop::collection::vec(any::<u8>(), 1..12)) {
        let (graph, weights, x) = planned(seed, &codes);
        let whole = clear(&graph, &weights, vec![x.clone()]).unwrap();
        for wire in graph.cuts() {
            let [first, second] = graph.split(wire).unwrap();
            first.graph.check().unwrap();
            second.graph.check().unwrap();
            prop_assert_eq!(first.graph.nodes.len() + second.graph.nodes.len(), graph.nodes.len());
            let middle = clear(&first.graph, &of(&first, &weights), vec![x.clone()]).unwrap();
            let end = clear(&second.graph, &of(&second, &weights), middle).unwrap();
            prop_assert_eq!(&end, &whole);
        }
    }
}

#[test]
fn a_cut_through_a_shortcut_is_refused() {
    let mut refused = 0;
    for seed in 0..200u64 {
        let codes: Vec<u8> = (0..10)
            .map(|i| (seed as u8).wrapping_mul(31).wrapping_add(i * 57))
            .collect();
        let (graph, ..) = planned(seed, &codes);
        let cuts = graph.cuts();
        for wire in (0..graph.wires.len() as u32).map(WireId) {
            match graph.split(wire) {
                Ok([first, second]) => {
                    assert!(!first.graph.outputs.is_empty() && !second.graph.inputs.is_empty())
                }
                Err(SplitFault::Crossed { .. }) => {
                    assert!(!cuts.contains(&wire));
                    refused += 1;
                }
                Err(SplitFault::Output { .. }) => assert!(!cuts.contains(&wire)),
                Err(SplitFault::Unknown { .. }) => unreachable!(),
            }
        }
        let beyond = WireId(graph.wires.len() as u32);
        assert!(matches!(
            graph.split(beyond),
            Err(SplitFault::Unknown { .. })
        ));
    }
    assert!(refused > 0, "no network had a shortcut");
}
