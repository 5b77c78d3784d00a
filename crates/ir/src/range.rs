//! How large the values of a network can become: proven from the declared input ranges, and seen on samples.

mod bands;
mod calibrate;
mod interval;

pub use interval::{Gain, Interval};

use crate::{EvalError, FloatGraph, Tensor, Weights};
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// A float graph and what is known of its values. It holds no weight, only how large they are.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RangedGraph {
    pub graph: FloatGraph,
    /// Declared range of each input.
    pub declared: Vec<[f32; 2]>,
    /// For each wire, what interval arithmetic gives from the declared ranges.
    pub proven: Vec<Interval>,
    /// For each wire, the largest absolute value over the samples.
    pub calibrated: Vec<f64>,
    /// For each node that uses a weight, how much it can make of its input.
    pub gains: Vec<Option<Gain>>,
    pub samples: Samples,
}

/// What the calibrated values were seen on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Samples {
    /// Uniform in the declared ranges, from a fixed seed; this many runs of the graph.
    Uniform { runs: usize },
    /// The owner's own; this many runs of the graph.
    Given { runs: usize },
}

/// Why ranges cannot be had.
#[derive(Clone, Debug, PartialEq, Error)]
pub enum RangeError {
    #[error(transparent)]
    Eval(#[from] EvalError),
    #[error("expected {expected} input ranges, found {found}")]
    Declared { expected: usize, found: usize },
    #[error("input {input}: [{low}, {high}] is not a range of finite numbers")]
    Range { input: String, low: f32, high: f32 },
    #[error(
        "sample {run}, input {input}, element {element}: expected a number in [{low}, {high}], found {found}"
    )]
    Sample {
        run: usize,
        input: String,
        element: usize,
        low: f32,
        high: f32,
        found: f32,
    },
    #[error("weight {weight}, element {element}: {found} is not a finite number")]
    Weight {
        weight: usize,
        element: usize,
        found: f32,
    },
}

/// Ranges of every wire. `declared` has one range for each input; `samples` are inputs of one run each, and
/// without them about 64 uniform ones are drawn.
pub fn ranges(
    graph: FloatGraph,
    weights: &Weights,
    declared: &[[f32; 2]],
    samples: Option<&[Vec<Tensor>]>,
) -> Result<RangedGraph, RangeError> {
    graph.check().map_err(EvalError::from)?;
    weights.check(&graph)?;
    check_declared(&graph, declared)?;
    for (weight, tensor) in weights.tensors.iter().enumerate() {
        if let Some((element, found)) = first(&tensor.values, |v| !v.is_finite()) {
            return Err(RangeError::Weight {
                weight,
                element,
                found,
            });
        }
    }
    let (proven, gains) = interval::propagate(&graph, weights, declared);
    let (calibrated, samples) = match samples {
        Some(runs) => {
            check_samples(&graph, declared, runs)?;
            let runs_seen = Samples::Given { runs: runs.len() };
            (
                calibrate::largest(&graph, weights, runs.iter().cloned())?,
                runs_seen,
            )
        }
        None => {
            let draws = calibrate::Uniform::new(&graph, declared);
            let runs_drawn = Samples::Uniform { runs: draws.runs() };
            (calibrate::largest(&graph, weights, draws)?, runs_drawn)
        }
    };
    Ok(RangedGraph {
        graph,
        declared: declared.to_vec(),
        proven,
        calibrated,
        gains,
        samples,
    })
}

fn check_declared(graph: &FloatGraph, declared: &[[f32; 2]]) -> Result<(), RangeError> {
    if declared.len() != graph.inputs.len() {
        let (expected, found) = (graph.inputs.len(), declared.len());
        return Err(RangeError::Declared { expected, found });
    }
    for (port, [low, high]) in graph.inputs.iter().zip(declared) {
        if !(low.is_finite() && high.is_finite() && low <= high) {
            return Err(RangeError::Range {
                input: port.name.clone(),
                low: *low,
                high: *high,
            });
        }
    }
    Ok(())
}

fn check_samples(
    graph: &FloatGraph,
    declared: &[[f32; 2]],
    samples: &[Vec<Tensor>],
) -> Result<(), RangeError> {
    for (run, tensors) in samples.iter().enumerate() {
        for ((port, [low, high]), tensor) in graph.inputs.iter().zip(declared).zip(tensors) {
            if let Some((element, found)) = first(&tensor.values, |v| !(*low..=*high).contains(&v))
            {
                let (input, low, high) = (port.name.clone(), *low, *high);
                return Err(RangeError::Sample {
                    run,
                    input,
                    element,
                    low,
                    high,
                    found,
                });
            }
        }
    }
    Ok(())
}

fn first(values: &[f32], wrong: impl Fn(f32) -> bool) -> Option<(usize, f32)> {
    values.iter().copied().enumerate().find(|(_, v)| wrong(*v))
}
