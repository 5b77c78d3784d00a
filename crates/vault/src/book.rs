//! A redb file under a key: its schema, a row that tells whether a key is its own, and rows with a keyed hash.

use crate::fault::{Part, VaultFault};
use redb::backends::FileBackend;
use redb::{
    Builder, Database, ReadOnlyTable, ReadTransaction, ReadableDatabase, StorageError, Table,
    TableDefinition, TableError, TransactionError, WriteTransaction,
};
use serde::{Serialize, de::DeserializeOwned};
use std::fs::File;
use std::sync::{PoisonError, RwLock};
use subrosa_core::Seed;
use zeroize::Zeroizing;

const CACHE: usize = 16 << 20;

pub type Definition<'a> = TableDefinition<'a, &'static [u8], &'static [u8]>;
pub type Rows<'t> = Table<'t, &'static [u8], &'static [u8]>;

const VAULT: Definition = TableDefinition::new("vault");

pub struct Book {
    /// None where the last try to open it again failed.
    db: RwLock<Option<Database>>,
    file: File,
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
        let book = Self {
            db: RwLock::new(Some(database(&file)?)),
            file,
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
        self.begun(Database::begin_read)
    }

    /// Waits for the writer before.
    pub fn write(&self) -> Result<WriteTransaction, VaultFault> {
        self.begun(Database::begin_write)
    }

    /// A transaction. After a failed write, to a full disk say, redb does nothing more until the file is opened again:
    /// that is done here, so that a process goes on as soon as there is room. What was committed is there.
    fn begun<T>(
        &self,
        begin: impl Fn(&Database) -> Result<T, TransactionError>,
    ) -> Result<T, VaultFault> {
        {
            let db = self.db.read().unwrap_or_else(PoisonError::into_inner);
            match db.as_ref().map(&begin) {
                None | Some(Err(TransactionError::Storage(StorageError::PreviousIo))) => {}
                Some(begun) => return Ok(begun?),
            }
        }
        let mut db = self.db.write().unwrap_or_else(PoisonError::into_inner);
        let again = db.as_ref().map(&begin);
        if let Some(Ok(begun)) = again {
            return Ok(begun);
        }
        *db = None;
        let opened = database(&self.file)?;
        let begun = begin(&opened);
        *db = Some(opened);
        Ok(begun?)
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

/// Every page is checked.
fn database(file: &File) -> Result<Database, VaultFault> {
    let backend = FileBackend::new(file.try_clone()?)?;
    let mut builder = Builder::new();
    builder
        .set_cache_size(CACHE)
        .set_check_integrity_on_open(true);
    Ok(builder.create_with_backend(backend)?)
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
