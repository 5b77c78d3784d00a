//! Files that hold secrets.

use super::fault::KeyFault;
use crate::fault::Fault;
use crate::output::private_file;
use std::fs::{self, File, Metadata};
use std::io::{ErrorKind, Read, Write};
use std::path::Path;
use subrosa::Secret;

/// The longest file of a key, in bytes.
const LONGEST: u64 = 64 * 1024;

/// Names the file in what is said of its key.
pub fn of_key(path: &Path) -> impl Fn(KeyFault) -> Fault {
    move |fault| Fault::Key {
        path: path.to_owned(),
        fault,
    }
}

/// Writes a file that must not exist yet, for its owner alone.
pub fn write(path: &Path, bytes: &[u8]) -> Result<(), Fault> {
    let fault = |error: std::io::Error| match error.kind() {
        ErrorKind::AlreadyExists => of_key(path)(KeyFault::Exists),
        _ => Fault::Output {
            path: path.to_owned(),
            error,
        },
    };
    let mut file = private_file(path).map_err(fault)?;
    let written = file.write_all(bytes).and_then(|()| file.sync_all());
    written.map_err(|error| {
        // Nothing more can be done about it than to report what went wrong first.
        let _ = fs::remove_file(path);
        fault(error)
    })
}

/// A file's bytes, if nobody but its owner may have them.
pub fn read(path: &Path) -> Result<Secret<Vec<u8>>, KeyFault> {
    let file = File::open(path).map_err(|error| match error.kind() {
        ErrorKind::NotFound => KeyFault::Missing,
        _ => KeyFault::Io(error),
    })?;
    // What is asked is the file that is open, whatever its name stands for by now.
    let about = file.metadata().map_err(KeyFault::Io)?;
    if !about.is_file() {
        return Err(KeyFault::NotAFile);
    }
    owner_alone(&about)?;
    if about.len() > LONGEST {
        return Err(KeyFault::Long { most: LONGEST });
    }
    // With room for all that is read, no copy is left behind where the vector was before.
    let mut bytes = Vec::with_capacity(LONGEST as usize + 1);
    let read = file.take(LONGEST).read_to_end(&mut bytes);
    let bytes = Secret::new(bytes);
    read.map_err(KeyFault::Io)?;
    Ok(bytes)
}

#[cfg(unix)]
fn owner_alone(about: &Metadata) -> Result<(), KeyFault> {
    use std::os::unix::fs::MetadataExt;
    let mode = about.mode() & 0o777;
    match mode & 0o077 {
        0 => Ok(()),
        _ => Err(KeyFault::Readable { mode }),
    }
}

#[cfg(not(unix))]
fn owner_alone(_: &Metadata) -> Result<(), KeyFault> {
    Ok(())
}
