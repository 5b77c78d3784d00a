//! A graph written down by hand, all four parties in threads: answers against the clear reading.

use std::time::Duration;
use subrosa_core::{PartyId, Seed};
use subrosa_ir::*;
use subrosa_net::{Bill, Network, Session, SessionTerms, memory_mesh};
use subrosa_protocol::WholePlan;
use subrosa_replicated3::{CLIENT, Whole, seat};

fn wire(name: &str, shape: &[usize], frac: u32, bound: u64) -> FixedWire {
    FixedWire {
        name: name.into(),
        shape: shape.to_vec(),
        frac,
        bound,
        proven: true,
    }
}

/// conv, truncate, max-pool, ReLU, flatten, product, truncate, product without a ReLU before it, truncate.
fn graph(last: FixedOp, last_wire: FixedWire) -> (FixedGraph, Weights) {
    let conv = Conv {
        batch: 2,
        in_channels: 1,
        in_size: [6, 6],
        out_channels: 3,
        kernel: [3, 3],
        stride: [1, 1],
        dilation: [1, 1],
        pad_begin: [1, 1],
        pad_end: [1, 1],
        groups: 1,
    };
    let window = Window {
        planes: 6,
        in_size: [6, 6],
        out_size: [3, 3],
        kernel: [2, 2],
        stride: [2, 2],
        dilation: [1, 1],
        pad_begin: [0, 0],
    };
    let linear = |kind, weight, bias| FixedOp::Linear {
        linear: Linear {
            kind,
            weight: WeightId(weight),
            bias: Some(WeightId(bias)),
        },
        weight_frac: 12,
    };
    let matmul = |inner, columns| LinearKind::MatMul {
        rows: 2,
        inner,
        columns,
    };
    let ops = [
        linear(LinearKind::Conv(conv), 0, 1),
        FixedOp::Truncate { by: 12 },
        FixedOp::MaxPool(window),
        FixedOp::Relu,
        FixedOp::View(View::Reshape),
        linear(matmul(27, 8), 2, 3),
        FixedOp::Truncate { by: 12 },
        linear(matmul(8, 5), 4, 5),
        FixedOp::Truncate { by: 12 },
        last,
    ];
    let wires = vec![
        wire("x", &[2, 1, 6, 6], 12, 1 << 12),
        wire("conv", &[2, 3, 6, 6], 24, 10 << 24),
        wire("conv'", &[2, 3, 6, 6], 12, (10 << 12) + 1),
        wire("pool", &[2, 3, 3, 3], 12, (10 << 12) + 1),
        wire("relu", &[2, 3, 3, 3], 12, (10 << 12) + 1),
        wire("flat", &[2, 27], 12, (10 << 12) + 1),
        wire("a", &[2, 8], 24, 280 << 24),
        wire("a'", &[2, 8], 12, (280 << 12) + 1),
        wire("b", &[2, 5], 24, 2300 << 24),
        wire("b'", &[2, 5], 12, (2300 << 12) + 1),
        last_wire,
    ];
    let nodes = ops
        .into_iter()
        .enumerate()
        .map(|(i, op)| FixedNode {
            name: format!("n{i}"),
            op,
            inputs: vec![WireId(i as u32)],
            output: WireId(i as u32 + 1),
        })
        .collect();
    let output = OutputPort {
        name: "y".into(),
        value: TailValue::Opened(0),
        element: Element::Float,
    };
    let graph = FixedGraph {
        ring: 48,
        wires,
        inputs: vec![InputPort {
            name: "x".into(),
            wire: WireId(0),
        }],
        declared: vec![[-(1 << 12), 1 << 12]],
        nodes,
        outputs: vec![WireId(10)],
        tail: Tail {
            nodes: vec![],
            outputs: vec![output],
        },
    };
    let mut state = 1u64;
    let mut random = |shape: &[usize]| {
        let values = (0..volume(shape)).map(|_| {
            state = state
                .wrapping_mul(6364136223846793005)
                .wrapping_add(1442695040888963407);
            (state >> 40) as f32 / (1u64 << 23) as f32 - 1.0
        });
        Tensor {
            shape: shape.to_vec(),
            values: values.collect(),
        }
    };
    let shapes: [&[usize]; 6] = [&[3, 1, 3, 3], &[3], &[27, 8], &[8], &[8, 5], &[5]];
    let tensors = shapes.into_iter().map(&mut random).collect();
    (graph, Weights { tensors })
}

fn infer(
    whole: &Whole,
    weights: &Weights,
    input: &Tensor,
) -> Vec<(PartyId, Bill, Bill, Option<Vec<Tensor>>)> {
    let seats = whole.seats();
    let ids: Vec<PartyId> = seats.iter().map(|s| s.party).collect();
    let mesh = memory_mesh(&ids, &whole.links(), Network::LOOPBACK);
    std::thread::scope(|scope| {
        let handles: Vec<_> = mesh
            .into_iter()
            .map(|(id, links)| {
                let kind = seats[id.0 as usize].kind;
                scope.spawn(move || {
                    let mut party = seat(&whole.view(id).unwrap(), 1).unwrap();
                    let peers = links.peers();
                    let terms = SessionTerms {
                        fingerprints: peers.iter().map(|p| (*p, party.fingerprint(*p))).collect(),
                        untold: Vec::new(),
                        timeout: Duration::from_secs(20),
                        insecure_seed: None,
                    };
                    let mut s = Session::open(links, terms).unwrap();
                    let seed = Seed::insecure_seeded(3);
                    let holding = whole.holding(id, weights, &seed).unwrap();
                    party.setup(&holding, &mut s).unwrap();
                    party.offline(&mut s).unwrap();
                    let mine = kind.brings_input().then(|| vec![input.clone()]);
                    let out = party.infer(mine, &mut s).unwrap();
                    (id, party.price(), s.bill().clone(), out)
                })
            })
            .collect();
        handles.into_iter().map(|h| h.join().unwrap()).collect()
    })
}

fn check(last: FixedOp, last_wire: FixedWire, exact: bool) {
    let (graph, weights) = graph(last, last_wire);
    graph.check().unwrap();
    let values = (0..72)
        .map(|i| ((i * 37) % 101) as f32 / 50.5 - 1.0)
        .collect();
    let input = Tensor {
        shape: vec![2, 1, 6, 6],
        values,
    };
    let encoded = encode_weights(&graph, &weights).unwrap();
    let proven = tolerance(&graph, &encoded, 0).unwrap()[0];
    let slack = if exact { 0 } else { proven };
    let x = encode_input(&graph, 0, &input).unwrap();
    let want = clear(&graph, &encoded, vec![x]).unwrap().remove(0);
    let out = graph.outputs[0];
    let frac = graph.wire(out).frac;
    let whole = Whole { graph };
    for (id, price, bill, answer) in infer(&whole, &weights, &input) {
        assert_eq!(price, bill, "{id}");
        assert_eq!(answer.is_some(), id == CLIENT);
        if let Some(answer) = answer {
            let got = answer[0]
                .values
                .iter()
                .map(|v| (v * (1u64 << frac) as f32) as i64);
            for (got, want) in got.zip(&want) {
                assert!(
                    got.abs_diff(*want as i64) <= slack,
                    "{got} {}",
                    *want as i64
                );
            }
        }
    }
}

#[test]
fn a_network_with_every_kind_of_step() {
    let relu = wire("y", &[2, 5], 12, (2300 << 12) + 1);
    check(FixedOp::Relu, relu, false);
}

#[test]
fn the_two_largest() {
    let top = wire("y", &[2, 2], 0, 4);
    check(FixedOp::TopK { count: 2 }, top, true);
}
