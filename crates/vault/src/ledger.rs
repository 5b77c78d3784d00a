//! The durable part of what a vault knows: for each series its head, for each item made how to read it.
//!
//! Every row ends with a keyed hash of its table, key and value. An item that has no row is gone for good.

use crate::fault::{Part, VaultFault};
use crate::name::{Epoch, SeriesId};
use crate::numbers::Number;
use redb::backends::FileBackend;
use redb::{
    Builder, Database, ReadableDatabase, ReadableTable, Table, TableDefinition, WriteTransaction,
};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use std::fs::File;
use subrosa_core::Seed;
use zeroize::Zeroizing;

const SCHEMA: u32 = 1;
const CACHE: usize = 16 << 20;

type Definition<'a> = TableDefinition<'a, &'static [u8], &'static [u8]>;
type Rows<'t> = Table<'t, &'static [u8], &'static [u8]>;

const VAULT: Definition = TableDefinition::new("vault");
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

pub struct Ledger {
    db: Database,
    keys: Keys,
}

impl Ledger {
    /// Checks every page and every row.
    pub fn open(file: File, key: &Seed) -> Result<Self, VaultFault> {
        let backend = FileBackend::new(file)?;
        let db = Builder::new()
            .set_cache_size(CACHE)
            .set_check_integrity_on_open(true)
            .create_with_backend(backend)?;
        let ledger = Self {
            db,
            keys: Keys(key.derive("ledger", b"")),
        };
        ledger.check_vault()?;
        Ok(ledger)
    }

    /// The schema is read before anything that a later one may have changed.
    fn check_vault(&self) -> Result<(), VaultFault> {
        let write = self.db.begin_write()?;
        {
            let mut vault = write.open_table(VAULT)?;
            let schema = vault.get(&b"schema"[..])?.map(|row| row.value().to_vec());
            match schema {
                None => {
                    vault.insert(&b"schema"[..], &SCHEMA.to_le_bytes()[..])?;
                    self.keys.insert(&mut vault, VAULT, b"key", &())?;
                }
                Some(found) => {
                    let found = found.try_into().map(u32::from_le_bytes);
                    match found.map_err(|_| VaultFault::Corrupted(Part::Ledger))? {
                        SCHEMA => {}
                        found => {
                            let expected = SCHEMA;
                            return Err(VaultFault::Schema { expected, found });
                        }
                    }
                    let row = vault.get(&b"key"[..])?;
                    let row = row.ok_or(VaultFault::Corrupted(Part::Ledger))?;
                    self.keys
                        .read::<()>(VAULT, b"key", row.value())
                        .map_err(|_| VaultFault::WrongKey)?;
                }
            }
            write.open_table(HEADS)?;
            write.open_table(ITEMS)?;
        }
        Ok(write.commit()?)
    }

    pub fn head(&self, series: &SeriesId) -> Result<Option<Head>, VaultFault> {
        let heads = self.db.begin_read()?.open_table(HEADS)?;
        match heads.get(&series.0[..])? {
            Some(row) => self.keys.read(HEADS, &series.0, row.value()).map(Some),
            None => Ok(None),
        }
    }

    /// The items of one series, in ascending order.
    pub fn items(&self, series: &SeriesId) -> Result<Vec<(Number, Row)>, VaultFault> {
        let mut items = Vec::new();
        let (from, to) = (item_key(series, 0), item_key(series, Number::MAX));
        let rows = self.db.begin_read()?.open_table(ITEMS)?;
        for row in rows.range(&from[..]..=&to[..])? {
            let (key, value) = row?;
            let (_, number) = parse_item_key(key.value())?;
            let row: Zeroizing<RowBytes> =
                Zeroizing::new(self.keys.read(ITEMS, key.value(), value.value())?);
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

    /// Every item, each row checked.
    pub fn all(&self) -> Result<Vec<(SeriesId, Number)>, VaultFault> {
        let mut all = Vec::new();
        let rows = self.db.begin_read()?.open_table(ITEMS)?;
        for row in rows.iter()? {
            let (key, value) = row?;
            let _: Zeroizing<RowBytes> =
                Zeroizing::new(self.keys.read(ITEMS, key.value(), value.value())?);
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
        let write = self.db.begin_write()?;
        change(&mut Page::new(&write, &self.keys, series)?)?;
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

/// Makes and checks the ends of rows.
struct Keys(Seed);

impl Keys {
    fn end(&self, table: Definition, key: &[u8], value: &[u8]) -> blake3::Hash {
        let name = redb::TableHandle::name(&table);
        let length = (key.len() as u64).to_le_bytes();
        let context = Zeroizing::new([&length[..], key, value].concat());
        blake3::Hash::from_bytes(*self.0.derive(name, &context).reveal())
    }

    fn insert<V: Serialize>(
        &self,
        rows: &mut Rows<'_>,
        table: Definition,
        key: &[u8],
        value: &V,
    ) -> Result<(), VaultFault> {
        let bytes = postcard::to_stdvec(value).map_err(|_| VaultFault::Corrupted(Part::Ledger))?;
        let mut bytes = Zeroizing::new(bytes);
        let end = self.end(table, key, &bytes);
        bytes.extend_from_slice(end.as_bytes());
        rows.insert(key, &bytes[..])?;
        Ok(())
    }

    fn read<V: DeserializeOwned>(
        &self,
        table: Definition,
        key: &[u8],
        row: &[u8],
    ) -> Result<V, VaultFault> {
        let corrupted = VaultFault::Corrupted(Part::Ledger);
        let (value, end) = row.split_last_chunk().ok_or(corrupted.clone())?;
        if self.end(table, key, value) != blake3::Hash::from_bytes(*end) {
            return Err(corrupted);
        }
        postcard::from_bytes(value).map_err(|_| corrupted)
    }
}
