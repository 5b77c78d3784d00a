//! What nothing uses is removed, and the rest numbered again.

use super::Net;
use crate::{FloatGraph, FloatOp, WeightId, Weights, WireId};

impl Net {
    /// Removes nodes that no output needs.
    pub(super) fn remove_dead(&mut self) {
        let mut needed = vec![false; self.graph.wires.len()];
        for wire in &self.graph.outputs {
            needed[wire.0 as usize] = true;
        }
        let mut kept = Vec::with_capacity(self.graph.nodes.len());
        for node in std::mem::take(&mut self.graph.nodes).into_iter().rev() {
            if needed[node.output.0 as usize] {
                for wire in &node.inputs {
                    needed[wire.0 as usize] = true;
                }
                kept.push(node);
            }
        }
        kept.reverse();
        self.graph.nodes = kept;
    }

    pub(super) fn compact(mut self) -> (FloatGraph, Weights) {
        self.number_wires();
        self.number_weights();
        (self.graph, self.weights)
    }

    /// Wires in the order of their definition.
    fn number_wires(&mut self) {
        let graph = &mut self.graph;
        let mut renamed = vec![None; graph.wires.len()];
        let mut wires = Vec::new();
        let defined = graph.inputs.iter().map(|port| port.wire);
        for wire in defined.chain(graph.nodes.iter().map(|node| node.output)) {
            renamed[wire.0 as usize] = Some(WireId(wires.len() as u32));
            wires.push(graph.wires[wire.0 as usize].clone());
        }
        graph.wires = wires;
        let ports = graph.inputs.iter_mut().map(|port| &mut port.wire);
        let nodes = graph
            .nodes
            .iter_mut()
            .flat_map(|n| n.inputs.iter_mut().chain([&mut n.output]));
        for wire in ports.chain(nodes).chain(&mut graph.outputs) {
            if let Some(id) = renamed[wire.0 as usize] {
                *wire = id;
            }
        }
    }

    /// Each use of a weight gets a weight of its own, in the order of the nodes.
    fn number_weights(&mut self) {
        let old = std::mem::take(&mut self.weights.tensors);
        let mut last_use = vec![0; old.len()];
        let mut uses = Vec::new();
        for node in &mut self.graph.nodes {
            let (first, second) = match &mut node.op {
                FloatOp::Linear(linear) => (Some(&mut linear.weight), linear.bias.as_mut()),
                FloatOp::Bias { weight, .. } => (Some(weight), None),
                _ => (None, None),
            };
            for id in first.into_iter().chain(second) {
                uses.push(id.0 as usize);
                last_use[id.0 as usize] = uses.len();
                *id = WeightId(uses.len() as u32 - 1);
            }
        }
        let mut old: Vec<_> = old.into_iter().map(Some).collect();
        for (position, weight) in uses.into_iter().enumerate() {
            let last = last_use[weight] == position + 1;
            let tensor = if last {
                old[weight].take()
            } else {
                old[weight].clone()
            };
            self.weights.tensors.extend(tensor);
        }
    }
}
