//! Pieces of one sealed file, written one after another and read so.

use crate::fault::VaultFault;
use crate::seal::{Opener, Sealer};
use std::any::Any;
use std::fs::File;
use std::marker::PhantomData;
use std::vec::IntoIter;
use subrosa_core::{Bytes, Stock, StockFault, Wire};
use zeroize::{Zeroize, Zeroizing};

/// Takes pieces until the first fault.
pub(crate) struct PieceWriter {
    sealer: Result<Sealer, VaultFault>,
    scratch: Zeroizing<Vec<u8>>,
}

impl PieceWriter {
    pub fn new(sealer: Sealer) -> Self {
        Self {
            sealer: Ok(sealer),
            scratch: Zeroizing::default(),
        }
    }

    pub fn fault(&self) -> Option<&VaultFault> {
        self.sealer.as_ref().err()
    }

    pub fn put<T: Wire>(&mut self, piece: &T) -> Result<(), StockFault> {
        let sealer = self.sealer.as_mut().map_err(|_| StockFault::Closed)?;
        self.scratch.clear();
        piece.encode(&mut self.scratch);
        if let Err(fault) = sealer.write(&self.scratch) {
            self.scratch.zeroize();
            self.sealer = Err(fault);
            return Err(StockFault::Closed);
        }
        Ok(())
    }

    /// The whole file and the length of its pieces.
    pub fn finish(self) -> Result<(File, u64), VaultFault> {
        self.sealer?.finish()
    }
}

/// That pieces of these layouts are `found` bytes in all.
pub(crate) fn check_length<T: Wire>(layouts: &[T::Layout], found: u64) -> Result<(), VaultFault> {
    let expected = layouts.iter().map(T::size).sum::<Bytes>().0;
    match expected == found {
        true => Ok(()),
        false => Err(VaultFault::Length { expected, found }),
    }
}

/// The pieces of one item in the order in which they were put, read as they are asked for.
pub struct ItemPieces<T: Wire> {
    layouts: IntoIter<T::Layout>,
    opener: Option<Opener>,
    scratch: Zeroizing<Vec<u8>>,
    /// What deletes the file when it goes.
    item: Option<Box<dyn Any + Send>>,
    piece: PhantomData<fn() -> T>,
}

impl<T: Wire> ItemPieces<T> {
    /// `layouts` have been [checked](check_length).
    pub(crate) fn new(layouts: Vec<T::Layout>, opener: Opener, item: impl Any + Send) -> Self {
        Self {
            layouts: layouts.into_iter(),
            opener: Some(opener),
            scratch: Zeroizing::default(),
            item: Some(Box::new(item)),
            piece: PhantomData,
        }
    }

    /// For a role to take from. A piece that cannot be read is [`StockFault::Malformed`] if its bytes are not those
    /// that were put, [`StockFault::Closed`] otherwise.
    pub(crate) fn stock(self) -> Stock<T>
    where
        T::Layout: 'static,
    {
        let told = |fault| match fault {
            VaultFault::Corrupted(_) | VaultFault::Malformed(_) => StockFault::Malformed,
            _ => StockFault::Closed,
        };
        Stock::new(self.map(move |piece| piece.map_err(told)))
    }

    fn read(&mut self) -> Result<Option<T>, VaultFault> {
        let Some(opener) = &mut self.opener else {
            return Ok(None);
        };
        let Some(layout) = self.layouts.next() else {
            opener.finish()?;
            return Ok(None);
        };
        // The sum of all lengths is the file's, so this one is no longer.
        self.scratch.clear();
        self.scratch.resize(T::size(&layout).0 as usize, 0);
        opener.read(&mut self.scratch)?;
        let piece = T::decode(&layout, &self.scratch)?;
        if self.layouts.len() == 0 {
            opener.finish()?;
            self.close();
        }
        Ok(Some(piece))
    }

    fn close(&mut self) {
        self.opener = None;
        self.item = None;
    }
}

/// Ends after the first fault.
impl<T: Wire> Iterator for ItemPieces<T> {
    type Item = Result<T, VaultFault>;
    fn next(&mut self) -> Option<Self::Item> {
        let piece = self.read().transpose();
        if !matches!(piece, Some(Ok(_))) {
            self.close();
        }
        piece
    }
}
