//! Constants that vary by channel, and the weights that take them in.

use super::Net;
use crate::{Linear, Spread, Tensor, WeightId};

/// A map x -> factor * x + term that varies by channel.
pub(super) struct Affine {
    pub factor: Vec<f64>,
    pub term: Vec<f64>,
}

impl Affine {
    pub fn scale(by: f32) -> Self {
        Self {
            factor: vec![f64::from(by)],
            term: vec![0.0],
        }
    }

    pub fn offset(by: f32) -> Self {
        Self {
            factor: vec![1.0],
            term: vec![f64::from(by)],
        }
    }

    /// The map for each channel that `channels` names.
    pub fn select(&self, channels: &[usize]) -> Self {
        let pick = |all: &[f64]| channels.iter().map(|c| all[*c]).collect();
        Self {
            factor: pick(&self.factor),
            term: pick(&self.term),
        }
    }

    pub fn has_term(&self) -> bool {
        self.term.iter().any(|t| *t != 0.0)
    }
}

/// For each channel of `coarse` the channel of `fine` that all its elements have; `None` if they differ.
pub(super) fn rebase(fine: &Spread, coarse: &Spread) -> Option<Vec<usize>> {
    if fine.channels == 1 {
        return Some(vec![0; coarse.channels]);
    }
    if fine.len() != coarse.len() {
        return None;
    }
    if fine == coarse {
        return Some((0..fine.channels).collect());
    }
    let mut found = vec![None; coarse.channels];
    for at in 0..fine.len() {
        let channel = at / fine.inner % fine.channels;
        let known = &mut found[at / coarse.inner % coarse.channels];
        if *known.get_or_insert(channel) != channel {
            return None;
        }
    }
    found.into_iter().collect()
}

impl Net {
    /// Values of a weight of the graph.
    pub(super) fn values(&self, id: WeightId) -> Vec<f64> {
        let tensor = self.weights.get(id);
        tensor.map_or_else(Vec::new, |t| {
            t.values.iter().map(|v| f64::from(*v)).collect()
        })
    }

    pub(super) fn affine(&self, factor: Option<WeightId>, term: Option<WeightId>) -> Affine {
        let channels = factor.or(term).map_or(0, |id| self.values(id).len());
        Affine {
            factor: factor.map_or_else(|| vec![1.0; channels], |id| self.values(id)),
            term: term.map_or_else(|| vec![0.0; channels], |id| self.values(id)),
        }
    }

    /// `map` of the layer's output, a channel of `map` for each of the layer's.
    pub(super) fn apply_after(&mut self, linear: &Linear, map: &Affine) -> Linear {
        let mut weight = self.values(linear.weight);
        linear
            .kind
            .each_weight(|at, _, out| weight[at] *= map.factor[out]);
        let bias = linear.bias.map(|id| self.values(id));
        let bias = (bias.is_some() || map.has_term()).then(|| {
            let old = bias.unwrap_or_else(|| vec![0.0; map.factor.len()]);
            let maps = map.factor.iter().zip(&map.term);
            old.iter()
                .zip(maps)
                .map(|(b, (factor, term))| b * factor + term)
                .collect()
        });
        self.store(linear, weight, bias)
    }

    /// The layer of `map` of its input, a channel of `map` for each input channel.
    pub(super) fn apply_before(&mut self, linear: &Linear, map: &Affine) -> Linear {
        let mut weight = self.values(linear.weight);
        let outputs = linear.kind.bias_spread().channels;
        let old = linear.bias.map(|id| self.values(id));
        let bias = (old.is_some() || map.has_term()).then(|| {
            let mut bias = old.unwrap_or_else(|| vec![0.0; outputs]);
            linear
                .kind
                .each_weight(|at, input, out| bias[out] += weight[at] * map.term[input]);
            bias
        });
        linear
            .kind
            .each_weight(|at, input, _| weight[at] *= map.factor[input]);
        self.store(linear, weight, bias)
    }

    fn store(&mut self, linear: &Linear, weight: Vec<f64>, bias: Option<Vec<f64>>) -> Linear {
        Linear {
            kind: linear.kind.clone(),
            weight: self.new_weight(linear.kind.weight_shape(), &weight),
            bias: bias.map(|bias| self.new_weight(vec![bias.len()], &bias)),
        }
    }

    fn new_weight(&mut self, shape: Vec<usize>, values: &[f64]) -> WeightId {
        let values = values.iter().map(|v| *v as f32).collect();
        self.weights.tensors.push(Tensor { shape, values });
        WeightId(self.weights.tensors.len() as u32 - 1)
    }
}
