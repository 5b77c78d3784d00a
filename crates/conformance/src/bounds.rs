//! Values that lie at their bounds.

use crate::run::Job;
use crate::{Case, Failure, Subject};
use subrosa_ir::{FixedOp, FloatOp, Tensor, Window, clear, decode_output, encode_input};

/// One unit of the last place of an input.
const UNIT: f32 = 1.0 / 65_536.0;
/// Runs of each case, so that every carry comes up.
const RUNS: usize = 40;

/// Ranges whose bounds as integers are the last and the first for their width of ring.
const RANGES: [[f32; 2]; 4] = [
    [-(2.0 - UNIT), 2.0 - UNIT],
    [-2.0, 2.0],
    [-1.0, 8.0 - UNIT],
    [-128.0, 0.0],
];

/// ReLU, maxima and the largest of several, with every value and every pair of values at the bounds of its wire, give
/// the answers of the clear reading to the bit, whatever the masks are.
pub fn bounds_are_exact(subject: &Subject) -> Result<(), Failure> {
    for range in RANGES {
        for (case, values) in [relu(range), maximum(range), largest(range)] {
            exact(subject, &case, values).map_err(|failure| failure.of(case.name))?;
        }
    }
    Ok(())
}

/// Values of a range at which signs and differences are at their limits.
fn boundary([low, high]: [f32; 2]) -> Vec<f32> {
    let all = [
        low,
        low + UNIT,
        low / 2.0,
        -UNIT,
        0.0,
        UNIT,
        high / 2.0,
        high - UNIT,
        high,
    ];
    let grid = all.map(|v| (v / UNIT).round() * UNIT);
    let inside = grid.into_iter().filter(|v| (low..=high).contains(v));
    inside.collect()
}

/// Every ordered pair of boundary values.
fn pairs(range: [f32; 2]) -> Vec<f32> {
    let values = boundary(range);
    let pair = |a: &f32| values.iter().flat_map(|b| [*a, *b]).collect::<Vec<_>>();
    values.iter().flat_map(pair).collect()
}

fn relu(range: [f32; 2]) -> (Case, Vec<f32>) {
    let values = boundary(range);
    let shape: &[usize] = &[1, values.len()];
    let case = Case::single("ReLU", FloatOp::Relu, &[shape], shape, range);
    (case, values)
}

fn maximum(range: [f32; 2]) -> (Case, Vec<f32>) {
    let values = pairs(range);
    let windows = values.len() / 2;
    let window = Window {
        planes: 1,
        in_size: [windows, 2],
        out_size: [windows, 1],
        kernel: [1, 2],
        stride: [1, 2],
        dilation: [1, 1],
        pad_begin: [0, 0],
    };
    let input: &[usize] = &[1, 1, windows, 2];
    let output: &[usize] = &[1, 1, windows, 1];
    let op = FloatOp::MaxPool(window);
    let case = Case::single("MaxPool", op, &[input], output, range);
    (case, values)
}

/// With equal values among them.
fn largest(range: [f32; 2]) -> (Case, Vec<f32>) {
    let mut values = pairs(range);
    let rows = values.len() / 6;
    values.truncate(6 * rows);
    let op = FloatOp::TopK { count: 4 };
    let case = Case::single("TopK", op, &[&[rows, 6]], &[rows, 4], range);
    (case, values)
}

fn exact(subject: &Subject, case: &Case, values: Vec<f32>) -> Result<(), Failure> {
    let planned = case.plan(subject)?;
    let oracle = &planned.table.oracle;
    let truncates = |op: &FixedOp| matches!(op, FixedOp::Truncate { .. });
    if oracle.nodes.iter().any(|node| truncates(&node.op)) {
        return Err(Failure::Nothing);
    }
    let shape = match case.inputs(0).into_iter().next() {
        Some(input) => input.shape,
        None => return Err(Failure::Nothing),
    };
    let input = Tensor { shape, values };
    let encoded = encode_input(oracle, 0, &input)?;
    let opened = clear(oracle, &[], vec![encoded])?;
    let opened = opened.first().ok_or(Failure::Nothing)?;
    let expected = decode_output(oracle, 0, u64::BITS, opened)?;
    let runs = RUNS.min(subject.trials);
    let job = Job::new(planned.weights.clone(), vec![vec![input]; runs]);
    let record = planned.table.run(&job)?;
    let answers = record
        .endings
        .iter()
        .flat_map(|e| e.answers.iter().flatten());
    let mut found = 0;
    for (inference, answer) in answers.enumerate() {
        let [answer] = answer.as_slice() else {
            return Err(Failure::Shape { output: 0 });
        };
        let pairs = answer.values.iter().zip(&expected.values).enumerate();
        for (element, (found, expected)) in pairs {
            if found != expected {
                return Err(Failure::Value {
                    inference,
                    output: 0,
                    element,
                    expected: *expected,
                    found: *found,
                    within: 0.0,
                });
            }
        }
        found += 1;
    }
    if found != runs {
        let expected = runs;
        return Err(Failure::Answers { expected, found });
    }
    Ok(())
}
