use super::bands::Bands;
use crate::{FloatGraph, FloatNode, FloatOp, Linear, View, WeightId, Weights, volume};
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

    pub(super) fn new(a: f64, b: f64) -> Self {
        Self {
            low: a.min(b),
            high: a.max(b),
        }
    }

    pub(super) fn point(value: f32) -> Self {
        Self::new(f64::from(value), f64::from(value))
    }

    pub(super) fn with_zero(self) -> Self {
        self.union(Self::default())
    }

    pub(super) fn sum(self, other: Self) -> Self {
        Self {
            low: self.low + other.low,
            high: self.high + other.high,
        }
    }

    pub(super) fn times(self, by: f64) -> Self {
        Self::new(self.low * by, self.high * by)
    }

    pub(super) fn union(self, other: Self) -> Self {
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
    let mut known: Vec<Option<Bands>> = vec![None; graph.wires.len()];
    for (port, [low, high]) in graph.inputs.iter().zip(declared) {
        let interval = Interval::new(f64::from(*low), f64::from(*high));
        let bands = Bands::uniform(volume(&graph.wire(port.wire).shape), interval);
        known[port.wire.0 as usize] = Some(bands);
    }
    let mut gains = Vec::with_capacity(graph.nodes.len());
    for node in &graph.nodes {
        let inputs: Vec<&Bands> = node
            .inputs
            .iter()
            .filter_map(|w| known[w.0 as usize].as_ref())
            .collect();
        let (bands, gain) = node_bands(graph, weights, node, &inputs);
        known[node.output.0 as usize] = Some(bands);
        gains.push(gain);
    }
    let hull = |bands: &Option<Bands>| bands.as_ref().map(Bands::hull).unwrap_or_default();
    (known.iter().map(hull).collect(), gains)
}

fn node_bands(
    graph: &FloatGraph,
    weights: &Weights,
    node: &FloatNode,
    x: &[&Bands],
) -> (Bands, Option<Gain>) {
    let first = x[0];
    let bands = match &node.op {
        FloatOp::Linear(linear) => {
            let (bands, gain) = linear_bands(weights, linear, first);
            return (bands, Some(gain));
        }
        FloatOp::Bias { weight, spread } => {
            let constants: Vec<Interval> = points(tensor(weights, *weight)).collect();
            let bias = constants.iter().fold(0.0f64, |m, c| m.max(c.magnitude()));
            let gain = Gain {
                bias,
                ..Gain::default()
            };
            return (first.plus(&Bands::new(*spread, constants)), Some(gain));
        }
        FloatOp::Scale(by) => first.map(|i| i.times(f64::from(*by))),
        FloatOp::Offset(by) => first.map(|i| i.sum(Interval::point(*by))),
        FloatOp::Add => first.plus(x[1]),
        FloatOp::Sub => first.plus(&x[1].map(|i| i.times(-1.0))),
        FloatOp::Relu => first.map(|i| Interval {
            low: i.low.max(0.0),
            high: i.high.max(0.0),
        }),
        FloatOp::MaxPool(window) => first.pooled(window),
        FloatOp::AveragePool {
            window,
            include_pad,
        } => {
            let pooled = first.pooled(window);
            if *include_pad {
                pooled.map(Interval::with_zero)
            } else {
                pooled
            }
        }
        FloatOp::TopK { .. } => {
            let extent = graph
                .wire(node.inputs[0])
                .shape
                .last()
                .copied()
                .unwrap_or(1);
            let interval = Interval {
                low: 0.0,
                high: extent as f64 - 1.0,
            };
            Bands::uniform(volume(&graph.wire(node.output).shape), interval)
        }
        FloatOp::View(View::Reshape) => first.clone(),
        FloatOp::View(view) => {
            let shapes: Vec<&[usize]> = node
                .inputs
                .iter()
                .map(|w| graph.wire(*w).shape.as_slice())
                .collect();
            Bands::viewed(view, x, &shapes, &graph.wire(node.output).shape)
        }
    };
    (bands, None)
}

/// A positive weight meets the upper end for the upper end, a negative one the lower.
fn linear_bands(weights: &Weights, linear: &Linear, x: &Bands) -> (Bands, Gain) {
    let w = tensor(weights, linear.weight);
    let spread = linear.kind.bias_spread();
    let mut inputs = x.on(&linear.kind.input_spread());
    if linear.kind.is_padded() {
        inputs.iter_mut().for_each(|i| *i = i.with_zero());
    }
    let mut out: Vec<Interval> = match linear.bias {
        Some(bias) => points(tensor(weights, bias)).collect(),
        None => vec![Interval::default(); spread.channels],
    };
    let bias = out.iter().fold(0.0f64, |m, b| m.max(b.magnitude()));
    let (mut sums, mut largest) = (vec![0.0f64; spread.channels], 0.0f64);
    linear.kind.each_weight(|at, from, to| {
        let w = f64::from(w[at]);
        out[to] = out[to].sum(inputs[from].times(w));
        sums[to] += w.abs();
        largest = largest.max(w.abs());
    });
    let sum = sums.into_iter().fold(0.0, f64::max);
    let terms = w.len() / spread.channels;
    (
        Bands::new(spread, out),
        Gain {
            terms,
            sum,
            largest,
            bias,
        },
    )
}

fn tensor(weights: &Weights, id: WeightId) -> &[f32] {
    weights.get(id).map_or(&[], |t| &t.values)
}

fn points(values: &[f32]) -> impl Iterator<Item = Interval> {
    values.iter().map(|v| Interval::point(*v))
}
