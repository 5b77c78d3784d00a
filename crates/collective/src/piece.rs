//! One-time material of one step, at any server.

use crate::activation;
use subrosa_core::{Bytes, Malformed, Wire, Words, WordsLayout};
use subrosa_net::{LocalFault, RunError};

/// What a server keeps from the offline phase for one step. Not `Clone`: masks, labels and tables serve once.
///
/// ```compile_fail,E0599
/// fn twice(piece: subrosa_collective::Piece) { drop(piece.clone()); }
/// ```
/// ```compile_fail,E0382
/// fn twice(piece: subrosa_collective::Piece) {
///     let _ = piece.words();
///     let _ = piece.words();
/// }
/// ```
pub enum Piece {
    /// Of a product this server's W λ + b - λ_y; of a refresh δ.
    Words(Words),
    Activation(Box<Activation>),
}

/// Of an activation: its circuit, additive shares of its results' hidden bits, plane by plane, and of the mask of its result.
pub struct Activation {
    pub circuit: activation::Piece,
    pub bits: Vec<Words>,
    pub mask: Words,
}

#[derive(Clone, Debug, PartialEq)]
pub enum PieceLayout {
    Words(WordsLayout),
    Activation {
        circuit: activation::PieceLayout,
        bits: Vec<WordsLayout>,
        mask: WordsLayout,
    },
}

type Parts = (activation::Piece, (Vec<Words>, Words));

impl Wire for Piece {
    type Layout = PieceLayout;

    fn size(layout: &PieceLayout) -> Bytes {
        match layout {
            PieceLayout::Words(layout) => Words::size(layout),
            PieceLayout::Activation {
                circuit,
                bits,
                mask,
            } => activation::Piece::size(circuit) + Vec::<Words>::size(bits) + Words::size(mask),
        }
    }

    fn encode(&self, out: &mut Vec<u8>) {
        match self {
            Self::Words(words) => words.encode(out),
            Self::Activation(piece) => {
                piece.circuit.encode(out);
                piece.bits.encode(out);
                piece.mask.encode(out);
            }
        }
    }

    fn decode(layout: &PieceLayout, bytes: &[u8]) -> Result<Self, Malformed> {
        match layout {
            PieceLayout::Words(layout) => Wire::decode(layout, bytes).map(Self::Words),
            PieceLayout::Activation {
                circuit,
                bits: columns,
                mask,
            } => {
                let layout = (circuit.clone(), (columns.clone(), *mask));
                let (circuit, (bits, mask)) = Parts::decode(&layout, bytes)?;
                Ok(Self::Activation(Box::new(Activation {
                    circuit,
                    bits,
                    mask,
                })))
            }
        }
    }
}

impl Piece {
    pub fn words(self) -> Result<Words, RunError> {
        match self {
            Self::Words(words) => Ok(words),
            Self::Activation(_) => Err(LocalFault::Invariant.into()),
        }
    }

    pub fn activation(self) -> Result<Activation, RunError> {
        match self {
            Self::Activation(piece) => Ok(*piece),
            Self::Words(_) => Err(LocalFault::Invariant.into()),
        }
    }
}
