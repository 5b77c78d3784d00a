use crate::{EvalError, FloatGraph, Tensor, Weights, eval_float_visiting, volume};
use std::sync::Mutex;
use subrosa_core::{Prg, Seed};

/// Samples drawn where none are given.
const SAMPLES: usize = 64;
const SEED: u64 = 64;

/// Largest absolute value on each wire over all runs; each core takes one run at a time.
pub(super) fn largest(
    graph: &FloatGraph,
    weights: &Weights,
    runs: impl Iterator<Item = Vec<Tensor>> + Send,
) -> Result<Vec<f64>, EvalError> {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let queue = Mutex::new(runs);
    let next = || queue.lock().ok().and_then(|mut runs| runs.next());
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..cores)
            .map(|_| scope.spawn(|| worker(graph, weights, next)))
            .collect();
        let mut largest = vec![0.0f64; graph.wires.len()];
        for worker in workers {
            let seen = worker.join().map_err(|_| EvalError::Worker)??;
            for (known, seen) in largest.iter_mut().zip(seen) {
                *known = known.max(seen);
            }
        }
        Ok(largest)
    })
}

fn worker(
    graph: &FloatGraph,
    weights: &Weights,
    next: impl Fn() -> Option<Vec<Tensor>>,
) -> Result<Vec<f64>, EvalError> {
    let mut largest = vec![0.0f64; graph.wires.len()];
    while let Some(inputs) = next() {
        eval_float_visiting(graph, weights, &inputs, |wire, values| {
            let seen = values.iter().fold(0.0f32, |m, v| m.max(v.abs()));
            let known = &mut largest[wire.0 as usize];
            *known = known.max(f64::from(seen));
        })?;
    }
    Ok(largest)
}

/// Inputs uniform in the declared ranges.
pub(super) struct Uniform<'a> {
    graph: &'a FloatGraph,
    declared: &'a [[f32; 2]],
    prg: Prg,
    left: usize,
}

impl<'a> Uniform<'a> {
    /// Enough runs for `SAMPLES` samples, the first axis taken as the batch.
    pub fn new(graph: &'a FloatGraph, declared: &'a [[f32; 2]]) -> Self {
        let batch = |shape: &[usize]| if shape.len() < 2 { 1 } else { shape[0] };
        let rows = graph
            .inputs
            .iter()
            .map(|port| batch(&graph.wire(port.wire).shape))
            .min();
        let left = SAMPLES.div_ceil(rows.unwrap_or(SAMPLES));
        Self {
            graph,
            declared,
            prg: Prg::new(&Seed::insecure_seeded(SEED)),
            left,
        }
    }

    pub fn runs(&self) -> usize {
        self.left
    }
}

impl Iterator for Uniform<'_> {
    type Item = Vec<Tensor>;

    fn next(&mut self) -> Option<Vec<Tensor>> {
        self.left = self.left.checked_sub(1)?;
        let mut tensors = Vec::with_capacity(self.declared.len());
        for (port, [low, high]) in self.graph.inputs.iter().zip(self.declared) {
            let shape = self.graph.wire(port.wire).shape.clone();
            let width = f64::from(*high) - f64::from(*low);
            let words = self.prg.words(24, volume(&shape));
            let values = words.into_iter().map(|word| {
                let value = f64::from(*low) + width * (word as f64 / f64::from((1 << 24) - 1));
                (value as f32).clamp(*low, *high)
            });
            tensors.push(Tensor {
                values: values.collect(),
                shape,
            });
        }
        Some(tensors)
    }
}
