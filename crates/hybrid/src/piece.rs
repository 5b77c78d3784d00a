//! One-time material of one step, at either party.

use crate::gc::{Garbled, Garbling};
use crate::ot::layout::Material;
use subrosa_core::{Bytes, Malformed, Wire, Words};
use subrosa_net::{LocalFault, RunError};

/// What a party keeps from the offline phase for one step. Not `Clone`: masks, labels and tables serve once.
///
/// ```compile_fail
/// fn twice(piece: subrosa_hybrid::Piece) { drop(piece.clone()); }
/// ```
/// ```compile_fail
/// fn twice(piece: subrosa_hybrid::Piece) {
///     let _ = piece.columns();
///     let _ = piece.columns();
/// }
/// ```
pub enum Piece {
    /// Masks of inputs and outputs at the client, shares of products at the owner.
    Columns(Vec<Words>),
    /// A step in the reading `ot`, at either party.
    Ot(Material),
    /// A step in the reading `gc`, at the client: tables, and labels of its inputs.
    Garbled(Garbled),
    /// A step in the reading `gc`, at the owner: zero labels of its inputs, colours of the outputs.
    Garbling(Garbling),
}

#[derive(Clone, Debug, PartialEq)]
pub enum PieceLayout {
    Columns(<Vec<Words> as Wire>::Layout),
    Ot(<Material as Wire>::Layout),
    Garbled(<Garbled as Wire>::Layout),
    Garbling(<Garbling as Wire>::Layout),
}

impl Wire for Piece {
    type Layout = PieceLayout;

    fn size(layout: &PieceLayout) -> Bytes {
        match layout {
            PieceLayout::Columns(layout) => Vec::<Words>::size(layout),
            PieceLayout::Ot(layout) => Material::size(layout),
            PieceLayout::Garbled(layout) => Garbled::size(layout),
            PieceLayout::Garbling(layout) => Garbling::size(layout),
        }
    }

    fn encode(&self, out: &mut Vec<u8>) {
        match self {
            Self::Columns(piece) => piece.encode(out),
            Self::Ot(piece) => piece.encode(out),
            Self::Garbled(piece) => piece.encode(out),
            Self::Garbling(piece) => piece.encode(out),
        }
    }

    fn decode(layout: &PieceLayout, bytes: &[u8]) -> Result<Self, Malformed> {
        Ok(match layout {
            PieceLayout::Columns(layout) => Self::Columns(Wire::decode(layout, bytes)?),
            PieceLayout::Ot(layout) => Self::Ot(Wire::decode(layout, bytes)?),
            PieceLayout::Garbled(layout) => Self::Garbled(Wire::decode(layout, bytes)?),
            PieceLayout::Garbling(layout) => Self::Garbling(Wire::decode(layout, bytes)?),
        })
    }
}

impl Piece {
    pub fn columns(self) -> Result<Vec<Words>, RunError> {
        match self {
            Self::Columns(columns) => Ok(columns),
            _ => Err(LocalFault::Invariant.into()),
        }
    }
}
