//! The output tail: what the receiver computes in the clear from the opened wires.

use crate::{EvalError, Tail, TailNode, TailOp, TailValue, Tensor, View, volume};

impl Tail {
    /// The values of `outputs`, in their order, from the values of the graph's outputs.
    pub fn eval(&self, opened: &[Tensor]) -> Result<Vec<Tensor>, EvalError> {
        for (index, tensor) in opened.iter().enumerate() {
            if tensor.values.len() != volume(&tensor.shape) {
                return Err(EvalError::Opened {
                    index,
                    found: tensor.values.len(),
                });
            }
        }
        let shapes: Vec<&[usize]> = opened.iter().map(|t| t.shape.as_slice()).collect();
        self.check(&shapes)?;
        let mut nodes: Vec<Tensor> = Vec::with_capacity(self.nodes.len());
        for node in &self.nodes {
            let inputs: Vec<&Tensor> = node
                .inputs
                .iter()
                .map(|value| read(value, opened, &nodes))
                .collect();
            let values = eval_node(node, &inputs);
            nodes.push(Tensor {
                shape: node.shape.clone(),
                values,
            });
        }
        let outputs = self
            .outputs
            .iter()
            .map(|o| read(&o.value, opened, &nodes).clone());
        Ok(outputs.collect())
    }
}

fn read<'a>(value: &'a TailValue, opened: &'a [Tensor], nodes: &'a [Tensor]) -> &'a Tensor {
    match value {
        TailValue::Opened(index) => &opened[*index],
        TailValue::Node(index) => &nodes[*index],
        TailValue::Constant(tensor) => tensor,
    }
}

fn eval_node(node: &TailNode, x: &[&Tensor]) -> Vec<f32> {
    let each = |f: fn(f32) -> f32| x[0].values.iter().map(|v| f(*v)).collect();
    let pair = |f: fn(f32, f32) -> f32| {
        let [left, right] = [spread(x[0], &node.shape), spread(x[1], &node.shape)];
        left.into_iter().zip(right).map(|(a, b)| f(a, b)).collect()
    };
    match &node.op {
        TailOp::Softmax { axis } => along(x[0], *axis, softmax),
        TailOp::LogSoftmax { axis } => along(x[0], *axis, log_softmax),
        TailOp::Exp => each(f32::exp),
        TailOp::Log => each(f32::ln),
        TailOp::Sigmoid => each(sigmoid),
        TailOp::Tanh => each(f32::tanh),
        TailOp::Sqrt => each(f32::sqrt),
        TailOp::Neg => each(|v| -v),
        TailOp::Add => pair(|a, b| a + b),
        TailOp::Sub => pair(|a, b| a - b),
        TailOp::Mul => pair(|a, b| a * b),
        TailOp::Div => pair(|a, b| a / b),
        TailOp::View(view) => {
            let inputs: Vec<_> = x
                .iter()
                .map(|t| (t.shape.as_slice(), t.values.as_slice()))
                .collect();
            view.apply(&inputs, &node.shape)
        }
    }
}

/// The tensor at every element of `shape`, under numpy's rules.
fn spread(x: &Tensor, shape: &[usize]) -> Vec<f32> {
    if x.shape == shape {
        return x.values.clone();
    }
    let mut ranked = vec![1; shape.len() - x.shape.len()];
    ranked.extend_from_slice(&x.shape);
    View::Broadcast.apply(&[(&ranked, &x.values)], shape)
}

/// Replaces each line along `axis` by `f` of it.
fn along(x: &Tensor, axis: usize, f: fn(&mut [f32])) -> Vec<f32> {
    let extent = x.shape[axis];
    let inner = volume(&x.shape[axis + 1..]);
    let mut out = x.values.clone();
    let mut line = vec![0.0; extent];
    for chunk in out.chunks_mut(extent * inner) {
        for offset in 0..inner {
            for (value, from) in line.iter_mut().zip(chunk[offset..].iter().step_by(inner)) {
                *value = *from;
            }
            f(&mut line);
            for (value, to) in line.iter().zip(chunk[offset..].iter_mut().step_by(inner)) {
                *to = *value;
            }
        }
    }
    out
}

fn softmax(line: &mut [f32]) {
    let largest = line.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let mut sum = 0.0;
    for value in line.iter_mut() {
        *value = (*value - largest).exp();
        sum += *value;
    }
    for value in line {
        *value /= sum;
    }
}

fn log_softmax(line: &mut [f32]) {
    let largest = line.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let sum: f32 = line.iter().map(|v| (v - largest).exp()).sum();
    for value in line {
        *value = (*value - largest) - sum.ln();
    }
}

fn sigmoid(v: f32) -> f32 {
    if v >= 0.0 {
        1.0 / (1.0 + (-v).exp())
    } else {
        let e = v.exp();
        e / (1.0 + e)
    }
}
