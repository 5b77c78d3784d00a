//! Sets of item numbers, in few bytes.

use std::ops::Range;
use subrosa_core::{Bytes, Malformed, Wire};

/// Names an item within its series, once and for all. Below [`Numbers::LIMIT`].
pub type Number = u64;

/// A set of numbers in at most [`Numbers::RANGES`] ranges.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Numbers(Vec<Range<Number>>);

impl Numbers {
    pub const RANGES: usize = 31;
    pub const LIMIT: Number = 1 << 48;

    /// The first of `ascending`, as many as fit.
    pub(crate) fn first(ascending: impl Iterator<Item = Number>) -> Self {
        let mut ranges: Vec<Range<Number>> = Vec::new();
        for number in ascending {
            if let Some(last) = ranges.last_mut().filter(|last| last.end == number) {
                last.end += 1;
            } else if ranges.len() < Self::RANGES {
                ranges.push(number..number + 1);
            } else {
                break;
            }
        }
        Self(ranges)
    }

    /// Ascending, disjoint, neither empty nor touching.
    pub fn ranges(&self) -> &[Range<Number>] {
        &self.0
    }

    pub fn contains(&self, number: Number) -> bool {
        let after = self.0.partition_point(|range| range.end <= number);
        self.0.get(after).is_some_and(|r| r.contains(&number))
    }

    /// How many numbers are in the set.
    pub fn count(&self) -> u64 {
        self.0.iter().map(|range| range.end - range.start).sum()
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The numbers that are in all of `sets`, as many of the first as fit; none where there are no sets.
    ///
    /// In which order the sets come says nothing: what fits is found last.
    pub(crate) fn common<'a>(mut sets: impl Iterator<Item = &'a Self>) -> Self {
        let mut common = sets.next().cloned().unwrap_or_default().0;
        for set in sets {
            common = intersection(&common, &set.0);
        }
        common.truncate(Self::RANGES);
        Self(common)
    }

    /// Whether it is said of `number` that it is in the set or is not: a full set may have been cut.
    pub(crate) fn decides(&self, number: Number) -> bool {
        self.0.len() < Self::RANGES || number < self.end()
    }

    /// The first number above all of the set.
    pub(crate) fn end(&self) -> Number {
        self.0.last().map_or(0, |range| range.end)
    }
}

/// Ranges of one set do not touch, so those of the intersection do not.
fn intersection(one: &[Range<Number>], other: &[Range<Number>]) -> Vec<Range<Number>> {
    let (mut one, mut other) = (one.iter().peekable(), other.iter().peekable());
    let mut both = Vec::new();
    while let (Some(a), Some(b)) = (one.peek(), other.peek()) {
        let (start, end) = (a.start.max(b.start), a.end.min(b.end));
        if start < end {
            both.push(start..end);
        }
        match a.end < b.end {
            true => one.next(),
            false => other.next(),
        };
    }
    both
}

/// Start and end of each range as 64-bit words, little end first, then zeros.
impl Wire for Numbers {
    type Layout = ();
    fn size((): &()) -> Bytes {
        Bytes(16 * Self::RANGES as u64)
    }
    fn encode(&self, out: &mut Vec<u8>) {
        let end = out.len() + 16 * Self::RANGES;
        for range in &self.0 {
            out.extend_from_slice(&range.start.to_le_bytes());
            out.extend_from_slice(&range.end.to_le_bytes());
        }
        out.resize(end, 0);
    }
    fn decode((): &(), bytes: &[u8]) -> Result<Self, Malformed> {
        let (words, rest) = bytes.as_chunks::<8>();
        if words.len() != 2 * Self::RANGES || !rest.is_empty() {
            return Err(Malformed::Length {
                expected: Self::size(&()).0,
                found: bytes.len() as u64,
            });
        }
        let (pairs, _) = words.as_chunks::<2>();
        let mut ranges: Vec<Range<Number>> = Vec::new();
        let mut padding = false;
        for [start, end] in pairs {
            let (start, end) = (u64::from_le_bytes(*start), u64::from_le_bytes(*end));
            if padding || end == 0 {
                if start != 0 || end != 0 {
                    return Err(Malformed::Padding);
                }
                padding = true;
                continue;
            }
            let touches = ranges.last().is_some_and(|last| start <= last.end);
            if start >= end || end > Self::LIMIT || touches {
                return Err(Malformed::Range);
            }
            ranges.push(start..end);
        }
        Ok(Self(ranges))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    proptest! {
        #[test]
        fn a_set_of_numbers_travels(set in proptest::collection::btree_set(0u64..200, 0..80)) {
            let numbers = Numbers::first(set.iter().copied());
            let held: BTreeSet<u64> = (0..201).filter(|n| numbers.contains(*n)).collect();
            prop_assert_eq!(held.len() as u64, numbers.count());
            let first: BTreeSet<u64> = set.iter().copied().take(held.len()).collect();
            prop_assert_eq!(&held, &first);
            prop_assert!(held.len() == set.len() || numbers.ranges().len() == Numbers::RANGES);
            let mut bytes = Vec::new();
            numbers.encode(&mut bytes);
            prop_assert_eq!(bytes.len() as u64, Numbers::size(&()).0);
            prop_assert_eq!(Numbers::decode(&(), &bytes), Ok(numbers));
        }
    }

    proptest! {
        #[test]
        fn what_is_common_does_not_hang_on_the_order(
            sets in proptest::collection::vec(proptest::collection::btree_set(0u64..90, 20..90), 1..5),
        ) {
            let words: Vec<Numbers> = sets.iter().map(|s| Numbers::first(s.iter().copied())).collect();
            let common = Numbers::common(words.iter());
            prop_assert_eq!(&common, &Numbers::common(words.iter().rev()));
            let in_all = |n: &u64| words.iter().all(|word| word.contains(*n));
            let all: Vec<u64> = (0..91).filter(in_all).collect();
            prop_assert_eq!(&common, &Numbers::first(all.iter().copied()));
            for number in 0..91 {
                let told = common.contains(number) == in_all(&number);
                prop_assert!(told || !common.decides(number));
            }
        }
    }

    #[test]
    fn a_full_set_decides_below_its_end_alone() {
        let most = Numbers::RANGES as u64;
        let full = Numbers::first((0..2 * most).step_by(2));
        assert!(full.decides(2 * most - 3) && full.decides(2 * most - 2));
        assert!(!full.decides(2 * most - 1));
        assert!(Numbers::first((2..2 * most).step_by(2)).decides(1 << 40));
        assert!(Numbers::common([].into_iter()).is_empty());
    }

    #[test]
    fn malformed_sets_are_refused() {
        let encode = |words: &[u64]| {
            let mut bytes: Vec<u8> = words.iter().flat_map(|w| w.to_le_bytes()).collect();
            bytes.resize(16 * Numbers::RANGES, 0);
            Numbers::decode(&(), &bytes)
        };
        assert_eq!(encode(&[3, 5, 7, 9]).unwrap().count(), 4);
        for range in [
            &[5, 3][..],
            &[5, 5],
            &[3, 5, 5, 7],
            &[3, 5, 1, 2],
            &[0, Numbers::LIMIT + 1],
        ] {
            assert_eq!(encode(range), Err(Malformed::Range), "{range:?}");
        }
        for padding in [&[3, 5, 0, 0, 7, 9][..], &[3, 5, 1, 0]] {
            assert_eq!(encode(padding), Err(Malformed::Padding), "{padding:?}");
        }
        for length in [16 * Numbers::RANGES - 1, 16 * Numbers::RANGES + 1, 0] {
            assert!(matches!(
                Numbers::decode(&(), &vec![0; length]),
                Err(Malformed::Length { .. })
            ));
        }
    }
}
