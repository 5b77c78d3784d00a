//! Small networks with a front half that is always the same, and hidden halves of several kinds.

use subrosa_conformance::Case;
use subrosa_core::{Prg, Seed};
use subrosa_ir::{
    Conv, Element, FloatGraph, FloatNode, FloatOp, FloatWire, InputPort, Linear, LinearKind,
    OutputPort, TailValue, Tensor, View, WeightId, Weights, Window, WireId, volume,
};
use subrosa_protocol::{Division, Terms};

/// The last node of the front half.
pub const AT: &str = "front relu";

pub struct Net {
    graph: FloatGraph,
    weights: Vec<Tensor>,
    prg: Prg,
}

impl Net {
    /// With one input in [-1, 1].
    pub fn new(seed: u64, input: &[usize]) -> (Self, WireId) {
        let mut net = Self {
            graph: FloatGraph::default(),
            weights: Vec::new(),
            prg: Prg::new(&Seed::insecure_seeded(seed)),
        };
        let name = "x".to_owned();
        let wire = net.wire("x", input);
        net.graph.inputs.push(InputPort { name, wire });
        (net, wire)
    }

    fn wire(&mut self, name: &str, shape: &[usize]) -> WireId {
        let (name, shape) = (name.to_owned(), shape.to_vec());
        self.graph.wires.push(FloatWire { name, shape });
        WireId(self.graph.wires.len() as u32 - 1)
    }

    pub fn push(&mut self, name: &str, op: FloatOp, x: WireId, shape: &[usize]) -> WireId {
        let output = self.wire(&format!("{name} out"), shape);
        self.graph.nodes.push(FloatNode {
            name: name.to_owned(),
            op,
            inputs: vec![x],
            output,
        });
        output
    }

    fn shape(&self, wire: WireId) -> Vec<usize> {
        self.graph.wire(wire).shape.clone()
    }

    fn linear(&mut self, name: &str, kind: LinearKind, x: WireId, out: &[usize]) -> WireId {
        let shape = kind.weight_shape();
        let size = 1.0 / (volume(&shape) as f32 / volume(&out[1..]) as f32).max(1.0);
        let words = self.prg.words(24, volume(&shape));
        let unit = words.iter().map(|w| *w as f32 / (1 << 23) as f32 - 1.0);
        let values = unit.map(|u| u * size).collect();
        self.weights.push(Tensor { shape, values });
        let weight = WeightId(self.weights.len() as u32 - 1);
        let bias = None;
        self.push(name, FloatOp::Linear(Linear { kind, weight, bias }), x, out)
    }

    pub fn dense(&mut self, name: &str, x: WireId, columns: usize) -> WireId {
        let shape = self.shape(x);
        let [rows, inner] = [shape[0], shape[1]];
        let kind = LinearKind::MatMul {
            rows,
            inner,
            columns,
        };
        self.linear(name, kind, x, &[rows, columns])
    }

    pub fn relu(&mut self, name: &str, x: WireId) -> WireId {
        let shape = self.shape(x);
        self.push(name, FloatOp::Relu, x, &shape)
    }

    pub fn reshape(&mut self, name: &str, x: WireId, shape: &[usize]) -> WireId {
        self.push(name, FloatOp::View(View::Reshape), x, shape)
    }

    /// One channel, kernel 3, padding that keeps the size.
    pub fn conv(&mut self, name: &str, x: WireId) -> WireId {
        let shape = self.shape(x);
        let conv = Conv {
            batch: shape[0],
            in_channels: 1,
            in_size: [shape[2], shape[3]],
            out_channels: 1,
            kernel: [3; 2],
            stride: [1; 2],
            dilation: [1; 2],
            pad_begin: [1; 2],
            pad_end: [1; 2],
            groups: 1,
        };
        self.linear(name, LinearKind::Conv(conv), x, &shape)
    }

    /// Means over squares of `side`.
    pub fn pool(&mut self, name: &str, x: WireId, side: usize) -> WireId {
        let shape = self.shape(x);
        let out_size = [shape[2] / side, shape[3] / side];
        let window = Window {
            planes: shape[0] * shape[1],
            in_size: [shape[2], shape[3]],
            out_size,
            kernel: [side; 2],
            stride: [side; 2],
            dilation: [1; 2],
            pad_begin: [0; 2],
        };
        let include_pad = true;
        let op = FloatOp::AveragePool {
            window,
            include_pad,
        };
        self.push(name, op, x, &[shape[0], shape[1], out_size[0], out_size[1]])
    }

    pub fn ending(mut self, y: WireId) -> Case {
        self.graph.outputs.push(y);
        self.graph.tail.outputs.push(OutputPort {
            name: "y".to_owned(),
            value: TailValue::Opened(0),
            element: Element::Float,
        });
        Case {
            name: "front and hidden halves",
            graph: self.graph,
            weights: Weights {
                tensors: self.weights,
            },
            declared: vec![[-1.0, 1.0]],
            terms: Terms {
                ring: Some(48),
                ..Terms::default()
            },
        }
    }
}

/// What a hidden half begins with.
#[derive(Clone, Copy, Debug)]
pub enum Begins {
    Dense,
    Conv,
    /// A full layer right behind that of the front half.
    Product,
}

/// A front half of a full layer and ReLU, and a hidden half of `layers` of both before the last one.
pub fn halves(begins: Begins, layers: usize) -> Case {
    let (mut net, x) = Net::new(5, &[1, 20]);
    let y = net.dense("front dense", x, 16);
    let mut y = match begins {
        Begins::Product => net.dense("hidden product", y, 16),
        Begins::Dense | Begins::Conv => net.relu(AT, y),
    };
    if let Begins::Conv = begins {
        y = net.reshape("image", y, &[1, 1, 4, 4]);
        y = net.conv("hidden conv", y);
        y = net.relu("hidden relu", y);
        y = net.reshape("row", y, &[1, 16]);
    }
    for layer in 0..layers {
        y = net.dense(&format!("hidden dense {layer}"), y, 16);
        y = net.relu(&format!("hidden relu {layer}"), y);
    }
    let y = net.dense("last", y, 3);
    net.ending(y)
}

/// Both halves a full layer and ReLU, and wires of `rows` times `columns` values.
fn square(rows: usize, columns: usize) -> Case {
    let (mut net, x) = Net::new(6, &[rows, columns]);
    let y = net.dense("front dense", x, columns);
    let y = net.relu(AT, y);
    let y = net.dense("hidden dense", y, columns);
    let y = net.relu("hidden relu", y);
    net.ending(y)
}

/// Without padding bits in messages.
pub fn full() -> Case {
    square(8, 8)
}

/// With padding bits.
pub fn tiny() -> Case {
    square(1, 5)
}

pub fn divided(case: Case, division: Division) -> Case {
    Case {
        terms: Terms {
            division,
            ..case.terms
        },
        ..case
    }
}

pub fn at(name: &str, remotes: usize) -> Division {
    Division {
        at: Some(name.to_owned()),
        remotes,
        ..Division::default()
    }
}
