//! What lies in a folder: `lock`, `ledger.redb`, and beside them files that a ledger answers for: `pieces/SERIES/NUMBER`
//! of a vault, `blobs/NAME` of a store.

use crate::fault::{Part, VaultFault};
use crate::name::SeriesId;
use crate::numbers::Number;
use std::collections::HashSet;
use std::ffi::OsStr;
use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, ErrorKind, Read, Write};
use std::path::{Path, PathBuf};
use subrosa_core::Seed;

/// The folder of a vault or a store, locked for as long as this value lives.
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
        Ok(Self {
            root: root.to_owned(),
            lock,
        })
    }

    /// The ledger's file as `open` takes it. A new one has its name only when `open` is done, so that one which was never
    /// whole is begun again.
    pub fn ledger<T>(
        &self,
        open: impl FnOnce(File) -> Result<T, VaultFault>,
    ) -> Result<T, VaultFault> {
        let (whole, unfinished) = (self.root.join("ledger.redb"), self.root.join("ledger.new"));
        let new = !whole.exists();
        let path = if new { &unfinished } else { &whole };
        let mut options = OpenOptions::new();
        let options = owner_only(options.read(true).write(true).create(true));
        let opened = open(options.truncate(new).open(path)?)?;
        if new {
            fs::rename(&unfinished, &whole)?;
        }
        sync_folder(&self.root)?;
        Ok(opened)
    }

    /// Durably, where it is not there yet.
    pub fn make_series(&self, series: &SeriesId) -> Result<(), VaultFault> {
        let path = self.series(series);
        if path.is_dir() {
            return Ok(());
        }
        make_folder(&path)?;
        Ok(sync_folder(&self.root.join("pieces"))?)
    }

    /// Makes the names of all files of a series durable.
    pub fn sync_series(&self, series: &SeriesId) -> Result<(), VaultFault> {
        Ok(sync_folder(&self.series(series))?)
    }

    /// Deletes the folder of a series whose items are gone.
    pub fn remove_series(&self, series: &SeriesId) {
        // What cannot be deleted now goes with the next sweep.
        let _ = fs::remove_dir(self.series(series));
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

    /// Deletes the files of items that the ledger does not have, folders without items, and no other file. The names
    /// of what stays are durable, also where a process was killed before it had made them so.
    pub fn sweep(&self, kept: &HashSet<(SeriesId, Number)>) -> Result<(), VaultFault> {
        let pieces = self.root.join("pieces");
        make_folder(&pieces)?;
        for series in fs::read_dir(&pieces)? {
            let series = series?;
            let Some(id) = name_of(&series.file_name()).map(SeriesId) else {
                continue;
            };
            for file in fs::read_dir(series.path())? {
                let file = file?;
                let number = number_of(&file.file_name());
                if number.is_some_and(|number| !kept.contains(&(id, number))) {
                    fs::remove_file(file.path())?;
                }
            }
            if fs::remove_dir(series.path()).is_err() {
                self.sync_series(&id)?;
            }
        }
        Ok(sync_folder(&pieces)?)
    }

    /// A new file for a blob.
    pub fn create_blob(&self, name: &[u8; 32]) -> Result<(File, Pieces), VaultFault> {
        let blob = self.blob(name);
        let file = owner_only(OpenOptions::new().write(true).create_new(true)).open(&blob.0)?;
        Ok((file, blob))
    }

    /// The file of a blob, which goes when the value goes.
    pub fn blob(&self, name: &[u8; 32]) -> Pieces {
        Pieces(self.root.join("blobs").join(hex(name)))
    }

    /// `part`: what is missing where there is no file.
    pub fn open_blob(&self, name: &[u8; 32], part: Part) -> Result<File, VaultFault> {
        open(&self.root.join("blobs").join(hex(name)), part)
    }

    /// Deletes the files of blobs that no row names, and no other file.
    pub fn sweep_blobs(&self, kept: &HashSet<[u8; 32]>) -> Result<(), VaultFault> {
        let blobs = self.root.join("blobs");
        if !blobs.is_dir() {
            make_folder(&blobs)?;
            sync_folder(&self.root)?;
        }
        for file in fs::read_dir(blobs)? {
            let file = file?;
            let name = name_of(&file.file_name());
            if name.is_some_and(|name| !kept.contains(&name)) {
                fs::remove_file(file.path())?;
            }
        }
        Ok(())
    }

    /// Makes the salt, whole or not at all, where there is none and no ledger that was made with one.
    fn make_salt(&self) -> Result<(), VaultFault> {
        let (salt, unfinished) = (self.root.join("salt"), self.root.join("salt.new"));
        if salt.exists() {
            return Ok(());
        }
        if self.root.join("ledger.redb").exists() {
            return Err(VaultFault::Missing(Part::Salt));
        }
        let drawn = Seed::random().map_err(|_| VaultFault::Randomness)?;
        let (bytes, _) = drawn.reveal().split_at(16);
        let mut options = OpenOptions::new();
        let mut file =
            owner_only(options.write(true).create(true).truncate(true)).open(&unfinished)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(unfinished, salt)?;
        Ok(sync_folder(&self.root)?)
    }

    fn series(&self, series: &SeriesId) -> PathBuf {
        self.root.join("pieces").join(hex(&series.0))
    }
}

/// A process that is being forked off may hold the file open for a moment longer.
impl Drop for Folder {
    fn drop(&mut self) {
        let _ = self.lock.unlock();
    }
}

/// The salt in the folder `root`, which is made where there is none; made durably at the first call.
pub fn salt(root: &Path) -> Result<[u8; 16], VaultFault> {
    let path = root.join("salt");
    if !path.exists() {
        Folder::lock(root)?.make_salt()?;
    }
    let bytes = read_start(&path, 17)?;
    let salt = bytes.try_into();
    salt.map_err(|_| VaultFault::Corrupted(Part::Salt))
}

/// The file of one item or blob. It is deleted when this is dropped.
pub struct Pieces(PathBuf);

impl Pieces {
    /// `part`: what is missing where there is no file.
    pub fn open(&self, part: Part) -> Result<File, VaultFault> {
        open(&self.0, part)
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
    let path = root.join(hex(name.reveal()));
    let file =
        owner_only(OpenOptions::new().read(true).write(true).create_new(true)).open(&path)?;
    let pieces = Pieces(path);
    Ok((file, (!cfg!(unix)).then_some(pieces)))
}

fn open(path: &Path, part: Part) -> Result<File, VaultFault> {
    File::open(path).map_err(|error| match error.kind() {
        ErrorKind::NotFound => VaultFault::Missing(part),
        _ => error.into(),
    })
}

fn read_start(path: &Path, most: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(most).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn hex(name: &[u8; 32]) -> String {
    blake3::Hash::from_bytes(*name).to_hex().to_string()
}

fn name_of(name: &OsStr) -> Option<[u8; 32]> {
    let hash = blake3::Hash::from_hex(name.to_str()?).ok()?;
    Some(*hash.as_bytes())
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
