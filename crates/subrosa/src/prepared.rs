use crate::{Entry, Error, Planned};
use subrosa_ir::{EvalError, FloatGraph, RangedGraph, Tensor, Weights, ranges, simplify};
use subrosa_onnx::Model;
use subrosa_protocol::Terms;
use subrosa_seco::Split;

/// A model for one batch size with the ranges of its wires: what plans are made from.
pub struct Prepared {
    pub ranged: RangedGraph,
    /// The owner's. They are in no plan.
    pub weights: Weights,
}

impl Prepared {
    /// `declared`: smallest and largest value of each input. `samples`: inputs of one run each, otherwise uniform
    /// ones are drawn in the declared ranges.
    pub fn new(
        model: &Model,
        batch: usize,
        declared: &[[f32; 2]],
        samples: Option<&[Vec<Tensor>]>,
    ) -> Result<Self, Error> {
        let (graph, weights) = model.graph(batch)?;
        graph.check().map_err(EvalError::from)?;
        weights.check(&graph)?;
        let (graph, weights) = simplify(graph, weights);
        let ranged = ranges(graph, &weights, declared, samples)?;
        Ok(Self { ranged, weights })
    }

    pub fn graph(&self) -> &FloatGraph {
        &self.ranged.graph
    }

    /// The plan of all parties under `protocol`.
    pub fn plan(&self, protocol: &'static Entry, terms: &Terms) -> Result<Planned, Error> {
        Planned::new(protocol, (protocol.plan)(&self.ranged, terms)?)
    }

    /// Where `seco` can cut the network, and what each cut costs.
    pub fn splits(&self, terms: &Terms) -> Result<Vec<Split>, Error> {
        Ok(subrosa_seco::splits(&self.ranged, terms)?)
    }
}
