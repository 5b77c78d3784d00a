//! Opening only the place of the largest.

use super::{LowerError, Reveal};
use crate::{
    Element, FixedGraph, FixedNode, FixedOp, FixedWire, OutputPort, Tail, TailNode, TailOp,
    TailValue, View, WireId,
};

/// Puts a choice of the largest behind every output and lets the tail hand out their indices.
pub(super) fn restrict(graph: &mut FixedGraph, reveal: Reveal) -> Result<(), LowerError> {
    let count = match reveal {
        Reveal::All => return Ok(()),
        Reveal::ArgMax => 1,
        Reveal::TopK(count) => count,
    };
    let mut reduction = Reduction {
        graph,
        count,
        nodes: Vec::new(),
    };
    let mut outputs = Vec::with_capacity(graph.tail.outputs.len());
    for port in &graph.tail.outputs {
        let value = reduction.indices(port, &port.value)?;
        outputs.push(OutputPort {
            name: port.name.clone(),
            value,
            element: Element::Integer,
        });
    }
    let tail = Tail {
        nodes: reduction.nodes,
        outputs,
    };
    for position in 0..graph.outputs.len() {
        let output = graph.outputs[position];
        if !is_choice(graph, output) {
            graph.outputs[position] = choose(graph, output, count)?;
        }
    }
    graph.tail = tail;
    Ok(())
}

fn is_choice(graph: &FixedGraph, wire: WireId) -> bool {
    graph
        .nodes
        .iter()
        .any(|n| n.output == wire && matches!(n.op, FixedOp::TopK { .. }))
}

fn choose(graph: &mut FixedGraph, x: WireId, count: usize) -> Result<WireId, LowerError> {
    let wire = graph.wire(x);
    let mut shape = wire.shape.clone();
    let extent = shape.last().copied().unwrap_or(0);
    let last = shape.last_mut().filter(|_| (1..=extent).contains(&count));
    let output = wire.name.clone();
    *last.ok_or(LowerError::Count {
        output,
        count,
        extent,
    })? = count;
    let chosen = FixedWire {
        name: format!("{} (largest)", wire.name),
        shape,
        frac: 0,
        bound: extent as u64 - 1,
        proven: wire.proven,
    };
    let node = FixedNode {
        name: chosen.name.clone(),
        op: FixedOp::TopK { count },
        inputs: vec![x],
        output: WireId(graph.wires.len() as u32),
    };
    let id = node.output;
    graph.wires.push(chosen);
    graph.nodes.push(node);
    Ok(id)
}

/// A tail on values being turned into a tail on indices.
struct Reduction<'a> {
    graph: &'a FixedGraph,
    count: usize,
    nodes: Vec<TailNode>,
}

impl Reduction<'_> {
    /// The indices of the largest of a value, if what the tail does keeps the order along the last axis.
    fn indices(&mut self, port: &OutputPort, value: &TailValue) -> Result<TailValue, LowerError> {
        let refuse = |operation| LowerError::Order {
            output: port.name.clone(),
            operation,
        };
        let node = match value {
            TailValue::Opened(index) => return Ok(TailValue::Opened(*index)),
            TailValue::Constant(_) => return Err(refuse("a constant")),
            TailValue::Node(index) => &self.graph.tail.nodes[*index],
        };
        let last = node.shape.len().saturating_sub(1);
        let source = match &node.op {
            TailOp::View(view) => return self.view(port, node, view),
            TailOp::Softmax { axis } | TailOp::LogSoftmax { axis } if *axis == last => Some(0),
            TailOp::Exp | TailOp::Log | TailOp::Sigmoid | TailOp::Tanh | TailOp::Sqrt => Some(0),
            TailOp::Add => constant_beside(node, |_| true),
            TailOp::Sub => constant_beside(node, |_| true).filter(|source| *source == 0),
            TailOp::Mul => constant_beside(node, |c| c > 0.0),
            TailOp::Div => constant_beside(node, |c| c > 0.0).filter(|source| *source == 0),
            _ => None,
        };
        let source = source.ok_or_else(|| refuse(name(&node.op)))?;
        self.indices(port, &node.inputs[source])
    }

    /// A movement of whole rows moves their indices; indices that the model itself chose may move in any way.
    fn view(
        &mut self,
        port: &OutputPort,
        node: &TailNode,
        view: &View,
    ) -> Result<TailValue, LowerError> {
        let last = node.shape.len().saturating_sub(1);
        let chosen = self.is_chosen(&node.inputs[0]);
        let kept = match view {
            View::Reshape => self.extent(&node.inputs[0]) == node.shape.last().copied(),
            View::Transpose(perm) => perm.last() == Some(&last),
            _ => false,
        };
        if node.inputs.len() != 1 || !(kept || chosen) {
            let operation = name(&node.op);
            return Err(LowerError::Order {
                output: port.name.clone(),
                operation,
            });
        }
        let inner = self.indices(port, &node.inputs[0])?;
        let mut shape = node.shape.clone();
        if let Some(extent) = shape.last_mut().filter(|_| !chosen) {
            *extent = self.count;
        }
        let (name, op) = (node.name.clone(), node.op.clone());
        self.nodes.push(TailNode {
            name,
            op,
            inputs: vec![inner],
            shape,
        });
        Ok(TailValue::Node(self.nodes.len() - 1))
    }

    fn is_chosen(&self, value: &TailValue) -> bool {
        match value {
            TailValue::Opened(index) => is_choice(self.graph, self.graph.outputs[*index]),
            TailValue::Node(index) => {
                let node = &self.graph.tail.nodes[*index];
                matches!(node.op, TailOp::View(_)) && self.is_chosen(&node.inputs[0])
            }
            TailValue::Constant(_) => false,
        }
    }

    fn extent(&self, value: &TailValue) -> Option<usize> {
        match value {
            TailValue::Opened(index) => self
                .graph
                .wire(self.graph.outputs[*index])
                .shape
                .last()
                .copied(),
            TailValue::Node(index) => self.graph.tail.nodes[*index].shape.last().copied(),
            TailValue::Constant(tensor) => tensor.shape.last().copied(),
        }
    }
}

/// Position of the input beside which the other is one constant number for all, with `allowed` true of it.
fn constant_beside(node: &TailNode, allowed: impl Fn(f32) -> bool) -> Option<usize> {
    let uniform = |value: &TailValue| match value {
        TailValue::Constant(tensor) => {
            tensor.values.len() == 1 && tensor.values.iter().all(|v| v.is_finite() && allowed(*v))
        }
        _ => false,
    };
    match node.inputs.as_slice() {
        [_, second] if uniform(second) => Some(0),
        [first, _] if uniform(first) => Some(1),
        _ => None,
    }
}

fn name(op: &TailOp) -> &'static str {
    match op {
        TailOp::Softmax { .. } => "Softmax",
        TailOp::LogSoftmax { .. } => "LogSoftmax",
        TailOp::Exp => "Exp",
        TailOp::Log => "Log",
        TailOp::Sigmoid => "Sigmoid",
        TailOp::Tanh => "Tanh",
        TailOp::Sqrt => "Sqrt",
        TailOp::Neg => "Neg",
        TailOp::Add => "Add",
        TailOp::Sub => "Sub",
        TailOp::Mul => "Mul",
        TailOp::Div => "Div",
        TailOp::View(_) => "a view",
    }
}
