//! Circuits for properties that every circuit has.

use proptest::prelude::*;
use subrosa_garble::{Bit, Builder, Circuit, Owner};

/// A circuit of any shape: constants, negations, repeated outputs and outputs that are inputs.
pub fn any_circuit() -> impl Strategy<Value = Circuit> {
    let gate = (
        0u8..4,
        any::<prop::sample::Index>(),
        any::<prop::sample::Index>(),
        any::<bool>(),
    );
    let gates = prop::collection::vec(gate, 0..120);
    let outputs = prop::collection::vec((any::<prop::sample::Index>(), any::<bool>()), 1..20);
    (0usize..12, gates, outputs).prop_map(|(inputs, gates, outputs)| {
        let mut b = Builder::new();
        let mut known = vec![Bit::FALSE];
        known.extend(b.input("x", Owner::Garbler, inputs / 2));
        known.extend(b.input("y", Owner::Evaluator, inputs - inputs / 2));
        for (kind, x, y, negate) in gates {
            let (x, y) = (known[x.index(known.len())], known[y.index(known.len())]);
            let x = if negate { !x } else { x };
            known.push(match kind {
                0 => b.xor(x, y),
                1 | 2 => b.and(x, y),
                _ => b.choose(x, y, known[known.len() / 2]),
            });
        }
        let bit = |at: prop::sample::Index| known[at.index(known.len())];
        let outputs = outputs
            .iter()
            .map(|(at, n)| if *n { !bit(*at) } else { bit(*at) });
        let outputs: Vec<Bit> = outputs.collect();
        b.output("out", &outputs);
        b.finish()
    })
}
