//! Small networks of full layers and ReLU.

use subrosa_core::{Prg, Seed};
use subrosa_ir::{
    Element, FloatGraph, FloatNode, FloatOp, FloatWire, InputPort, Linear, LinearKind, OutputPort,
    TailValue, Tensor, WeightId, Weights, WireId, ranges, simplify,
};
use subrosa_protocol::{Division, Protocol, Terms};
use subrosa_seco::{Seco, Whole};

pub struct Model {
    pub whole: Whole,
    pub weights: Weights,
    /// Of the input.
    pub shape: [usize; 2],
}

struct Net {
    graph: FloatGraph,
    weights: Vec<Tensor>,
    prg: Prg,
}

impl Net {
    fn wire(&mut self, name: &str, shape: [usize; 2]) -> WireId {
        let (name, shape) = (name.to_owned(), shape.to_vec());
        self.graph.wires.push(FloatWire { name, shape });
        WireId(self.graph.wires.len() as u32 - 1)
    }

    fn node(&mut self, name: &str, op: FloatOp, x: WireId, shape: [usize; 2]) -> WireId {
        let output = self.wire(&format!("{name} out"), shape);
        let (name, inputs) = (name.to_owned(), vec![x]);
        self.graph.nodes.push(FloatNode {
            name,
            op,
            inputs,
            output,
        });
        output
    }

    fn output(&mut self, wire: WireId) {
        let number = self.graph.outputs.len();
        self.graph.outputs.push(wire);
        self.graph.tail.outputs.push(OutputPort {
            name: format!("y{number}"),
            value: TailValue::Opened(number),
            element: Element::Float,
        });
    }

    /// Values in [-1, 1].
    fn draw(&mut self, count: usize) -> Vec<f32> {
        let words = self.prg.words(24, count).into_iter();
        words.map(|w| w as f32 / (1 << 23) as f32 - 1.0).collect()
    }
}

/// Full layers of these widths, after each but the last one ReLU. The answers are what goes into the first ReLU, and the last.
/// The node before the first layer but `front` is called "cut".
pub fn model(rows: usize, widths: &[usize], front: usize, division: Division) -> Model {
    let shape = [rows, widths[0]];
    let mut net = Net {
        graph: FloatGraph::default(),
        weights: Vec::new(),
        prg: Prg::new(&Seed::insecure_seeded(5)),
    };
    let mut x = net.wire("x", shape);
    let name = "x".to_owned();
    net.graph.inputs.push(InputPort { name, wire: x });
    for (layer, pair) in widths.windows(2).enumerate() {
        let [inner, columns] = [pair[0], pair[1]];
        let values = net.draw(inner * columns);
        let shape = vec![inner, columns];
        net.weights.push(Tensor { shape, values });
        let kind = LinearKind::MatMul {
            rows,
            inner,
            columns,
        };
        let weight = WeightId(layer as u32);
        let bias = None;
        let op = FloatOp::Linear(Linear { kind, weight, bias });
        x = net.node(&format!("full {layer}"), op, x, [rows, columns]);
        if layer == front {
            net.output(x);
        }
        if layer + 2 < widths.len() {
            let name = match layer + 1 == front {
                true => "cut".to_owned(),
                false => format!("relu {layer}"),
            };
            x = net.node(&name, FloatOp::Relu, x, [rows, columns]);
        }
    }
    net.output(x);
    let weights = Weights {
        tensors: net.weights,
    };
    let (graph, weights) = simplify(net.graph, weights);
    let ranged = ranges(graph, &weights, &[[-1.0, 1.0]], None).unwrap();
    let terms = Terms {
        ring: Some(48),
        division,
        ..Terms::default()
    };
    let whole = Seco::plan(&ranged, &terms).unwrap();
    Model {
        whole,
        weights,
        shape,
    }
}

/// All rows the same.
pub fn fixed(model: &Model) -> Tensor {
    let [rows, columns] = model.shape;
    let row = [0.75, -0.4375, 0.3125, 0.5];
    let row = row.into_iter().cycle().take(columns);
    Tensor {
        shape: model.shape.to_vec(),
        values: row.collect::<Vec<_>>().repeat(rows),
    }
}

/// All rows drawn.
pub fn drawn(model: &Model, seed: u64) -> Tensor {
    let [rows, columns] = model.shape;
    let mut prg = Prg::new(&Seed::insecure_seeded(seed));
    let words = prg.words(24, rows * columns).into_iter();
    Tensor {
        shape: model.shape.to_vec(),
        values: words.map(|w| w as f32 / (1 << 23) as f32 - 1.0).collect(),
    }
}
