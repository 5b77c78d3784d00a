//! Paths of a file, and where the key of what is stored comes from.

use super::fault::{ConfigFault, Problem};
use super::section::Section;
use super::value::path;
use std::path::{Path, PathBuf};

/// Where the key of a store and a vault comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeySource {
    /// `store_key`: a file that `subrosa keygen --store` wrote.
    File(PathBuf),
    /// `passphrase_file`: a file whose first line the key is stretched from.
    Passphrase(PathBuf),
    /// Neither: a passphrase that whoever starts the program gives.
    Asked,
}

impl KeySource {
    pub(super) fn read(table: &mut Section) -> Result<Self, ConfigFault> {
        let key = table.optional("store_key", path)?;
        let passphrase = table.optional("passphrase_file", path)?;
        match (key, passphrase) {
            (Some(_), Some(_)) => {
                let other = "store_key";
                Err(table.fault("passphrase_file", Problem::Beside { other }))
            }
            (Some(file), None) => Ok(Self::File(file)),
            (None, Some(file)) => Ok(Self::Passphrase(file)),
            (None, None) => Ok(Self::Asked),
        }
    }

    pub(super) fn place(&mut self, folder: &Path) {
        match self {
            Self::File(path) | Self::Passphrase(path) => place(path, folder),
            Self::Asked => {}
        }
    }
}

/// What is relative is relative to the file's own folder.
pub fn place(path: &mut PathBuf, folder: &Path) {
    *path = folder.join(&*path);
}
