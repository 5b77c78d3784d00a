//! A folder of files that is there whole or not at all.

use super::file::folder as folder_of;
use crate::fault::{Fault, Usage};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// Refuses what [`write_new_folder`] could not make.
pub fn check_new_folder(folder: &Path) -> Result<(), Usage> {
    let path = folder.to_owned();
    if folder.symlink_metadata().is_ok() {
        return Err(Usage::Exists { path });
    }
    if !folder_of(folder).is_dir() {
        let option = "--out";
        return Err(Usage::OutputFolder { option, path });
    }
    Ok(())
}

/// Writes the files into a folder that must not exist yet, readable by their owner alone.
pub fn write_new_folder(folder: &Path, files: &[(String, Vec<u8>)]) -> Result<(), Fault> {
    let fault = |error| Fault::Output {
        path: folder.to_owned(),
        error,
    };
    check_new_folder(folder)?;
    let beside = beside(folder).ok_or_else(|| fault(io::ErrorKind::InvalidInput.into()))?;
    let written = fill(&beside, files).and_then(|()| fs::rename(&beside, folder));
    if written.is_err() {
        // Nothing more can be done about it than to report what went wrong first.
        let _ = fs::remove_dir_all(&beside);
    }
    written.map_err(fault)
}

fn beside(folder: &Path) -> Option<PathBuf> {
    let mut name = std::ffi::OsString::from(".");
    name.push(folder.file_name()?);
    name.push(format!(".{}.part", std::process::id()));
    Some(folder.with_file_name(name))
}

fn fill(folder: &Path, files: &[(String, Vec<u8>)]) -> io::Result<()> {
    private_folder(folder)?;
    for (name, bytes) in files {
        let mut file = private_file(&folder.join(name))?;
        file.write_all(bytes)?;
        file.sync_all()?;
    }
    Ok(())
}

#[cfg(unix)]
fn private_folder(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    fs::DirBuilder::new().mode(0o700).create(path)
}

/// A new file for its owner alone.
#[cfg(unix)]
pub fn private_file(path: &Path) -> io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt;
    OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
}

#[cfg(not(unix))]
fn private_folder(path: &Path) -> io::Result<()> {
    fs::create_dir(path)
}

/// A new file for its owner alone.
#[cfg(not(unix))]
pub fn private_file(path: &Path) -> io::Result<File> {
    OpenOptions::new().write(true).create_new(true).open(path)
}
