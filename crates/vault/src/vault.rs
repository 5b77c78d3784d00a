use crate::fault::VaultFault;
use crate::folder::Folder;
use crate::ledger::Ledger;
use crate::name::{SeriesId, SeriesName};
use crate::series::{Series, Shared};
use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError, Weak};
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
        let ledger = Ledger::open(folder.ledger()?, &key)?;
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
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(shared) = open.get(&id).and_then(Weak::upgrade) {
            return Ok(Series(shared));
        }
        let shared = Arc::new(Shared::load(&self.base, name)?);
        open.insert(id, Arc::downgrade(&shared));
        Ok(Series(shared))
    }
}
