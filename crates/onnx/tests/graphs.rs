//! Graphs made by hand: what they become, and what they answer.

mod support;

use subrosa_ir::{Element, FloatOp, Tensor, View};
use subrosa_onnx::{Reference, supported_operators};
use support::{
    answers, assert_close, file, floats, formula, indices, int, ints, node, parse, refusal, run,
    value,
};
use tract_onnx::pb::{ModelProto, NodeProto, TensorProto, ValueInfoProto};

/// The file's answers are tract's.
fn agrees(file: &ModelProto) -> Vec<(String, Tensor)> {
    let model = parse(file).unwrap();
    let batch = model.fixed_batch().unwrap_or(2);
    let inputs: Vec<Tensor> = model
        .inputs()
        .iter()
        .map(|input| formula(&input.shape(batch)))
        .collect();
    let expected = Reference::new(&model, batch).unwrap().run(&inputs).unwrap();
    let found = answers(&model, batch, &inputs);
    for ((name, found), expected) in found.iter().zip(&expected) {
        assert_eq!(found.shape, expected.shape, "{name}");
        assert_close(name, &found.values, &expected.values, 1e-5);
    }
    found
}

fn one(
    operator: &str,
    dims: &[i64],
    weights: Vec<TensorProto>,
    attributes: Vec<tract_onnx::pb::AttributeProto>,
) -> ModelProto {
    let names: Vec<String> = weights.iter().map(|w| w.name.clone()).collect();
    let inputs: Vec<&str> = std::iter::once("x")
        .chain(names.iter().map(String::as_str))
        .collect();
    let node = node(operator, &inputs, &["y"], attributes);
    file(13, vec![value("x", dims)], weights, vec![node])
}

fn ramp(name: &str, dims: &[i64]) -> TensorProto {
    let count: i64 = dims.iter().product();
    let values: Vec<f32> = (0..count).map(|i| 0.25 * (i % 7) as f32 - 0.6).collect();
    floats(name, dims, &values)
}

#[test]
fn products_agree_on_every_side_and_rank() {
    agrees(&one("MatMul", &[0, 3, 4], vec![ramp("w", &[4, 5])], vec![]));
    agrees(&one("MatMul", &[0, 4], vec![ramp("w", &[4])], vec![]));
    agrees(&one(
        "MatMul",
        &[0, 3, 4],
        vec![ramp("w", &[1, 4, 5])],
        vec![],
    ));
    let left = |w: &[i64], dims: &[i64]| {
        let node = node("MatMul", &["w", "x"], &["y"], vec![]);
        file(13, vec![value("x", dims)], vec![ramp("w", w)], vec![node])
    };
    agrees(&left(&[5, 3], &[0, 3, 4]));
    agrees(&left(&[3], &[0, 3, 4]));
    agrees(&left(&[5, 3], &[3, 4]));
    for (a, b) in [(0, 0), (0, 1), (1, 0), (1, 1)] {
        let attributes = || vec![int("transA", a), int("transB", b)];
        let w = if b == 1 { [5, 3] } else { [3, 5] };
        let x = if a == 1 { [3, 2] } else { [2, 3] };
        agrees(&one(
            "Gemm",
            &x,
            vec![ramp("w", &w), ramp("c", &[2, 5])],
            attributes(),
        ));
        let left = node("Gemm", &["w", "x", "c"], &["y"], attributes());
        let w = if a == 1 { [3, 5] } else { [5, 3] };
        let x = if b == 1 { [4, 3] } else { [3, 4] };
        agrees(&file(
            13,
            vec![value("x", &x)],
            vec![ramp("w", &w), ramp("c", &[4])],
            vec![left],
        ));
    }
}

#[test]
fn sums_and_quotients_broadcast() {
    for operator in ["Add", "Sub", "Mul", "Div"] {
        for dims in [
            &[3, 1, 1][..],
            &[4],
            &[1, 3, 1, 4],
            &[2, 1, 3, 1, 1],
            &[1],
            &[],
        ] {
            agrees(&one(operator, &[2, 3, 2, 4], vec![ramp("c", dims)], vec![]));
            let turned = node(operator, &["c", "x"], &["y"], vec![]);
            if operator != "Div" {
                agrees(&file(
                    13,
                    vec![value("x", &[2, 3, 2, 4])],
                    vec![ramp("c", dims)],
                    vec![turned],
                ));
            }
        }
    }
    let two = |operator| {
        let node = node(operator, &["x", "z"], &["y"], vec![]);
        file(
            13,
            vec![value("x", &[2, 3, 1]), value("z", &[1, 4])],
            vec![],
            vec![node],
        )
    };
    for operator in ["Add", "Sub", "Mul", "Sum"] {
        agrees(&two(operator));
    }
}

#[test]
fn parts_and_joints_agree() {
    let sliced = |starts: &[i64], ends: &[i64], axes: &[i64], steps: &[i64]| {
        let weights = vec![
            indices("s", starts),
            indices("e", ends),
            indices("a", axes),
            indices("t", steps),
        ];
        one("Slice", &[2, 5, 6], weights, vec![])
    };
    agrees(&sliced(&[-1, 1], &[i64::MIN, 100], &[1, 2], &[-2, 3]));
    agrees(&sliced(&[3], &[0], &[-1], &[-1]));
    for picked in [&[2][..], &[0, 2, 4], &[4, 1, 1, 0, 3]] {
        agrees(&one(
            "Gather",
            &[2, 5, 3],
            vec![indices("i", picked)],
            vec![int("axis", 1)],
        ));
    }
    let mut scalar = indices("i", &[-2]);
    scalar.dims.clear();
    assert_eq!(
        agrees(&one(
            "Gather",
            &[2, 5, 3],
            vec![scalar],
            vec![int("axis", 1)]
        ))[0]
            .1
            .shape,
        [2, 3]
    );
    let nodes = vec![
        node("Split", &["x", "parts"], &["a", "b"], vec![int("axis", 1)]),
        node(
            "Concat",
            &["c", "b", "c", "a", "c"],
            &["y"],
            vec![int("axis", 1)],
        ),
    ];
    let weights = vec![indices("parts", &[2, 3]), ramp("c", &[2, 2, 3])];
    agrees(&file(13, vec![value("x", &[2, 5, 3])], weights, nodes));
    agrees(&one(
        "Expand",
        &[2, 1, 3],
        vec![indices("s", &[2, 1, 4, 1])],
        vec![],
    ));
}

#[test]
fn pools_agree() {
    let pool = |operator: &str, more: Vec<tract_onnx::pb::AttributeProto>| {
        let mut attributes = vec![ints("kernel_shape", &[3, 2]), ints("strides", &[2, 2])];
        attributes.extend(more);
        one(operator, &[0, 2, 6, 7], vec![], attributes)
    };
    for operator in ["MaxPool", "AveragePool"] {
        agrees(&pool(operator, vec![ints("pads", &[1, 0, 1, 1])]));
        agrees(&pool(operator, vec![int("ceil_mode", 1)]));
    }
    let padded = vec![
        ints("pads", &[1, 1, 1, 0]),
        int("count_include_pad", 1),
        int("ceil_mode", 1),
    ];
    run(&pool("AveragePool", padded));
    agrees(&one("GlobalMaxPool", &[0, 2, 3, 4], vec![], vec![]));
    agrees(&one("GlobalAveragePool", &[0, 2, 5], vec![], vec![]));
    for axes in [&[1, 2][..], &[-1], &[0, 2], &[1]] {
        for keep in [0, 1] {
            agrees(&one(
                "ReduceMean",
                &[2, 3, 4, 5],
                vec![],
                vec![ints("axes", axes), int("keepdims", keep)],
            ));
        }
    }
}

/// shape(x) -> [batch, rest]; everything on the way is known without the input.
#[test]
fn shape_arithmetic_is_folded_away() {
    let weights = vec![
        indices("zero", &[0]),
        indices("one", &[1]),
        indices("four", &[4]),
    ];
    let nodes = vec![
        node("Shape", &["x"], &["shape"], vec![]),
        node("Slice", &["shape", "zero", "one"], &["batch"], vec![]),
        node("Slice", &["shape", "one", "four"], &["rest"], vec![]),
        node("ReduceProd", &["rest"], &["flat"], vec![ints("axes", &[0])]),
        node("Equal", &["flat", "zero"], &["none"], vec![]),
        node("Where", &["none", "one", "flat"], &["columns"], vec![]),
        node(
            "Concat",
            &["batch", "columns"],
            &["target"],
            vec![int("axis", 0)],
        ),
        node("Relu", &["x"], &["unused"], vec![]),
        node("Reshape", &["x", "target"], &["y"], vec![]),
    ];
    let net = file(13, vec![value("x", &[0, 2, 3, 4])], weights, nodes);
    let (graph, weights) = parse(&net).unwrap().graph(5).unwrap();
    assert_eq!(graph.nodes.len(), 1);
    assert_eq!(graph.nodes[0].op, FloatOp::View(View::Reshape));
    assert_eq!(graph.wire(graph.outputs[0]).shape, [5, 24]);
    assert!(weights.tensors.is_empty());
}

fn arg_max(axis: i64, keep: i64, before: Option<NodeProto>, dims: &[i64]) -> ModelProto {
    let read = if before.is_some() { "s" } else { "x" };
    let last = node(
        "ArgMax",
        &[read],
        &["y"],
        vec![int("axis", axis), int("keepdims", keep)],
    );
    file(
        13,
        vec![value("x", dims)],
        vec![],
        before.into_iter().chain([last]).collect(),
    )
}

#[test]
fn arg_max_opens_indices_alone() {
    for (axis, keep) in [(1, 0), (1, 1), (-1, 0), (0, 1)] {
        agrees(&arg_max(axis, keep, None, &[2, 5, 3]));
    }
    let softmax = node("Softmax", &["x"], &["s"], vec![int("axis", 1)]);
    let net = arg_max(1, 0, Some(softmax.clone()), &[2, 5]);
    let (graph, _) = parse(&net).unwrap().graph(2).unwrap();
    assert!(
        graph.tail.nodes.is_empty(),
        "a softmax does not change which is largest"
    );
    assert_eq!(graph.tail.outputs[0].element, Element::Integer);
    assert_eq!(graph.wire(graph.outputs[0]).shape, [2]);
    let line = refusal(&arg_max(0, 0, Some(softmax), &[2, 5]));
    assert!(
        line.starts_with("Softmax (node 's_node', opset 13) is not supported"),
        "{line}"
    );
    assert!(
        line.contains("ArgMax (node 'y_node') needs its result"),
        "{line}"
    );
}

#[test]
fn scalars_are_public_and_tensors_private() {
    let nodes = vec![
        node("Mul", &["x", "half"], &["a"], vec![]),
        node("Add", &["a", "bias"], &["b"], vec![]),
        node("Exp", &["b"], &["e"], vec![]),
        node("Mul", &["e", "priors"], &["y"], vec![]),
    ];
    let weights = vec![
        floats("half", &[], &[0.5]),
        ramp("bias", &[4]),
        ramp("priors", &[3, 4]),
    ];
    let model = parse(&file(13, vec![value("x", &[0, 3, 4])], weights, nodes)).unwrap();
    let public = model.public_constants(2).unwrap();
    let named: Vec<(&str, &str)> = public
        .iter()
        .map(|c| (c.name.as_str(), c.node.as_str()))
        .collect();
    assert_eq!(named, [("half", "a_node"), ("priors", "y_node")]);
    let (graph, weights) = model.graph(2).unwrap();
    assert_eq!(weights.tensors.len(), 1);
    assert_eq!(graph.tail.nodes.len(), 2);
    let one = vec![ramp("w", &[4, 1]), floats("b", &[1], &[0.5])];
    let nodes = vec![
        node("MatMul", &["x", "w"], &["m"], vec![]),
        node("Add", &["m", "b"], &["y"], vec![]),
    ];
    let neuron = parse(&file(13, vec![value("x", &[0, 4])], one, nodes)).unwrap();
    assert!(
        neuron.public_constants(1).unwrap().is_empty(),
        "the bias of a single neuron stays private"
    );
}

#[test]
fn a_reshape_that_fixes_the_batch_says_so() {
    let net = one("Reshape", &[0, 2, 3], vec![indices("s", &[1, -1])], vec![]);
    let model = parse(&net).unwrap();
    assert_eq!(model.graph(1).unwrap().0.wires[1].shape, [1, 6]);
    let line = model.graph(4).unwrap_err().to_string();
    assert!(line.contains("Reshape (node 'y_node', opset 13)"), "{line}");
    assert!(
        line.contains("it fixes the batch to 1, but the batch is 4"),
        "{line}"
    );
}

#[test]
fn what_the_network_cannot_do_is_refused() {
    let cases: [(&str, ModelProto); 6] = [
        ("a product of two values of the network", {
            let nodes = vec![
                node("Transpose", &["x"], &["t"], vec![]),
                node("MatMul", &["x", "t"], &["y"], vec![]),
            ];
            file(13, vec![value("x", &[3, 4])], vec![], nodes)
        }),
        ("input 1 is computed in the network", {
            let nodes = vec![node("Conv", &["x", "w"], &["y"], vec![])];
            let inputs: Vec<ValueInfoProto> =
                vec![value("x", &[1, 1, 4, 4]), value("w", &[1, 1, 2, 2])];
            file(13, inputs, vec![], nodes)
        }),
        (
            "select_last_index is 1, expected 0",
            one("ArgMax", &[1, 4], vec![], vec![int("select_last_index", 1)]),
        ),
        ("padding with 1, expected 0", {
            let weights = vec![indices("p", &[0, 1, 0, 1]), floats("v", &[], &[1.0])];
            one("Pad", &[1, 4], weights, vec![])
        }),
        ("attribute mode is reflect", {
            let mode = support::text("mode", "reflect");
            one(
                "Pad",
                &[1, 4],
                vec![indices("p", &[0, 1, 0, 1])],
                vec![mode],
            )
        }),
        (
            "input 0 has rank 5",
            one(
                "Conv",
                &[1, 1, 2, 2, 2],
                vec![ramp("w", &[1, 1, 1, 1, 1])],
                vec![],
            ),
        ),
    ];
    for (expected, net) in cases {
        let line = refusal(&net);
        assert!(line.contains(expected), "{line}");
        assert!(line.contains("(node 'y_node', opset 13)"), "{line}");
    }
    let line = refusal(&one("Hardmax", &[1, 4], vec![], vec![]));
    for operator in supported_operators() {
        assert!(line.contains(operator.name), "{line}");
    }
}

#[test]
fn forms_of_another_opset_are_refused() {
    let squeeze = |opset, weights: Vec<TensorProto>, attributes| {
        let mut net = one("Squeeze", &[2, 1, 3], weights, attributes);
        net.opset_import[0].version = opset;
        net
    };
    let axes = || vec![indices("a", &[1])];
    agrees(&squeeze(13, axes(), vec![]));
    agrees(&squeeze(11, vec![], vec![ints("axes", &[1])]));
    let line = refusal(&squeeze(11, axes(), vec![]));
    assert!(line.ends_with("2 inputs, expected at most 1"), "{line}");
    let line = refusal(&squeeze(13, vec![], vec![ints("axes", &[1])]));
    assert!(
        line.ends_with("attribute axes is not one of this opset"),
        "{line}"
    );
    let line = refusal(&one("Relu", &[2, 3], vec![ramp("w", &[3])], vec![]));
    assert!(line.ends_with("2 inputs, expected at most 1"), "{line}");
    let line = refusal(&one(
        "ReduceMean",
        &[2, 3],
        vec![],
        vec![int("keepdims", 2)],
    ));
    assert!(
        line.ends_with("attribute keepdims is 2, expected 0 or 1"),
        "{line}"
    );
}
