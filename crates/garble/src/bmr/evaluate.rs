//! The evaluator's side.

use super::and::evaluate_and;
use super::{Fault, Rows, RowsLayout};
use crate::circuit::{Circuit, Owner};
use crate::half_gates::sums;
use crate::hash::{LANES_PER_KEY, ROW, Row, ZERO};
use crate::labels::{ActiveLabels, LabelsLayout};
use crate::tables::row;
use subrosa_ring::{BitMatrix, xor_into};

/// What the evaluator holds of the public inputs or of the shared ones, in the order of the circuit.
pub struct ActiveInputs<'a> {
    /// e of each, [inputs, lanes]: the public bits themselves, or the evaluator's own bits.
    pub bits: &'a BitMatrix,
    /// One label of each garbler for each bit, in order of place. Bit 0 is e in those of shared inputs, and not read in those of public ones.
    pub labels: Vec<ActiveLabels>,
}

impl ActiveInputs<'_> {
    fn check_shapes(&self, wires: usize, layout: RowsLayout) -> Result<(), Fault> {
        Fault::shape(wires, layout.lanes, self.bits)?;
        Fault::count(layout.garblers, self.labels.len())?;
        let expected = LabelsLayout {
            wires,
            lanes: layout.lanes,
        };
        for (garbler, labels) in self.labels.iter().enumerate() {
            let found = labels.layout();
            let shape = expected.check(found.wires, found.lanes);
            shape.map_err(Fault::of(garbler))?;
        }
        Ok(())
    }

    fn check_colours(&self) -> Result<(), Fault> {
        for (garbler, labels) in self.labels.iter().enumerate() {
            let mut wrong = labels.colours();
            xor_into(wrong.words_mut(), self.bits.words());
            wrong.mask_padding();
            if let Some(at) = wrong.words().iter().position(|word| *word != 0) {
                let (wire, word) = (at / wrong.words_per_plane(), at % wrong.words_per_plane());
                let lane = 64 * word + wrong.words()[at].trailing_zeros() as usize;
                return Err(Fault::Colour {
                    garbler,
                    wire,
                    lane,
                });
            }
        }
        Ok(())
    }

    /// e of input `rank` in the 8 lanes from `first` on.
    #[inline(always)]
    fn bits_from(&self, rank: usize, first: usize) -> u64 {
        self.bits.row(rank)[first / 64] >> (first % 64)
    }
}

/// e of the outputs, [outputs, lanes]: each output plus its mask, of which every garbler has a share.
///
/// # Errors
/// [`Fault`] where the shapes are not those of the circuit, where a label of a shared input is that of the other bit, or where the
/// garblers' labels of a gate disagree.
pub fn evaluate(
    circuit: &Circuit,
    rows: Rows,
    shared: ActiveInputs,
    public: ActiveInputs,
) -> Result<BitMatrix, Fault> {
    let layout = rows.layout();
    layout.check(circuit.ands(), layout.lanes)?;
    shared.check_shapes(circuit.bits_of(Owner::Evaluator), layout)?;
    shared.check_colours()?;
    public.check_shapes(circuit.bits_of(Owner::Garbler), layout)?;

    let RowsLayout {
        garblers, lanes, ..
    } = layout;
    let mut outputs = BitMatrix::new(circuit.output_bits(), lanes);
    // Of each wire the labels of all garblers.
    let mut places = vec![ZERO; circuit.schedule.places * garblers];
    let mut gate = vec![ZERO; 4 * garblers];
    let mut hashed = vec![ZERO; garblers];
    let mut made = vec![ZERO; garblers];
    for first in (0..lanes).step_by(LANES_PER_KEY) {
        let width = LANES_PER_KEY.min(lanes - first);
        let block = first / LANES_PER_KEY;
        let inputs = places[garblers..].chunks_exact_mut(garblers);
        for (place, (owner, rank)) in inputs.zip(circuit.owners()) {
            let inputs = match owner {
                Owner::Garbler => &public,
                Owner::Evaluator => &shared,
            };
            let e = inputs.bits_from(rank, first);
            for (place, labels) in place.iter_mut().zip(&inputs.labels) {
                *place = row(&labels.values()[rank * lanes + first..][..width]);
                colour(place, e);
            }
        }
        let mut odd = ZERO;
        let mut index = 0;
        for step in &circuit.schedule.steps {
            let at = step.a.wire() as usize * garblers;
            let bt = step.b.wire() as usize * garblers;
            let to = step.out as usize * garblers;
            if !step.is_and {
                for i in 0..garblers {
                    places[to + i] = sums(&places[at + i], &places[bt + i]);
                }
                continue;
            }
            rows.gate(block, index, width, &mut gate);
            let (a, b) = (&places[at..at + garblers], &places[bt..bt + garblers]);
            evaluate_and(rows.keys(block, index), a, b, &gate, &mut hashed, &mut made);
            for other in &made[1..] {
                odd = differences(&odd, &made[0], other);
            }
            places[to..to + garblers].copy_from_slice(&made);
            index += 1;
        }
        let lane = (0..width).find(|lane| odd[2 * lane] & 1 == 1);
        if let Some(lane) = lane {
            return Err(Fault::Disagreement { lane: first + lane });
        }
        for (plane, bit) in circuit.schedule.outputs.iter().enumerate() {
            let labels = places[bit.wire() as usize * garblers].chunks_exact(2);
            let to = outputs.row_mut(plane);
            for (lane, label) in (first..).zip(labels.take(width)) {
                to[lane / 64] |= (label[0] & 1) << (lane % 64);
            }
        }
    }
    Ok(outputs)
}

/// Gives bit 0 of each lane.
#[inline(always)]
fn colour(labels: &mut Row, bits: u64) {
    for (lane, low) in labels.iter_mut().step_by(2).enumerate() {
        *low = *low & !1 | bits >> lane & 1;
    }
}

/// What differs between `a` and `b`, above what was found before.
#[inline(always)]
fn differences(before: &Row, a: &Row, b: &Row) -> Row {
    let mut out = *before;
    for i in 0..ROW {
        out[i] |= a[i] ^ b[i];
    }
    out
}
