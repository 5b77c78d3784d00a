//! Constants folded into the layer before or behind them.

use super::Net;
use super::constants::{Affine, input_spread, is_padded, rebase};
use crate::{FloatOp, Linear, LinearKind, Spread, View};

impl Net {
    /// layer -> constant, also through reshapes: batch normalisation and separate biases.
    pub(super) fn fold_after(&mut self) -> bool {
        for node in 0..self.graph.nodes.len() {
            let Some((map, spread)) = self.constant(node) else {
                continue;
            };
            let Some((layer, linear)) = self.layer_before(node) else {
                continue;
            };
            let Some(channels) = rebase(&spread, &linear.kind.bias_spread()) else {
                continue;
            };
            let folded = self.apply_after(&linear, &map.select(&channels));
            self.graph.nodes[layer].op = FloatOp::Linear(folded);
            self.bypass(node);
            return true;
        }
        false
    }

    /// constant -> layers: exact unless a term would have to reach into the padding.
    pub(super) fn fold_before(&mut self) -> bool {
        for node in 0..self.graph.nodes.len() {
            let Some((map, spread)) = self.constant(node) else {
                continue;
            };
            let output = self.graph.nodes[node].output;
            let readers = self.readers(output);
            let folds: Option<Vec<_>> = readers
                .iter()
                .map(|reader| match self.op(*reader) {
                    FloatOp::Linear(linear) if !(map.has_term() && is_padded(&linear.kind)) => {
                        let channels = rebase(&spread, &input_spread(&linear.kind))?;
                        Some((*reader, linear.clone(), channels))
                    }
                    _ => None,
                })
                .collect();
            let Some(folds) = folds.filter(|f| !f.is_empty() && !self.is_output(output)) else {
                continue;
            };
            for (reader, linear, channels) in folds {
                let folded = self.apply_before(&linear, &map.select(&channels));
                self.graph.nodes[reader].op = FloatOp::Linear(folded);
            }
            self.bypass(node);
            return true;
        }
        false
    }

    /// What a node does where it is a constant map of each element.
    fn constant(&self, node: usize) -> Option<(Affine, Spread)> {
        let everywhere = || {
            let inner = crate::volume(self.shape(self.graph.nodes[node].output));
            Spread {
                outer: 1,
                channels: 1,
                inner,
            }
        };
        match self.op(node) {
            FloatOp::Scale(by) => Some((Affine::scale(*by), everywhere())),
            FloatOp::Offset(by) => Some((Affine::offset(*by), everywhere())),
            FloatOp::Bias { weight, spread } => Some((self.affine(None, Some(*weight)), *spread)),
            FloatOp::Linear(Linear {
                kind: LinearKind::Diagonal(spread),
                weight,
                bias,
            }) => Some((self.affine(Some(*weight), *bias), *spread)),
            _ => None,
        }
    }

    /// The layer whose output reaches `node`, and nothing else, as it is or reshaped.
    fn layer_before(&self, node: usize) -> Option<(usize, Linear)> {
        let mut reader = node;
        loop {
            let before = self.producer(self.input(reader))?;
            if self.only_reader(before) != Some(reader) {
                return None;
            }
            match self.op(before) {
                FloatOp::Linear(linear) => return Some((before, linear.clone())),
                FloatOp::View(View::Reshape) => reader = before,
                _ => return None,
            }
        }
    }
}
