//! Values on their way through hands that do not know what they are.

use crate::{Bytes, Malformed, Wire};
use zeroize::Zeroizing;

/// The bytes of a value, wiped when dropped. The layout of the bytes is their number.
pub struct Encoded(Zeroizing<Vec<u8>>);

impl Encoded {
    pub fn of<T: Wire>(value: &T, layout: &T::Layout) -> Self {
        let length = usize::try_from(T::size(layout).0).unwrap_or(0);
        let mut bytes = Zeroizing::new(Vec::with_capacity(length));
        value.encode(&mut bytes);
        Self(bytes)
    }

    pub fn length(&self) -> Bytes {
        Bytes(self.0.len() as u64)
    }

    /// The value that the bytes are.
    pub fn value<T: Wire>(&self, layout: &T::Layout) -> Result<T, Malformed> {
        let expected = T::size(layout);
        if expected != self.length() {
            return Err(Malformed::Length {
                expected: expected.0,
                found: self.length().0,
            });
        }
        T::decode(layout, &self.0)
    }
}

impl Wire for Encoded {
    type Layout = Bytes;
    fn size(layout: &Bytes) -> Bytes {
        *layout
    }
    fn encode(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.0);
    }
    fn decode(layout: &Bytes, bytes: &[u8]) -> Result<Self, Malformed> {
        let found = bytes.len() as u64;
        match layout.0 == found {
            true => Ok(Self(Zeroizing::new(bytes.to_vec()))),
            false => Err(Malformed::Length {
                expected: layout.0,
                found,
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Words, WordsLayout};

    #[test]
    fn values_come_back_and_others_do_not() {
        let layout = WordsLayout { count: 5, bits: 13 };
        let words = Words {
            bits: 13,
            values: vec![1, 8191, 0, 77, 4096],
        };
        let encoded = Encoded::of(&words, &layout);
        assert_eq!(encoded.length(), Words::size(&layout));
        let mut bytes = Vec::new();
        encoded.encode(&mut bytes);
        let again = Encoded::decode(&encoded.length(), &bytes).unwrap();
        assert_eq!(again.value::<Words>(&layout).unwrap().values, words.values);
        let longer = WordsLayout { count: 7, ..layout };
        assert!(again.value::<Words>(&longer).is_err());
        assert!(Encoded::decode(&Bytes(1), &bytes).is_err());
    }
}
