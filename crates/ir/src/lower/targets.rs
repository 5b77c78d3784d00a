//! Backwards through the graph: how many fraction bits each wire may have so that its readers have room.

use super::layer::{Limits, WeightBits};
use crate::{FloatOp, Gain, LowerError, LowerOptions};

/// Significant bits that a public factor keeps at least.
const LEAST_FACTOR_BITS: i32 = 10;

/// Most fraction bits of each float wire.
pub(super) fn targets(limits: Limits<'_>, options: &LowerOptions) -> Result<Vec<u32>, LowerError> {
    let ranged = limits.ranged;
    let wanted = options.frac as i32;
    let graph = &ranged.graph;
    let mut targets: Vec<i32> = (0..graph.wires.len() as u32)
        .map(|wire| limits.room(crate::WireId(wire), wanted).min(wanted))
        .collect();
    for (node, gain) in graph.nodes.iter().zip(&ranged.gains).rev() {
        let output = targets[node.output.0 as usize];
        for wire in &node.inputs {
            let own = targets[wire.0 as usize];
            let most = match &node.op {
                FloatOp::Linear(_) => {
                    let weight = WeightBits::of(&gain.unwrap_or(Gain::default()));
                    let room = limits.room(node.output, own + weight.wanted);
                    let (value, _) = weight
                        .divide(own, room)
                        .ok_or_else(|| limits.too_wide(node.output))?;
                    value
                }
                FloatOp::Scale(_) | FloatOp::AveragePool { .. } => {
                    limits.room(node.output, own + LEAST_FACTOR_BITS) - LEAST_FACTOR_BITS
                }
                FloatOp::TopK { .. } => own,
                _ => output,
            };
            targets[wire.0 as usize] = own.min(most);
        }
    }
    let mut fractions = Vec::with_capacity(targets.len());
    for (wire, target) in targets.iter().enumerate() {
        let fraction = u32::try_from(*target);
        fractions.push(fraction.map_err(|_| limits.too_wide(crate::WireId(wire as u32)))?);
    }
    Ok(fractions)
}
