use crate::Error;
use subrosa_ir::{Clear, FixedGraph, Tensor, Weights, decode_output, encode_input, encode_weights};

/// The clear reading of a fixed graph with its weights: the answers that a protocol is held to.
pub struct Oracle<'a> {
    graph: &'a FixedGraph,
    weights: Vec<Vec<u64>>,
    threads: usize,
}

/// An answer of the clear reading.
pub struct OracleAnswer {
    /// In the order of the tail's outputs.
    pub outputs: Vec<Tensor>,
    /// Names of wires on which a value went beyond its calibrated bound.
    pub exceeded: Vec<String>,
}

impl<'a> Oracle<'a> {
    pub fn new(graph: &'a FixedGraph, weights: &Weights, threads: usize) -> Result<Self, Error> {
        let weights = encode_weights(graph, weights)?;
        Ok(Self {
            graph,
            weights,
            threads,
        })
    }

    /// `inputs` in the order of the graph's inputs.
    pub fn infer(&self, inputs: &[Tensor]) -> Result<OracleAnswer, Error> {
        let (expected, found) = (self.graph.inputs.len(), inputs.len());
        if expected != found {
            return Err(Error::Inputs { expected, found });
        }
        let encoded = inputs
            .iter()
            .enumerate()
            .map(|(port, x)| encode_input(self.graph, port, x));
        let encoded = encoded.collect::<Result<Vec<_>, _>>()?;
        let mut kernels = Clear::new(self.graph, &self.weights, self.threads)?;
        let opened = kernels.run(self.graph, encoded)?;
        let tensors = opened
            .iter()
            .enumerate()
            .map(|(at, v)| decode_output(self.graph, at, 64, v));
        let tensors = tensors.collect::<Result<Vec<_>, _>>()?;
        let outputs = self.graph.tail.eval(&tensors)?;
        let exceeded = kernels
            .exceeded()
            .iter()
            .map(|wire| self.graph.wire(*wire).name.clone());
        Ok(OracleAnswer {
            outputs,
            exceeded: exceeded.collect(),
        })
    }
}
