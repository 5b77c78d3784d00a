//! An output file: checked before a run, written at once after it.

use super::{npy, zip};
use crate::fault::{Fault, Usage};
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use subrosa::{Element, Tensor};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Npy,
    Npz,
}

/// Where outputs will go.
pub struct Output {
    path: PathBuf,
    kind: Kind,
}

impl Output {
    /// Refuses what could not be written after the run.
    pub fn new(path: &Path, outputs: usize) -> Result<Self, Usage> {
        let path = path.to_owned();
        let end = path.extension().and_then(|end| end.to_str());
        let kind = match end {
            Some("npy") if outputs == 1 => Kind::Npy,
            Some("npy") => return Err(Usage::OutputCount { path, outputs }),
            Some("npz") => Kind::Npz,
            _ => return Err(Usage::OutputKind { path }),
        };
        if !folder(&path).is_dir() || path.is_dir() {
            let option = "--output";
            return Err(Usage::OutputFolder { option, path });
        }
        Ok(Self { path, kind })
    }

    /// Writes under another name first: the file is there whole or not at all.
    pub fn write(&self, outputs: &[(&str, Element, &Tensor)]) -> Result<(), Fault> {
        let arrays = outputs
            .iter()
            .map(|(name, element, x)| (*name, npy::encode(x, *element)));
        let bytes = match self.kind {
            Kind::Npy => arrays.map(|(_, bytes)| bytes).next(),
            Kind::Npz => {
                let files = arrays.map(|(name, bytes)| (format!("{name}.npy"), bytes));
                zip::archive(&files.collect::<Vec<_>>())
            }
        };
        let fault = |error| Fault::Output {
            path: self.path.clone(),
            error,
        };
        let bytes = bytes.ok_or_else(|| fault(io::ErrorKind::FileTooLarge.into()))?;
        replace(&self.path, &bytes).map_err(fault)
    }
}

/// Where a file or a folder of this name lies.
pub fn folder(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut name = std::ffi::OsString::from(".");
    name.push(path.file_name().unwrap_or_default());
    name.push(format!(".{}.part", std::process::id()));
    let part = folder(path).join(name);
    let written = File::create(&part).and_then(|mut file| {
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&part, path)
    });
    if written.is_err() {
        // Nothing more can be done about it than to report what went wrong first.
        let _ = fs::remove_file(&part);
    }
    written
}
