//! A redb file under a key: its schema, a row that tells whether a key is its own, and rows with a keyed hash.

use crate::fault::{Part, VaultFault};
use redb::backends::FileBackend;
use redb::{
    Builder, Database, ReadOnlyTable, ReadTransaction, ReadableDatabase, Table, TableDefinition,
    TableError, WriteTransaction,
};
use serde::{Serialize, de::DeserializeOwned};
use std::fs::File;
use subrosa_core::Seed;
use zeroize::Zeroizing;

const CACHE: usize = 16 << 20;

pub type Definition<'a> = TableDefinition<'a, &'static [u8], &'static [u8]>;
pub type Rows<'t> = Table<'t, &'static [u8], &'static [u8]>;

const VAULT: Definition = TableDefinition::new("vault");

pub struct Book {
    db: Database,
    pub keys: Keys,
}

impl Book {
    /// Checks every page. A new book is made with `tables`.
    pub fn open(
        file: File,
        key: Seed,
        schema: u32,
        tables: &[Definition],
    ) -> Result<Self, VaultFault> {
        let backend = FileBackend::new(file)?;
        let db = Builder::new()
            .set_cache_size(CACHE)
            .set_check_integrity_on_open(true)
            .create_with_backend(backend)?;
        let book = Self {
            db,
            keys: Keys(key),
        };
        match book.read()?.open_table(VAULT) {
            Ok(vault) => book.check(schema, &vault)?,
            Err(TableError::TableDoesNotExist(_)) => book.begin(schema, tables)?,
            Err(error) => return Err(error.into()),
        }
        Ok(book)
    }

    pub fn read(&self) -> Result<ReadTransaction, VaultFault> {
        Ok(self.db.begin_read()?)
    }

    /// Waits for the writer before.
    pub fn write(&self) -> Result<WriteTransaction, VaultFault> {
        Ok(self.db.begin_write()?)
    }

    /// The schema is read before anything that a later one may have changed.
    fn check(
        &self,
        expected: u32,
        vault: &ReadOnlyTable<&'static [u8], &'static [u8]>,
    ) -> Result<(), VaultFault> {
        let corrupted = VaultFault::Corrupted(Part::Ledger);
        let schema = vault.get(&b"schema"[..])?.ok_or(corrupted.clone())?;
        let found = schema.value().try_into().map(u32::from_le_bytes);
        let found = found.map_err(|_| corrupted.clone())?;
        if found != expected {
            return Err(VaultFault::Schema { expected, found });
        }
        let row = vault.get(&b"key"[..])?.ok_or(corrupted)?;
        self.keys
            .read::<()>(VAULT, b"key", row.value())
            .map_err(|_| VaultFault::WrongKey)
    }

    fn begin(&self, schema: u32, tables: &[Definition]) -> Result<(), VaultFault> {
        let write = self.write()?;
        {
            let mut vault = write.open_table(VAULT)?;
            vault.insert(&b"schema"[..], &schema.to_le_bytes()[..])?;
            self.keys.insert(&mut vault, VAULT, b"key", &())?;
            for table in tables {
                write.open_table(*table)?;
            }
        }
        Ok(write.commit()?)
    }
}

/// Makes and checks the ends of rows.
pub struct Keys(Seed);

impl Keys {
    fn end(&self, table: Definition, key: &[u8], value: &[u8]) -> blake3::Hash {
        let name = redb::TableHandle::name(&table);
        let length = (key.len() as u64).to_le_bytes();
        let context = Zeroizing::new([&length[..], key, value].concat());
        blake3::Hash::from_bytes(*self.0.derive(name, &context).reveal())
    }

    pub fn insert<V: Serialize>(
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

    pub fn read<V: DeserializeOwned>(
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
