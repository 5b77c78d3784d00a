//! NPY files, version 1.0, little-endian, row-major.

use subrosa::{Element, Tensor};

/// Indices become int64.
pub fn encode(tensor: &Tensor, element: Element) -> Vec<u8> {
    let extents: Vec<String> = tensor
        .shape
        .iter()
        .map(|extent| format!("{extent},"))
        .collect();
    let descr = match element {
        Element::Float => "<f4",
        Element::Integer => "<i8",
    };
    let mut header = format!(
        "{{'descr': '{descr}', 'fortran_order': False, 'shape': ({}), }}",
        extents.join(" ")
    );
    // The data start at a multiple of 64 bytes.
    while !(header.len() + 11).is_multiple_of(64) {
        header.push(' ');
    }
    header.push('\n');
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend((header.len() as u16).to_le_bytes());
    bytes.extend(header.as_bytes());
    for value in &tensor.values {
        match element {
            Element::Float => bytes.extend(value.to_le_bytes()),
            Element::Integer => bytes.extend((*value as i64).to_le_bytes()),
        }
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::input::read_npy_bytes;

    #[test]
    fn what_is_written_reads_back() {
        let shapes: [&[usize]; 3] = [&[], &[3], &[2, 3]];
        for shape in shapes {
            let count: usize = shape.iter().product();
            let values = (0..count).map(|v| v as f32 - 0.5).collect();
            let tensor = Tensor {
                shape: shape.to_vec(),
                values,
            };
            let bytes = encode(&tensor, Element::Float);
            assert!((bytes.len() - 4 * count).is_multiple_of(64));
            assert_eq!(read_npy_bytes(&bytes).unwrap().tensor, tensor);
        }
        let indices = encode(
            &Tensor {
                shape: vec![1],
                values: vec![7.0],
            },
            Element::Integer,
        );
        assert!(indices.ends_with(&7i64.to_le_bytes()));
    }
}
