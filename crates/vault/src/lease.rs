//! Items that have left the ledger, each to be used once.

use crate::fault::{Part, VaultFault};
use crate::folder::Pieces;
use crate::ledger::Row;
use crate::name::Epoch;
use crate::numbers::Number;
use crate::pieces::{ItemPieces, check_length};
use crate::seal::Opener;
use crate::series::Shared;
use crate::word::Claim;
use std::sync::Arc;
use std::vec::IntoIter;
use subrosa_core::{Bytes, Seed, Stock, Wire};

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
        let (number, length) = (self.number, self.row.length);
        check_length::<T>(&layouts, length)?;
        let part = Part::Item(number);
        let file = self.pieces.open(part)?;
        let opener = Opener::new(file, &self.key(), part, length)?;
        Ok(ItemPieces::new(layouts, opener, self))
    }

    /// [`Item::pieces`] for a role to take from. A piece that cannot be read is [`Malformed`] if its bytes are not those
    /// that were put, [`Closed`] otherwise.
    ///
    /// [`Malformed`]: subrosa_core::StockFault::Malformed
    /// [`Closed`]: subrosa_core::StockFault::Closed
    pub fn stock<T: Wire>(self, layouts: Vec<T::Layout>) -> Result<Stock<T>, VaultFault>
    where
        T::Layout: 'static,
    {
        Ok(self.pieces(layouts)?.stock())
    }

    fn key(&self) -> Seed {
        let base = &self.shared.base;
        let (number, salt) = (self.number, &self.row.salt);
        self.epoch
            .item_key(&base.items, &self.shared.id, number, salt)
    }
}
