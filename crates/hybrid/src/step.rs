//! The non-linear steps of a walk, whichever reading computes them.

use crate::scheme::Reading;
use subrosa_core::Bits;
use subrosa_share::select::Lift;

pub use subrosa_share::step::{Kind, Operands};

/// A step for `lanes` values at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    pub lanes: usize,
    pub kind: Kind,
}

impl Shape {
    /// Steps that together are one of `lanes`, each small enough for the memory of an offline phase.
    pub fn split(lanes: usize, kind: Kind, reading: Reading) -> impl Iterator<Item = Self> {
        let most = match reading {
            Reading::Ot => 1 << 15,
            Reading::Gc => 1 << 12,
        };
        let starts = (0..lanes).step_by(most);
        starts.map(move |at| Self {
            lanes: most.min(lanes - at),
            kind,
        })
    }

    /// Width at which a sign is taken, if one is.
    pub fn compared(&self) -> Option<Bits> {
        match self.kind {
            Kind::Positive(lift) => Some(Bits(lift.narrow)),
            Kind::Maximum { bits } | Kind::Choice { bits } => Some(Bits(bits)),
            Kind::Lift(_) => None,
        }
    }

    /// Widths of the rings that the step reads and writes.
    pub fn lift(&self) -> Lift {
        self.kind.lift()
    }
}
