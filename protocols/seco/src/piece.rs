//! One-time material of the gateway, which has that of both halves, and of the user, which has that of one.

use std::sync::{Arc, Mutex, PoisonError};
use subrosa_collective as collective;
use subrosa_core::{Bytes, Malformed, Shelf, Stock, StockFault, Wire, Words};
use subrosa_hybrid as hybrid;
use subrosa_net::{LocalFault, RunError};

/// A piece of the gateway's. Not `Clone`: it serves once.
pub enum Piece {
    Front(hybrid::Piece),
    /// δ = λ - r of what the front half hands on, or Σ (λ^j - ρ^j) of the outputs.
    Words(Vec<Words>),
    Hidden(collective::Piece),
}

#[derive(Clone, Debug, PartialEq)]
pub enum PieceLayout {
    Front(hybrid::PieceLayout),
    Words(<Vec<Words> as Wire>::Layout),
    Hidden(collective::PieceLayout),
}

impl Wire for Piece {
    type Layout = PieceLayout;

    fn size(layout: &PieceLayout) -> Bytes {
        match layout {
            PieceLayout::Front(layout) => hybrid::Piece::size(layout),
            PieceLayout::Words(layout) => Vec::<Words>::size(layout),
            PieceLayout::Hidden(layout) => collective::Piece::size(layout),
        }
    }

    fn encode(&self, out: &mut Vec<u8>) {
        match self {
            Self::Front(piece) => piece.encode(out),
            Self::Words(piece) => piece.encode(out),
            Self::Hidden(piece) => piece.encode(out),
        }
    }

    fn decode(layout: &PieceLayout, bytes: &[u8]) -> Result<Self, Malformed> {
        Ok(match layout {
            PieceLayout::Front(layout) => Self::Front(Wire::decode(layout, bytes)?),
            PieceLayout::Words(layout) => Self::Words(Wire::decode(layout, bytes)?),
            PieceLayout::Hidden(layout) => Self::Hidden(Wire::decode(layout, bytes)?),
        })
    }
}

/// A shelf for the pieces of one half.
pub struct Half<'a, T> {
    pub shelf: &'a mut dyn Shelf<Piece>,
    pub wrap: fn(T) -> Piece,
}

impl<T> Shelf<T> for Half<'_, T> {
    fn put(&mut self, piece: T) -> Result<(), StockFault> {
        self.shelf.put((self.wrap)(piece))
    }
}

/// A shelf that keeps the last piece back.
pub struct AllButLast<'a, T> {
    pub shelf: &'a mut dyn Shelf<T>,
    pub last: Option<T>,
}

impl<T> Shelf<T> for AllButLast<'_, T> {
    fn put(&mut self, piece: T) -> Result<(), StockFault> {
        match self.last.replace(piece) {
            Some(before) => self.shelf.put(before),
            None => Ok(()),
        }
    }
}

/// The gateway's stock, from which the halves take one after the other.
#[derive(Clone)]
pub struct Halves(Arc<Mutex<Stock<Piece>>>);

impl Halves {
    pub fn new(stock: Stock<Piece>) -> Self {
        Self(Arc::new(Mutex::new(stock)))
    }

    fn take(&self) -> Result<Piece, StockFault> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    pub fn words(&self) -> Result<Vec<Words>, RunError> {
        match self.take()? {
            Piece::Words(words) => Ok(words),
            _ => Err(LocalFault::Invariant.into()),
        }
    }

    pub fn front(&self) -> Stock<hybrid::Piece> {
        self.half(|piece| match piece {
            Piece::Front(piece) => Ok(piece),
            _ => Err(StockFault::Malformed),
        })
    }

    pub fn hidden(&self) -> Stock<collective::Piece> {
        self.half(|piece| match piece {
            Piece::Hidden(piece) => Ok(piece),
            _ => Err(StockFault::Malformed),
        })
    }

    fn half<T: 'static>(&self, of: fn(Piece) -> Result<T, StockFault>) -> Stock<T> {
        let halves = self.clone();
        Stock::new(std::iter::repeat_with(move || halves.take().and_then(of)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use subrosa_core::WordsLayout;

    fn words(value: u64) -> Vec<Words> {
        let values = vec![value];
        vec![Words { bits: 8, values }]
    }

    #[test]
    fn halves_take_from_one_stock_what_is_theirs() {
        let pieces = vec![
            Piece::Front(hybrid::Piece::Columns(words(1))),
            Piece::Words(words(2)),
            Piece::Hidden(collective::Piece::Words(words(3).remove(0))),
            Piece::Words(words(4)),
        ];
        let halves = Halves::new(Stock::from(pieces));
        let front = halves.front().take().unwrap();
        assert_eq!(front.columns().unwrap(), words(1));
        assert_eq!(halves.words(), Ok(words(2)));
        let hidden = halves.hidden().take().unwrap();
        assert_eq!(hidden.words().unwrap(), words(3)[0]);
        assert_eq!(halves.front().take().err(), Some(StockFault::Malformed));
        assert_eq!(halves.front().take().err(), Some(StockFault::Exhausted));
    }

    #[test]
    fn the_last_piece_is_kept_back() {
        let mut shelf: Vec<u8> = Vec::new();
        let mut all = AllButLast {
            shelf: &mut shelf,
            last: None,
        };
        (1..5).for_each(|piece| all.put(piece).unwrap());
        assert_eq!(all.last, Some(4));
        assert_eq!(shelf, [1, 2, 3]);
    }

    #[test]
    fn pieces_survive() {
        let layout = PieceLayout::Words(vec![WordsLayout { count: 1, bits: 8 }]);
        let mut bytes = Vec::new();
        Piece::Words(words(9)).encode(&mut bytes);
        assert_eq!(Bytes(bytes.len() as u64), Piece::size(&layout));
        let again = Halves::new(Stock::from(vec![Piece::decode(&layout, &bytes).unwrap()]));
        assert_eq!(again.words(), Ok(words(9)));
    }
}
