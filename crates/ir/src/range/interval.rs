use crate::{FloatGraph, FloatNode, FloatOp, Linear, LinearKind, View, Weights};
use serde::{Deserialize, Serialize};

/// All values of a wire lie in `low ..= high`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Interval {
    pub low: f64,
    pub high: f64,
}

/// Size of a node's private weight.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Gain {
    /// Products in one output.
    pub terms: usize,
    /// Largest sum of |w| over the products of one output.
    pub sum: f64,
    /// Largest |w|.
    pub largest: f64,
    /// Largest absolute value of the bias.
    pub bias: f64,
}

impl Interval {
    /// Largest absolute value.
    pub fn magnitude(&self) -> f64 {
        self.low.abs().max(self.high.abs())
    }

    fn new(a: f64, b: f64) -> Self {
        Self {
            low: a.min(b),
            high: a.max(b),
        }
    }

    fn with_zero(self) -> Self {
        self.union(Self::default())
    }

    fn union(self, other: Self) -> Self {
        Self {
            low: self.low.min(other.low),
            high: self.high.max(other.high),
        }
    }
}

/// Intervals of all wires and gains of all nodes, for a graph and weights that have been checked.
pub(super) fn propagate(
    graph: &FloatGraph,
    weights: &Weights,
    declared: &[[f32; 2]],
) -> (Vec<Interval>, Vec<Option<Gain>>) {
    let mut intervals = vec![Interval::default(); graph.wires.len()];
    for (port, [low, high]) in graph.inputs.iter().zip(declared) {
        intervals[port.wire.0 as usize] = Interval::new(f64::from(*low), f64::from(*high));
    }
    let mut gains = Vec::with_capacity(graph.nodes.len());
    for node in &graph.nodes {
        let inputs: Vec<Interval> = node
            .inputs
            .iter()
            .map(|w| intervals[w.0 as usize])
            .collect();
        let (interval, gain) = node_interval(graph, weights, node, &inputs);
        intervals[node.output.0 as usize] = interval;
        gains.push(gain);
    }
    (intervals, gains)
}

fn node_interval(
    graph: &FloatGraph,
    weights: &Weights,
    node: &FloatNode,
    x: &[Interval],
) -> (Interval, Option<Gain>) {
    let first = x[0];
    let interval = match &node.op {
        FloatOp::Linear(linear) => {
            let (interval, gain) = linear_interval(weights, linear, first);
            return (interval, Some(gain));
        }
        FloatOp::Bias { weight, .. } => {
            let constants = tensor(weights, *weight);
            let span = span(constants);
            let bias = span.magnitude();
            let gain = Gain {
                terms: 0,
                sum: 0.0,
                largest: 0.0,
                bias,
            };
            let interval = Interval {
                low: first.low + span.low,
                high: first.high + span.high,
            };
            return (interval, Some(gain));
        }
        FloatOp::Scale(by) => {
            Interval::new(first.low * f64::from(*by), first.high * f64::from(*by))
        }
        FloatOp::Offset(by) => Interval {
            low: first.low + f64::from(*by),
            high: first.high + f64::from(*by),
        },
        FloatOp::Add => Interval {
            low: first.low + x[1].low,
            high: first.high + x[1].high,
        },
        FloatOp::Sub => Interval {
            low: first.low - x[1].high,
            high: first.high - x[1].low,
        },
        FloatOp::Relu => Interval {
            low: first.low.max(0.0),
            high: first.high.max(0.0),
        },
        FloatOp::AveragePool {
            include_pad: true, ..
        } => first.with_zero(),
        FloatOp::MaxPool(_) | FloatOp::AveragePool { .. } => first,
        FloatOp::TopK { .. } => {
            let extent = graph
                .wire(node.inputs[0])
                .shape
                .last()
                .copied()
                .unwrap_or(1);
            Interval {
                low: 0.0,
                high: extent as f64 - 1.0,
            }
        }
        FloatOp::View(View::Pad { .. }) => first.with_zero(),
        FloatOp::View(_) => x.iter().fold(first, |all, one| all.union(*one)),
    };
    (interval, None)
}

/// For each output channel the positive weights meet the upper end and the negative ones the lower.
fn linear_interval(weights: &Weights, linear: &Linear, x: Interval) -> (Interval, Gain) {
    let w = tensor(weights, linear.weight);
    let (x, terms) = match &linear.kind {
        LinearKind::MatMul { inner, .. } => (x, *inner),
        LinearKind::Conv(conv) => {
            let terms = conv.in_channels / conv.groups * conv.kernel[0] * conv.kernel[1];
            let padded = [conv.pad_begin, conv.pad_end]
                .iter()
                .flatten()
                .any(|pad| *pad > 0);
            (if padded { x.with_zero() } else { x }, terms)
        }
        LinearKind::Diagonal(_) => (x, 1),
    };
    let channels = w.len() / terms;
    let parts = |channel: usize| {
        let split = |(up, down): (f64, f64), w: &f32| {
            (up + f64::from(w.max(0.0)), down + f64::from(w.min(0.0)))
        };
        match &linear.kind {
            LinearKind::MatMul { columns, .. } => w[channel..]
                .iter()
                .step_by(*columns)
                .fold((0.0, 0.0), split),
            _ => w[channel * terms..][..terms].iter().fold((0.0, 0.0), split),
        }
    };
    let bias = linear.bias.map(|id| tensor(weights, id));
    let mut out: Option<Interval> = None;
    let mut sum: f64 = 0.0;
    for channel in 0..channels {
        let (up, down) = parts(channel);
        let bias = bias.map_or(0.0, |b| f64::from(b[channel]));
        let own = Interval {
            low: up * x.low + down * x.high + bias,
            high: up * x.high + down * x.low + bias,
        };
        out = Some(out.map_or(own, |all| all.union(own)));
        sum = sum.max(up - down);
    }
    let gain = Gain {
        terms,
        sum,
        largest: span(w).magnitude(),
        bias: bias.map_or(0.0, |b| span(b).magnitude()),
    };
    (out.unwrap_or_default(), gain)
}

fn tensor(weights: &Weights, id: crate::WeightId) -> &[f32] {
    weights.get(id).map_or(&[], |t| &t.values)
}

fn span(values: &[f32]) -> Interval {
    values
        .iter()
        .fold(None, |all: Option<Interval>, v| {
            let own = Interval {
                low: f64::from(*v),
                high: f64::from(*v),
            };
            Some(all.map_or(own, |all| all.union(own)))
        })
        .unwrap_or_default()
}
