//! Vectors of ring elements and matrices of bits, packed without gaps.

use crate::{Bytes, Malformed, Wire};
use subrosa_ring::{BitMatrix, pack_into, packed_len, unpack};

/// Elements of Z/2^bits. `values[i] < 2^bits`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Words {
    pub bits: u32,
    pub values: Vec<u64>,
}

/// `count` elements of Z/2^bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WordsLayout {
    pub count: usize,
    pub bits: u32,
}

impl Wire for Words {
    type Layout = WordsLayout;
    fn size(layout: &WordsLayout) -> Bytes {
        Bytes(packed_len(layout.count, layout.bits) as u64)
    }
    fn encode(&self, out: &mut Vec<u8>) {
        pack_into(&self.values, self.bits, out);
    }
    fn decode(layout: &WordsLayout, bytes: &[u8]) -> Result<Self, Malformed> {
        check_length::<Self>(layout, bytes)?;
        let values = unpack(bytes, layout.bits, layout.count).ok_or(Malformed::Padding)?;
        Ok(Self {
            bits: layout.bits,
            values,
        })
    }
}

/// `planes` rows of `lanes` bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BitsLayout {
    pub planes: usize,
    pub lanes: usize,
}

impl Wire for BitMatrix {
    type Layout = BitsLayout;
    fn size(layout: &BitsLayout) -> Bytes {
        Bytes(BitMatrix::packed_len(layout.planes, layout.lanes) as u64)
    }
    fn encode(&self, out: &mut Vec<u8>) {
        self.pack_into(out);
    }
    fn decode(layout: &BitsLayout, bytes: &[u8]) -> Result<Self, Malformed> {
        check_length::<Self>(layout, bytes)?;
        BitMatrix::unpack(bytes, layout.planes, layout.lanes).ok_or(Malformed::Padding)
    }
}

fn check_length<T: Wire>(layout: &T::Layout, bytes: &[u8]) -> Result<(), Malformed> {
    let expected = T::size(layout).0;
    let found = bytes.len() as u64;
    if expected == found {
        Ok(())
    } else {
        Err(Malformed::Length { expected, found })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_the_layouts_and_padding_is_checked() {
        for bits in [1, 7, 28, 32, 48, 63, 64] {
            let layout = WordsLayout { count: 5, bits };
            let words = Words {
                bits,
                values: (0..5)
                    .map(|i| (i * 0x9e37_79b9) & subrosa_ring::mask(bits))
                    .collect(),
            };
            let mut out = Vec::new();
            words.encode(&mut out);
            assert_eq!(out.len() as u64, Words::size(&layout).0);
            assert_eq!(Words::decode(&layout, &out), Ok(words));
            let cut = &out[..out.len() - 1];
            assert!(matches!(
                Words::decode(&layout, cut),
                Err(Malformed::Length { .. })
            ));
            if !(5 * bits).is_multiple_of(8) {
                *out.last_mut().unwrap() |= 0x80;
                assert_eq!(Words::decode(&layout, &out), Err(Malformed::Padding));
            }
        }
    }
}
