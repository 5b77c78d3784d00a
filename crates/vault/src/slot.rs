use crate::fault::VaultFault;
use crate::folder::Pieces;
use crate::ledger::Row;
use crate::name::Epoch;
use crate::numbers::Number;
use crate::pieces::PieceWriter;
use crate::seal::Sealer;
use crate::series::Shared;
use std::sync::Arc;
use subrosa_core::{Seed, Shelf, StockFault, Wire};

/// An item in the making. Pieces go to disk as they come, sealed. Dropped before [`Slot::made`], it leaves nothing.
pub struct Slot {
    shared: Arc<Shared>,
    epoch: Epoch,
    number: Number,
    salt: Seed,
    pieces: Pieces,
    writer: PieceWriter,
}

impl Slot {
    pub(crate) fn new(
        shared: Arc<Shared>,
        epoch: Epoch,
        number: Number,
    ) -> Result<Self, VaultFault> {
        let salt = Seed::random().map_err(|_| VaultFault::Randomness)?;
        let (file, pieces) = shared.base.folder.create(&shared.id, number)?;
        let key = epoch.item_key(&shared.base.items, &shared.id, number, &salt);
        let sealer = Sealer::new(file, &key)?;
        Ok(Self {
            shared,
            epoch,
            number,
            salt,
            pieces,
            writer: PieceWriter::new(sealer),
        })
    }

    pub fn number(&self) -> Number {
        self.number
    }

    /// Why the shelf took no more pieces, if so.
    pub fn fault(&self) -> Option<&VaultFault> {
        self.writer.fault()
    }

    /// Makes the item durable but for the name of its file, which [`Pool::made`](crate::Pool::made) makes so for all. It
    /// is not usable before all parties have said that they have made it.
    pub fn made(self) -> Result<(), VaultFault> {
        let (file, length) = self.writer.finish()?;
        file.sync_all()?;
        let salt = self.salt;
        self.shared
            .enter(&self.epoch, self.number, Row { salt, length })?;
        self.pieces.keep();
        Ok(())
    }
}

/// After a fault the shelf is closed; [`Slot::made`] tells why.
impl<T: Wire> Shelf<T> for Slot {
    fn put(&mut self, piece: T) -> Result<(), StockFault> {
        self.writer.put(&piece)
    }
}
