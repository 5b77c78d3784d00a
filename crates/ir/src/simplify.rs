//! The same function from fewer nodes: constants folded into layers, views merged, maxima before rectification.

mod compact;
mod constants;
mod fold;
mod order;
mod views;

use crate::{FloatGraph, FloatOp, FloatWire, Weights, WireId};

/// An equal network with fewer private products. The graph and its weights must have passed their checks;
/// every weight of the result is used by one node, once.
pub fn simplify(graph: FloatGraph, weights: Weights) -> (FloatGraph, Weights) {
    let mut net = Net { graph, weights };
    let passes = [
        Net::drop_identity,
        Net::merge_views,
        Net::merge_scalars,
        Net::fold_after,
        Net::fold_before,
        Net::sink_scale,
        Net::sink_relu,
    ];
    loop {
        net.remove_dead();
        let changed = passes.iter().any(|pass| pass(&mut net));
        if !changed {
            return net.compact();
        }
    }
}

/// A network being rewritten. Each pass makes at most one change and says whether it made one.
struct Net {
    graph: FloatGraph,
    weights: Weights,
}

impl Net {
    fn op(&self, node: usize) -> &FloatOp {
        &self.graph.nodes[node].op
    }

    fn input(&self, node: usize) -> WireId {
        self.graph.nodes[node].inputs[0]
    }

    fn shape(&self, wire: WireId) -> &[usize] {
        &self.graph.wire(wire).shape
    }

    /// The node that defines the wire.
    fn producer(&self, wire: WireId) -> Option<usize> {
        self.graph.nodes.iter().position(|node| node.output == wire)
    }

    fn readers(&self, wire: WireId) -> Vec<usize> {
        let nodes = self.graph.nodes.iter().enumerate();
        nodes
            .filter(|(_, node)| node.inputs.contains(&wire))
            .map(|(index, _)| index)
            .collect()
    }

    fn is_output(&self, wire: WireId) -> bool {
        self.graph.outputs.contains(&wire)
    }

    /// The only node that reads what `node` defines, if it reads nothing else and the wire is not opened.
    fn only_reader(&self, node: usize) -> Option<usize> {
        let wire = self.graph.nodes[node].output;
        match self.readers(wire).as_slice() {
            [reader] if !self.is_output(wire) && self.graph.nodes[*reader].inputs == [wire] => {
                Some(*reader)
            }
            _ => None,
        }
    }

    /// Takes out a node of one input that its readers can read in its place.
    fn bypass(&mut self, node: usize) {
        let removed = self.graph.nodes.remove(node);
        let (from, to) = (removed.output, removed.inputs[0]);
        if let Some(producer) = self
            .producer(to)
            .filter(|_| self.readers(to).is_empty() && !self.is_output(to))
        {
            // The later name is the one that the user's file goes on with.
            self.graph.nodes[producer].output = from;
            return;
        }
        let inputs = self
            .graph
            .nodes
            .iter_mut()
            .flat_map(|node| &mut node.inputs);
        for wire in inputs.chain(&mut self.graph.outputs) {
            if *wire == from {
                *wire = to;
            }
        }
    }

    /// Exchanges `first` with `second`, its only reader; both have one input.
    fn exchange(&mut self, first: usize, second: usize) {
        let middle = self.graph.nodes[first].output;
        let shape = self.shape(self.graph.nodes[second].output).to_vec();
        let (head, rest) = self.graph.nodes.split_at_mut(second);
        let (a, b) = (&mut head[first], &mut rest[0]);
        std::mem::swap(&mut a.op, &mut b.op);
        std::mem::swap(&mut a.name, &mut b.name);
        // The wire between them is one that the user's file does not have.
        self.graph.wires[middle.0 as usize] = FloatWire {
            name: format!("{} (reordered)", a.name),
            shape,
        };
    }
}
