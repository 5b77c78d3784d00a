//! Nodes exchanged with their readers.

use super::Net;
use crate::{FloatOp, View};

impl Net {
    /// A public factor moves down towards the next layer.
    pub(super) fn sink_scale(&mut self) -> bool {
        let found = (0..self.graph.nodes.len()).find_map(|node| {
            let FloatOp::Scale(by) = self.op(node) else {
                return None;
            };
            let reader = self.only_reader(node)?;
            let commutes = match self.op(reader) {
                FloatOp::Relu | FloatOp::MaxPool(_) => *by > 0.0,
                FloatOp::AveragePool { .. } => true,
                op => moves_one(op),
            };
            (commutes && self.meets_layer(reader)).then_some((node, reader))
        });
        self.exchange_found(found)
    }

    /// Whether what `node` defines reaches layers only, through nodes that a factor can pass.
    fn meets_layer(&self, node: usize) -> bool {
        let wire = self.graph.nodes[node].output;
        let readers = self.readers(wire);
        !readers.is_empty()
            && !self.is_output(wire)
            && readers.iter().all(|reader| match self.op(*reader) {
                FloatOp::Linear(_) => true,
                FloatOp::Scale(_) => readers.len() == 1,
                FloatOp::Relu | FloatOp::MaxPool(_) | FloatOp::AveragePool { .. } => {
                    readers.len() == 1 && self.meets_layer(*reader)
                }
                op => readers.len() == 1 && moves_one(op) && self.meets_layer(*reader),
            })
    }

    /// relu -> views -> max-pool becomes views -> max-pool -> relu: the same values, and fewer of them to rectify.
    pub(super) fn sink_relu(&mut self) -> bool {
        let found = (0..self.graph.nodes.len()).find_map(|node| {
            let reader = self
                .only_reader(node)
                .filter(|_| *self.op(node) == FloatOp::Relu)?;
            self.meets_pool(reader).then_some((node, reader))
        });
        self.exchange_found(found)
    }

    fn meets_pool(&self, node: usize) -> bool {
        match self.op(node) {
            FloatOp::MaxPool(window) => window.out_len() <= window.in_len(),
            op if moves_one(op) => self
                .only_reader(node)
                .is_some_and(|next| self.meets_pool(next)),
            _ => false,
        }
    }

    fn exchange_found(&mut self, found: Option<(usize, usize)>) -> bool {
        if let Some((first, second)) = found {
            self.exchange(first, second);
        }
        found.is_some()
    }
}

/// A view of one wire; zeros that it adds stay zeros under factors and rectification.
fn moves_one(op: &FloatOp) -> bool {
    matches!(op, FloatOp::View(view) if !matches!(view, View::Concat { .. }))
}
