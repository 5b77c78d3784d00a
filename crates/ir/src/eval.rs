//! The float reading of a graph: the model as its maker meant it.

mod linear;
mod pool;

use crate::{
    FloatGraph, FloatNode, FloatOp, GraphFault, Linear, Shape, Spread, Tensor, WeightId, Weights,
    WireId,
};
use thiserror::Error;

/// Why a graph or an output tail cannot be evaluated on the values given.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum EvalError {
    #[error(transparent)]
    Graph(#[from] GraphFault),
    #[error("weight {weight}: expected shape {expected:?}, found {found:?}")]
    Weight {
        weight: u32,
        expected: Shape,
        found: Option<Shape>,
    },
    #[error("expected {expected} inputs, found {found}")]
    Inputs { expected: usize, found: usize },
    #[error("input {input}: expected shape {expected:?}, found {found:?}")]
    Input {
        input: String,
        expected: Shape,
        found: Shape,
    },
    #[error("opened value {index} has {found} elements, its shape needs another number")]
    Opened { index: usize, found: usize },
    #[error("a thread of the reading ended before its work")]
    Worker,
}

/// The values of `graph.outputs`. `inputs` are in the order of `graph.inputs`.
pub fn eval_float(
    graph: &FloatGraph,
    weights: &Weights,
    inputs: &[Tensor],
) -> Result<Vec<Tensor>, EvalError> {
    eval_float_visiting(graph, weights, inputs, |_, _| ())
}

/// As [`eval_float`]; `visit` sees the values of every wire, inputs included.
pub fn eval_float_visiting(
    graph: &FloatGraph,
    weights: &Weights,
    inputs: &[Tensor],
    mut visit: impl FnMut(WireId, &[f32]),
) -> Result<Vec<Tensor>, EvalError> {
    graph.check()?;
    weights.check(graph)?;
    check_inputs(graph, inputs)?;
    let mut left = vec![0usize; graph.wires.len()];
    for wire in graph
        .nodes
        .iter()
        .flat_map(|n| &n.inputs)
        .chain(&graph.outputs)
    {
        left[wire.0 as usize] += 1;
    }
    let mut values: Vec<Vec<f32>> = vec![Vec::new(); graph.wires.len()];
    for (port, tensor) in graph.inputs.iter().zip(inputs) {
        visit(port.wire, &tensor.values);
        values[port.wire.0 as usize] = tensor.values.clone();
    }
    for node in &graph.nodes {
        let read: Vec<&[f32]> = node
            .inputs
            .iter()
            .map(|w| values[w.0 as usize].as_slice())
            .collect();
        let value = eval_node(graph, weights, node, &read);
        visit(node.output, &value);
        values[node.output.0 as usize] = value;
        for wire in &node.inputs {
            left[wire.0 as usize] -= 1;
            if left[wire.0 as usize] == 0 {
                values[wire.0 as usize] = Vec::new();
            }
        }
    }
    let outputs = graph.outputs.iter().map(|wire| Tensor {
        shape: graph.wire(*wire).shape.clone(),
        values: values[wire.0 as usize].clone(),
    });
    Ok(outputs.collect())
}

fn check_inputs(graph: &FloatGraph, inputs: &[Tensor]) -> Result<(), EvalError> {
    if inputs.len() != graph.inputs.len() {
        return Err(EvalError::Inputs {
            expected: graph.inputs.len(),
            found: inputs.len(),
        });
    }
    for (port, tensor) in graph.inputs.iter().zip(inputs) {
        let expected = &graph.wire(port.wire).shape;
        if *expected != tensor.shape || tensor.values.len() != crate::volume(expected) {
            return Err(EvalError::Input {
                input: port.name.clone(),
                expected: expected.clone(),
                found: tensor.shape.clone(),
            });
        }
    }
    Ok(())
}

impl Weights {
    /// Whether every weight that a checked graph uses is there, in the shape that it is used in.
    pub fn check(&self, graph: &FloatGraph) -> Result<(), EvalError> {
        for node in &graph.nodes {
            match &node.op {
                FloatOp::Linear(linear) => {
                    self.check_one(linear.weight, &linear.kind.weight_shape())?;
                    if let Some(bias) = linear.bias {
                        self.check_one(bias, &[linear.kind.bias_spread().channels])?;
                    }
                }
                FloatOp::Bias { weight, spread } => self.check_one(*weight, &[spread.channels])?,
                _ => {}
            }
        }
        Ok(())
    }

    fn check_one(&self, id: WeightId, expected: &[usize]) -> Result<(), EvalError> {
        let found = self.get(id);
        let fits =
            found.is_some_and(|t| t.shape == expected && t.values.len() == crate::volume(expected));
        if fits {
            return Ok(());
        }
        Err(EvalError::Weight {
            weight: id.0,
            expected: expected.to_vec(),
            found: found.map(|t| t.shape.clone()),
        })
    }

    fn values(&self, id: WeightId) -> &[f32] {
        &self.tensors[id.0 as usize].values
    }
}

fn eval_node(graph: &FloatGraph, weights: &Weights, node: &FloatNode, x: &[&[f32]]) -> Vec<f32> {
    match &node.op {
        FloatOp::Linear(linear) => eval_linear(weights, linear, x[0]),
        FloatOp::Bias { weight, spread } => {
            let mut out = x[0].to_vec();
            add_spread(&mut out, weights.values(*weight), spread);
            out
        }
        FloatOp::Scale(by) => x[0].iter().map(|v| v * by).collect(),
        FloatOp::Offset(by) => x[0].iter().map(|v| v + by).collect(),
        FloatOp::Add => x[0].iter().zip(x[1]).map(|(a, b)| a + b).collect(),
        FloatOp::Sub => x[0].iter().zip(x[1]).map(|(a, b)| a - b).collect(),
        FloatOp::Relu => x[0].iter().map(|v| v.max(0.0)).collect(),
        FloatOp::MaxPool(window) => pool::max(window, x[0]),
        FloatOp::AveragePool {
            window,
            include_pad,
        } => pool::average(window, *include_pad, x[0]),
        FloatOp::TopK { count } => {
            let extent = graph
                .wire(node.inputs[0])
                .shape
                .last()
                .copied()
                .unwrap_or(1);
            let indices = x[0]
                .chunks(extent)
                .flat_map(|row| top_k(row, *count, |v| v + 0.0));
            indices.map(|index| index as f32).collect()
        }
        FloatOp::View(view) => {
            let shapes = node.inputs.iter().map(|w| graph.wire(*w).shape.as_slice());
            let inputs: Vec<_> = shapes.zip(x.iter().copied()).collect();
            view.apply(&inputs, &graph.wire(node.output).shape)
        }
    }
}

fn eval_linear(weights: &Weights, linear: &Linear, x: &[f32]) -> Vec<f32> {
    let mut out = vec![0.0; linear.kind.out_len()];
    linear::accumulate(&linear.kind, x, weights.values(linear.weight), &mut out);
    if let Some(bias) = linear.bias {
        add_spread(&mut out, weights.values(bias), &linear.kind.bias_spread());
    }
    out
}

fn add_spread(out: &mut [f32], constant: &[f32], spread: &Spread) {
    for outer in out.chunks_exact_mut((spread.channels * spread.inner).max(1)) {
        for (plane, constant) in outer.chunks_exact_mut(spread.inner.max(1)).zip(constant) {
            for value in plane {
                *value += constant;
            }
        }
    }
}

/// Total order on the elements of a row, for [`top_k`].
pub(crate) trait Ordered: Copy {
    fn order(&self, other: &Self) -> std::cmp::Ordering;
}

impl Ordered for f32 {
    fn order(&self, other: &Self) -> std::cmp::Ordering {
        self.total_cmp(other)
    }
}

impl Ordered for i64 {
    fn order(&self, other: &Self) -> std::cmp::Ordering {
        self.cmp(other)
    }
}

/// Indices of the `count` largest of `row`, largest first, the smaller index first among equals; `key` maps an element.
pub(crate) fn top_k<T, K: Ordered>(row: &[T], count: usize, key: impl Fn(&T) -> K) -> Vec<usize> {
    let keys: Vec<K> = row.iter().map(key).collect();
    let mut order: Vec<usize> = (0..keys.len()).collect();
    order.sort_by(|a, b| keys[*b].order(&keys[*a]));
    order.truncate(count);
    order
}
