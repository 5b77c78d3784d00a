//! A vault's folder: `lock`, `ledger.redb`, and `pieces/SERIES/NUMBER` for each item.

use crate::fault::{Part, VaultFault};
use crate::name::SeriesId;
use crate::numbers::Number;
use std::collections::HashSet;
use std::ffi::OsStr;
use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use subrosa_core::Seed;

/// The folder, locked for as long as this value lives.
pub struct Folder {
    root: PathBuf,
    lock: File,
}

impl Folder {
    /// Makes the folder where there is none.
    pub fn lock(root: &Path) -> Result<Self, VaultFault> {
        make_folder(root)?;
        let lock = owner_only(OpenOptions::new().write(true).create(true))
            .truncate(false)
            .open(root.join("lock"))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(VaultFault::InUse),
            Err(TryLockError::Error(error)) => return Err(error.into()),
        }
        make_folder(&root.join("pieces"))?;
        Ok(Self {
            root: root.to_owned(),
            lock,
        })
    }

    pub fn ledger(&self) -> Result<File, VaultFault> {
        let file = owner_only(OpenOptions::new().read(true).write(true).create(true))
            .truncate(false)
            .open(self.root.join("ledger.redb"))?;
        sync_folder(&self.root)?;
        Ok(file)
    }

    pub fn make_series(&self, series: &SeriesId) -> Result<(), VaultFault> {
        make_folder(&self.series(series))?;
        Ok(sync_folder(&self.root.join("pieces"))?)
    }

    /// A new file for the pieces of an item.
    pub fn create(&self, series: &SeriesId, number: Number) -> Result<(File, Pieces), VaultFault> {
        let pieces = self.pieces(series, number);
        let file = owner_only(OpenOptions::new().write(true).create_new(true)).open(&pieces.0)?;
        Ok((file, pieces))
    }

    /// The file of an item, which goes when the value goes.
    pub fn pieces(&self, series: &SeriesId, number: Number) -> Pieces {
        Pieces(self.series(series).join(format!("{number:016x}")))
    }

    /// Length of an item's file, if there is one.
    pub fn length(&self, series: &SeriesId, number: Number) -> Result<Option<u64>, VaultFault> {
        let path = self.series(series).join(format!("{number:016x}"));
        match fs::metadata(path) {
            Ok(found) => Ok(Some(found.len())),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Deletes the files of items that the ledger does not have, and no other file.
    pub fn sweep(&self, kept: &HashSet<(SeriesId, Number)>) -> Result<(), VaultFault> {
        for series in fs::read_dir(self.root.join("pieces"))? {
            let series = series?;
            let Some(id) = series_of(&series.file_name()) else {
                continue;
            };
            for file in fs::read_dir(series.path())? {
                let file = file?;
                let number = number_of(&file.file_name());
                if number.is_some_and(|number| !kept.contains(&(id, number))) {
                    fs::remove_file(file.path())?;
                }
            }
        }
        Ok(())
    }

    fn series(&self, series: &SeriesId) -> PathBuf {
        self.root.join("pieces").join(series.hex())
    }
}

/// A process that is being forked off may hold the file open for a moment longer.
impl Drop for Folder {
    fn drop(&mut self) {
        let _ = self.lock.unlock();
    }
}

/// The file of one item. It is deleted when this is dropped.
pub struct Pieces(PathBuf);

impl Pieces {
    pub fn open(&self, number: Number) -> Result<File, VaultFault> {
        File::open(&self.0).map_err(|error| match error.kind() {
            ErrorKind::NotFound => VaultFault::Missing(Part::Item(number)),
            _ => error.into(),
        })
    }

    /// Leaves the file where it is: the ledger answers for it now.
    pub fn keep(mut self) {
        self.0.clear();
    }

    /// Makes the file's name durable.
    pub fn sync_name(&self) -> Result<(), VaultFault> {
        match self.0.parent() {
            Some(folder) => Ok(sync_folder(folder)?),
            None => Ok(()),
        }
    }
}

impl Drop for Pieces {
    fn drop(&mut self) {
        if !self.0.as_os_str().is_empty() {
            // What cannot be deleted now goes with the next sweep.
            let _ = fs::remove_file(&self.0);
        }
    }
}

/// A new file in `root`, which is made where there is none, for this process to write and to read. On Unix its name is
/// deleted at once; elsewhere with the value beside it.
pub fn unnamed(root: &Path) -> Result<(File, Option<Pieces>), VaultFault> {
    make_folder(root)?;
    let name = Seed::random().map_err(|_| VaultFault::Randomness)?;
    let path = root.join(SeriesId(*name.reveal()).hex());
    let file =
        owner_only(OpenOptions::new().read(true).write(true).create_new(true)).open(&path)?;
    let pieces = Pieces(path);
    Ok((file, (!cfg!(unix)).then_some(pieces)))
}

fn series_of(name: &OsStr) -> Option<SeriesId> {
    let hash = blake3::Hash::from_hex(name.to_str()?).ok()?;
    Some(SeriesId(*hash.as_bytes()))
}

fn number_of(name: &OsStr) -> Option<Number> {
    let name = name.to_str().filter(|name| name.len() == 16)?;
    u64::from_str_radix(name, 16).ok()
}

fn make_folder(path: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.recursive(true).create(path)
}

fn owner_only(options: &mut OpenOptions) -> &mut OpenOptions {
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(options, 0o600);
    options
}

#[cfg(unix)]
fn sync_folder(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}

#[cfg(not(unix))]
fn sync_folder(_: &Path) -> io::Result<()> {
    Ok(())
}
