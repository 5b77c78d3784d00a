use crate::circuit::{Circuit, Owner};
use subrosa_core::BitsLayout;

/// The OTs that one lane of a circuit needs between every two garblers, in each of the two directions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Demand {
    /// Correlated OTs: one for each shared input bit, two for each AND gate.
    pub cots: usize,
    /// Random OTs: one for each AND gate.
    pub ots: usize,
}

impl Demand {
    pub fn of(circuit: &Circuit) -> Self {
        Self {
            cots: circuit.bits_of(Owner::Evaluator) + 2 * circuit.ands(),
            ots: circuit.ands(),
        }
    }

    /// Layout of [`First`](super::First).
    pub fn first(&self, lanes: usize) -> BitsLayout {
        BitsLayout {
            planes: self.cots,
            lanes,
        }
    }

    /// Layout of [`Second`](super::Second) and of [`Third`](super::Third).
    pub fn second(&self, lanes: usize) -> BitsLayout {
        BitsLayout {
            planes: self.ots,
            lanes,
        }
    }
}
