//! Folders of vaults that end with their parties.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use subrosa::Seed;

/// How often a folder is tried whose owner may still write into it.
const TRIES: usize = 20;

/// Of this process, if it is a party's.
static OWN: Mutex<Vec<PathBuf>> = Mutex::new(Vec::new());

/// Has [`clear`] remove `folder`, which is this party's own.
pub fn clear_at_end(folder: &Path) {
    own().push(folder.to_owned());
}

/// Removes this party's folders.
pub fn clear() {
    own().drain(..).for_each(|folder| remove(&folder));
}

fn own() -> MutexGuard<'static, Vec<PathBuf>> {
    OWN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A folder of the system's temporary one that goes with this value, and that nobody else knows.
pub struct Scratch(PathBuf);

impl Scratch {
    /// The folder is made by the party.
    pub fn new(name: &str) -> Option<Self> {
        let mark = Seed::random().ok()?;
        let mark: String = mark.reveal()[..8]
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        let folder = format!("subrosa-vault-{mark}-{name}");
        Some(Self(std::env::temp_dir().join(folder)))
    }

    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        remove(&self.0);
    }
}

fn remove(folder: &Path) {
    for _ in 0..TRIES {
        if !folder.exists() {
            return;
        }
        let _ = fs::remove_dir_all(folder);
    }
}
