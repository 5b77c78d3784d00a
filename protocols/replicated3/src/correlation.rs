//! What the dealer prepares for one step, and how it is split between streams and messages.

use subrosa_core::{BitsLayout, WordsLayout};
use subrosa_share::compare::Comparison;
use subrosa_share::select::Lift;
use subrosa_share::step::Kind;

/// One-time material of one step for one evaluator: bit rows, then columns of ring elements.
pub type Piece = (subrosa_ring::BitMatrix, Vec<subrosa_core::Words>);
pub type PieceLayout = (BitsLayout, Vec<WordsLayout>);

/// The shape of one step's correlation: bit rows of a comparison, if there is one, dealt columns, and a pad.
///
/// The first evaluator's share is all stream. The second's free rows and pad are stream; its dealt rows and
/// columns are sent by the dealer.
pub struct Correlation {
    pub compare: Option<Comparison>,
    pub lanes: usize,
    /// Widths of the dealt columns; columns of width zero are left out.
    pub columns: Vec<u32>,
    /// Width of the pad.
    pub pad: u32,
}

impl Correlation {
    /// Of a step of the walk.
    pub fn of(lanes: usize, kind: Kind) -> Self {
        match kind {
            Kind::Lift(lift) => Self::lift(lanes, lift),
            Kind::Positive(lift) => Self::product(lanes, lift),
            Kind::Maximum { bits } | Kind::Choice { bits } => Self::choice(lanes, bits),
        }
    }

    /// Of a product of a sign with its own value, lifted: ρ, (1 - 2ρ) μ, ρ b, (1 - ρ) b.
    fn product(lanes: usize, lift: Lift) -> Self {
        let wrap = lift.wrap_bits();
        let mut columns = vec![lift.wide, lift.wide];
        if wrap > 0 {
            columns.extend([wrap, wrap]);
        }
        let compare = Some(Comparison::new(lanes, lift.narrow));
        Self {
            compare,
            lanes,
            columns,
            pad: lift.wide,
        }
    }

    /// Of a choice by a sign between two values: ρ, (1 - 2ρ) λ_d.
    fn choice(lanes: usize, bits: u32) -> Self {
        let compare = Some(Comparison::new(lanes, bits));
        Self {
            compare,
            lanes,
            columns: vec![bits, bits],
            pad: bits,
        }
    }

    /// Of a lift: b.
    fn lift(lanes: usize, lift: Lift) -> Self {
        Self {
            compare: None,
            lanes,
            columns: vec![lift.wrap_bits()],
            pad: lift.wide,
        }
    }

    /// Of mask parts: the second evaluator's part is dealt, nothing is kept.
    pub fn parts(lanes: usize, bits: u32) -> Self {
        Self {
            compare: None,
            lanes,
            columns: vec![bits],
            pad: 0,
        }
    }

    pub fn free_rows(&self) -> BitsLayout {
        self.compare.as_ref().map_or(
            BitsLayout {
                planes: 0,
                lanes: 0,
            },
            Comparison::free_rows,
        )
    }

    /// What the dealer sends to the second evaluator.
    pub fn dealt(&self) -> PieceLayout {
        let rows = self.compare.as_ref();
        let rows = rows.map_or(
            BitsLayout {
                planes: 0,
                lanes: 0,
            },
            Comparison::dealt_rows,
        );
        (rows, self.column_layouts())
    }

    /// What each evaluator keeps.
    pub fn piece(&self) -> PieceLayout {
        let rows = self.compare.as_ref();
        let rows = rows.map_or(
            BitsLayout {
                planes: 0,
                lanes: 0,
            },
            Comparison::rows,
        );
        let mut columns = self.column_layouts();
        columns.push(WordsLayout {
            count: self.lanes,
            bits: self.pad,
        });
        (rows, columns)
    }

    fn column_layouts(&self) -> Vec<WordsLayout> {
        self.columns
            .iter()
            .map(|bits| WordsLayout {
                count: self.lanes,
                bits: *bits,
            })
            .collect()
    }
}

/// The piece of a linear step: its precomputed summand.
pub fn linear_piece(count: usize, bits: u32) -> PieceLayout {
    (
        BitsLayout {
            planes: 0,
            lanes: 0,
        },
        vec![WordsLayout { count, bits }],
    )
}
