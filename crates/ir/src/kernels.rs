use crate::{
    FixedGraph, FixedNode, FixedOp, FixedWire, Linear, Rescale, Spread, View, WeightId, Window,
};

/// What computes a fixed graph: the clear reading, a role's phase, a price. One method for each kind of node;
/// `node` carries names, shapes and bounds by way of `graph`.
pub trait Kernels {
    type Value;
    type Error;

    /// Exact product with a private weight plus bias; no truncation inside.
    fn linear(
        &mut self,
        at: At<'_>,
        linear: &Linear,
        x: &Self::Value,
    ) -> Result<Self::Value, Self::Error>;
    fn bias(
        &mut self,
        at: At<'_>,
        weight: WeightId,
        spread: &Spread,
        x: &Self::Value,
    ) -> Result<Self::Value, Self::Error>;
    fn scale(
        &mut self,
        at: At<'_>,
        by: &Rescale,
        x: &Self::Value,
    ) -> Result<Self::Value, Self::Error>;
    fn offset(&mut self, at: At<'_>, by: i64, x: &Self::Value) -> Result<Self::Value, Self::Error>;
    fn add(
        &mut self,
        at: At<'_>,
        x: &Self::Value,
        y: &Self::Value,
    ) -> Result<Self::Value, Self::Error>;
    fn sub(
        &mut self,
        at: At<'_>,
        x: &Self::Value,
        y: &Self::Value,
    ) -> Result<Self::Value, Self::Error>;
    fn sum_pool(
        &mut self,
        at: At<'_>,
        window: &Window,
        x: &Self::Value,
    ) -> Result<Self::Value, Self::Error>;
    fn truncate(
        &mut self,
        at: At<'_>,
        by: u32,
        x: &Self::Value,
    ) -> Result<Self::Value, Self::Error>;
    fn relu(&mut self, at: At<'_>, x: &Self::Value) -> Result<Self::Value, Self::Error>;
    fn max_pool(
        &mut self,
        at: At<'_>,
        window: &Window,
        x: &Self::Value,
    ) -> Result<Self::Value, Self::Error>;
    fn top_k(
        &mut self,
        at: At<'_>,
        count: usize,
        x: &Self::Value,
    ) -> Result<Self::Value, Self::Error>;
    fn view(
        &mut self,
        at: At<'_>,
        view: &View,
        inputs: &[&Self::Value],
    ) -> Result<Self::Value, Self::Error>;
}

/// Where in the graph a kernel is called.
#[derive(Clone, Copy)]
pub struct At<'a> {
    pub graph: &'a FixedGraph,
    pub node: &'a FixedNode,
    /// Position of the node in the graph.
    pub index: usize,
}

impl<'a> At<'a> {
    /// The wire that the node reads at `position`.
    pub fn input(&self, position: usize) -> &'a FixedWire {
        self.graph.wire(self.node.inputs[position])
    }

    /// The wire that the node defines.
    pub fn output(&self) -> &'a FixedWire {
        self.graph.wire(self.node.output)
    }
}

/// Runs every node in order and hands back the graph's outputs. A value is dropped after its last use.
///
/// The graph must have passed [`FixedGraph::check`], and `inputs` must match its input ports.
pub fn walk<K: Kernels>(
    graph: &FixedGraph,
    kernels: &mut K,
    inputs: Vec<K::Value>,
) -> Result<Vec<K::Value>, K::Error>
where
    K::Value: Clone,
{
    let mut left = vec![0usize; graph.wires.len()];
    let reads = graph
        .nodes
        .iter()
        .flat_map(|n| &n.inputs)
        .chain(&graph.outputs);
    for wire in reads {
        left[wire.0 as usize] += 1;
    }
    let mut values: Vec<Option<K::Value>> = (0..graph.wires.len()).map(|_| None).collect();
    for (port, value) in graph.inputs.iter().zip(inputs) {
        values[port.wire.0 as usize] = Some(value);
    }
    for (index, node) in graph.nodes.iter().enumerate() {
        let at = At { graph, node, index };
        let read: Vec<&K::Value> = node
            .inputs
            .iter()
            .filter_map(|w| values[w.0 as usize].as_ref())
            .collect();
        let value = step(kernels, at, &read)?;
        values[node.output.0 as usize] = Some(value);
        for wire in &node.inputs {
            left[wire.0 as usize] -= 1;
            if left[wire.0 as usize] == 0 {
                values[wire.0 as usize] = None;
            }
        }
    }
    Ok(graph
        .outputs
        .iter()
        .filter_map(|w| values[w.0 as usize].clone())
        .collect())
}

fn step<K: Kernels>(kernels: &mut K, at: At<'_>, x: &[&K::Value]) -> Result<K::Value, K::Error> {
    match &at.node.op {
        FixedOp::Linear { linear, .. } => kernels.linear(at, linear, x[0]),
        FixedOp::Bias { weight, spread } => kernels.bias(at, *weight, spread, x[0]),
        FixedOp::Scale(by) => kernels.scale(at, by, x[0]),
        FixedOp::Offset(by) => kernels.offset(at, *by, x[0]),
        FixedOp::Add => kernels.add(at, x[0], x[1]),
        FixedOp::Sub => kernels.sub(at, x[0], x[1]),
        FixedOp::SumPool(window) => kernels.sum_pool(at, window, x[0]),
        FixedOp::Truncate { by } => kernels.truncate(at, *by, x[0]),
        FixedOp::Relu => kernels.relu(at, x[0]),
        FixedOp::MaxPool(window) => kernels.max_pool(at, window, x[0]),
        FixedOp::TopK { count } => kernels.top_k(at, *count, x[0]),
        FixedOp::View(view) => kernels.view(at, view, x),
    }
}
