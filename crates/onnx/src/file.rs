use crate::{Model, OnnxError};
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

/// Largest file that is read, in bytes.
pub const FILE_LIMIT: u64 = 1 << 30;

impl Model {
    /// Reads and checks a file. Every error names the path.
    pub fn read(path: &Path) -> Result<Model, OnnxError> {
        load(path)
            .and_then(|bytes| Model::parse(&bytes))
            .map_err(|fault| OnnxError::File {
                path: path.to_owned(),
                fault: Box::new(fault),
            })
    }
}

fn load(path: &Path) -> Result<Vec<u8>, OnnxError> {
    let file = File::open(path).map_err(unreadable)?;
    let about = file.metadata().map_err(unreadable)?;
    if about.is_dir() {
        return Err(OnnxError::Directory);
    }
    check_size(about.len())?;
    let mut bytes = Vec::new();
    file.take(FILE_LIMIT + 1)
        .read_to_end(&mut bytes)
        .map_err(unreadable)?;
    Ok(bytes)
}

fn unreadable(error: io::Error) -> OnnxError {
    match error.kind() {
        io::ErrorKind::NotFound => OnnxError::Missing,
        io::ErrorKind::IsADirectory => OnnxError::Directory,
        kind => OnnxError::Unreadable(kind),
    }
}

pub(crate) fn check_size(found: u64) -> Result<(), OnnxError> {
    if found > FILE_LIMIT {
        Err(OnnxError::TooLarge {
            found,
            limit: FILE_LIMIT,
        })
    } else {
        Ok(())
    }
}

/// Walks the outermost fields of the message, so that a truncated file and one of another kind are told apart.
pub(crate) fn check_fields(bytes: &[u8]) -> Result<(), OnnxError> {
    if bytes.is_empty() {
        return Err(OnnxError::Empty);
    }
    let mut at = 0;
    while at < bytes.len() {
        let start = at;
        let key = varint(bytes, &mut at, start)?;
        let plausible = match (key >> 3, key & 7) {
            (1 | 5, 0) => true,
            (2..=4 | 6..=8 | 14 | 20 | 25, 2) => true,
            (26..=31, kind) => matches!(kind, 0 | 1 | 2 | 5),
            _ => false,
        };
        if !plausible {
            return Err(OnnxError::NotOnnx { at: start });
        }
        let length = match key & 7 {
            0 => {
                varint(bytes, &mut at, start)?;
                0
            }
            1 => 8,
            5 => 4,
            _ => varint(bytes, &mut at, start)?,
        };
        let left = (bytes.len() - at) as u64;
        if length > left {
            return Err(OnnxError::Truncated {
                at: start,
                expected: length,
                found: left,
            });
        }
        at += length as usize;
    }
    Ok(())
}

fn varint(bytes: &[u8], at: &mut usize, start: usize) -> Result<u64, OnnxError> {
    let mut value = 0u64;
    for shift in (0..70).step_by(7) {
        let Some(byte) = bytes.get(*at) else {
            return Err(OnnxError::Truncated {
                at: start,
                expected: 1,
                found: 0,
            });
        };
        *at += 1;
        value |= u64::from(byte & 0x7f).checked_shl(shift).unwrap_or(0);
        if byte & 0x80 == 0 {
            return Ok(value);
        }
    }
    Err(OnnxError::NotOnnx { at: start })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_files_and_truncated_ones_are_told_apart() {
        let found = |bytes: &[u8]| check_fields(bytes).unwrap_err();
        assert_eq!(found(b""), OnnxError::Empty);
        for other in [
            &b"hello, world"[..],
            b"PK\x03\x04",
            b"\x89PNG\r\n",
            b"\x93NUMPY",
            b"\x80\x02}q",
            b"{\"a\": 1}",
        ] {
            assert!(
                matches!(found(other), OnnxError::NotOnnx { at: 0 }),
                "{other:?}"
            );
        }
        let truncated = OnnxError::Truncated {
            at: 2,
            expected: 10,
            found: 1,
        };
        assert_eq!(found(b"\x08\x07\x3a\x0a\x00"), truncated);
        assert!(check_fields(b"\x08\x07\x3a\x00\x42\x00").is_ok());
    }

    #[test]
    fn paths_are_named() {
        let missing = Path::new("no/such/model.onnx");
        let error = Model::read(missing).err().unwrap();
        assert_eq!(error.to_string(), "no/such/model.onnx: no such file");
        let folder = Model::read(Path::new(env!("CARGO_MANIFEST_DIR")))
            .err()
            .unwrap();
        assert_eq!(*folder.fault(), OnnxError::Directory);
    }
}
