//! Items that have left the ledger, each to be used once.

use crate::fault::VaultFault;
use crate::folder::Pieces;
use crate::ledger::Row;
use crate::name::Epoch;
use crate::numbers::Number;
use crate::seal::Opener;
use crate::series::Shared;
use crate::word::Claim;
use std::marker::PhantomData;
use std::sync::Arc;
use std::vec::IntoIter;
use subrosa_core::{Bytes, Seed, Stock, StockFault, Wire};
use zeroize::Zeroizing;

/// Items that this party has marked as taken and does not use before all others have, too.
pub struct Claimed {
    shared: Arc<Shared>,
    epoch: Epoch,
    items: Vec<Item>,
    claim: Claim,
}

/// Items that every party has marked as taken, in the same order at each. What is not used is burned.
pub struct Lease(IntoIter<Item>);

/// One inference's material. Its file is deleted when the last piece is read, or when this is dropped.
///
/// ```compile_fail
/// fn twice(item: subrosa_vault::Item) { drop(item.clone()); }
/// ```
/// ```compile_fail
/// fn twice(item: subrosa_vault::Item) {
///     let once = item.stock::<subrosa_core::Words>(Vec::new());
///     let again = item.stock::<subrosa_core::Words>(Vec::new());
/// }
/// ```
pub struct Item {
    number: Number,
    epoch: Epoch,
    row: Row,
    pieces: Pieces,
    shared: Arc<Shared>,
}

/// The pieces of one item in the order in which they were put, read as they are asked for.
pub struct ItemPieces<T: Wire> {
    layouts: IntoIter<T::Layout>,
    opener: Option<Opener>,
    scratch: Zeroizing<Vec<u8>>,
    item: Option<Item>,
    piece: PhantomData<fn() -> T>,
}

impl Claimed {
    pub(crate) fn new(
        shared: Arc<Shared>,
        epoch: Epoch,
        taken: Vec<(Number, Row)>,
        claim: Claim,
    ) -> Self {
        let item = |(number, row)| Item {
            number,
            epoch,
            row,
            pieces: shared.base.folder.pieces(&shared.id, number),
            shared: shared.clone(),
        };
        let items = taken.into_iter().map(item).collect();
        Self {
            shared,
            epoch,
            items,
            claim,
        }
    }

    /// What to tell all others, now that it is durable.
    pub fn claim(&self) -> &Claim {
        &self.claim
    }

    /// At the hub: what all have claimed, to be told to each of `peers`.
    pub fn combined(&self, peers: &[Claim]) -> Result<Claim, VaultFault> {
        self.shared.combined(&self.epoch, &self.claim, peers)
    }

    /// The items that all have claimed; the others are burned. `peers` is what each other party has claimed, or what
    /// the hub has [combined](Claimed::combined).
    ///
    /// Only now is it sure that no party's restored backup brings one of them back.
    pub fn agreed(self, peers: &[Claim]) -> Result<Lease, VaultFault> {
        let all = self.combined(peers)?;
        let mut items = self.items;
        items.retain(|item| all.numbers().contains(item.number));
        match items.is_empty() {
            true => Err(VaultFault::Exhausted),
            false => Ok(Lease(items.into_iter())),
        }
    }
}

impl Iterator for Lease {
    type Item = Item;
    fn next(&mut self) -> Option<Item> {
        self.0.next()
    }
    fn size_hint(&self) -> (usize, Option<usize>) {
        self.0.size_hint()
    }
}

impl ExactSizeIterator for Lease {}

impl Item {
    pub fn number(&self) -> Number {
        self.number
    }

    /// Length of all pieces together.
    pub fn length(&self) -> Bytes {
        Bytes(self.row.length)
    }

    /// The pieces, which must be as long as `layouts` say. One chunk and one piece are in memory at a time.
    pub fn pieces<T: Wire>(self, layouts: Vec<T::Layout>) -> Result<ItemPieces<T>, VaultFault> {
        let expected = layouts.iter().map(T::size).sum::<Bytes>().0;
        let (number, found) = (self.number, self.row.length);
        if expected != found {
            return Err(VaultFault::Length { expected, found });
        }
        let file = self.pieces.open(number)?;
        let key = self.key();
        Ok(ItemPieces {
            layouts: layouts.into_iter(),
            opener: Some(Opener::new(file, &key, number, found)?),
            scratch: Zeroizing::default(),
            item: Some(self),
            piece: PhantomData,
        })
    }

    /// [`Item::pieces`] for a role to take from. A piece that cannot be read is [`StockFault::Malformed`] if its
    /// bytes are not those that were put, [`StockFault::Closed`] otherwise.
    pub fn stock<T: Wire>(self, layouts: Vec<T::Layout>) -> Result<Stock<T>, VaultFault>
    where
        T::Layout: 'static,
    {
        let told = |fault| match fault {
            VaultFault::Corrupted(_) | VaultFault::Malformed(_) => StockFault::Malformed,
            _ => StockFault::Closed,
        };
        let pieces = self.pieces(layouts)?;
        Ok(Stock::new(pieces.map(move |piece| piece.map_err(told))))
    }

    fn key(&self) -> Seed {
        let base = &self.shared.base;
        let (number, salt) = (self.number, &self.row.salt);
        self.epoch
            .item_key(&base.items, &self.shared.id, number, salt)
    }
}

impl<T: Wire> ItemPieces<T> {
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
