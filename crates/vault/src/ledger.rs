//! The durable part of what a vault knows: for each series its head, for each item made how to read it.
//!
//! Every row ends with a keyed hash of its table, key and value. An item that has no row is gone for good.

use crate::book::{Book, Definition, Keys, Rows};
use crate::fault::{Part, VaultFault};
use crate::name::{Epoch, SeriesId};
use crate::numbers::Number;
use redb::{ReadableTable, TableDefinition, WriteTransaction};
use serde::{Deserialize, Serialize};
use std::fs::File;
use subrosa_core::Seed;
use zeroize::Zeroizing;

const SCHEMA: u32 = 1;

const HEADS: Definition = TableDefinition::new("heads");
const ITEMS: Definition = TableDefinition::new("items");

/// What outlives the items of a series.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    count: u64,
    mark: [u8; 16],
    /// Every number that was ever begun is below.
    pub bound: Number,
}

impl Head {
    pub fn new(epoch: Epoch, bound: Number) -> Self {
        Self {
            count: epoch.count,
            mark: epoch.mark,
            bound,
        }
    }

    pub fn epoch(&self) -> Epoch {
        Epoch {
            count: self.count,
            mark: self.mark,
        }
    }
}

/// How to read an item.
pub struct Row {
    pub salt: Seed,
    /// Bytes of pieces.
    pub length: u64,
}

#[derive(Serialize, Deserialize)]
struct RowBytes {
    salt: [u8; 32],
    length: u64,
}

pub struct Ledger(Book);

impl Ledger {
    /// Checks every page.
    pub fn open(file: File, key: &Seed) -> Result<Self, VaultFault> {
        let book = Book::open(file, key.derive("ledger", b""), SCHEMA, &[HEADS, ITEMS]);
        book.map(Self)
    }

    pub fn head(&self, series: &SeriesId) -> Result<Option<Head>, VaultFault> {
        let heads = self.0.read()?.open_table(HEADS)?;
        match heads.get(&series.0[..])? {
            Some(row) => self.0.keys.read(HEADS, &series.0, row.value()).map(Some),
            None => Ok(None),
        }
    }

    /// The items of one series, in ascending order.
    pub fn items(&self, series: &SeriesId) -> Result<Vec<(Number, Row)>, VaultFault> {
        let mut items = Vec::new();
        let (from, to) = (item_key(series, 0), item_key(series, Number::MAX));
        let rows = self.0.read()?.open_table(ITEMS)?;
        for row in rows.range(&from[..]..=&to[..])? {
            let (key, value) = row?;
            let (_, number) = parse_item_key(key.value())?;
            let row: Zeroizing<RowBytes> =
                Zeroizing::new(self.0.keys.read(ITEMS, key.value(), value.value())?);
            items.push((
                number,
                Row {
                    salt: Seed::from_bytes(row.salt),
                    length: row.length,
                },
            ));
        }
        Ok(items)
    }

    /// The numbers of the items of one series, in ascending order.
    pub fn numbers(&self, series: &SeriesId) -> Result<Vec<Number>, VaultFault> {
        let (from, to) = (item_key(series, 0), item_key(series, Number::MAX));
        let rows = self.0.read()?.open_table(ITEMS)?;
        let rows = rows.range(&from[..]..=&to[..])?;
        rows.map(|row| Ok(parse_item_key(row?.0.value())?.1))
            .collect()
    }

    /// Every item, each row checked.
    pub fn all(&self) -> Result<Vec<(SeriesId, Number)>, VaultFault> {
        let mut all = Vec::new();
        let rows = self.0.read()?.open_table(ITEMS)?;
        for row in rows.iter()? {
            let (key, value) = row?;
            let _: Zeroizing<RowBytes> =
                Zeroizing::new(self.0.keys.read(ITEMS, key.value(), value.value())?);
            all.push(parse_item_key(key.value())?);
        }
        Ok(all)
    }

    /// Writes what `change` does, all or nothing, durably before it returns.
    pub fn commit(
        &self,
        series: &SeriesId,
        change: impl FnOnce(&mut Page<'_>) -> Result<(), VaultFault>,
    ) -> Result<(), VaultFault> {
        let write = self.0.write()?;
        change(&mut Page::new(&write, &self.0.keys, series)?)?;
        Ok(write.commit()?)
    }
}

/// One series within one commit.
pub struct Page<'t> {
    keys: &'t Keys,
    series: SeriesId,
    heads: Rows<'t>,
    items: Rows<'t>,
}

impl<'t> Page<'t> {
    fn new(
        write: &'t WriteTransaction,
        keys: &'t Keys,
        series: &SeriesId,
    ) -> Result<Self, VaultFault> {
        Ok(Self {
            keys,
            series: *series,
            heads: write.open_table(HEADS)?,
            items: write.open_table(ITEMS)?,
        })
    }

    pub fn head(&mut self, head: &Head) -> Result<(), VaultFault> {
        self.keys
            .insert(&mut self.heads, HEADS, &self.series.0, head)
    }

    /// As if the series had never been.
    pub fn forget_head(&mut self) -> Result<(), VaultFault> {
        self.heads.remove(&self.series.0[..])?;
        Ok(())
    }

    pub fn insert(&mut self, number: Number, row: &Row) -> Result<(), VaultFault> {
        let key = item_key(&self.series, number);
        let bytes = Zeroizing::new(RowBytes {
            salt: *row.salt.reveal(),
            length: row.length,
        });
        self.keys.insert(&mut self.items, ITEMS, &key, &*bytes)
    }

    /// The item must be there: what is given away was the ledger's to give.
    pub fn remove(&mut self, number: Number) -> Result<(), VaultFault> {
        let key = item_key(&self.series, number);
        match self.items.remove(&key[..])? {
            Some(_) => Ok(()),
            None => Err(VaultFault::Corrupted(Part::Ledger)),
        }
    }
}

impl zeroize::Zeroize for RowBytes {
    fn zeroize(&mut self) {
        self.salt.zeroize();
    }
}

/// Number last and big end first, so that rows lie in ascending order.
fn item_key(series: &SeriesId, number: Number) -> [u8; 40] {
    let mut key = [0; 40];
    key[..32].copy_from_slice(&series.0);
    key[32..].copy_from_slice(&number.to_be_bytes());
    key
}

fn parse_item_key(key: &[u8]) -> Result<(SeriesId, Number), VaultFault> {
    let parts = key
        .split_first_chunk()
        .zip(key.last_chunk())
        .filter(|_| key.len() == 40);
    let ((series, _), number) = parts.ok_or(VaultFault::Corrupted(Part::Ledger))?;
    Ok((SeriesId(*series), Number::from_be_bytes(*number)))
}
