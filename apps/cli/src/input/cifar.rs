//! CIFAR-10 in its binary layout: for each image a label byte and 3 x 32 x 32 bytes.

use super::{DatasetFault, Images};
use std::path::{Path, PathBuf};

const PIXELS: usize = 3 * 32 * 32;

/// Reads `test_batch.bin`, or the one file of test images that the folder holds.
pub fn read(folder: &Path) -> Result<Images, DatasetFault> {
    let path = find(folder)?;
    let unreadable = |error: std::io::Error| DatasetFault::Unreadable {
        path: path.clone(),
        kind: error.kind(),
    };
    let bytes = std::fs::read(&path).map_err(unreadable)?;
    let rows = bytes.chunks_exact(1 + PIXELS);
    if bytes.is_empty() || !rows.remainder().is_empty() {
        return Err(DatasetFault::Cifar {
            path,
            found: bytes.len() as u64,
        });
    }
    let mut images = Images {
        channels: 3,
        height: 32,
        width: 32,
        ..Images::default()
    };
    for row in rows {
        images.labels.push(usize::from(row[0]));
        images.bytes.extend_from_slice(&row[1..]);
    }
    images.count = images.labels.len();
    Ok(images)
}

fn find(folder: &Path) -> Result<PathBuf, DatasetFault> {
    let official = folder.join("test_batch.bin");
    if official.is_file() {
        return Ok(official);
    }
    let missing = || DatasetFault::Missing {
        folder: folder.to_owned(),
        file: "test_batch.bin",
    };
    let entries = std::fs::read_dir(folder).map_err(|_| missing())?;
    let mut found: Vec<PathBuf> = entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.extension().is_some_and(|end| end == "bin"))
        .filter(|path| {
            path.file_name()
                .is_some_and(|name| name.to_string_lossy().contains("test"))
        })
        .collect();
    match (found.pop(), found.is_empty()) {
        (Some(path), true) => Ok(path),
        _ => Err(missing()),
    }
}
