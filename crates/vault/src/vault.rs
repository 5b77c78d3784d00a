use crate::fault::VaultFault;
use crate::folder::Folder;
use crate::ledger::Ledger;
use crate::name::{SeriesId, SeriesName};
use crate::series::{Series, Shared};
use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use subrosa_core::Seed;

/// One party's one-time material on disk, open in one process at a time.
pub struct Vault {
    base: Arc<Base>,
    open: Mutex<HashMap<SeriesId, Weak<Shared>>>,
}

/// What every handle into a vault keeps open. The ledger closes before the folder's lock goes.
pub(crate) struct Base {
    pub ledger: Ledger,
    pub folder: Folder,
    pub items: Seed,
}

impl Vault {
    /// Opens the vault in `folder`, or makes one there. Deletes what was half made or leased by a process that
    /// is no more. `key` is the vault's alone; keys of ledger and items are derived from it.
    pub fn open(folder: &Path, key: &Seed) -> Result<Self, VaultFault> {
        let key = key.derive("vault", b"");
        let folder = Folder::lock(folder)?;
        let ledger = folder.ledger(|file| Ledger::open(file, &key))?;
        folder.sweep(&ledger.all()?.into_iter().collect())?;
        let base = Base {
            ledger,
            folder,
            items: key.derive("items", b""),
        };
        Ok(Self {
            base: Arc::new(base),
            open: Mutex::default(),
        })
    }

    /// A series, new or known. All handles of one series share what they know.
    pub fn series(&self, name: &SeriesName) -> Result<Series, VaultFault> {
        let id = name.id();
        let mut open = self.handles();
        if let Some(shared) = open.get(&id).and_then(Weak::upgrade) {
            return Ok(Series(shared));
        }
        let shared = Arc::new(Shared::load(&self.base, name)?);
        open.insert(id, Arc::downgrade(&shared));
        Ok(Series(shared))
    }

    /// How many items of a series this party has made and not leased, without a handshake: no more than that many are
    /// usable, and the next handshake burns those that not all parties have.
    pub fn level(&self, name: &SeriesName) -> Result<u64, VaultFault> {
        Ok(self.base.ledger.numbers(&name.id())?.len() as u64)
    }

    /// Burns a series for good and forgets that it was: its rows in one durable write, then its files. Refused with
    /// [`VaultFault::InUse`] while any handle, slot or item of it lives.
    ///
    /// To the other parties this vault is then one that was lost: their next handshake with it begins a new epoch.
    pub fn forget(&self, name: &SeriesName) -> Result<(), VaultFault> {
        let id = name.id();
        let mut open = self.handles();
        if open
            .get(&id)
            .is_some_and(|shared| shared.strong_count() > 0)
        {
            return Err(VaultFault::InUse);
        }
        open.remove(&id);
        let ledger = &self.base.ledger;
        let items = ledger.numbers(&id)?;
        if ledger.head(&id)?.is_some() || !items.is_empty() {
            ledger.commit(&id, |page| {
                page.forget_head()?;
                items.iter().try_for_each(|number| page.remove(*number))
            })?;
        }
        for number in items {
            drop(self.base.folder.pieces(&id, number));
        }
        self.base.folder.remove_series(&id);
        Ok(())
    }

    fn handles(&self) -> MutexGuard<'_, HashMap<SeriesId, Weak<Shared>>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
