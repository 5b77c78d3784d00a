//! The non-linear steps of a walk, whoever computes them.

use crate::select::Lift;
use std::borrow::Cow;

/// What a step makes of masked values. The upper bits of what it reads do not count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// x if x >= 0, else 0, from Z/2^narrow into Z/2^wide.
    Positive(Lift),
    /// The larger of y1 and y2, all in Z/2^bits; compared is y1 - y2.
    Maximum { bits: u32 },
    /// y1 where what is compared is >= 0, else y2, all in Z/2^bits.
    Choice { bits: u32 },
    /// x itself, from Z/2^narrow into Z/2^wide.
    Lift(Lift),
}

impl Kind {
    /// Widths of the rings that the step reads and writes.
    pub fn lift(self) -> Lift {
        match self {
            Self::Positive(lift) | Self::Lift(lift) => lift,
            Self::Maximum { bits } | Self::Choice { bits } => Lift {
                narrow: bits,
                wide: bits,
            },
        }
    }
}

/// What a step reads: masks or masked values. Slices are empty where a reading carries no data.
#[derive(Clone, Copy)]
pub struct Operands<'a> {
    /// The value whose sign is taken, or that is lifted.
    pub compared: &'a [u64],
    /// y1 and y2 of a maximum or choice.
    pub between: [&'a [u64]; 2],
    /// Under which number the backend keeps something of the compared value since its truncation.
    pub kept: Option<u32>,
}

impl<'a> Operands<'a> {
    pub fn one(compared: &'a [u64]) -> Self {
        Self {
            compared,
            between: [&[], &[]],
            kept: None,
        }
    }

    /// Those of the lanes from `from` to `to`.
    pub fn slice(&self, from: usize, to: usize) -> Self {
        let of = |x: &'a [u64]| x.get(from..to).unwrap_or_default();
        Self {
            compared: of(self.compared),
            between: self.between.map(of),
            kept: self.kept,
        }
    }

    /// What is multiplied with the sign: y1 - y2, or the one value.
    pub fn selected(&self, kind: Kind) -> Cow<'a, [u64]> {
        match kind {
            Kind::Choice { .. } | Kind::Maximum { .. } => {
                let [y1, y2] = self.between;
                let pairs = y1.iter().zip(y2);
                pairs.map(|(a, b)| a.wrapping_sub(*b)).collect()
            }
            _ => Cow::Borrowed(self.compared),
        }
    }

    /// What is added to the product.
    pub fn added(&self) -> &'a [u64] {
        self.between[1]
    }
}
