//! How far a protocol may be from the clear reading.

use crate::{ClearError, FixedGraph, FixedNode, FixedOp, Linear, clear::check_weights};

/// For each output of a checked graph the largest difference from [`crate::clear`], in units of its last place, of a
/// protocol whose every truncation is at most one unit off the floor, and whose every product with a weight is at most
/// `product` units off. Sums of |w| multiply it, truncations divide it
/// and add one; it is proven, and for deep networks far above what is seen.
pub fn tolerance(
    graph: &FixedGraph,
    weights: &[Vec<u64>],
    product: u64,
) -> Result<Vec<u64>, ClearError> {
    check_weights(graph, weights)?;
    let mut errors = vec![0u64; graph.wires.len()];
    for node in &graph.nodes {
        let inputs: Vec<u64> = node.inputs.iter().map(|w| errors[w.0 as usize]).collect();
        let error = node_error(graph, weights, node, &inputs, product);
        // Both readings keep the bound, so they are no further apart than twice of it.
        let most = graph.wire(node.output).bound.saturating_mul(2);
        errors[node.output.0 as usize] = error.min(most);
    }
    Ok(graph
        .outputs
        .iter()
        .map(|wire| errors[wire.0 as usize])
        .collect())
}

fn node_error(
    graph: &FixedGraph,
    weights: &[Vec<u64>],
    node: &FixedNode,
    inputs: &[u64],
    product: u64,
) -> u64 {
    let largest = inputs.iter().copied().max().unwrap_or(0);
    match &node.op {
        FixedOp::Linear { linear, .. } => largest
            .saturating_mul(largest_sum(linear, weights))
            .saturating_add(product),
        FixedOp::Scale(rescale) => {
            let factor = rescale
                .by
                .iter()
                .map(|by| by.unsigned_abs())
                .max()
                .unwrap_or(0);
            largest.saturating_mul(factor)
        }
        FixedOp::Add | FixedOp::Sub => inputs.iter().fold(0, |sum, e| sum.saturating_add(*e)),
        FixedOp::SumPool(window) => {
            largest.saturating_mul((window.kernel[0] * window.kernel[1]) as u64)
        }
        FixedOp::Truncate { by } => largest.div_ceil(1 << by) + 1,
        FixedOp::TopK { .. } if largest > 0 => graph.wire(node.output).bound,
        FixedOp::TopK { .. } => 0,
        FixedOp::Bias { .. }
        | FixedOp::Offset(_)
        | FixedOp::Relu
        | FixedOp::MaxPool(_)
        | FixedOp::View(_) => largest,
    }
}

/// Largest sum of |w| that meets one output.
fn largest_sum(linear: &Linear, weights: &[Vec<u64>]) -> u64 {
    let weight = &weights[linear.weight.0 as usize];
    let mut sums = vec![0u64; linear.kind.bias_spread().channels];
    linear.kind.each_weight(|at, _, out| {
        sums[out] = sums[out].saturating_add((weight[at] as i64).unsigned_abs());
    });
    sums.into_iter().max().unwrap_or(0)
}
