//! The non-linear steps of a walk, whichever reading computes them.

use subrosa_core::Bits;
use subrosa_share::select::Lift;

/// Lanes that one step handles at a time: what an offline phase holds in memory is proportional to it.
pub const MOST_LANES: usize = 1 << 15;

/// What a step makes of masked values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// x if x >= 0, else 0, from Z/2^narrow into Z/2^wide.
    Positive(Lift),
    /// y1 where d >= 0, else y2, all in Z/2^bits.
    Choice { bits: u32 },
    /// x itself, from Z/2^narrow into Z/2^wide.
    Lift(Lift),
}

/// A step for `lanes` values at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    pub lanes: usize,
    pub kind: Kind,
}

impl Shape {
    /// Steps of at most [`MOST_LANES`] that together are one of `lanes`.
    pub fn split(lanes: usize, kind: Kind) -> impl Iterator<Item = Self> {
        let starts = (0..lanes).step_by(MOST_LANES);
        starts.map(move |at| Self {
            lanes: MOST_LANES.min(lanes - at),
            kind,
        })
    }

    /// Width at which a sign is taken, if one is.
    pub fn compared(&self) -> Option<Bits> {
        match self.kind {
            Kind::Positive(lift) => Some(Bits(lift.narrow)),
            Kind::Choice { bits } => Some(Bits(bits)),
            Kind::Lift(_) => None,
        }
    }

    /// Widths of the rings that the step reads and writes.
    pub fn lift(&self) -> Lift {
        match self.kind {
            Kind::Positive(lift) | Kind::Lift(lift) => lift,
            Kind::Choice { bits } => Lift {
                narrow: bits,
                wide: bits,
            },
        }
    }
}
