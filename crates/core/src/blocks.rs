//! Vectors of 128-bit blocks: labels, keys and rows of garbled tables.

use crate::{Bytes, Malformed, Wire};
use bytemuck::{cast_slice, cast_slice_mut};

/// `layout` blocks, each little-endian.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Blocks(pub Vec<u128>);

impl Wire for Blocks {
    type Layout = usize;
    fn size(count: &usize) -> Bytes {
        Bytes(16 * *count as u64)
    }
    fn encode(&self, out: &mut Vec<u8>) {
        if cfg!(target_endian = "little") {
            out.extend_from_slice(cast_slice(&self.0));
        } else {
            self.0.iter().for_each(|b| out.extend(b.to_le_bytes()));
        }
    }
    fn decode(count: &usize, bytes: &[u8]) -> Result<Self, Malformed> {
        let (expected, found) = (Self::size(count).0, bytes.len() as u64);
        if expected != found {
            return Err(Malformed::Length { expected, found });
        }
        let mut blocks = vec![0u128; *count];
        cast_slice_mut(&mut blocks).copy_from_slice(bytes);
        blocks.iter_mut().for_each(|b| *b = u128::from_le(*b));
        Ok(Self(blocks))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_are_little_endian_and_counted() {
        let blocks = Blocks(vec![1, u128::MAX - 5, 7 << 100]);
        let mut bytes = Vec::new();
        blocks.encode(&mut bytes);
        assert_eq!(bytes[16..32], (u128::MAX - 5).to_le_bytes());
        assert_eq!(Blocks::decode(&3, &bytes), Ok(blocks));
        assert!(matches!(
            Blocks::decode(&2, &bytes),
            Err(Malformed::Length {
                expected: 32,
                found: 48
            })
        ));
    }
}
