//! The garbler's side.

use crate::circuit::Circuit;
use crate::half_gates::{Offset, garble_and, sums};
use crate::hash::{LANES_PER_KEY, ZERO};
use crate::labels::{InputLabels, LabelFault, OutputColours};
use crate::tables::{Tables, TablesLayout, row};
use std::ops::Range;
use subrosa_core::{Prg, Secret};
use subrosa_ring::BitMatrix;

/// One party that garbles: a stream, and an offset that all labels of the session share. Not `Clone`.
///
/// ```compile_fail,E0599
/// fn twice(garbler: subrosa_garble::Garbler) { drop(garbler.clone()); }
/// ```
pub struct Garbler {
    prg: Prg,
    delta: Secret<u128>,
}

/// What one garbling gives: the tables are sent; labels and colours stay until they are asked for.
pub struct Garbled {
    pub tables: Tables,
    pub inputs: InputLabels,
    pub colours: OutputColours,
}

impl Garbler {
    /// `prg` is drawn from for the offset, and then for each call for labels and for the first key of the hash.
    pub fn new(mut prg: Prg) -> Self {
        // [ZRE15] section 4: the last bit of the offset is 1, so that colours of the two labels differ.
        let delta = Secret::new(uniform(&mut prg) | 1);
        Self { prg, delta }
    }

    /// A garbler whose labels are also keys of correlated OTs under `offset`.
    ///
    /// # Panics
    /// Where bit 0 of `offset` is not set.
    pub fn with_offset(prg: Prg, offset: Secret<u128>) -> Self {
        assert!(offset.reveal() & 1 == 1);
        Self { prg, delta: offset }
    }

    /// Garbles `lanes` copies of `circuit`. Memory beyond what is returned does not grow with `lanes`.
    pub fn garble(&mut self, circuit: &Circuit, lanes: usize) -> Garbled {
        let drawn = self.given(circuit, lanes, Vec::new());
        self.garble_with(circuit, lanes, drawn)
    }

    /// [`Garbler::garble`] with the zero labels of some inputs given, [wires, lanes] each: keys of random OTs, which then need
    /// only one ciphertext for a label and not two. They must be uniform, and unknown to an evaluator that gets the other label.
    ///
    /// # Errors
    /// [`LabelFault`] where labels are too few or too many for their wires, or no inputs of the circuit.
    pub fn garble_given(
        &mut self,
        circuit: &Circuit,
        lanes: usize,
        given: Vec<(Range<usize>, Vec<u128>)>,
    ) -> Result<Garbled, LabelFault> {
        for (wires, labels) in &given {
            if wires.end > circuit.input_bits() {
                return Err(LabelFault::Wires {
                    expected: circuit.input_bits(),
                    found: wires.end,
                });
            }
            let (expected, found) = (wires.len() * lanes, labels.len());
            if expected != found {
                return Err(LabelFault::Lanes { expected, found });
            }
        }
        let zeros = self.given(circuit, lanes, given);
        Ok(self.garble_with(circuit, lanes, zeros))
    }

    /// Uniform zero labels, but for those that are given.
    fn given(
        &mut self,
        circuit: &Circuit,
        lanes: usize,
        given: Vec<(Range<usize>, Vec<u128>)>,
    ) -> Vec<u128> {
        let mut zeros = uniform_labels(&mut self.prg, circuit.input_bits() * lanes);
        for (wires, labels) in given {
            zeros[wires.start * lanes..wires.end * lanes].copy_from_slice(&labels);
        }
        zeros
    }

    fn garble_with(&mut self, circuit: &Circuit, lanes: usize, zeros: Vec<u128>) -> Garbled {
        let delta = *self.delta.reveal();
        let start = uniform(&mut self.prg);
        let mut tables = Tables::new(
            TablesLayout {
                ands: circuit.ands(),
                lanes,
            },
            start,
        );
        let mut colours = BitMatrix::new(circuit.output_bits(), lanes);
        garble_blocks(circuit, lanes, delta, &zeros, &mut tables, &mut colours);
        Garbled {
            tables,
            inputs: InputLabels::new(delta, circuit.input_bits(), lanes, zeros),
            colours: OutputColours(colours),
        }
    }
}

fn garble_blocks(
    circuit: &Circuit,
    lanes: usize,
    delta: u128,
    zeros: &[u128],
    tables: &mut Tables,
    colours: &mut BitMatrix,
) {
    let schedule = &circuit.schedule;
    let offset = Offset::new(row(&[delta; LANES_PER_KEY]));
    let negations = [ZERO, offset.delta];
    let mut halves = [ZERO; 2];
    let mut places = vec![ZERO; schedule.places];
    let mut key = tables.start;
    for first in (0..lanes).step_by(LANES_PER_KEY) {
        let width = LANES_PER_KEY.min(lanes - first);
        for input in 0..circuit.input_bits() {
            places[input + 1] = row(&zeros[input * lanes + first..][..width]);
        }
        for step in &schedule.steps {
            let a = &places[step.a.wire() as usize];
            let b = &places[step.b.wire() as usize];
            places[step.out as usize] = if step.is_and {
                let a = sums(a, &negations[usize::from(step.a.is_negated())]);
                let b = sums(b, &negations[usize::from(step.b.is_negated())]);
                let out = garble_and(key, &offset, &a, &b, &mut halves);
                tables.push(&halves, width);
                key = key.wrapping_add(2);
                out
            } else {
                sums(a, b)
            };
        }
        for (plane, bit) in schedule.outputs.iter().enumerate() {
            let negated = u64::from(bit.is_negated());
            let labels = places[bit.wire() as usize].chunks_exact(2).take(width);
            let row = colours.row_mut(plane);
            for (lane, label) in (first..).zip(labels) {
                row[lane / 64] |= (label[0] & 1 ^ negated) << (lane % 64);
            }
        }
    }
}

pub(crate) fn uniform(prg: &mut Prg) -> u128 {
    let mut bytes = [0; 16];
    prg.fill(&mut bytes);
    u128::from_le_bytes(bytes)
}

pub(crate) fn uniform_labels(prg: &mut Prg, count: usize) -> Vec<u128> {
    let mut labels = vec![0u128; count];
    prg.fill(bytemuck::cast_slice_mut(&mut labels));
    for label in &mut labels {
        *label = u128::from_le(*label);
    }
    labels
}
