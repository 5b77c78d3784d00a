//! An interval for each channel of a wire.

use super::Interval;
use crate::{Spread, View, Window, volume};

/// Elements of channel c lie in `intervals[c]`.
#[derive(Clone, Debug)]
pub(super) struct Bands {
    spread: Spread,
    intervals: Vec<Interval>,
}

impl Bands {
    pub fn new(spread: Spread, intervals: Vec<Interval>) -> Self {
        Self { spread, intervals }
    }

    /// One interval for `length` elements.
    pub fn uniform(length: usize, interval: Interval) -> Self {
        Self::new(
            Spread {
                outer: 1,
                channels: 1,
                inner: length,
            },
            vec![interval],
        )
    }

    pub fn hull(&self) -> Interval {
        let all = self.intervals.iter().copied();
        all.reduce(Interval::union).unwrap_or_default()
    }

    pub fn map(&self, f: impl Fn(Interval) -> Interval) -> Self {
        Self::new(self.spread, self.intervals.iter().map(|i| f(*i)).collect())
    }

    /// The intervals of other channels of the same elements.
    pub fn on(&self, spread: &Spread) -> Vec<Interval> {
        if self.spread == *spread {
            return self.intervals.clone();
        }
        if self.spread.channels == 1 {
            return vec![self.intervals[0]; spread.channels];
        }
        let own = self.spread;
        let labels = (0..own.len()).map(|at| at / own.inner % own.channels);
        gather(labels.map(|channel| self.intervals[channel]), spread)
    }

    /// Sums of elements of two wires; the channels are those of the one that has more.
    pub fn plus(&self, other: &Self) -> Self {
        let (fine, coarse) = if self.spread.channels < other.spread.channels {
            (other, self)
        } else {
            (self, other)
        };
        let sums = fine
            .intervals
            .iter()
            .zip(coarse.on(&fine.spread))
            .map(|(a, b)| a.sum(b));
        Self::new(fine.spread, sums.collect())
    }

    /// The bands of values that lie between those of a window.
    pub fn pooled(&self, window: &Window) -> Self {
        let [from, to] = [window.in_size, window.out_size].map(|[h, w]| h * w);
        if self.spread.channels == 1 || !self.spread.inner.is_multiple_of(from) {
            return Self::uniform(window.out_len(), self.hull());
        }
        let inner = self.spread.inner / from * to;
        Self::new(
            Spread {
                inner,
                ..self.spread
            },
            self.intervals.clone(),
        )
    }

    /// The bands of a view of wires, by the second axis of its output, or its last if it has two.
    pub fn viewed(view: &View, x: &[&Self], shapes: &[&[usize]], out: &[usize]) -> Self {
        let axis = usize::from(out.len() > 1);
        let channels = out.get(axis).copied().unwrap_or(1);
        let inner = volume(out.get(axis + 1..).unwrap_or(&[]));
        let spread = Spread {
            outer: volume(out) / (channels * inner),
            channels,
            inner,
        };
        let elements: Vec<Vec<Interval>> = x
            .iter()
            .map(|bands| bands.spread.expand(&bands.intervals))
            .collect();
        let inputs: Vec<_> = shapes
            .iter()
            .copied()
            .zip(elements.iter().map(Vec::as_slice))
            .collect();
        Self::new(
            spread,
            gather(view.apply(&inputs, out).into_iter(), &spread),
        )
    }
}

/// For each channel the hull of its elements.
fn gather(elements: impl Iterator<Item = Interval>, spread: &Spread) -> Vec<Interval> {
    let mut found: Vec<Option<Interval>> = vec![None; spread.channels];
    for (at, interval) in elements.enumerate() {
        let known = &mut found[at / spread.inner % spread.channels];
        *known = Some(known.map_or(interval, |all| all.union(interval)));
    }
    found.into_iter().map(Option::unwrap_or_default).collect()
}
