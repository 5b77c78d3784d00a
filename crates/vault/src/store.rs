use crate::blob::{BlobId, BlobReader, BlobWriter};
use crate::book::{Book, Definition, Rows};
use crate::entry::{Entry, EntryKeys, Place};
use crate::fault::{Part, VaultFault};
use crate::folder::{self, Folder};
use redb::{ReadableTable, TableDefinition};
use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use subrosa_core::Seed;
use zeroize::Zeroizing;

const SCHEMA: u32 = 1;
const ROWS: Definition = TableDefinition::new("rows");

/// Values that are kept, by kind and name, and blobs: large values in files of their own. All are sealed.
///
/// The folder is open in one process at a time; handles share one store. Somebody who can write to the folder can put
/// back a row as it once was, or all of them, and is noticed in whatever else is done. The folder tells how many rows
/// and kinds there are, their lengths, and when they change.
#[derive(Clone)]
pub struct Store(Arc<Base>);

/// What every handle to a store keeps open. The ledger closes before the folder's lock goes.
pub(crate) struct Base {
    book: Book,
    pub folder: Folder,
    keys: EntryKeys,
    blobs: Seed,
    owners: Mutex<Owners>,
}

/// Which blobs are there.
#[derive(Default)]
pub(crate) struct Owners {
    /// Those that no row owns.
    pub free: HashSet<BlobId>,
    owned: HashSet<BlobId>,
}

/// Rows to be put and deleted together.
pub struct Change<'t> {
    keys: &'t EntryKeys,
    rows: Rows<'t>,
    changed: bool,
    /// How many more rows than before own a blob.
    owned: HashMap<BlobId, i64>,
}

impl Store {
    /// Opens the store in `folder`, or makes one there. Every row is checked, and blobs that none owns are deleted.
    /// `key` is the store's alone.
    pub fn open(folder: &Path, key: &Seed) -> Result<Self, VaultFault> {
        let key = key.derive("store", b"");
        let folder = Folder::lock(folder)?;
        let own = key.derive("ledger", b"");
        let book = folder.ledger(|file| Book::open(file, own, SCHEMA, &[ROWS]))?;
        let base = Base {
            book,
            folder,
            keys: EntryKeys::new(&key),
            blobs: key.derive("blobs", b""),
            owners: Mutex::default(),
        };
        let rows = base.entries(&[0; 64], &[u8::MAX; 64])?;
        let owned: HashSet<BlobId> = rows.iter().flat_map(|row| row.blobs.clone()).collect();
        base.folder
            .sweep_blobs(&owned.iter().map(|blob| blob.name).collect())?;
        base.owners().owned = owned;
        Ok(Self(Arc::new(base)))
    }

    /// What a passphrase for the store in `folder` is [stretched](crate::stretch) with, before the store is opened.
    /// Drawn at the first call, and lost with the folder. A store that was made without a salt has none.
    pub fn salt(folder: &Path) -> Result<[u8; 16], VaultFault> {
        folder::salt(folder)
    }

    pub fn get(&self, kind: &str, name: &[u8]) -> Result<Option<Zeroizing<Vec<u8>>>, VaultFault> {
        let place = self.0.keys.place(kind, name);
        let rows = self.0.book.read()?.open_table(ROWS)?;
        let Some(row) = rows.get(&place[..])? else {
            return Ok(None);
        };
        Ok(Some(self.0.keys.open(&place, row.value())?.value))
    }

    /// Names and values of a kind, in no order that means anything.
    #[expect(clippy::type_complexity)]
    pub fn all(&self, kind: &str) -> Result<Vec<(Vec<u8>, Zeroizing<Vec<u8>>)>, VaultFault> {
        let (first, last) = self.0.keys.bounds(kind);
        let rows = self.0.entries(&first, &last)?;
        Ok(rows.into_iter().map(|row| (row.name, row.value)).collect())
    }

    /// Writes what `change` does, all or nothing, durably before it returns; nothing if it fails. One change is made at
    /// a time: a change within a change waits for ever.
    ///
    /// The files of blobs that lose their row are deleted afterwards.
    pub fn change<T>(
        &self,
        change: impl FnOnce(&mut Change<'_>) -> Result<T, VaultFault>,
    ) -> Result<T, VaultFault> {
        let base = &self.0;
        let write = base.book.write()?;
        let (result, changed, owned) = {
            let mut open = Change {
                keys: &base.keys,
                rows: write.open_table(ROWS)?,
                changed: false,
                owned: HashMap::new(),
            };
            let result = change(&mut open)?;
            (result, open.changed, open.owned)
        };
        if !changed {
            return Ok(result);
        }
        let gone = {
            let mut owners = base.owners();
            owners.check(&owned)?;
            write.commit()?;
            owners.apply(&owned)
        };
        for blob in gone {
            drop(base.folder.blob(&blob.name));
        }
        Ok(result)
    }

    /// A new blob.
    pub fn blob(&self) -> Result<BlobWriter, VaultFault> {
        BlobWriter::new(self.0.clone())
    }

    /// The whole of a blob.
    pub fn read(&self, blob: &BlobId) -> Result<Zeroizing<Vec<u8>>, VaultFault> {
        let mut reader = self.reader(blob)?;
        // As long as the file, which the reader has compared.
        let length = usize::try_from(blob.length);
        let length = length.map_err(|_| VaultFault::Corrupted(Part::Blob(*blob)))?;
        let mut bytes = Zeroizing::new(vec![0; length]);
        reader.read(&mut bytes)?;
        Ok(bytes)
    }

    pub fn reader(&self, blob: &BlobId) -> Result<BlobReader, VaultFault> {
        BlobReader::new(&self.0, blob)
    }

    /// Deletes a blob that no row owns; others stay.
    pub fn discard(&self, blob: &BlobId) {
        if self.0.owners().free.remove(blob) {
            drop(self.0.folder.blob(&blob.name));
        }
    }
}

impl Base {
    /// The key of one blob's file: `name` is drawn for each.
    pub fn blob_key(&self, name: &[u8; 32]) -> Seed {
        self.blobs.derive("blob", name)
    }

    pub fn owners(&self) -> MutexGuard<'_, Owners> {
        self.owners.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn entries(&self, first: &Place, last: &Place) -> Result<Vec<Entry>, VaultFault> {
        let rows = self.book.read()?.open_table(ROWS)?;
        let mut entries = Vec::new();
        for row in rows.range(&first[..]..=&last[..])? {
            let (place, row) = row?;
            entries.push(self.keys.open(place.value(), row.value())?);
        }
        Ok(entries)
    }
}

impl Owners {
    /// That every blob is there, and is owned by one row at most.
    fn check(&self, more: &HashMap<BlobId, i64>) -> Result<(), VaultFault> {
        for (blob, more) in more {
            let before = i64::from(self.owned.contains(blob));
            let there = before == 1 || self.free.contains(blob);
            if !there || !(0..=1).contains(&(before + more)) {
                return Err(VaultFault::Missing(Part::Blob(*blob)));
            }
        }
        Ok(())
    }

    /// The blobs that no row owns any more.
    fn apply(&mut self, more: &HashMap<BlobId, i64>) -> Vec<BlobId> {
        let mut gone = Vec::new();
        for (blob, more) in more {
            match more {
                1.. => {
                    self.free.remove(blob);
                    self.owned.insert(*blob);
                }
                0 => {}
                _ => {
                    self.owned.remove(blob);
                    gone.push(*blob);
                }
            }
        }
        gone
    }
}

impl Change<'_> {
    /// As the store is after what this change has done so far.
    pub fn get(&self, kind: &str, name: &[u8]) -> Result<Option<Zeroizing<Vec<u8>>>, VaultFault> {
        let entry = self.entry(&self.keys.place(kind, name))?;
        Ok(entry.map(|entry| entry.value))
    }

    /// Puts a value, in place of the one before if there is one. The row comes to own `blobs`, and no others: each must
    /// be [finished](BlobWriter::finish), and when the change ends no other row may own it, else the change fails with
    /// [`VaultFault::Missing`].
    pub fn put(
        &mut self,
        kind: &str,
        name: &[u8],
        value: &[u8],
        blobs: &[BlobId],
    ) -> Result<(), VaultFault> {
        let place = self.keys.place(kind, name);
        self.release(&place)?;
        for blob in blobs {
            *self.owned.entry(*blob).or_default() += 1;
        }
        let row = self.keys.seal(&place, name, blobs, value)?;
        self.changed = true;
        self.rows.insert(&place[..], &row[..])?;
        Ok(())
    }

    /// Whether there was such a row.
    pub fn delete(&mut self, kind: &str, name: &[u8]) -> Result<bool, VaultFault> {
        let place = self.keys.place(kind, name);
        if !self.release(&place)? {
            return Ok(false);
        }
        self.changed = true;
        self.rows.remove(&place[..])?;
        Ok(true)
    }

    /// Whether there is a row; the blobs that it owns are its own no longer.
    fn release(&mut self, place: &Place) -> Result<bool, VaultFault> {
        let Some(entry) = self.entry(place)? else {
            return Ok(false);
        };
        for blob in entry.blobs {
            *self.owned.entry(blob).or_default() -= 1;
        }
        Ok(true)
    }

    fn entry(&self, place: &Place) -> Result<Option<Entry>, VaultFault> {
        let row = self.rows.get(&place[..])?;
        row.map(|row| self.keys.open(place, row.value()))
            .transpose()
    }
}
