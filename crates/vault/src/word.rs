//! What parties of a series tell each other. The caller carries the words; each has one length.
//!
//! The words of several parties are combined into one, which speaks for all of them and is as long as one: it tells
//! nothing of how many they are.

use crate::name::{Epoch, SeriesTag};
use crate::numbers::{Number, Numbers};
use std::marker::PhantomData;
use subrosa_core::{Bytes, Malformed, Wire};

/// How one party stands with a series when a session begins: epoch, next new number, items made.
///
/// A party that has more ranges of items than [`Numbers`] holds states the first of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    pub(crate) tag: SeriesTag,
    pub(crate) epoch: Epoch,
    pub(crate) nonce: u128,
    pub(crate) fresh: Number,
    pub(crate) made: Numbers,
}

impl Standing {
    pub fn epoch(&self) -> u64 {
        self.epoch.count
    }

    /// No number from here on was ever begun.
    pub fn fresh(&self) -> Number {
        self.fresh
    }

    pub fn made(&self) -> &Numbers {
        &self.made
    }

    /// What `all` say together, as the one at `to` is to hear it: their epoch if it is one, otherwise none after the
    /// last of theirs; the largest of the next new numbers; what all have made; the sum of all nonces but its own.
    pub(crate) fn combined(all: &[&Self], to: usize) -> Option<Self> {
        let first = all.first()?;
        let one_epoch = all.iter().all(|s| s.epoch == first.epoch);
        let last = all.iter().map(|s| s.epoch.count).max()?;
        let others = all.iter().enumerate().filter(|(at, _)| *at != to);
        let add = |sum: u128, (_, s): (usize, &&Self)| sum.wrapping_add(s.nonce);
        Some(Self {
            tag: first.tag,
            epoch: match one_epoch {
                true => first.epoch,
                false => Epoch::unsettled(last),
            },
            nonce: others.fold(0, add),
            fresh: all.iter().map(|s| s.fresh).max()?,
            made: Numbers::common(all.iter().map(|s| &s.made)),
        })
    }
}

impl Wire for Standing {
    type Layout = ();
    fn size((): &()) -> Bytes {
        Bytes(64) + Numbers::size(&())
    }
    fn encode(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.tag.0);
        out.extend_from_slice(&self.epoch.mark);
        out.extend_from_slice(&self.nonce.to_le_bytes());
        out.extend_from_slice(&self.epoch.count.to_le_bytes());
        out.extend_from_slice(&self.fresh.to_le_bytes());
        self.made.encode(out);
    }
    fn decode((): &(), bytes: &[u8]) -> Result<Self, Malformed> {
        let short = Malformed::Length {
            expected: Self::size(&()).0,
            found: bytes.len() as u64,
        };
        let mut rest = bytes;
        let tag = SeriesTag(split(&mut rest).ok_or(short.clone())?);
        let mark = split(&mut rest).ok_or(short.clone())?;
        let nonce = u128::from_le_bytes(split(&mut rest).ok_or(short.clone())?);
        let count = u64::from_le_bytes(split(&mut rest).ok_or(short.clone())?);
        let fresh = u64::from_le_bytes(split(&mut rest).ok_or(short)?);
        let made = Numbers::decode(&(), rest)?;
        if count >= Numbers::LIMIT || fresh > Numbers::LIMIT || made.end() > fresh {
            return Err(Malformed::Range);
        }
        Ok(Self {
            tag,
            epoch: Epoch { count, mark },
            nonce,
            fresh,
            made,
        })
    }
}

/// That items are whole and durable at the party that says so. See [`Made`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Durable {}

/// That items have left the ledger of the party that says so. See [`Claim`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gone {}

/// Tells the kinds of [`Word`] apart, also on the wire.
pub trait Kind: Send + 'static {
    const CODE: u8;
}

impl Kind for Durable {
    const CODE: u8 = 1;
}

impl Kind for Gone {
    const CODE: u8 = 2;
}

/// What one party says of some items of one series and epoch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Word<K> {
    stamp: [u8; 16],
    numbers: Numbers,
    kind: PhantomData<fn(K)>,
}

/// The items of one lot that a party has made.
pub type Made = Word<Durable>;

/// The items that a party has marked as taken.
pub type Claim = Word<Gone>;

impl<K: Kind> Word<K> {
    pub(crate) fn new(tag: &SeriesTag, epoch: &Epoch, numbers: Numbers) -> Self {
        Self {
            stamp: epoch.stamp(K::CODE, tag),
            numbers,
            kind: PhantomData,
        }
    }

    pub fn numbers(&self) -> &Numbers {
        &self.numbers
    }

    pub(crate) fn speaks_of(&self, tag: &SeriesTag, epoch: &Epoch) -> bool {
        self.stamp == epoch.stamp(K::CODE, tag)
    }
}

impl<K: Kind> Wire for Word<K> {
    type Layout = ();
    fn size((): &()) -> Bytes {
        Bytes(16) + Numbers::size(&())
    }
    fn encode(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.stamp);
        self.numbers.encode(out);
    }
    fn decode((): &(), bytes: &[u8]) -> Result<Self, Malformed> {
        let mut rest = bytes;
        let stamp = split(&mut rest).ok_or(Malformed::Length {
            expected: Self::size(&()).0,
            found: bytes.len() as u64,
        })?;
        Ok(Self {
            stamp,
            numbers: Numbers::decode(&(), rest)?,
            kind: PhantomData,
        })
    }
}

fn split<const N: usize>(bytes: &mut &[u8]) -> Option<[u8; N]> {
    let (head, rest) = bytes.split_first_chunk()?;
    *bytes = rest;
    Some(*head)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn encoded<T: Wire>(value: &T) -> Vec<u8> {
        let mut bytes = Vec::new();
        value.encode(&mut bytes);
        bytes
    }

    fn standing(count: u64, fresh: u64, made: std::ops::Range<u64>) -> Standing {
        Standing {
            tag: SeriesTag([1; 16]),
            epoch: Epoch {
                count,
                mark: [2; 16],
            },
            nonce: 3,
            fresh,
            made: Numbers::first(made),
        }
    }

    #[test]
    fn standings_travel_and_hold_what_they_say() {
        let good = standing(5, 9, 3..9);
        let bytes = encoded(&good);
        assert_eq!(bytes.len() as u64, Standing::size(&()).0);
        assert_eq!(Standing::decode(&(), &bytes), Ok(good));
        let cases = [
            standing(5, 9, 3..10),
            standing(Numbers::LIMIT, 9, 3..9),
            standing(5, Numbers::LIMIT + 1, 3..9),
        ];
        for bad in cases {
            let bytes = encoded(&bad);
            assert_eq!(Standing::decode(&(), &bytes), Err(Malformed::Range));
        }
        for length in 0..bytes.len() {
            let cut = Standing::decode(&(), &bytes[..length]);
            assert!(matches!(cut, Err(Malformed::Length { .. })), "{length}");
        }
    }

    #[test]
    fn what_all_say_is_told_to_each_without_its_own_nonce() {
        let all = [
            standing(5, 9, 3..9),
            standing(5, 12, 0..7),
            standing(5, 7, 6..7),
        ];
        let all = all.map(|s| Standing {
            nonce: u128::MAX - s.fresh as u128,
            ..s
        });
        let told = |to| Standing::combined(&all.each_ref(), to).unwrap();
        for (to, own) in all.iter().enumerate() {
            let word = told(to);
            assert_eq!((word.epoch, word.fresh()), (own.epoch, 12));
            assert_eq!(word.made(), &Numbers::first(6..7));
            let sum = all.iter().fold(0u128, |sum, s| sum.wrapping_add(s.nonce));
            assert_eq!(word.nonce.wrapping_add(own.nonce), sum);
            assert_eq!(Standing::decode(&(), &encoded(&word)), Ok(word));
        }
        for other in [
            standing(7, 9, 3..9),
            Standing {
                epoch: Epoch::unsettled(5),
                ..all[0].clone()
            },
        ] {
            let word = Standing::combined(&[&all[0], &other], 0).unwrap();
            assert!(!word.epoch.is_settled());
            assert_eq!(word.epoch(), other.epoch());
        }
        assert_eq!(Standing::combined(&[], 0), None);
    }

    /// Values of 64 bits with small ones among them, so that many are near to something valid.
    fn bytes(words: usize) -> impl Strategy<Value = Vec<u8>> {
        let word = prop_oneof![0u64..40, Just(Numbers::LIMIT), any::<u64>()];
        let words = proptest::collection::vec(word, 0..words + 2);
        words.prop_map(|words| words.iter().flat_map(|w| w.to_le_bytes()).collect())
    }

    fn read_back<T: Wire<Layout = ()>>(bytes: &[u8]) -> Option<T> {
        let value = T::decode(&(), bytes).ok()?;
        assert_eq!(encoded(&value), bytes);
        Some(value)
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_back_or_refused(bytes in bytes(70)) {
            let mut padded = bytes.clone();
            padded.resize(Standing::size(&()).0 as usize, 0);
            for bytes in [&bytes, &padded, &padded[48..].to_vec()] {
                let (made, claim) = (read_back::<Made>(bytes), read_back::<Claim>(bytes));
                prop_assert_eq!(made.is_some(), claim.is_some());
                prop_assert_eq!(read_back::<SeriesTag>(bytes).is_some(), bytes.len() == 16);
                let Some(read) = read_back::<Standing>(bytes) else {
                    continue;
                };
                // Whatever was read can be combined and told.
                let good = standing(5, 9, 3..9);
                let word = Standing::combined(&[&read, &good], 1).unwrap();
                prop_assert_eq!(read_back::<Standing>(&encoded(&word)), Some(word));
            }
        }
    }

    #[test]
    fn words_speak_of_their_kind_series_and_epoch() {
        let (tag, epoch) = (SeriesTag([1; 16]), Epoch::unsettled(4));
        let claim = Claim::new(&tag, &epoch, Numbers::first(2..7));
        let bytes = encoded(&claim);
        assert_eq!(bytes.len() as u64, Claim::size(&()).0);
        assert_eq!(Claim::decode(&(), &bytes), Ok(claim.clone()));
        assert!(claim.speaks_of(&tag, &epoch));
        assert!(!claim.speaks_of(&SeriesTag([2; 16]), &epoch));
        assert!(!claim.speaks_of(&tag, &Epoch::unsettled(5)));
        let posed = Made::decode(&(), &bytes).unwrap();
        assert!(!posed.speaks_of(&tag, &epoch));
    }
}
