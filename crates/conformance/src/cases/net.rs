use crate::Case;
use subrosa_core::{Prg, Seed};
use subrosa_ir::{
    Conv, Element, FloatGraph, FloatNode, FloatOp, FloatWire, InputPort, Linear, LinearKind,
    OutputPort, Shape, SliceAxis, Spread, TailValue, Tensor, View, WeightId, Weights, Window,
    WireId, volume,
};
use subrosa_protocol::Terms;

/// A network being written down. Weights are uniform in a range that keeps wires small.
pub struct Net {
    graph: FloatGraph,
    weights: Vec<Tensor>,
    declared: Vec<[f32; 2]>,
    prg: Prg,
}

impl Net {
    /// A network with one input in [-2, 2].
    pub fn new(seed: u64, input: &[usize]) -> (Self, WireId) {
        let mut net = Self::empty(seed);
        let x = net.input(input, [-2.0, 2.0]);
        (net, x)
    }

    pub fn empty(seed: u64) -> Self {
        Self {
            graph: FloatGraph::default(),
            weights: Vec::new(),
            declared: Vec::new(),
            prg: Prg::new(&Seed::insecure_seeded(seed)),
        }
    }

    pub fn input(&mut self, shape: &[usize], range: [f32; 2]) -> WireId {
        let name = format!("x{}", self.graph.inputs.len());
        let wire = self.wire(&name, shape.to_vec());
        self.graph.inputs.push(InputPort { name, wire });
        self.declared.push(range);
        wire
    }

    fn wire(&mut self, name: &str, shape: Shape) -> WireId {
        let name = name.to_owned();
        self.graph.wires.push(FloatWire { name, shape });
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

    /// A weight uniform in [-size, size].
    fn weight(&mut self, shape: Shape, size: f32) -> WeightId {
        let values = uniform(&mut self.prg, volume(&shape), [-size, size]);
        self.weights.push(Tensor { shape, values });
        WeightId(self.weights.len() as u32 - 1)
    }

    fn linear(&mut self, x: WireId, kind: LinearKind, bias: bool, out: Shape) -> WireId {
        let shape = kind.weight_shape();
        let fan_in = match &kind {
            LinearKind::MatMul { inner, .. } => *inner,
            LinearKind::Conv(_) => volume(&shape[1..]),
            LinearKind::Diagonal(_) => 1,
        };
        let weight = self.weight(shape, 1.0 / (fan_in as f32).sqrt());
        let channels = kind.bias_spread().channels;
        let bias = bias.then(|| self.weight(vec![channels], 0.5));
        self.push(FloatOp::Linear(Linear { kind, weight, bias }), &[x], out)
    }

    /// Along the last axis.
    pub fn dense(&mut self, x: WireId, columns: usize) -> WireId {
        let mut out = self.shape(x);
        let inner = out.pop().unwrap_or(1);
        let rows = volume(&out);
        out.push(columns);
        let kind = LinearKind::MatMul {
            rows,
            inner,
            columns,
        };
        self.linear(x, kind, true, out)
    }

    /// A square convolution; `adjust` sets what is not the default: stride 1, padding that keeps the size.
    pub fn conv(
        &mut self,
        x: WireId,
        channels: usize,
        kernel: usize,
        adjust: impl FnOnce(&mut Conv),
    ) -> WireId {
        let shape = self.shape(x);
        let mut conv = Conv {
            batch: shape[0],
            in_channels: shape[1],
            in_size: [shape[2], shape[3]],
            out_channels: channels,
            kernel: [kernel; 2],
            stride: [1; 2],
            dilation: [1; 2],
            pad_begin: [kernel / 2; 2],
            pad_end: [kernel / 2; 2],
            groups: 1,
        };
        adjust(&mut conv);
        let size = conv.shape();
        let out = vec![shape[0], channels, size.out_height(), size.out_width()];
        self.linear(x, LinearKind::Conv(conv), true, out)
    }

    /// Product with a private constant for each entry of an axis.
    pub fn diagonal(&mut self, x: WireId, axis: usize) -> WireId {
        let shape = self.shape(x);
        self.linear(x, LinearKind::Diagonal(spread(&shape, axis)), false, shape)
    }

    /// Sum with a private constant for each entry of an axis.
    pub fn bias(&mut self, x: WireId, axis: usize) -> WireId {
        let shape = self.shape(x);
        let spread = spread(&shape, axis);
        let weight = self.weight(vec![spread.channels], 1.0);
        self.push(FloatOp::Bias { weight, spread }, &[x], shape)
    }

    /// An operation that keeps the shape of its first input.
    pub fn same(&mut self, op: FloatOp, inputs: &[WireId]) -> WireId {
        let shape = self.shape(inputs[0]);
        self.push(op, inputs, shape)
    }

    pub fn relu(&mut self, x: WireId) -> WireId {
        self.same(FloatOp::Relu, &[x])
    }

    fn window(&self, x: WireId, kernel: usize, stride: usize, pad: usize) -> (Window, Shape) {
        let shape = self.shape(x);
        let out = |extent: usize| (extent + 2 * pad - kernel) / stride + 1;
        let out_size = [out(shape[2]), out(shape[3])];
        let window = Window {
            planes: shape[0] * shape[1],
            in_size: [shape[2], shape[3]],
            out_size,
            kernel: [kernel; 2],
            stride: [stride; 2],
            dilation: [1; 2],
            pad_begin: [pad; 2],
        };
        (window, vec![shape[0], shape[1], out_size[0], out_size[1]])
    }

    pub fn max_pool(&mut self, x: WireId, kernel: usize, stride: usize, pad: usize) -> WireId {
        let (window, out) = self.window(x, kernel, stride, pad);
        self.push(FloatOp::MaxPool(window), &[x], out)
    }

    pub fn average_pool(
        &mut self,
        x: WireId,
        kernel: usize,
        pad: usize,
        include_pad: bool,
    ) -> WireId {
        let (window, out) = self.window(x, kernel, 2, pad);
        let op = FloatOp::AveragePool {
            window,
            include_pad,
        };
        self.push(op, &[x], out)
    }

    pub fn view(&mut self, view: View, x: WireId, out: &[usize]) -> WireId {
        self.push(FloatOp::View(view), &[x], out.to_vec())
    }

    /// Everything but the first axis becomes one.
    pub fn flatten(&mut self, x: WireId) -> WireId {
        let shape = self.shape(x);
        let out = [shape[0], volume(&shape[1..])];
        self.view(View::Reshape, x, &out)
    }

    /// Opens a wire under its own name.
    pub fn output(&mut self, wire: WireId) -> TailValue {
        let value = TailValue::Opened(self.graph.outputs.len());
        self.graph.outputs.push(wire);
        self.hand_out(value.clone());
        value
    }

    /// Opens a wire for the output tail alone.
    pub fn open(&mut self, wire: WireId) -> TailValue {
        self.graph.outputs.push(wire);
        TailValue::Opened(self.graph.outputs.len() - 1)
    }

    pub fn hand_out(&mut self, value: TailValue) {
        let name = format!("y{}", self.graph.tail.outputs.len());
        let element = Element::Float;
        self.graph.tail.outputs.push(OutputPort {
            name,
            value,
            element,
        });
    }

    pub fn tail(&mut self, node: subrosa_ir::TailNode) -> TailValue {
        self.graph.tail.nodes.push(node);
        TailValue::Node(self.graph.tail.nodes.len() - 1)
    }

    pub fn case(self, name: &'static str) -> Case {
        Case {
            name,
            graph: self.graph,
            weights: Weights {
                tensors: self.weights,
            },
            declared: self.declared,
            terms: Terms::default(),
        }
    }

    /// With a single output.
    pub fn ending(mut self, name: &'static str, output: WireId) -> Case {
        self.output(output);
        self.case(name)
    }
}

fn spread(shape: &[usize], axis: usize) -> Spread {
    Spread {
        outer: volume(&shape[..axis]),
        channels: shape[axis],
        inner: volume(&shape[axis + 1..]),
    }
}

/// The whole of an axis.
pub fn all(count: usize) -> SliceAxis {
    SliceAxis {
        start: 0,
        step: 1,
        count,
    }
}

/// Uniform floats of a range.
pub fn uniform(prg: &mut Prg, count: usize, [low, high]: [f32; 2]) -> Vec<f32> {
    let words = prg.words(24, count);
    let unit = words.into_iter().map(|w| w as f32 / (1 << 24) as f32);
    unit.map(|u| low + u * (high - low)).collect()
}
