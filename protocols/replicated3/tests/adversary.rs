//! What a curious server sees of models of a usual size, and exactness where values lie at their bounds.

use subrosa_conformance::*;
use subrosa_ir::{FixedOp, FloatOp, Tensor, Window, clear, decode_output, encode_input};
use subrosa_protocol::Protocol;
use subrosa_replicated3::{Replicated3, seat};

const SUBJECT: Subject = Subject {
    plan: |graph, terms| Ok(Box::new(Replicated3::plan(graph, terms)?)),
    seat,
};

#[test]
fn servers_of_large_models_see_uniform_bytes() -> Result<(), Failure> {
    views_are_uniform(&SUBJECT, &large(), Randomness::Fixed(11))
}

#[test]
fn large_models_use_no_mask_twice() -> Result<(), Failure> {
    masks_are_used_once(&SUBJECT, &large(), Randomness::Fixed(12))
}

#[test]
fn large_models_agree_and_share_nothing() -> Result<(), Failure> {
    agrees(&SUBJECT, &large())?;
    sessions_are_fresh(&SUBJECT, &large())
}

/// One unit of the last place of an input.
const UNIT: f32 = 1.0 / 65_536.0;

/// Ranges whose bounds as integers are the last and the first for their width of ring.
const RANGES: [[f32; 2]; 4] = [
    [-(2.0 - UNIT), 2.0 - UNIT],
    [-2.0, 2.0],
    [-1.0, 8.0 - UNIT],
    [-128.0, 0.0],
];

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

/// The client's answers of one run, which must be those of the clear reading to the bit.
fn exact(case: &Case, values: Vec<f32>) -> Result<(), Failure> {
    let planned = case.plan(&SUBJECT)?;
    let oracle = &planned.table.oracle;
    assert!(
        oracle
            .nodes
            .iter()
            .all(|node| !matches!(node.op, FixedOp::Truncate { .. }))
    );
    let input = Tensor {
        shape: case.inputs(0)[0].shape.clone(),
        values,
    };
    let encoded = encode_input(oracle, 0, &input)?;
    let opened = clear(oracle, &[], vec![encoded])?;
    let expected = decode_output(oracle, 0, u64::BITS, &opened[0])?;
    // Many masks, so that every carry comes up.
    let job = Job::new(planned.weights.clone(), vec![vec![input]; 40]);
    let record = planned.table.run(&job)?;
    let answers = record
        .endings
        .iter()
        .flat_map(|e| e.answers.iter().flatten());
    let mut count = 0;
    for answer in answers {
        assert_eq!(answer[0], expected, "{}", case.name);
        count += 1;
    }
    assert_eq!(count, 40);
    Ok(())
}

#[test]
fn rectification_is_exact_at_every_bound() -> Result<(), Failure> {
    for range in RANGES {
        let values = boundary(range);
        let shape: &[usize] = &[1, values.len()];
        let case = Case::single("ReLU", FloatOp::Relu, &[shape], shape, range);
        exact(&case, values)?;
    }
    Ok(())
}

/// Every ordered pair of boundary values.
fn pairs(range: [f32; 2]) -> Vec<f32> {
    let values = boundary(range);
    let pair = |a: &f32| values.iter().flat_map(|b| [*a, *b]).collect::<Vec<_>>();
    values.iter().flat_map(pair).collect()
}

#[test]
fn maxima_are_exact_at_every_bound() -> Result<(), Failure> {
    for range in RANGES {
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
        exact(
            &Case::single("MaxPool", op, &[input], output, range),
            values,
        )?;
    }
    Ok(())
}

#[test]
fn the_largest_are_exact_at_every_bound_and_among_equals() -> Result<(), Failure> {
    for range in RANGES {
        let values = pairs(range);
        let rows = values.len() / 6;
        let values = values[..6 * rows].to_vec();
        let op = FloatOp::TopK { count: 4 };
        let case = Case::single("TopK", op, &[&[rows, 6]], &[rows, 4], range);
        exact(&case, values)?;
    }
    Ok(())
}
