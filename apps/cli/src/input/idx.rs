//! The files of MNIST and of sets in its format: idx, usually compressed with gzip.

use super::DatasetFault;
use flate2::read::GzDecoder;
use std::fs::File;
use std::io::Read;
use std::path::Path;

/// Largest file once unpacked.
const LIMIT: u64 = 1 << 30;
const GZIP: &[u8] = &[0x1f, 0x8b];

/// An idx file of unsigned bytes.
pub struct Idx {
    pub shape: Vec<usize>,
    pub bytes: Vec<u8>,
}

/// Reads `name` or `name.gz` in `folder`; `None` where neither is there.
pub fn read_idx(folder: &Path, name: &str) -> Result<Option<Idx>, DatasetFault> {
    for path in [folder.join(format!("{name}.gz")), folder.join(name)] {
        let Ok(file) = File::open(&path) else {
            continue;
        };
        let mut bytes = Vec::new();
        let read = file.take(LIMIT).read_to_end(&mut bytes);
        read.map_err(|error| DatasetFault::Unreadable {
            path: path.clone(),
            kind: error.kind(),
        })?;
        let idx = read_idx_bytes(&path, bytes)?;
        return Ok(Some(idx));
    }
    Ok(None)
}

/// Whether a file that begins so may be one of these.
pub fn is_idx(head: &[u8]) -> bool {
    head.starts_with(GZIP) || head.starts_with(&[0, 0, 8])
}

/// What is in `path`, as it is or compressed with gzip.
pub fn read_idx_bytes(path: &Path, file: Vec<u8>) -> Result<Idx, DatasetFault> {
    let mut bytes = file;
    if bytes.starts_with(GZIP) {
        let mut unpacked = Vec::new();
        let read = GzDecoder::new(&bytes[..])
            .take(LIMIT)
            .read_to_end(&mut unpacked);
        read.map_err(|error| DatasetFault::Unreadable {
            path: path.to_owned(),
            kind: error.kind(),
        })?;
        bytes = unpacked;
    }
    let path = path.to_owned();
    parse(bytes).ok_or(DatasetFault::Idx { path })
}

/// Two zero bytes, the element type (8: unsigned byte), the number of axes, each extent in four big-endian bytes.
fn parse(mut bytes: Vec<u8>) -> Option<Idx> {
    let [0, 0, 8, axes] = *bytes.first_chunk::<4>()? else {
        return None;
    };
    let start = 4 + 4 * usize::from(axes);
    let extents = bytes.get(4..start)?.chunks_exact(4);
    let shape: Vec<usize> = extents
        .map(|e| u32::from_be_bytes([e[0], e[1], e[2], e[3]]) as usize)
        .collect();
    let count = shape
        .iter()
        .try_fold(1usize, |n, extent| n.checked_mul(*extent))?;
    if count == 0 || bytes.len() - start != count {
        return None;
    }
    bytes.drain(..start);
    Some(Idx { shape, bytes })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_must_fit() {
        let mut file = vec![0, 0, 8, 2, 0, 0, 0, 1, 0, 0, 0, 3, 7, 8, 9];
        let idx = parse(file.clone()).unwrap();
        assert_eq!((idx.shape, idx.bytes), (vec![1, 3], vec![7, 8, 9]));
        file.pop();
        assert!(parse(file.clone()).is_none());
        file[2] = 13;
        assert!(parse(file).is_none());
        assert!(parse(vec![0, 0]).is_none());
    }
}
