//! Bytes from a peer: whatever passes the checks can be walked.

mod nets;

use nets::random;
use proptest::prelude::*;
use subrosa_ir::{
    Clear, FixedGraph, FixedOp, GraphFault, Reveal, View, decode_output, lower_auto, ranges,
    tolerance, volume,
};

fn lowered(seed: u64, codes: &[u8], reveal: Reveal) -> FixedGraph {
    let net = random(seed, codes);
    let ranged = ranges(net.graph, &net.weights, &[[-1.0, 1.0]], None).unwrap();
    lower_auto(&ranged, 16, reveal).unwrap()
}

/// Runs the graph on ones, if it is small.
fn run(graph: &FixedGraph) {
    let sizes = graph.wires.iter().map(|w| volume(&w.shape));
    let layouts = graph.weight_layouts();
    let weight_sizes = layouts.iter().map(|l| volume(&l.shape));
    let most = 1 << 16;
    let small = |n: usize| n < most;
    let taps = graph.nodes.iter().all(|node| match &node.op {
        FixedOp::SumPool(w) | FixedOp::MaxPool(w) => small(w.kernel[0] * w.kernel[1] * w.out_len()),
        _ => true,
    });
    if !(sizes.chain(weight_sizes).all(small) && taps) {
        return;
    }
    let weights: Vec<Vec<u64>> = layouts.iter().map(|l| vec![1; volume(&l.shape)]).collect();
    let inputs = graph
        .inputs
        .iter()
        .map(|p| vec![1; volume(&graph.wire(p.wire).shape)])
        .collect();
    let opened = Clear::new(graph, &weights, 1)
        .unwrap()
        .run(graph, inputs)
        .unwrap();
    let tensors: Vec<_> = opened
        .iter()
        .enumerate()
        .map(|(i, v)| decode_output(graph, i, graph.ring, v).unwrap())
        .collect();
    graph.tail.eval(&tensors).unwrap();
    assert_eq!(
        tolerance(graph, &weights, 0).unwrap().len(),
        graph.outputs.len()
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn changed_bytes_never_panic(
        seed in any::<u64>(),
        codes in prop::collection::vec(any::<u8>(), 1..9),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
    ) {
        let bytes = lowered(seed, &codes, Reveal::All).encode();
        for (index, value) in &changes {
            let mut changed = bytes.clone();
            let at = index.index(changed.len());
            changed[at] = *value;
            if let Ok(graph) = FixedGraph::parse(&changed) {
                run(&graph);
            }
            prop_assert!(FixedGraph::parse(&changed[..at]).is_err());
        }
    }

    #[test]
    fn any_bytes_are_answered(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        if let Ok(graph) = FixedGraph::parse(&bytes) {
            run(&graph);
        }
    }
}

type Change = fn(&mut FixedGraph);
type Expected = fn(&GraphFault) -> bool;

#[test]
fn each_fault_is_named() {
    // conv, relu, max-pool, reshape, matmul
    let graph = lowered(5, &[0, 255, 8, 15, 3], Reveal::All);
    graph.check().unwrap();
    let cases: [(Change, Expected); 14] = [
        (|g| g.ring = 65, |f| matches!(f, GraphFault::Ring { .. })),
        (
            |g| g.wires[1].shape.push(1 << 40),
            |f| matches!(f, GraphFault::Extents { .. }),
        ),
        (
            |g| g.wires[1].shape[0] = 0,
            |f| matches!(f, GraphFault::Extents { .. }),
        ),
        (
            |g| g.wires[1].shape[0] += 1,
            |f| matches!(f, GraphFault::Shape { .. }),
        ),
        (
            |g| g.nodes.swap(0, 1),
            |f| matches!(f, GraphFault::Unknown { .. }),
        ),
        (
            |g| g.nodes[0].inputs[0].0 = 1000,
            |f| matches!(f, GraphFault::Unknown { .. }),
        ),
        (
            |g| g.nodes[0].inputs.clear(),
            |f| matches!(f, GraphFault::Arity { .. }),
        ),
        (
            |g| g.nodes[1].output = g.nodes[0].output,
            |f| matches!(f, GraphFault::Redefined { .. } | GraphFault::Unknown { .. }),
        ),
        (|g| g.outputs.clear(), |f| matches!(f, GraphFault::Outputs)),
        (
            |g| g.wires[1].frac += 1,
            |f| matches!(f, GraphFault::Fraction { .. }),
        ),
        (
            |g| g.wires[1].bound = 1 << (g.ring - 2),
            |f| matches!(f, GraphFault::Bound { .. }),
        ),
        (
            |g| g.declared[0][1] = i64::MIN,
            |f| matches!(f, GraphFault::Declared { .. }),
        ),
        (
            |g| g.tail.outputs[0].value = subrosa_ir::TailValue::Node(0),
            |f| matches!(f, GraphFault::TailOutput { .. }),
        ),
        (
            |g| {
                let last = g.nodes.len() - 1;
                g.nodes[last].op = FixedOp::View(View::Concat { axis: 99 });
            },
            |f| matches!(f, GraphFault::Shape { .. }),
        ),
    ];
    for (position, (change, expected)) in cases.into_iter().enumerate() {
        let mut changed = graph.clone();
        change(&mut changed);
        let fault = changed.check().unwrap_err();
        assert!(expected(&fault), "case {position}: {fault:?}");
        assert!(FixedGraph::parse(&changed.encode()).is_err());
    }
}
