//! The float reading and the output tail against direct formulas and numbers worked out by hand.

mod nets;

use nets::Net;
use proptest::prelude::*;
use subrosa_ir::{
    Conv, Element, EvalError, FloatOp, OutputPort, Tail, TailNode, TailOp, TailValue, Tensor,
    WeightId, Window, eval_float, volume,
};

/// The convolution as its definition has it.
fn convolve(c: &Conv, x: &[f32], w: &[f32], bias: &[f32]) -> Vec<f32> {
    let s = c.shape();
    let [ins, outs] = [c.in_channels / c.groups, c.out_channels / c.groups];
    let mut out = Vec::new();
    for image in 0..c.batch {
        for (channel, bias) in bias.iter().enumerate() {
            for oy in 0..s.out_height() {
                for ox in 0..s.out_width() {
                    let mut sum = f64::from(*bias);
                    for i in 0..ins {
                        let plane = image * c.in_channels + channel / outs * ins + i;
                        for ky in 0..c.kernel[0] {
                            for kx in 0..c.kernel[1] {
                                let y = (oy * c.stride[0] + ky * c.dilation[0])
                                    .wrapping_sub(c.pad_begin[0]);
                                let xx = (ox * c.stride[1] + kx * c.dilation[1])
                                    .wrapping_sub(c.pad_begin[1]);
                                if y < c.in_size[0] && xx < c.in_size[1] {
                                    let at = (plane * c.in_size[0] + y) * c.in_size[1] + xx;
                                    let from =
                                        ((channel * ins + i) * c.kernel[0] + ky) * c.kernel[1] + kx;
                                    sum += f64::from(x[at]) * f64::from(w[from]);
                                }
                            }
                        }
                    }
                    out.push(sum as f32);
                }
            }
        }
    }
    out
}

proptest! {
    #[test]
    fn convolution_is_its_definition(
        seed in any::<u64>(),
        sizes in prop::array::uniform2(3usize..12),
        kernel in prop::array::uniform2(1usize..4),
        stride in prop::array::uniform2(1usize..4),
        dilation in prop::array::uniform2(1usize..3),
        pads in prop::array::uniform4(0usize..3),
        (groups, ins, outs) in (1usize..4, 1usize..3, 1usize..7),
    ) {
        let conv = Conv {
            batch: 2,
            in_channels: groups * ins,
            in_size: sizes,
            out_channels: groups * outs,
            kernel,
            stride,
            dilation,
            pad_begin: [pads[0], pads[1]],
            pad_end: [pads[2], pads[3]],
            groups,
        };
        let reach = |axis: usize| (kernel[axis] - 1) * dilation[axis];
        prop_assume!((0..2).all(|a| sizes[a] + pads[a] + pads[a + 2] > reach(a)));
        let mut net = Net::new(seed, vec![2, groups * ins, sizes[0], sizes[1]]);
        let x = net.graph.inputs[0].wire;
        let y = net.conv(x, conv, true);
        net.output(y);
        let input = net.sample(1.0);
        let [w, b] = [0, 1].map(|id| net.weights.get(WeightId(id)).unwrap().values.clone());
        let expected = convolve(&conv, &input.values, &w, &b);
        let found = eval_float(&net.graph, &net.weights, &[input]).unwrap();
        for (e, f) in expected.iter().zip(&found[0].values) {
            prop_assert!((e - f).abs() < 1e-4);
        }
    }
}

fn tensor(shape: &[usize], values: &[f32]) -> Tensor {
    assert_eq!(volume(shape), values.len());
    Tensor {
        shape: shape.to_vec(),
        values: values.to_vec(),
    }
}

/// What one node makes of `x`.
fn apply(op: FloatOp, x: &Tensor, out: &[usize]) -> Vec<f32> {
    let mut net = Net::new(0, x.shape.clone());
    let input = net.graph.inputs[0].wire;
    let y = net.push(op, &[input], out.to_vec());
    net.output(y);
    eval_float(&net.graph, &net.weights, std::slice::from_ref(x))
        .unwrap()
        .remove(0)
        .values
}

#[test]
fn pools_and_choices() {
    let x = tensor(&[1, 1, 3, 3], &[1., 2., 3., -4., 5., 6., 7., 8., -9.]);
    let window = Window {
        planes: 1,
        in_size: [3, 3],
        out_size: [2, 2],
        kernel: [2, 2],
        stride: [2, 2],
        dilation: [1, 1],
        pad_begin: [1, 1],
    };
    let out = [1, 1, 2, 2];
    assert_eq!(apply(FloatOp::MaxPool(window), &x, &out), [1., 3., 7., 8.]);
    let mean = |include_pad| {
        apply(
            FloatOp::AveragePool {
                window,
                include_pad,
            },
            &x,
            &out,
        )
    };
    assert_eq!(mean(true), [0.25, 1.25, 0.75, 2.5]);
    assert_eq!(mean(false), [1., 2.5, 1.5, 2.5]);
    let x = tensor(&[2, 4], &[1., 3., 3., -1., -0., 0., -2., 0.]);
    let top = apply(FloatOp::TopK { count: 3 }, &x, &[2, 3]);
    assert_eq!(top, [1., 2., 0., 0., 1., 3.]);
}

fn tail(op: TailOp, inputs: Vec<TailValue>, shape: &[usize]) -> Tail {
    Tail {
        nodes: vec![TailNode {
            name: "t".into(),
            op,
            inputs,
            shape: shape.to_vec(),
        }],
        outputs: vec![OutputPort {
            name: "y".into(),
            value: TailValue::Node(0),
            element: Element::Float,
        }],
    }
}

#[test]
fn tails_broadcast_and_stay_finite() {
    let x = tensor(&[2, 2], &[1000., 1000., -1000., -1002.]);
    let softmax = |axis| {
        tail(
            TailOp::Softmax { axis },
            vec![TailValue::Opened(0)],
            &[2, 2],
        )
    };
    let y = softmax(1).eval(std::slice::from_ref(&x)).unwrap();
    let e = (-2f32).exp();
    assert_eq!(y[0].values[..2], [0.5, 0.5]);
    assert!((y[0].values[3] - e / (1. + e)).abs() < 1e-6);
    assert_eq!(
        softmax(0).eval(std::slice::from_ref(&x)).unwrap()[0].values,
        [1., 1., 0., 0.]
    );
    let log = tail(
        TailOp::LogSoftmax { axis: 1 },
        vec![TailValue::Opened(0)],
        &[2, 2],
    );
    let y = log.eval(std::slice::from_ref(&x)).unwrap();
    assert!((y[0].values[0] + 2f32.ln()).abs() < 1e-6);
    let column = TailValue::Constant(tensor(&[3, 1, 1], &[1., 2., 4.]));
    let times = tail(TailOp::Mul, vec![TailValue::Opened(0), column], &[3, 2, 2]);
    let y = times.eval(std::slice::from_ref(&x)).unwrap();
    assert_eq!(y[0].values[8..], [4000., 4000., -4000., -4008.]);
    let wrong = tail(
        TailOp::Add,
        vec![TailValue::Opened(0), TailValue::Opened(1)],
        &[2, 2],
    );
    assert!(matches!(wrong.eval(&[x]), Err(EvalError::Graph(_))));
}

#[test]
fn wrong_inputs_and_weights_are_named() {
    let mut net = Net::new(1, vec![2, 3]);
    let x = net.graph.inputs[0].wire;
    let y = net.dense(x, 4);
    net.output(y);
    let eval = |net: &Net, inputs: &[Tensor]| eval_float(&net.graph, &net.weights, inputs);
    assert_eq!(
        eval(&net, &[]),
        Err(EvalError::Inputs {
            expected: 1,
            found: 0
        })
    );
    let wide = tensor(&[1, 6], &[0.; 6]);
    assert!(matches!(eval(&net, &[wide]), Err(EvalError::Input { .. })));
    net.weights.tensors[0].shape.reverse();
    let input = net.sample(1.0);
    assert!(matches!(
        eval(&net, &[input]),
        Err(EvalError::Weight { weight: 0, .. })
    ));
}
