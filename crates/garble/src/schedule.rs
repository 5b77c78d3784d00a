//! Places for the values of wires: a place is free again after the last use of its wire, so that one block of lanes
//! stays in the cache.

use crate::circuit::{Bit, Gate};

/// One gate on places. `a` and `b` are places with their negations.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Step {
    pub(crate) a: Bit,
    pub(crate) b: Bit,
    pub(crate) out: u32,
    pub(crate) is_and: bool,
}

#[derive(Clone, Debug)]
pub(crate) struct Schedule {
    pub(crate) steps: Vec<Step>,
    /// Place of each output. Place 0 is the constant false, input `i` starts at place `i + 1`.
    pub(crate) outputs: Vec<Bit>,
    pub(crate) places: usize,
}

const NEVER: u32 = u32::MAX;

impl Schedule {
    pub(crate) fn new(inputs: usize, gates: &[Gate], outputs: &[Bit]) -> Self {
        let first = inputs as u32 + 1;
        let mut last_use = vec![0u32; first as usize + gates.len()];
        for (i, gate) in gates.iter().enumerate() {
            let (a, b) = operands(gate);
            last_use[a.wire() as usize] = i as u32;
            last_use[b.wire() as usize] = i as u32;
        }
        for bit in outputs {
            last_use[bit.wire() as usize] = NEVER;
        }
        let mut place: Vec<u32> = (0..first).collect();
        let mut free = Vec::new();
        let mut places = first;
        let mut steps = Vec::with_capacity(gates.len());
        for (i, gate) in gates.iter().enumerate() {
            let (a, b) = operands(gate);
            let (at, bt) = (place[a.wire() as usize], place[b.wire() as usize]);
            for (wire, at) in [(a.wire(), at), (b.wire(), bt)] {
                if last_use[wire as usize] == i as u32 {
                    last_use[wire as usize] = NEVER;
                    free.push(at);
                }
            }
            let out = free.pop().unwrap_or_else(|| {
                places += 1;
                places - 1
            });
            place.push(out);
            steps.push(Step {
                a: Bit::new(at, a.is_negated()),
                b: Bit::new(bt, b.is_negated()),
                out,
                is_and: matches!(gate, Gate::And(..)),
            });
        }
        let outputs = outputs.iter();
        let outputs = outputs.map(|bit| Bit::new(place[bit.wire() as usize], bit.is_negated()));
        Self {
            steps,
            outputs: outputs.collect(),
            places: places as usize,
        }
    }
}

fn operands(gate: &Gate) -> (Bit, Bit) {
    match *gate {
        Gate::Xor(a, b) => (Bit::new(a, false), Bit::new(b, false)),
        Gate::And(a, b) => (a, b),
    }
}
