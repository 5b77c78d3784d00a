//! The clear reading of a fixed graph: the oracle. Integers are exact modulo 2^64, truncation is the floor.

use crate::eval::top_k;
use crate::{
    At, FixedGraph, Kernels, Linear, Rescale, Spread, View, WeightId, Window, WireId, volume, walk,
};
use thiserror::Error;

/// Why the clear reading cannot start.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ClearError {
    #[error("weight {weight}: expected {expected} integers, found {found}")]
    Weight {
        weight: usize,
        expected: usize,
        found: usize,
    },
    #[error("expected {expected} weights, found {found}")]
    Weights { expected: usize, found: usize },
    #[error("expected {expected} inputs, found {found}")]
    Inputs { expected: usize, found: usize },
    #[error("input {input}: expected {expected} integers, found {found}")]
    Input {
        input: String,
        expected: usize,
        found: usize,
    },
}

/// Values of the outputs of a graph that has passed [`FixedGraph::check`], in two's complement modulo 2^64.
///
/// `weights` come from `encode_weights`, `inputs` from `encode_input`, one for each port.
pub fn clear(
    graph: &FixedGraph,
    weights: &[Vec<u64>],
    inputs: Vec<Vec<u64>>,
) -> Result<Vec<Vec<u64>>, ClearError> {
    let mut kernels = Clear::new(graph, weights, 1)?;
    kernels.run(graph, inputs)
}

/// Whether the encoded weights are those of the graph.
pub(crate) fn check_weights(graph: &FixedGraph, weights: &[Vec<u64>]) -> Result<(), ClearError> {
    let layouts = graph.weight_layouts();
    if layouts.len() != weights.len() {
        return Err(ClearError::Weights {
            expected: layouts.len(),
            found: weights.len(),
        });
    }
    for (weight, (layout, values)) in layouts.iter().zip(weights).enumerate() {
        let (expected, found) = (volume(&layout.shape), values.len());
        if expected != found {
            return Err(ClearError::Weight {
                weight,
                expected,
                found,
            });
        }
    }
    Ok(())
}

/// Kernels on plain integers.
pub struct Clear<'a> {
    weights: &'a [Vec<u64>],
    threads: usize,
    exceeded: Vec<WireId>,
}

impl<'a> Clear<'a> {
    /// Checks that the weights are those of the graph.
    pub fn new(
        graph: &FixedGraph,
        weights: &'a [Vec<u64>],
        threads: usize,
    ) -> Result<Self, ClearError> {
        check_weights(graph, weights)?;
        Ok(Self {
            weights,
            threads,
            exceeded: Vec::new(),
        })
    }

    pub fn run(
        &mut self,
        graph: &FixedGraph,
        inputs: Vec<Vec<u64>>,
    ) -> Result<Vec<Vec<u64>>, ClearError> {
        if graph.inputs.len() != inputs.len() {
            let (expected, found) = (graph.inputs.len(), inputs.len());
            return Err(ClearError::Inputs { expected, found });
        }
        for (port, values) in graph.inputs.iter().zip(&inputs) {
            let (expected, found) = (volume(&graph.wire(port.wire).shape), values.len());
            if expected != found {
                return Err(ClearError::Input {
                    input: port.name.clone(),
                    expected,
                    found,
                });
            }
        }
        walk(graph, self, inputs)
    }

    /// Wires on which some value went beyond its bound: possible only where the bound is calibrated.
    pub fn exceeded(&self) -> &[WireId] {
        &self.exceeded
    }

    fn watch(&mut self, at: At<'_>, values: Vec<u64>) -> Result<Vec<u64>, ClearError> {
        let bound = at.output().bound;
        if values.iter().any(|v| (*v as i64).unsigned_abs() > bound)
            && !self.exceeded.contains(&at.node.output)
        {
            self.exceeded.push(at.node.output);
        }
        Ok(values)
    }
}

fn add_spread(out: &mut [u64], constant: &[u64], spread: &Spread) {
    spread.each(|at, channel| out[at] = out[at].wrapping_add(constant[channel]));
}

fn zip(x: &[u64], y: &[u64], f: fn(u64, u64) -> u64) -> Vec<u64> {
    x.iter().zip(y).map(|(x, y)| f(*x, *y)).collect()
}

fn signed(x: &[u64], f: impl Fn(i64) -> i64) -> Vec<u64> {
    x.iter().map(|v| f(*v as i64) as u64).collect()
}

impl Kernels for Clear<'_> {
    type Value = Vec<u64>;
    type Error = ClearError;

    fn linear(
        &mut self,
        at: At<'_>,
        linear: &Linear,
        x: &Vec<u64>,
    ) -> Result<Vec<u64>, ClearError> {
        let mut out = vec![0; linear.kind.out_len()];
        let weight = &self.weights[linear.weight.0 as usize];
        linear
            .kind
            .accumulate(self.threads, 64, x, weight, &mut out);
        if let Some(bias) = linear.bias {
            add_spread(
                &mut out,
                &self.weights[bias.0 as usize],
                &linear.kind.bias_spread(),
            );
        }
        self.watch(at, out)
    }

    fn bias(
        &mut self,
        at: At<'_>,
        weight: WeightId,
        spread: &Spread,
        x: &Vec<u64>,
    ) -> Result<Vec<u64>, ClearError> {
        let mut out = x.clone();
        add_spread(&mut out, &self.weights[weight.0 as usize], spread);
        self.watch(at, out)
    }

    fn scale(&mut self, at: At<'_>, by: &Rescale, x: &Vec<u64>) -> Result<Vec<u64>, ClearError> {
        let factors = by.by.iter().cycle();
        let out = x
            .iter()
            .zip(factors)
            .map(|(v, by)| v.wrapping_mul(*by as u64))
            .collect();
        self.watch(at, out)
    }

    fn offset(&mut self, at: At<'_>, by: i64, x: &Vec<u64>) -> Result<Vec<u64>, ClearError> {
        self.watch(at, signed(x, |v| v.wrapping_add(by)))
    }

    fn add(&mut self, at: At<'_>, x: &Vec<u64>, y: &Vec<u64>) -> Result<Vec<u64>, ClearError> {
        self.watch(at, zip(x, y, u64::wrapping_add))
    }

    fn sub(&mut self, at: At<'_>, x: &Vec<u64>, y: &Vec<u64>) -> Result<Vec<u64>, ClearError> {
        self.watch(at, zip(x, y, u64::wrapping_sub))
    }

    fn sum_pool(
        &mut self,
        at: At<'_>,
        window: &Window,
        x: &Vec<u64>,
    ) -> Result<Vec<u64>, ClearError> {
        let mut out = vec![0u64; window.out_len()];
        for tap in window.taps() {
            for (out, from) in out.iter_mut().zip(tap) {
                *out = out.wrapping_add(from.map_or(0, |from| x[from as usize]));
            }
        }
        self.watch(at, out)
    }

    fn truncate(&mut self, at: At<'_>, by: u32, x: &Vec<u64>) -> Result<Vec<u64>, ClearError> {
        self.watch(at, signed(x, |v| v >> by))
    }

    fn relu(&mut self, _: At<'_>, x: &Vec<u64>) -> Result<Vec<u64>, ClearError> {
        Ok(signed(x, |v| v.max(0)))
    }

    fn max_pool(
        &mut self,
        _: At<'_>,
        window: &Window,
        x: &Vec<u64>,
    ) -> Result<Vec<u64>, ClearError> {
        let mut out = vec![i64::MIN; window.out_len()];
        for tap in window.taps() {
            for (out, from) in out.iter_mut().zip(tap) {
                *out = from.map_or(*out, |from| (x[from as usize] as i64).max(*out));
            }
        }
        Ok(out.into_iter().map(|v| v as u64).collect())
    }

    fn top_k(&mut self, at: At<'_>, count: usize, x: &Vec<u64>) -> Result<Vec<u64>, ClearError> {
        let extent = at.input(0).shape.last().copied().unwrap_or(1);
        let indices = x
            .chunks(extent)
            .flat_map(|row| top_k(row, count, |v| *v as i64));
        Ok(indices.map(|index| index as u64).collect())
    }

    fn view(&mut self, at: At<'_>, view: &View, x: &[&Vec<u64>]) -> Result<Vec<u64>, ClearError> {
        let shapes = at
            .node
            .inputs
            .iter()
            .map(|w| at.graph.wire(*w).shape.as_slice());
        let inputs: Vec<_> = shapes.zip(x.iter().map(|v| v.as_slice())).collect();
        Ok(view.apply(&inputs, &at.output().shape))
    }
}
