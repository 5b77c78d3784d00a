//! What an onlooker on the wire sees.

use crate::run::{Job, Record};
use crate::tap::{STEP, number};
use crate::{Case, Failure, Planned, Subject, Target};
use std::sync::Arc;
use subrosa_ir::Weights;

/// Number, order, steps and lengths of all frames are the same whatever the inputs and the weights are.
pub fn lengths_are_public(subject: &Subject, cases: &[Case]) -> Result<(), Failure> {
    for case in cases {
        let check = || {
            let planned = case.plan(subject)?;
            let twice = |inputs: Vec<_>| vec![inputs.clone(), inputs];
            let full = run(&planned, 1.0, twice(case.inputs(5)))?;
            for (factor, inputs) in [
                (0.0, case.constant_inputs(0.5)),
                (0.5, case.constant_inputs(1.0)),
                (-1.0, case.constant_inputs(0.0)),
            ] {
                same(&full, &run(&planned, factor, twice(inputs))?)?;
            }
            Ok(())
        };
        check().map_err(|failure: Failure| failure.of(case.name))?;
    }
    Ok(())
}

/// With the plan's weights times `factor`, which lies in [-1, 1] so that the plan's bounds hold.
fn run(
    planned: &Planned,
    factor: f32,
    inputs: Vec<Vec<subrosa_ir::Tensor>>,
) -> Result<Record, Failure> {
    let mut weights: Weights = (*planned.weights).clone();
    for value in weights.tensors.iter_mut().flat_map(|t| &mut t.values) {
        *value *= factor;
    }
    planned.table.run(&Job::new(Arc::new(weights), inputs))
}

fn same(one: &Record, other: &Record) -> Result<(), Failure> {
    let longer = one.frames.iter().chain(&other.frames);
    let mut pairs = one.frames.iter().zip(&other.frames);
    let differ = pairs.find(|(a, b)| {
        (a.from, a.to, a.stage, a.index) != (b.from, b.to, b.stage, b.index)
            || a.bytes.len() != b.bytes.len()
            || number(&a.bytes, STEP) != number(&b.bytes, STEP)
    });
    let extra = longer.max_by_key(|frame| frame.index);
    let missing = (one.frames.len() != other.frames.len()).then_some(extra);
    match differ.map(|(frame, _)| frame).or(missing.flatten()) {
        None => Ok(()),
        Some(frame) => Err(Failure::Length {
            at: Target::from(frame),
        }),
    }
}
