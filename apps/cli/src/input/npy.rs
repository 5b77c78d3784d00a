//! Arrays out of NPY files.

use super::npy_header::Header;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use subrosa::{Shape, Tensor};
use thiserror::Error;

/// Largest file that is read, in bytes.
const LIMIT: u64 = 1 << 30;

/// An array of finite numbers, in row-major order.
pub struct Array {
    pub tensor: Tensor,
    pub element: Element,
}

/// Type of the file's elements.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Element {
    Float,
    Byte,
}

/// Why a file is refused.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum NpyFault {
    #[error("no such file")]
    Missing,
    #[error("is a directory, expected an NPY file")]
    Directory,
    #[error("cannot be read: {0}")]
    Unreadable(io::ErrorKind),
    #[error("too large: {found} bytes, expected at most {limit}")]
    TooLarge { found: u64, limit: u64 },
    #[error("empty, expected an NPY file")]
    Empty,
    #[error("not an NPY file")]
    NotNpy,
    #[error("NPY version {major}.{minor}, expected 1.0 to 3.0")]
    Version { major: u8, minor: u8 },
    #[error("truncated: it ends within its header")]
    TruncatedHeader,
    #[error("its header is not that of a plain array")]
    Header,
    #[error("elements of type '{found}', expected float32, float64 or uint8")]
    Dtype { found: String },
    #[error("shape {shape:?} has no elements")]
    NoElements { shape: Shape },
    #[error("truncated: shape {shape:?} needs {expected} bytes of data, found {found}")]
    Truncated {
        shape: Shape,
        expected: u64,
        found: u64,
    },
    #[error("shape {shape:?} needs {expected} bytes of data, found {found}")]
    Trailing {
        shape: Shape,
        expected: u64,
        found: u64,
    },
    #[error("element {index:?} is {found}, expected a finite number")]
    NotFinite { index: Vec<usize>, found: String },
}

/// Reads an array; NaN and infinities are refused.
pub fn read_npy(path: &Path) -> Result<Array, NpyFault> {
    let unreadable = |error: io::Error| match error.kind() {
        io::ErrorKind::NotFound => NpyFault::Missing,
        io::ErrorKind::IsADirectory => NpyFault::Directory,
        kind => NpyFault::Unreadable(kind),
    };
    let file = File::open(path).map_err(unreadable)?;
    let about = file.metadata().map_err(unreadable)?;
    if about.is_dir() {
        return Err(NpyFault::Directory);
    }
    let too_large = |found| NpyFault::TooLarge {
        found,
        limit: LIMIT,
    };
    if about.len() > LIMIT {
        return Err(too_large(about.len()));
    }
    let mut bytes = Vec::new();
    file.take(LIMIT + 1)
        .read_to_end(&mut bytes)
        .map_err(unreadable)?;
    if bytes.len() as u64 > LIMIT {
        return Err(too_large(bytes.len() as u64));
    }
    read_npy_bytes(&bytes)
}

pub fn read_npy_bytes(file: &[u8]) -> Result<Array, NpyFault> {
    let (
        Header {
            descr,
            fortran_order,
            shape,
        },
        start,
    ) = Header::parse(file)?;
    let (size, element, read) = reader(&descr)?;
    let count = shape
        .iter()
        .try_fold(1u64, |n, extent| n.checked_mul(*extent as u64));
    let expected = count.and_then(|n| n.checked_mul(size)).unwrap_or(u64::MAX);
    if expected == 0 {
        return Err(NpyFault::NoElements { shape });
    }
    let data = &file[start..];
    let found = data.len() as u64;
    if found < expected {
        return Err(NpyFault::Truncated {
            shape,
            expected,
            found,
        });
    }
    if found > expected {
        return Err(NpyFault::Trailing {
            shape,
            expected,
            found,
        });
    }
    let mut values: Vec<f32> = data.chunks_exact(size as usize).map(read).collect();
    if fortran_order {
        values = row_major(&shape, &values);
    }
    if let Some(at) = values.iter().position(|value| !value.is_finite()) {
        let found = values[at].to_string();
        return Err(NpyFault::NotFinite {
            index: index_of(&shape, at),
            found,
        });
    }
    Ok(Array {
        tensor: Tensor { shape, values },
        element,
    })
}

type Reading = (u64, Element, fn(&[u8]) -> f32);

fn reader(descr: &str) -> Result<Reading, NpyFault> {
    fn bytes<const N: usize>(from: &[u8]) -> [u8; N] {
        from.try_into().unwrap_or([0; N])
    }
    Ok(match descr {
        "<f4" | "=f4" => (4, Element::Float, |b| f32::from_le_bytes(bytes(b))),
        ">f4" => (4, Element::Float, |b| f32::from_be_bytes(bytes(b))),
        "<f8" | "=f8" => (8, Element::Float, |b| f64::from_le_bytes(bytes(b)) as f32),
        ">f8" => (8, Element::Float, |b| f64::from_be_bytes(bytes(b)) as f32),
        "|u1" | "<u1" | ">u1" | "=u1" => (1, Element::Byte, |b| f32::from(b[0])),
        _ => {
            return Err(NpyFault::Dtype {
                found: descr.to_owned(),
            });
        }
    })
}

/// Position of an element of a row-major array, axis by axis.
pub fn index_of(shape: &[usize], mut at: usize) -> Vec<usize> {
    let mut index = vec![0; shape.len()];
    for (place, extent) in index.iter_mut().zip(shape).rev() {
        *place = at % extent;
        at /= extent;
    }
    index
}

fn row_major(shape: &[usize], column_major: &[f32]) -> Vec<f32> {
    let place = |at: usize| {
        let index = index_of(shape, at);
        let pairs = index.iter().zip(shape).rev();
        pairs.fold(0, |sum, (place, extent)| sum * extent + place)
    };
    (0..column_major.len())
        .map(|at| column_major[place(at)])
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(descr: &str, fortran: &str, shape: &str, data: &[u8]) -> Vec<u8> {
        let text =
            format!("{{'descr': '{descr}', 'fortran_order': {fortran}, 'shape': {shape}, }}\n");
        let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
        bytes.extend((text.len() as u16).to_le_bytes());
        bytes.extend(text.as_bytes());
        bytes.extend(data);
        bytes
    }

    #[test]
    fn arrays_are_read_in_every_type_and_order() {
        let bytes = read_npy_bytes(&file("|u1", "False", "(2, 3)", &[0, 1, 2, 3, 4, 255])).unwrap();
        assert_eq!(bytes.element, Element::Byte);
        assert_eq!(bytes.tensor.values, [0.0, 1.0, 2.0, 3.0, 4.0, 255.0]);
        let fortran = read_npy_bytes(&file("|u1", "True", "(2, 3)", &[0, 3, 1, 4, 2, 5])).unwrap();
        assert_eq!(fortran.tensor.values, [0.0, 1.0, 2.0, 3.0, 4.0, 5.0]);
        for (descr, data) in [
            ("<f4", 1.5f32.to_le_bytes().to_vec()),
            (">f4", 1.5f32.to_be_bytes().to_vec()),
            ("<f8", 1.5f64.to_le_bytes().to_vec()),
            (">f8", 1.5f64.to_be_bytes().to_vec()),
        ] {
            let array = read_npy_bytes(&file(descr, "False", "(1,)", &data)).unwrap();
            assert_eq!(
                (array.tensor.values, array.element),
                (vec![1.5], Element::Float)
            );
        }
    }

    #[test]
    fn what_is_wrong_is_named() {
        let refuse = |bytes: &[u8]| read_npy_bytes(bytes).err().unwrap();
        assert!(matches!(
            refuse(&file("<i8", "False", "(1,)", &[0; 8])),
            NpyFault::Dtype { .. }
        ));
        let short = refuse(&file("<f4", "False", "(2, 2)", &[0; 15]));
        assert_eq!(
            short.to_string(),
            "truncated: shape [2, 2] needs 16 bytes of data, found 15"
        );
        assert!(matches!(
            refuse(&file("|u1", "False", "(1,)", &[0; 2])),
            NpyFault::Trailing { .. }
        ));
        assert!(matches!(
            refuse(&file("|u1", "False", "(0, 3)", &[])),
            NpyFault::NoElements { .. }
        ));
        let huge = "(4294967296, 4294967296)";
        assert!(matches!(
            refuse(&file("|u1", "False", huge, &[0])),
            NpyFault::Truncated { .. }
        ));
        let mut values = [0.0f32, 1.0, f32::NAN, 2.0].map(f32::to_le_bytes).concat();
        let nan = refuse(&file("<f4", "False", "(2, 2)", &values));
        assert_eq!(
            nan.to_string(),
            "element [1, 0] is NaN, expected a finite number"
        );
        values[8..12].copy_from_slice(&f32::NEG_INFINITY.to_le_bytes());
        assert!(
            refuse(&file("<f4", "False", "(2, 2)", &values))
                .to_string()
                .contains("-inf")
        );
    }
}
