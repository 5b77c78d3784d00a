//! Constants folded into the layer before or behind them.

use super::Net;
use super::constants::{Affine, rebase};
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

    /// constant -> layers, also through reshapes: exact unless a term would have to reach into the padding.
    pub(super) fn fold_before(&mut self) -> bool {
        for node in 0..self.graph.nodes.len() {
            let Some((map, spread)) = self.constant(node) else {
                continue;
            };
            let mut layers = Vec::new();
            if !self.layers_behind(node, &mut layers) {
                continue;
            }
            let folds: Option<Vec<_>> = layers
                .into_iter()
                .map(|(layer, linear)| {
                    let reaches = !(map.has_term() && linear.kind.is_padded());
                    let channels = rebase(&spread, &linear.kind.input_spread());
                    channels
                        .filter(|_| reaches)
                        .map(|channels| (layer, linear, channels))
                })
                .collect();
            let Some(folds) = folds else { continue };
            for (layer, linear, channels) in folds {
                let folded = self.apply_before(&linear, &map.select(&channels));
                self.graph.nodes[layer].op = FloatOp::Linear(folded);
            }
            self.bypass(node);
            return true;
        }
        false
    }

    /// The layers that read what `node` defines, as it is or reshaped; false if something else reads it.
    fn layers_behind(&self, node: usize, layers: &mut Vec<(usize, Linear)>) -> bool {
        let wire = self.graph.nodes[node].output;
        let readers = self.readers(wire);
        !readers.is_empty()
            && !self.is_output(wire)
            && readers.into_iter().all(|reader| match self.op(reader) {
                FloatOp::Linear(linear) => {
                    layers.push((reader, linear.clone()));
                    true
                }
                FloatOp::View(View::Reshape) => self.layers_behind(reader, layers),
                _ => false,
            })
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
