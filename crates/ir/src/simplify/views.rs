//! Nodes that do nothing, and neighbours that make one node.

use super::Net;
use crate::{FloatOp, SliceAxis, View};

impl Net {
    pub(super) fn drop_identity(&mut self) -> bool {
        let found = (0..self.graph.nodes.len()).find(|node| self.is_identity(*node));
        if let Some(node) = found {
            self.bypass(node);
        }
        found.is_some()
    }

    fn is_identity(&self, node: usize) -> bool {
        let (input, output) = (self.input(node), self.graph.nodes[node].output);
        if self.shape(input) != self.shape(output) {
            return false;
        }
        match self.op(node) {
            FloatOp::Scale(by) => *by == 1.0,
            FloatOp::Offset(by) => *by == 0.0,
            FloatOp::View(view) => match view {
                View::Reshape | View::Broadcast | View::Pad { .. } => true,
                View::Transpose(perm) => perm.iter().enumerate().all(|(i, axis)| i == *axis),
                View::Slice(axes) => axes.iter().all(|SliceAxis { start, step, count }| {
                    *count == 1 || (*start == 0 && *step == 1)
                }),
                View::Concat { .. } => self.graph.nodes[node].inputs.len() == 1,
            },
            _ => false,
        }
    }

    /// reshape -> reshape, transpose -> transpose.
    pub(super) fn merge_views(&mut self) -> bool {
        for node in 0..self.graph.nodes.len() {
            let Some(before) = self.producer(self.input(node)) else {
                continue;
            };
            let merged = match (self.op(before), self.op(node)) {
                (FloatOp::View(View::Reshape), FloatOp::View(View::Reshape)) => View::Reshape,
                (FloatOp::View(View::Transpose(first)), FloatOp::View(View::Transpose(second))) => {
                    View::Transpose(second.iter().map(|axis| first[*axis]).collect())
                }
                _ => continue,
            };
            self.replace_pair(before, node, FloatOp::View(merged));
            return true;
        }
        false
    }

    /// scale -> scale, offset -> offset.
    pub(super) fn merge_scalars(&mut self) -> bool {
        for node in 0..self.graph.nodes.len() {
            let Some(before) = self.producer(self.input(node)) else {
                continue;
            };
            let merged = match (self.op(before), self.op(node)) {
                (FloatOp::Scale(first), FloatOp::Scale(second)) => FloatOp::Scale(first * second),
                (FloatOp::Offset(first), FloatOp::Offset(second)) => {
                    FloatOp::Offset(first + second)
                }
                _ => continue,
            };
            self.replace_pair(before, node, merged);
            return true;
        }
        false
    }

    /// `node` does alone what it did behind `before`.
    fn replace_pair(&mut self, before: usize, node: usize, op: FloatOp) {
        let input = self.input(before);
        let node = &mut self.graph.nodes[node];
        node.op = op;
        node.inputs = vec![input];
    }
}
