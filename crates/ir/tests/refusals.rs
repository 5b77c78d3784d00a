//! What is restricted, and what is refused and how it is named.

mod nets;

use nets::Net;
use subrosa_ir::{
    Element, FixedGraph, FixedOp, FloatOp, InputFault, LowerError, LowerOptions, OutputPort,
    RangeError, RangedGraph, Reveal, Tail, TailNode, TailOp, TailValue, Tensor, View, WeightFault,
    clear, decode_output, encode_input, encode_weights, eval_float, lower, lower_auto, ranges,
};

fn classifier() -> Net {
    let mut net = Net::new(9, vec![3, 8]);
    let mut x = net.graph.inputs[0].wire;
    x = net.dense(x, 6);
    x = net.relu(x);
    x = net.dense(x, 5);
    net.output(x);
    net
}

fn ranged(net: &Net) -> RangedGraph {
    ranges(net.graph.clone(), &net.weights, &[[-1.0, 1.0]], None).unwrap()
}

fn node(op: TailOp, value: TailValue, shape: &[usize]) -> TailNode {
    TailNode {
        name: "t".into(),
        op,
        inputs: vec![value],
        shape: shape.to_vec(),
    }
}

fn tail(nodes: Vec<TailNode>) -> Tail {
    let value = TailValue::Node(nodes.len() - 1);
    Tail {
        nodes,
        outputs: vec![OutputPort {
            name: "y".into(),
            value,
            element: Element::Float,
        }],
    }
}

fn open(net: &Net, graph: &FixedGraph, input: &Tensor) -> Tensor {
    let weights = encode_weights(graph, &net.weights).unwrap();
    let opened = clear(
        graph,
        &weights,
        vec![encode_input(graph, 0, input).unwrap()],
    )
    .unwrap();
    let opened: Vec<_> = opened
        .iter()
        .enumerate()
        .map(|(i, v)| decode_output(graph, i, graph.ring, v).unwrap())
        .collect();
    graph.tail.eval(&opened).unwrap().remove(0)
}

#[test]
fn only_the_place_of_the_largest_is_opened() {
    let mut net = classifier();
    net.graph.tail = tail(vec![
        node(TailOp::Softmax { axis: 1 }, TailValue::Opened(0), &[3, 5]),
        node(TailOp::View(View::Reshape), TailValue::Node(0), &[3, 1, 5]),
    ]);
    let ranged = ranged(&net);
    let input = net.sample(1.0);
    let scores = eval_float(&net.graph, &net.weights, std::slice::from_ref(&input)).unwrap();
    for (reveal, count) in [(Reveal::ArgMax, 1), (Reveal::TopK(3), 3)] {
        let graph = lower_auto(&ranged, 16, reveal).unwrap();
        assert!(matches!(
            graph.nodes.last().unwrap().op,
            FixedOp::TopK { .. }
        ));
        let found = open(&net, &graph, &input);
        assert_eq!(found.shape, [3, 1, count]);
        assert_eq!(graph.tail.outputs[0].element, Element::Integer);
        for (row, chosen) in scores[0].values.chunks(5).zip(found.values.chunks(count)) {
            let mut order: Vec<usize> = (0..5).collect();
            order.sort_by(|a, b| row[*b].total_cmp(&row[*a]));
            let order: Vec<f32> = order.iter().map(|i| *i as f32).take(count).collect();
            assert_eq!(chosen, order);
        }
    }
}

#[test]
fn a_choice_of_the_model_stays_as_it_is() {
    let mut net = classifier();
    let scores = net.graph.outputs[0];
    let choice = net.push(FloatOp::TopK { count: 1 }, &[scores], vec![3, 1]);
    net.graph.outputs[0] = choice;
    net.graph.tail = tail(vec![node(
        TailOp::View(View::Reshape),
        TailValue::Opened(0),
        &[3],
    )]);
    let input = net.sample(1.0);
    let expected = eval_float(&net.graph, &net.weights, std::slice::from_ref(&input)).unwrap();
    for reveal in [Reveal::All, Reveal::ArgMax] {
        let graph = lower_auto(&ranged(&net), 16, reveal).unwrap();
        let found = open(&net, &graph, &input);
        assert_eq!((found.shape, &found.values), (vec![3], &expected[0].values));
    }
}

#[test]
fn an_order_that_the_tail_changes_is_refused() {
    let mut net = classifier();
    let cases = [
        (TailOp::Neg, "Neg", vec![3, 5]),
        (TailOp::Softmax { axis: 0 }, "Softmax", vec![3, 5]),
        (TailOp::View(View::Reshape), "a view", vec![15]),
    ];
    for (op, operation, shape) in cases {
        net.graph.tail = tail(vec![node(op, TailValue::Opened(0), &shape)]);
        let error = lower_auto(&ranged(&net), 16, Reveal::ArgMax).unwrap_err();
        assert_eq!(
            error,
            LowerError::Order {
                output: "y".into(),
                operation
            }
        );
    }
    net.graph.tail = classifier().graph.tail;
    let error = lower_auto(&ranged(&net), 16, Reveal::TopK(6)).unwrap_err();
    assert!(matches!(
        error,
        LowerError::Count {
            count: 6,
            extent: 5,
            ..
        }
    ));
}

#[test]
fn a_wire_that_does_not_fit_is_named_with_the_ring_that_would_do() {
    let mut net = Net::new(9, vec![2, 4]);
    let mut x = net.graph.inputs[0].wire;
    x = net.push(FloatOp::Scale(1e5), &[x], vec![2, 4]);
    x = net.dense(x, 3);
    net.output(x);
    let ranged = ranged(&net);
    let options = LowerOptions {
        ring: 32,
        ..LowerOptions::default()
    };
    let Err(LowerError::TooWide(fault)) = lower(&ranged, &options) else {
        panic!("fits")
    };
    assert_eq!((fault.wire.as_str(), fault.ring), ("node1_out", 32));
    assert!(fault.high > 1e4 && fault.calibrated > 1e4);
    let ring = fault.fits.unwrap();
    assert!(lower(&ranged, &LowerOptions { ring, ..options }).is_ok());
    assert!(
        lower(
            &ranged,
            &LowerOptions {
                ring: ring - 8,
                ..options
            }
        )
        .is_err()
    );
    let text = LowerError::TooWide(fault).to_string();
    assert!(
        text.contains("node1_out") && text.contains(&ring.to_string()),
        "{text}"
    );
}

#[test]
fn wrong_inputs_are_named() {
    let net = classifier();
    let graph = lower_auto(&ranged(&net), 16, Reveal::All).unwrap();
    let encode = |shape: &[usize], values: Vec<f32>| {
        encode_input(
            &graph,
            0,
            &Tensor {
                shape: shape.to_vec(),
                values,
            },
        )
    };
    assert!(matches!(
        encode(&[8, 3], vec![0.0; 24]),
        Err(InputFault::Shape { .. })
    ));
    assert!(matches!(
        encode(&[3, 8], vec![0.0; 23]),
        Err(InputFault::Length { found: 23, .. })
    ));
    for wrong in [f32::NAN, f32::INFINITY, 1.001, -2.0] {
        let mut values = vec![1.0; 24];
        values[7] = wrong;
        let Err(InputFault::Value {
            input,
            element,
            low,
            high,
            ..
        }) = encode(&[3, 8], values)
        else {
            panic!("{wrong} is taken");
        };
        assert_eq!((input.as_str(), element, low, high), ("x", 7, -1.0, 1.0));
    }
    assert!(matches!(
        encode_input(&graph, 1, &Tensor::default()),
        Err(InputFault::Port { port: 1, inputs: 1 })
    ));
}

#[test]
fn wrong_weights_and_samples_are_named() {
    let mut net = classifier();
    let graph = lower_auto(&ranged(&net), 16, Reveal::All).unwrap();
    let declared = [[-1.0, 1.0]];
    let far = Tensor {
        shape: vec![3, 8],
        values: vec![1.5; 24],
    };
    let error = ranges(
        net.graph.clone(),
        &net.weights,
        &declared,
        Some(&[vec![far]]),
    )
    .unwrap_err();
    assert!(matches!(
        error,
        RangeError::Sample {
            run: 0,
            element: 0,
            found: 1.5,
            ..
        }
    ));
    net.weights.tensors[2].values[4] = f32::NAN;
    let error = ranges(net.graph.clone(), &net.weights, &declared, None).unwrap_err();
    assert!(matches!(
        error,
        RangeError::Weight {
            weight: 2,
            element: 4,
            ..
        }
    ));
    let fault = encode_weights(&graph, &net.weights).unwrap_err();
    assert!(matches!(
        fault,
        WeightFault::Value {
            weight: 2,
            element: 4,
            ..
        }
    ));
    net.weights.tensors.pop();
    let fault = encode_weights(&graph, &net.weights).unwrap_err();
    assert_eq!(
        fault,
        WeightFault::Count {
            expected: 4,
            found: 3
        }
    );
}

#[test]
fn a_layer_by_hand() {
    let mut net = Net::new(0, vec![1, 2]);
    let x = net.graph.inputs[0].wire;
    let y = net.dense(x, 1);
    net.output(y);
    net.weights.tensors[0].values = vec![0.5, -0.25];
    net.weights.tensors[1].values = vec![1.0];
    let graph = lower(
        &ranged(&net),
        &LowerOptions {
            ring: 48,
            ..LowerOptions::default()
        },
    )
    .unwrap();
    let FixedOp::Linear { weight_frac, .. } = graph.nodes[0].op else {
        panic!("no layer")
    };
    let weights = encode_weights(&graph, &net.weights).unwrap();
    assert_eq!(
        weights[0],
        [
            1 << (weight_frac - 1),
            (-(1i64 << (weight_frac - 2))) as u64
        ]
    );
    assert_eq!(weights[1], [1 << (weight_frac + 16)]);
    let input = Tensor {
        shape: vec![1, 2],
        values: vec![-1.0, 0.75],
    };
    let encoded = encode_input(&graph, 0, &input).unwrap();
    assert_eq!(encoded, [(-65536i64) as u64, 49152]);
    // 1 - 0.5 - 0.1875
    assert_eq!(clear(&graph, &weights, vec![encoded]).unwrap(), [[20480]]);
    assert_eq!(graph.wire(graph.outputs[0]).bits(), 17 + 2);
}
