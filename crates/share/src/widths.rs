//! How wide a ring each wire is held in.

use crate::width_for;
use subrosa_ir::{FixedGraph, FixedOp};

/// For each wire the width that its readers need: enough for its own bound, and for a product or a truncation
/// that reads it; `ending` bits at least for outputs. Widths above 32 are whole bytes, which pack faster. None exceeds
/// the graph's ring.
pub fn widths(graph: &FixedGraph, ending: u32) -> Vec<u32> {
    let mut need: Vec<u32> = graph
        .wires
        .iter()
        .map(|wire| round(width_for(wire.bound), graph.ring))
        .collect();
    for wire in &graph.outputs {
        let need = &mut need[wire.0 as usize];
        *need = (*need).max(round(ending, graph.ring));
    }
    for node in graph.nodes.iter().rev() {
        let out = need[node.output.0 as usize];
        let read = match &node.op {
            FixedOp::Truncate { by } => round(out + by, graph.ring),
            FixedOp::Relu | FixedOp::MaxPool(_) => 0,
            FixedOp::TopK { .. } => width_for(graph.wire(node.inputs[0]).bound + 1),
            _ => out,
        };
        for wire in &node.inputs {
            let need = &mut need[wire.0 as usize];
            *need = (*need).max(read);
        }
    }
    need
}

fn round(width: u32, ring: u32) -> u32 {
    let whole = if width > 32 {
        width.next_multiple_of(8)
    } else {
        width
    };
    whole.min(ring)
}
