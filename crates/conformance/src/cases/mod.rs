//! Small networks, one for each thing that a protocol may get wrong.

mod net;

use crate::{Failure, Subject, Table};
use net::{Net, all, uniform};
use std::sync::Arc;
use subrosa_core::{Prg, Seed};
use subrosa_ir::{
    FloatGraph, FloatOp, Reveal, SliceAxis, TailNode, TailOp, Tensor, View, Weights, ranges,
    simplify, volume,
};
use subrosa_protocol::Terms;

/// A network, its weights, the declared ranges of its inputs, and what is asked of the plan.
pub struct Case {
    pub name: &'static str,
    pub graph: FloatGraph,
    pub weights: Weights,
    pub declared: Vec<[f32; 2]>,
    pub terms: Terms,
}

/// A case that a protocol has planned.
pub struct Planned {
    pub table: Arc<Table>,
    /// The weights that belong to the plan.
    pub weights: Arc<Weights>,
}

impl Case {
    /// A network of one operation. `inputs` are the shapes of its inputs, each with the range [low, high].
    pub fn single(
        name: &'static str,
        op: FloatOp,
        inputs: &[&[usize]],
        output: &[usize],
        range: [f32; 2],
    ) -> Self {
        let mut net = Net::empty(0);
        let wires: Vec<_> = inputs.iter().map(|shape| net.input(shape, range)).collect();
        let y = net.push(op, &wires, output.to_vec());
        net.ending(name, y)
    }

    /// Inputs uniform in the declared ranges.
    pub fn inputs(&self, seed: u64) -> Vec<Tensor> {
        let mut prg = Prg::new(&Seed::insecure_seeded(seed));
        self.fill(|range, count| uniform(&mut prg, count, range))
    }

    /// Inputs that are the same everywhere: `at` of the way from the lower to the upper end of the range.
    pub fn constant_inputs(&self, at: f32) -> Vec<Tensor> {
        self.fill(|[low, high], count| vec![low + at * (high - low); count])
    }

    fn fill(&self, mut values: impl FnMut([f32; 2], usize) -> Vec<f32>) -> Vec<Tensor> {
        let ports = self.graph.inputs.iter().zip(&self.declared);
        let tensor = |(port, range): (&subrosa_ir::InputPort, &[f32; 2])| {
            let shape = self.graph.wire(port.wire).shape.clone();
            let values = values(*range, volume(&shape));
            Tensor { shape, values }
        };
        ports.map(tensor).collect()
    }

    /// Simplified, ranged and planned.
    pub fn plan(&self, subject: &Subject) -> Result<Planned, Failure> {
        let (graph, weights) = simplify(self.graph.clone(), self.weights.clone());
        let ranged = ranges(graph, &weights, &self.declared, None)?;
        let table = subject.table(&ranged, &self.terms)?;
        Ok(Planned {
            table: Arc::new(table),
            weights: Arc::new(weights),
        })
    }

    fn reveal(mut self, reveal: Reveal) -> Self {
        self.terms.reveal = reveal;
        self
    }

    fn ring(mut self, ring: u32) -> Self {
        self.terms.ring = Some(ring);
        self
    }
}

/// Every case.
pub fn cases() -> Vec<Case> {
    vec![
        perceptron("perceptron, batch 1", 1),
        perceptron("perceptron, batch 3", 3),
        perceptron("perceptron, 64-bit ring", 2).ring(64),
        convolution(),
        residual(),
        average_pools(),
        concatenation(),
        channels_last(),
        depthwise(),
        linear_after_linear(),
        wire_read_twice(),
        overlapping_maxima(),
        perceptron("argmax", 3).reveal(Reveal::ArgMax),
        perceptron("two largest", 2).reveal(Reveal::TopK(2)),
        private_constants(),
        public_scalars(),
        softmax_tail(),
        two_inputs(),
        movements(),
    ]
}

/// A short case for tests that run it very often: product, ReLU, maxima, product, with padding bits in its messages.
pub fn short() -> Case {
    let (mut net, x) = Net::new(90, &[1, 1, 3, 5]);
    let y = net.conv(x, 1, 3, |_| ());
    let y = net.max_pool(y, 3, 2, 1);
    let y = net.relu(y);
    let y = net.flatten(y);
    let y = net.dense(y, 3);
    net.ending("short", y)
}

/// Cases whose messages have no padding bits: every wire has a multiple of 64 values.
pub fn even() -> Vec<Case> {
    let (mut net, x) = Net::new(91, &[8, 8]);
    let y = net.dense(x, 16);
    let y = net.relu(y);
    let y = net.dense(y, 8);
    let dense = net.ending("even perceptron", y);
    let (mut net, x) = Net::new(92, &[2, 1, 8, 8]);
    let y = net.conv(x, 2, 3, |_| ());
    let y = net.max_pool(y, 2, 2, 0);
    let y = net.relu(y);
    let y = net.view(View::Reshape, y, &[8, 8]);
    let y = net.dense(y, 8);
    let y = net.dense(y, 8);
    let image = net.ending("even convolution", y);
    let (mut net, x) = Net::new(93, &[64, 4]);
    let y = net.dense(x, 4);
    let choice = net.ending("even choice", y).reveal(Reveal::TopK(2));
    vec![dense, image, choice]
}

/// Cases of a more usual size, with messages without padding bits.
pub fn large() -> Vec<Case> {
    let (mut net, x) = Net::new(94, &[4, 784]);
    let y = net.dense(x, 128);
    let y = net.relu(y);
    let y = net.dense(y, 10);
    let dense = net.ending("perceptron 784-128-10", y);
    let (mut net, x) = Net::new(95, &[4, 1, 14, 14]);
    let y = net.conv(x, 8, 5, |_| ());
    let y = net.max_pool(y, 2, 2, 0);
    let y = net.relu(y);
    let y = net.conv(y, 8, 3, |conv| conv.stride = [2, 2]);
    let y = net.relu(y);
    let y = net.average_pool(y, 2, 0, true);
    let y = net.flatten(y);
    let y = net.dense(y, 10);
    let image = net.ending("convolutional", y);
    vec![dense, image]
}

fn perceptron(name: &'static str, batch: usize) -> Case {
    let (mut net, x) = Net::new(1, &[batch, 10]);
    let y = net.dense(x, 12);
    let y = net.relu(y);
    let y = net.dense(y, 7);
    let y = net.relu(y);
    let y = net.dense(y, 5);
    net.ending(name, y)
}

fn convolution() -> Case {
    let (mut net, x) = Net::new(2, &[3, 2, 8, 8]);
    let y = net.conv(x, 4, 3, |_| ());
    let y = net.max_pool(y, 2, 2, 0);
    let y = net.relu(y);
    let y = net.conv(y, 3, 3, |conv| conv.pad_end = [0, 0]);
    let y = net.relu(y);
    let y = net.flatten(y);
    let y = net.dense(y, 5);
    net.ending("convolution", y)
}

fn residual() -> Case {
    let (mut net, x) = Net::new(3, &[2, 2, 8, 8]);
    let x = net.conv(x, 2, 3, |_| ());
    let x = net.relu(x);
    let y = net.conv(x, 4, 3, |conv| conv.stride = [2, 2]);
    let y = net.relu(y);
    let y = net.conv(y, 4, 3, |_| ());
    let every_other = SliceAxis {
        start: 0,
        step: 2,
        count: 4,
    };
    let slice = View::Slice(vec![all(2), all(2), every_other, every_other]);
    let skip = net.view(slice, x, &[2, 2, 4, 4]);
    let pad = View::Pad {
        before: vec![0, 1, 0, 0],
        after: vec![0, 1, 0, 0],
    };
    let skip = net.view(pad, skip, &[2, 4, 4, 4]);
    let y = net.same(FloatOp::Add, &[y, skip]);
    let y = net.relu(y);
    let y = net.average_pool(y, 4, 0, true);
    let y = net.flatten(y);
    let y = net.dense(y, 3);
    net.ending("residual", y)
}

fn average_pools() -> Case {
    let (mut net, x) = Net::new(4, &[1, 2, 6, 6]);
    let x = net.conv(x, 2, 3, |_| ());
    let one = net.average_pool(x, 3, 1, true);
    let other = net.average_pool(x, 3, 1, false);
    let y = net.same(FloatOp::Sub, &[one, other]);
    let y = net.relu(y);
    let y = net.flatten(y);
    let y = net.dense(y, 4);
    net.ending("average pools", y)
}

fn concatenation() -> Case {
    let (mut net, x) = Net::new(5, &[3, 6]);
    let one = net.dense(x, 4);
    let one = net.relu(one);
    let other = net.dense(x, 3);
    let y = net.push(
        FloatOp::View(View::Concat { axis: 1 }),
        &[one, other, x],
        vec![3, 13],
    );
    let y = net.dense(y, 4);
    net.ending("concatenation", y)
}

fn channels_last() -> Case {
    let (mut net, x) = Net::new(6, &[2, 5, 6, 3]);
    let y = net.view(View::Transpose(vec![0, 3, 1, 2]), x, &[2, 3, 5, 6]);
    let y = net.conv(y, 4, 3, |_| ());
    let y = net.view(View::Transpose(vec![0, 2, 3, 1]), y, &[2, 5, 6, 4]);
    let y = net.relu(y);
    let y = net.dense(y, 2);
    net.ending("channels last", y)
}

fn depthwise() -> Case {
    let (mut net, x) = Net::new(7, &[1, 3, 9, 9]);
    let y = net.conv(x, 6, 3, |conv| {
        conv.groups = 3;
        conv.dilation = [2, 2];
        conv.pad_begin = [2, 1];
    });
    let y = net.relu(y);
    let y = net.conv(y, 2, 1, |_| ());
    net.ending("depthwise", y)
}

fn linear_after_linear() -> Case {
    let (mut net, x) = Net::new(8, &[2, 6]);
    let y = net.dense(x, 5);
    let y = net.dense(y, 4);
    let y = net.dense(y, 3);
    net.ending("linear after linear", y)
}

fn wire_read_twice() -> Case {
    let (mut net, x) = Net::new(9, &[2, 6]);
    let one = net.dense(x, 4);
    let other = net.dense(x, 4);
    let y = net.same(FloatOp::Sub, &[one, other]);
    let y = net.relu(y);
    let three = net.dense(y, 4);
    let y = net.same(FloatOp::Add, &[y, three]);
    net.output(y);
    net.ending("wire read twice", one)
}

fn overlapping_maxima() -> Case {
    let (mut net, x) = Net::new(10, &[1, 2, 7, 7]);
    let y = net.max_pool(x, 3, 2, 1);
    let y = net.conv(y, 3, 3, |_| ());
    let y = net.relu(y);
    let y = net.max_pool(y, 3, 1, 1);
    net.ending("overlapping maxima", y)
}

fn private_constants() -> Case {
    let (mut net, x) = Net::new(11, &[2, 3, 4]);
    let y = net.bias(x, 1);
    let y = net.diagonal(y, 2);
    let y = net.relu(y);
    let y = net.diagonal(y, 1);
    let y = net.relu(y);
    let y = net.bias(y, 2);
    net.ending("private constants", y)
}

fn public_scalars() -> Case {
    let (mut net, x) = Net::new(12, &[2, 6]);
    let y = net.same(FloatOp::Offset(0.5), &[x]);
    let y = net.same(FloatOp::Scale(-0.37), &[y]);
    let y = net.relu(y);
    let y = net.same(FloatOp::Scale(1.7), &[y]);
    let y = net.same(FloatOp::Offset(-0.25), &[y]);
    let y = net.relu(y);
    let y = net.dense(y, 4);
    net.ending("public scalars", y)
}

fn softmax_tail() -> Case {
    let (mut net, x) = Net::new(13, &[3, 8]);
    let y = net.dense(x, 6);
    let y = net.relu(y);
    let y = net.dense(y, 5);
    let opened = net.open(y);
    let node = TailNode {
        name: "softmax".into(),
        op: TailOp::Softmax { axis: 1 },
        inputs: vec![opened],
        shape: vec![3, 5],
    };
    let value = net.tail(node);
    net.hand_out(value);
    net.case("softmax tail")
}

fn two_inputs() -> Case {
    let (mut net, x) = Net::new(14, &[2, 5]);
    let z = net.input(&[2, 1], [-2.0, 2.0]);
    let y = net.dense(x, 4);
    let wide = net.view(View::Broadcast, z, &[2, 4]);
    let y = net.same(FloatOp::Add, &[y, wide]);
    let y = net.relu(y);
    net.output(y);
    net.ending("two inputs", z)
}

fn movements() -> Case {
    let (mut net, x) = Net::new(15, &[2, 6]);
    let backwards = SliceAxis {
        start: 5,
        step: -2,
        count: 3,
    };
    let y = net.view(View::Slice(vec![all(2), backwards]), x, &[2, 3]);
    let y = net.dense(y, 4);
    let y = net.view(View::Transpose(vec![1, 0]), y, &[4, 2]);
    let y = net.relu(y);
    let pad = View::Pad {
        before: vec![1, 0],
        after: vec![0, 2],
    };
    let y = net.view(pad, y, &[5, 4]);
    let y = net.relu(y);
    let y = net.dense(y, 3);
    net.ending("movements", y)
}
