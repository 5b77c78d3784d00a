//! The evaluator's side.

use crate::circuit::Circuit;
use crate::half_gates::{evaluate_and, sums};
use crate::hash::{LANES_PER_KEY, Row, ZERO};
use crate::labels::{ActiveLabels, LabelFault, LabelsLayout};
use crate::tables::{Tables, join, row};
use subrosa_ring::BitMatrix;

/// One party that evaluates. What is needed to follow the garbler's keys lies in the tables: all that is kept between calls is room.
#[derive(Default)]
pub struct Evaluator {
    places: Vec<Row>,
}

/// Active labels of the outputs, [outputs, lanes].
pub struct OutputLabels(ActiveLabels);

impl Evaluator {
    pub fn new() -> Self {
        Self::default()
    }

    /// labels: [input_bits, lanes] -> [output_bits, lanes].
    pub fn evaluate(
        &mut self,
        circuit: &Circuit,
        tables: Tables,
        labels: ActiveLabels,
    ) -> Result<OutputLabels, LabelFault> {
        let lanes = tables.layout().lanes;
        labels.layout().check(circuit.input_bits(), lanes)?;
        if tables.layout().ands != circuit.ands() {
            return Err(LabelFault::Ands {
                expected: circuit.ands(),
                found: tables.layout().ands,
            });
        }
        let mut outputs = vec![0; circuit.output_bits() * lanes];
        self.places.clear();
        self.places.resize(circuit.schedule.places, ZERO);
        for first in (0..lanes).step_by(LANES_PER_KEY) {
            self.block(circuit, &tables, labels.values(), first, &mut outputs);
        }
        let layout = LabelsLayout {
            wires: circuit.output_bits(),
            lanes,
        };
        ActiveLabels::from_values(layout, outputs).map(OutputLabels)
    }

    fn block(
        &mut self,
        circuit: &Circuit,
        tables: &Tables,
        labels: &[u128],
        first: usize,
        outputs: &mut [u128],
    ) {
        let lanes = tables.layout().lanes;
        let width = LANES_PER_KEY.min(lanes - first);
        let places = &mut self.places;
        for input in 0..circuit.input_bits() {
            places[input + 1] = row(&labels[input * lanes + first..][..width]);
        }
        let block = first / LANES_PER_KEY;
        let skipped = 2 * block as u128 * circuit.ands() as u128;
        let mut key = tables.start.wrapping_add(skipped);
        let mut index = 0;
        for step in &circuit.schedule.steps {
            let a = &places[step.a.wire() as usize];
            let b = &places[step.b.wire() as usize];
            places[step.out as usize] = if step.is_and {
                let halves = tables.gate(block, index, width);
                let out = evaluate_and(key, a, b, &halves);
                index += 1;
                key = key.wrapping_add(2);
                out
            } else {
                sums(a, b)
            };
        }
        for (plane, bit) in circuit.schedule.outputs.iter().enumerate() {
            let found = places[bit.wire() as usize].as_chunks().0;
            let to = &mut outputs[plane * lanes + first..];
            for (to, found) in to.iter_mut().zip(found).take(width) {
                *to = join(*found);
            }
        }
    }
}

impl OutputLabels {
    /// The last bit of each label, [outputs, lanes]: without the garbler's colours they say nothing.
    pub fn colours(&self) -> BitMatrix {
        self.0.colours()
    }

    pub fn into_labels(self) -> ActiveLabels {
        self.0
    }
}
