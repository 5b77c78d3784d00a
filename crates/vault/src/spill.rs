//! Material of one inference that is larger than memory, between its offline phase and the inference.

use crate::fault::{Part, VaultFault};
use crate::folder::{Pieces, unnamed};
use crate::pieces::{ItemPieces, PieceWriter, check_length};
use crate::seal::{Opener, Sealer};
use std::fs::File;
use std::io::Seek;
use std::path::Path;
use subrosa_core::{Bytes, Seed, Shelf, Stock, StockFault, Wire};

/// One inference's material in the making, sealed, in a file that nobody else can read: its key is drawn for it and
/// lies in memory alone. It is of this process and in no ledger, so it must be used in the session that made it or a
/// later one of this process. On Unix the file has no name from its beginning, so not even a crash leaves it.
pub struct Spill {
    key: Seed,
    writer: PieceWriter,
    name: Option<Pieces>,
}

/// The material of a [`Spill`], whole. Its file is deleted when the last piece is read, or when this is dropped.
///
/// ```compile_fail
/// fn twice(spilled: subrosa_vault::Spilled) { drop(spilled.clone()); }
/// ```
/// ```compile_fail
/// fn twice(spilled: subrosa_vault::Spilled) {
///     let once = spilled.stock::<subrosa_core::Words>(Vec::new());
///     let again = spilled.stock::<subrosa_core::Words>(Vec::new());
/// }
/// ```
pub struct Spilled {
    key: Seed,
    file: File,
    length: u64,
    name: Option<Pieces>,
}

impl Spill {
    /// In `folder`, which is made where there is none.
    pub fn create(folder: &Path) -> Result<Self, VaultFault> {
        let key = Seed::random().map_err(|_| VaultFault::Randomness)?;
        let (file, name) = unnamed(folder)?;
        let writer = PieceWriter::new(Sealer::new(file, &key)?);
        Ok(Self { key, writer, name })
    }

    /// Why the shelf took no more pieces, if so.
    pub fn fault(&self) -> Option<&VaultFault> {
        self.writer.fault()
    }

    pub fn made(self) -> Result<Spilled, VaultFault> {
        let (file, length) = self.writer.finish()?;
        Ok(Spilled {
            key: self.key,
            file,
            length,
            name: self.name,
        })
    }
}

/// After a fault the shelf is closed; [`Spill::made`] tells why.
impl<T: Wire> Shelf<T> for Spill {
    fn put(&mut self, piece: T) -> Result<(), StockFault> {
        self.writer.put(&piece)
    }
}

impl Spilled {
    /// Length of all pieces together.
    pub fn length(&self) -> Bytes {
        Bytes(self.length)
    }

    /// The pieces, which must be as long as `layouts` say, for a role to take from. One chunk and one piece are in
    /// memory at a time.
    pub fn stock<T: Wire>(self, layouts: Vec<T::Layout>) -> Result<Stock<T>, VaultFault>
    where
        T::Layout: 'static,
    {
        let Self {
            key,
            mut file,
            length,
            name,
        } = self;
        check_length::<T>(&layouts, length)?;
        file.rewind()?;
        let opener = Opener::new(file, &key, Part::Item(0), length)?;
        Ok(ItemPieces::<T>::new(layouts, opener, name).stock())
    }
}
