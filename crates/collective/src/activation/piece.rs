//! One-time material of one step, at any server.

use super::{Garbling, Shape, bmr, single};
use crate::servers::Place;
use subrosa_core::{Bytes, Malformed, Wire};
use subrosa_garble::ZeroLabels;

/// What a server keeps from the offline phase for one step. Not `Clone`: labels, keys and tables serve once.
///
/// ```compile_fail,E0599
/// fn twice(piece: subrosa_collective::activation::Piece) { drop(piece.clone()); }
/// ```
/// ```compile_fail,E0382
/// use subrosa_collective::{Mesh, activation::{Garbling, Piece, Shape, evaluate}};
/// fn twice(shape: &Shape, piece: Piece, c: &subrosa_ring::BitMatrix, mesh: &mut Mesh<'_>) {
///     let _ = evaluate(shape, Garbling::Single, piece, c, mesh);
///     let _ = evaluate(shape, Garbling::Single, piece, c, mesh);
/// }
/// ```
pub enum Piece {
    /// At a garbler: zero labels of the public bits.
    Zeros(Vec<ZeroLabels>),
    /// At the evaluator of [`Garbling::Single`].
    Tables(single::Kept),
    /// At the evaluator of [`Garbling::Bmr`].
    Rows(bmr::Kept),
    /// At a server with no part in the evaluation.
    Nothing,
}

#[derive(Clone, Debug, PartialEq)]
pub enum PieceLayout {
    Zeros(<Vec<ZeroLabels> as Wire>::Layout),
    Tables(<single::Kept as Wire>::Layout),
    Rows(<bmr::Kept as Wire>::Layout),
    Nothing,
}

impl Shape {
    /// What the server at `at` keeps.
    pub fn piece(&self, garbling: Garbling, remotes: usize, at: Place) -> PieceLayout {
        match garbling {
            Garbling::Bmr => bmr::piece(self, remotes, at),
            Garbling::Single => single::piece(self, at),
        }
    }
}

impl Wire for Piece {
    type Layout = PieceLayout;

    fn size(layout: &PieceLayout) -> Bytes {
        match layout {
            PieceLayout::Zeros(layout) => Vec::<ZeroLabels>::size(layout),
            PieceLayout::Tables(layout) => single::Kept::size(layout),
            PieceLayout::Rows(layout) => bmr::Kept::size(layout),
            PieceLayout::Nothing => <()>::size(&()),
        }
    }

    fn encode(&self, out: &mut Vec<u8>) {
        match self {
            Self::Zeros(piece) => piece.encode(out),
            Self::Tables(piece) => piece.encode(out),
            Self::Rows(piece) => piece.encode(out),
            Self::Nothing => ().encode(out),
        }
    }

    fn decode(layout: &PieceLayout, bytes: &[u8]) -> Result<Self, Malformed> {
        Ok(match layout {
            PieceLayout::Zeros(layout) => Self::Zeros(Wire::decode(layout, bytes)?),
            PieceLayout::Tables(layout) => Self::Tables(Wire::decode(layout, bytes)?),
            PieceLayout::Rows(layout) => Self::Rows(Wire::decode(layout, bytes)?),
            PieceLayout::Nothing => {
                let () = Wire::decode(&(), bytes)?;
                Self::Nothing
            }
        })
    }
}
