use crate::labels::{LabelFault, LabelsLayout};
use subrosa_ring::BitMatrix;
use thiserror::Error;

/// Inputs and messages that do not belong to the circuit, or to each other.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Fault {
    #[error(transparent)]
    Labels(#[from] LabelFault),
    #[error("of garbler {garbler}: {fault}")]
    Garbler { garbler: usize, fault: LabelFault },
    #[error("expected {expected} garblers, found {found}")]
    Garblers { expected: usize, found: usize },
    #[error("a zero label of shared input {wire} is odd")]
    OddZero { wire: usize },
    #[error(
        "of garbler {garbler}: the label of shared input {wire} in lane {lane} is that of the other bit"
    )]
    Colour {
        garbler: usize,
        wire: usize,
        lane: usize,
    },
    /// Some garbler's rows or labels are wrong; which one's cannot be told.
    #[error("the garblers' labels in lane {lane} disagree")]
    Disagreement { lane: usize },
}

impl Fault {
    /// Holds the shape of `bits` to `planes` and `lanes`.
    pub(crate) fn shape(planes: usize, lanes: usize, bits: &BitMatrix) -> Result<(), LabelFault> {
        let layout = LabelsLayout {
            wires: planes,
            lanes,
        };
        layout.check(bits.planes(), bits.lanes())
    }

    pub(crate) fn count(expected: usize, found: usize) -> Result<(), Fault> {
        if expected == found {
            Ok(())
        } else {
            Err(Fault::Garblers { expected, found })
        }
    }

    pub(crate) fn of(garbler: usize) -> impl Fn(LabelFault) -> Fault {
        move |fault| Fault::Garbler { garbler, fault }
    }
}
