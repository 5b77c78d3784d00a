//! A simplified network is the same function.

mod nets;

use nets::{Net, amplification, random};
use proptest::prelude::*;
use subrosa_ir::{Conv, FloatOp, LinearKind, Spread, View, eval_float, simplify};

fn check_same(net: &mut Net) -> Net {
    let (graph, weights) = simplify(net.graph.clone(), net.weights.clone());
    graph.check().unwrap();
    weights.check(&graph).unwrap();
    let largest = amplification(net) * 1e-4;
    for _ in 0..2 {
        let input = [net.sample(4.0)];
        let expected = eval_float(&net.graph, &net.weights, &input).unwrap();
        let found = eval_float(&graph, &weights, &input).unwrap();
        for (expected, found) in expected.iter().zip(&found) {
            assert_eq!(expected.shape, found.shape);
            for (e, f) in expected.values.iter().zip(&found.values) {
                assert!(
                    f64::from((e - f).abs()) < largest,
                    "expected {e}, found {f}"
                );
            }
        }
    }
    let mut after = Net::new(0, vec![1]);
    (after.graph, after.weights) = (graph, weights);
    after
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn same_function(seed in any::<u64>(), codes in prop::collection::vec(any::<u8>(), 1..12)) {
        check_same(&mut random(seed, &codes));
    }
}

fn operations(net: &Net) -> Vec<&'static str> {
    let name = |op: &FloatOp| match op {
        FloatOp::Linear(linear) => match linear.kind {
            LinearKind::MatMul { .. } => "matmul",
            LinearKind::Conv(_) => "conv",
            LinearKind::Diagonal(_) => "diagonal",
        },
        FloatOp::Bias { .. } => "bias",
        FloatOp::Scale(_) => "scale",
        FloatOp::Offset(_) => "offset",
        FloatOp::Relu => "relu",
        FloatOp::MaxPool(_) => "max",
        FloatOp::View(View::Reshape) => "reshape",
        _ => "other",
    };
    net.graph.nodes.iter().map(|node| name(&node.op)).collect()
}

fn conv(net: &Net, pad: usize) -> Conv {
    let s = net.shape(net.graph.inputs[0].wire);
    Conv {
        batch: s[0],
        in_channels: s[1],
        in_size: [s[2], s[3]],
        out_channels: 3,
        kernel: [3, 3],
        stride: [1, 1],
        dilation: [1, 1],
        pad_begin: [pad; 2],
        pad_end: [pad; 2],
        groups: 1,
    }
}

#[test]
fn normalisation_bias_and_scales_fold_into_layers() {
    let mut net = Net::new(1, vec![2, 2, 6, 6]);
    let mut x = net.graph.inputs[0].wire;
    let shape = net.shape(x);
    x = net.push(FloatOp::Scale(1.0 / 255.0), &[x], shape.clone());
    x = net.push(FloatOp::Offset(-0.5), &[x], shape);
    let geometry = conv(&net, 0);
    x = net.conv(x, geometry, false);
    let shape = net.shape(x);
    let spread = Spread {
        outer: 2,
        channels: 3,
        inner: 16,
    };
    let values = net.uniform(3, 1.0);
    let weight = net.weight(vec![3], values);
    x = net.push(FloatOp::Bias { weight, spread }, &[x], shape.clone());
    x = net.linear(x, LinearKind::Diagonal(spread), true, shape);
    x = net.relu(x);
    let (window, shape) = net.window(x, 2, false);
    x = net.push(FloatOp::MaxPool(window), &[x], shape);
    x = net.reshape(x, vec![2, 3, 4]);
    x = net.reshape(x, vec![2, 12]);
    x = net.dense(x, 5);
    x = net.reshape(x, vec![2, 5, 1]);
    x = net.push(FloatOp::Scale(2.0), &[x], vec![2, 5, 1]);
    net.output(x);
    let after = check_same(&mut net);
    assert_eq!(
        operations(&after),
        ["conv", "max", "relu", "reshape", "matmul", "reshape"]
    );
    assert_eq!(after.weights.tensors.len(), 4);
}

#[test]
fn a_term_does_not_fold_through_padding() {
    let mut net = Net::new(2, vec![1, 2, 6, 6]);
    let mut x = net.graph.inputs[0].wire;
    let shape = net.shape(x);
    x = net.push(FloatOp::Offset(-0.5), &[x], shape.clone());
    x = net.push(FloatOp::Scale(3.0), &[x], shape);
    let geometry = conv(&net, 1);
    x = net.conv(x, geometry, true);
    net.output(x);
    let after = check_same(&mut net);
    assert_eq!(operations(&after), ["offset", "conv"]);
}

#[test]
fn what_is_opened_or_read_twice_stays() {
    let mut net = Net::new(3, vec![2, 4]);
    let x = net.graph.inputs[0].wire;
    let y = net.dense(x, 3);
    let z = net.push(FloatOp::Scale(3.0), &[y], vec![2, 3]);
    net.output(y);
    net.output(z);
    let after = check_same(&mut net);
    assert_eq!(operations(&after), ["matmul", "scale"]);
}
