//! Small networks: by hand, and at random.

#![allow(dead_code)]

use subrosa_core::{Prg, Seed};
use subrosa_ir::{
    Conv, Element, FloatGraph, FloatNode, FloatOp, FloatWire, InputPort, Linear, LinearKind,
    OutputPort, Shape, SliceAxis, Spread, TailValue, Tensor, View, WeightId, Weights, Window,
    WireId, volume,
};

pub struct Net {
    pub graph: FloatGraph,
    pub weights: Weights,
    prg: Prg,
}

impl Net {
    pub fn new(seed: u64, input: Shape) -> Self {
        let mut net = Self {
            graph: FloatGraph::default(),
            weights: Weights::default(),
            prg: Prg::new(&Seed::insecure_seeded(seed)),
        };
        let wire = net.wire("x", input);
        net.graph.inputs.push(InputPort {
            name: "x".into(),
            wire,
        });
        net
    }

    fn wire(&mut self, name: &str, shape: Shape) -> WireId {
        self.graph.wires.push(FloatWire {
            name: name.into(),
            shape,
        });
        WireId(self.graph.wires.len() as u32 - 1)
    }

    pub fn shape(&self, wire: WireId) -> Shape {
        self.graph.wire(wire).shape.clone()
    }

    pub fn push(&mut self, op: FloatOp, inputs: &[WireId], shape: Shape) -> WireId {
        let name = format!("node{}", self.graph.nodes.len());
        let output = self.wire(&format!("{name}_out"), shape);
        self.graph.nodes.push(FloatNode {
            name,
            op,
            inputs: inputs.to_vec(),
            output,
        });
        output
    }

    pub fn weight(&mut self, shape: Shape, values: Vec<f32>) -> WeightId {
        self.weights.tensors.push(Tensor { shape, values });
        WeightId(self.weights.tensors.len() as u32 - 1)
    }

    /// Uniform in [-size, size].
    pub fn uniform(&mut self, count: usize, size: f32) -> Vec<f32> {
        let words = self.prg.words(24, count);
        words
            .into_iter()
            .map(|w| (w as f32 / (1 << 23) as f32 - 1.0) * size)
            .collect()
    }

    /// Uniform in 0 .. n.
    pub fn pick(&mut self, n: usize) -> usize {
        self.prg.words(32, 1)[0] as usize % n
    }

    pub fn linear(&mut self, x: WireId, kind: LinearKind, bias: bool, out: Shape) -> WireId {
        let shape = kind.weight_shape();
        let values = self.uniform(volume(&shape), 0.5);
        let weight = self.weight(shape, values);
        let channels = kind.bias_spread().channels;
        let bias = bias.then(|| {
            let values = self.uniform(channels, 1.0);
            self.weight(vec![channels], values)
        });
        self.push(FloatOp::Linear(Linear { kind, weight, bias }), &[x], out)
    }

    pub fn dense(&mut self, x: WireId, columns: usize) -> WireId {
        let shape = self.shape(x);
        let inner = shape[shape.len() - 1];
        let rows = volume(&shape) / inner;
        let mut out = shape;
        *out.last_mut().unwrap() = columns;
        self.linear(
            x,
            LinearKind::MatMul {
                rows,
                inner,
                columns,
            },
            true,
            out,
        )
    }

    pub fn conv(&mut self, x: WireId, conv: Conv, bias: bool) -> WireId {
        let s = conv.shape();
        let out = vec![conv.batch, conv.out_channels, s.out_height(), s.out_width()];
        self.linear(x, LinearKind::Conv(conv), bias, out)
    }

    pub fn reshape(&mut self, x: WireId, shape: Shape) -> WireId {
        self.push(FloatOp::View(View::Reshape), &[x], shape)
    }

    pub fn relu(&mut self, x: WireId) -> WireId {
        let shape = self.shape(x);
        self.push(FloatOp::Relu, &[x], shape)
    }

    /// A window of `kernel` with stride 2 and padding of one at the beginning where `pad`.
    pub fn window(&self, x: WireId, kernel: usize, pad: bool) -> (Window, Shape) {
        let s = self.shape(x);
        let pad = usize::from(pad);
        let out = |n: usize| (n + 2 * pad - kernel) / 2 + 1;
        let window = Window {
            planes: s[0] * s[1],
            in_size: [s[2], s[3]],
            out_size: [out(s[2]), out(s[3])],
            kernel: [kernel; 2],
            stride: [2; 2],
            dilation: [1; 2],
            pad_begin: [pad; 2],
        };
        (window, vec![s[0], s[1], out(s[2]), out(s[3])])
    }

    pub fn output(&mut self, wire: WireId) {
        let index = self.graph.outputs.len();
        self.graph.outputs.push(wire);
        self.graph.tail.outputs.push(OutputPort {
            name: format!("y{index}"),
            value: TailValue::Opened(index),
            element: Element::Float,
        });
    }

    /// An input uniform in [-size, size].
    pub fn sample(&mut self, size: f32) -> Tensor {
        let shape = self.shape(self.graph.inputs[0].wire);
        let values = self.uniform(volume(&shape), size);
        Tensor { shape, values }
    }

    /// One more node of the kind that `code` says, where the shape allows it.
    fn grow(&mut self, x: WireId, earlier: &[WireId], code: u8) -> WireId {
        let shape = self.shape(x);
        let image = shape.len() == 4 && shape[2] >= 3 && shape[3] >= 3;
        let spread = |axis: usize| Spread {
            outer: volume(&shape[..axis]),
            channels: shape[axis],
            inner: volume(&shape[axis + 1..]),
        };
        let same = shape.clone();
        match code % 16 {
            0..=2 if image => {
                let groups = if shape[1].is_multiple_of(2) && code >= 128 {
                    2
                } else {
                    1
                };
                let conv = Conv {
                    batch: shape[0],
                    in_channels: shape[1],
                    in_size: [shape[2], shape[3]],
                    out_channels: groups * (1 + self.pick(2)),
                    kernel: [1 + self.pick(3), 1 + self.pick(3)],
                    stride: [1 + self.pick(2), 1],
                    dilation: [1, 1],
                    pad_begin: [self.pick(2), self.pick(2)],
                    pad_end: [self.pick(2), 0],
                    groups,
                };
                self.conv(x, conv, code >= 64)
            }
            3 => self.dense(x, 1 + (code as usize >> 5)),
            4 => {
                let spread = spread(usize::from(shape.len() > 1));
                self.linear(x, LinearKind::Diagonal(spread), code >= 128, same)
            }
            5 => {
                let spread = spread(shape.len() - 1);
                let values = self.uniform(spread.channels, 1.0);
                let weight = self.weight(vec![spread.channels], values);
                self.push(FloatOp::Bias { weight, spread }, &[x], same)
            }
            6 => {
                let by = self.uniform(1, 2.0)[0];
                self.push(FloatOp::Scale(by), &[x], same)
            }
            7 => {
                let by = self.uniform(1, 2.0)[0];
                self.push(FloatOp::Offset(by), &[x], same)
            }
            8 | 9 if image => {
                let (window, out) = self.window(x, 2 + self.shape(x)[2] % 2, code >= 128);
                let include_pad = code >= 64;
                let op = match code % 16 {
                    8 => FloatOp::MaxPool(window),
                    _ => FloatOp::AveragePool {
                        window,
                        include_pad,
                    },
                };
                self.push(op, &[x], out)
            }
            10 => {
                let other = earlier
                    .iter()
                    .find(|w| self.shape(**w) == same)
                    .copied()
                    .unwrap_or(x);
                let op = if code >= 128 {
                    FloatOp::Add
                } else {
                    FloatOp::Sub
                };
                self.push(op, &[x, other], same)
            }
            11 => {
                let perm: Vec<usize> = (0..shape.len()).rev().collect();
                let out = shape.iter().rev().copied().collect();
                self.push(FloatOp::View(View::Transpose(perm)), &[x], out)
            }
            12 => {
                let whole = |n: &usize| SliceAxis {
                    start: 0,
                    step: 1,
                    count: *n,
                };
                let mut axes: Vec<SliceAxis> = shape.iter().map(whole).collect();
                let last = shape.len() - 1;
                let (count, n) = (shape[last].div_ceil(2), shape[last]);
                axes[last] = SliceAxis {
                    start: n - 1,
                    step: -2,
                    count,
                };
                let mut out = shape;
                out[last] = count;
                self.push(FloatOp::View(View::Slice(axes)), &[x], out)
            }
            13 => {
                let (mut before, mut after) = (vec![0; shape.len()], vec![0; shape.len()]);
                let last = shape.len() - 1;
                (before[last], after[0]) = (1, usize::from(code >= 128));
                let mut out = shape;
                out[last] += 1;
                out[0] += after[0];
                self.push(FloatOp::View(View::Pad { before, after }), &[x], out)
            }
            14 => {
                let mut out = shape;
                out[0] *= 2;
                self.push(
                    FloatOp::View(View::Concat { axis: 0 }),
                    &[x, earlier_like(self, x, earlier)],
                    out,
                )
            }
            15 => {
                let flat = volume(&shape);
                let first = if flat.is_multiple_of(2) { 2 } else { 1 };
                self.reshape(x, vec![first, flat / first])
            }
            _ => self.relu(x),
        }
    }
}

fn earlier_like(net: &Net, x: WireId, earlier: &[WireId]) -> WireId {
    earlier
        .iter()
        .copied()
        .find(|w| net.shape(*w) == net.shape(x))
        .unwrap_or(x)
}

/// A network that `codes` describe, with two outputs.
pub fn random(seed: u64, codes: &[u8]) -> Net {
    let mut net = Net::new(seed, vec![2, 2, 6, 5]);
    let mut x = net.graph.inputs[0].wire;
    let mut earlier = vec![x];
    for code in codes {
        x = net.grow(x, &earlier, *code);
        earlier.push(x);
    }
    net.output(x);
    let middle = earlier[earlier.len() / 2];
    if middle != x {
        net.output(middle);
    }
    net
}

/// Largest factor by which the network can enlarge an error, roughly.
pub fn amplification(net: &Net) -> f64 {
    let mut all = 1.0f64;
    for node in &net.graph.nodes {
        all *= match &node.op {
            FloatOp::Linear(linear) => {
                let w = &net.weights.tensors[linear.weight.0 as usize];
                let outputs = linear.kind.bias_spread().channels as f64;
                let sum: f64 = w.values.iter().map(|v| f64::from(v.abs())).sum();
                (sum / outputs * 2.0).max(1.0)
            }
            FloatOp::Scale(by) => f64::from(by.abs()).max(1.0),
            FloatOp::Add | FloatOp::Sub => 2.0,
            _ => 1.0,
        };
    }
    all
}
