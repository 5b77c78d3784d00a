//! One-time material of one inference, in the order of the plan.

use thiserror::Error;

/// Why a piece could not be had or kept.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum StockFault {
    #[error("the stock holds fewer pieces than the plan takes")]
    Exhausted,
    #[error("a piece does not have the layout that the plan gives it")]
    Malformed,
    #[error("the shelf is closed")]
    Closed,
}

/// One inference's pieces, owned and taken once each. Not `Clone`.
///
/// ```compile_fail
/// let stock = subrosa_core::Stock::from(vec![1u8]);
/// let twice = stock.clone();
/// ```
pub struct Stock<T>(Box<dyn Iterator<Item = Result<T, StockFault>> + Send>);

impl<T> Stock<T> {
    pub fn new(pieces: impl Iterator<Item = Result<T, StockFault>> + Send + 'static) -> Self {
        Self(Box::new(pieces))
    }

    /// The next piece, moved out.
    pub fn take(&mut self) -> Result<T, StockFault> {
        self.0.next().unwrap_or(Err(StockFault::Exhausted))
    }
}

impl<T: Send + 'static> From<Vec<T>> for Stock<T> {
    fn from(pieces: Vec<T>) -> Self {
        Self::new(pieces.into_iter().map(Ok))
    }
}

/// Where an offline phase puts its pieces: memory, or a slot on disk.
pub trait Shelf<T> {
    fn put(&mut self, piece: T) -> Result<(), StockFault>;
}

impl<T> Shelf<T> for Vec<T> {
    fn put(&mut self, piece: T) -> Result<(), StockFault> {
        self.push(piece);
        Ok(())
    }
}
