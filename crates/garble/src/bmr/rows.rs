//! Rows of AND gates as they travel and as the evaluator keeps them.

use super::Fault;
use crate::circuit::Circuit;
use crate::hash::{ROW, Row};
use crate::labels::{LabelFault, put_labels, read_labels};
use crate::tables::{join, push_rows, read_rows, split};
use subrosa_core::{Bytes, Malformed, Wire};
use subrosa_ring::xor_into;

/// One garbler's share of all rows, and the first of its keys of the hash. Not `Clone`.
///
/// Order: blocks of [`LANES_PER_KEY`](crate::LANES_PER_KEY) lanes, in a block the AND gates, of a gate the rows `2 x + y`, of a row the targets.
///
/// ```compile_fail,E0599
/// fn twice(shares: subrosa_garble::bmr::RowShares) { drop(shares.clone()); }
/// ```
pub struct RowShares {
    layout: RowsLayout,
    start: u128,
    words: Vec<u64>,
}

/// The sum of the garblers' shares, and their first keys: what the evaluator keeps. Not `Clone`: evaluated once.
///
/// ```compile_fail,E0599
/// fn twice(rows: subrosa_garble::bmr::Rows) { drop(rows.clone()); }
/// ```
/// ```compile_fail,E0382
/// use subrosa_garble::{Circuit, bmr::{ActiveInputs, Rows, evaluate}};
/// fn twice(circuit: &Circuit, rows: Rows, a: [ActiveInputs; 2], b: [ActiveInputs; 2]) {
///     let ([shared, public], [other, also]) = (a, b);
///     let _ = evaluate(circuit, rows, shared, public);
///     let _ = evaluate(circuit, rows, other, also);
/// }
/// ```
pub struct Rows {
    layout: RowsLayout,
    pub(crate) starts: Vec<u128>,
    words: Vec<u64>,
}

/// Rows of `lanes` copies of a circuit with `ands` AND gates: `64 garblers ands lanes` bytes, and 16 for each first key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RowsLayout {
    pub garblers: usize,
    pub ands: usize,
    pub lanes: usize,
}

impl RowsLayout {
    pub fn of(circuit: &Circuit, garblers: usize, lanes: usize) -> Self {
        Self {
            garblers,
            ands: circuit.ands(),
            lanes,
        }
    }

    fn bytes(&self, starts: usize) -> Bytes {
        let blocks = [self.garblers, self.ands, self.lanes]
            .iter()
            .fold(4u64, |product, factor| {
                product.saturating_mul(*factor as u64)
            });
        Bytes(blocks.saturating_add(starts as u64).saturating_mul(16))
    }

    pub(crate) fn check(&self, ands: usize, lanes: usize) -> Result<(), LabelFault> {
        if self.ands != ands {
            return Err(LabelFault::Ands {
                expected: ands,
                found: self.ands,
            });
        }
        if self.lanes != lanes {
            return Err(LabelFault::Lanes {
                expected: lanes,
                found: self.lanes,
            });
        }
        Ok(())
    }
}

impl RowShares {
    pub(crate) fn new(layout: RowsLayout, start: u128) -> Self {
        Self {
            layout,
            start,
            words: Vec::with_capacity(8 * layout.garblers * layout.ands * layout.lanes),
        }
    }

    pub fn layout(&self) -> RowsLayout {
        self.layout
    }

    /// Appends the first `lanes` lanes of all rows of a gate.
    #[inline(always)]
    pub(crate) fn push(&mut self, rows: &[Row], lanes: usize) {
        push_rows(&mut self.words, rows, lanes);
    }
}

impl Rows {
    /// Sums the shares of all garblers, in order of place.
    ///
    /// # Errors
    /// [`Fault::Garblers`] where their number is not that of the targets, [`Fault::Garbler`] where a share is of another shape than the first.
    pub fn add(shares: Vec<RowShares>) -> Result<Self, Fault> {
        let found = shares.len();
        let mut shares = shares.into_iter();
        let Some(first) = shares.next() else {
            return Err(Fault::Garblers {
                expected: 2,
                found: 0,
            });
        };
        let layout = first.layout;
        Fault::count(layout.garblers, found)?;
        let mut rows = Self {
            layout,
            starts: vec![first.start],
            words: first.words,
        };
        for (garbler, share) in (1..).zip(shares) {
            Fault::count(layout.garblers, share.layout.garblers)?;
            let same = share.layout.check(layout.ands, layout.lanes);
            same.map_err(Fault::of(garbler))?;
            rows.starts.push(share.start);
            xor_into(&mut rows.words, &share.words);
        }
        Ok(rows)
    }

    pub fn layout(&self) -> RowsLayout {
        self.layout
    }

    /// All rows of gate `index` in block `block`, which has `lanes` lanes. rows: [4, targets].
    #[inline(always)]
    pub(crate) fn gate(&self, block: usize, index: usize, lanes: usize, rows: &mut [Row]) {
        let before = ROW * block * self.layout.ands + 2 * index * lanes;
        read_rows(&self.words[before * rows.len()..], rows, lanes);
    }

    /// Key of the hash of each garbler at gate `index` in block `block`.
    #[inline(always)]
    pub(crate) fn keys(&self, block: usize, index: usize) -> impl Iterator<Item = u128> {
        let skipped = block as u128 * self.layout.ands as u128 + index as u128;
        let starts = self.starts.iter();
        starts.map(move |start| start.wrapping_add(skipped))
    }
}

impl Wire for RowShares {
    type Layout = RowsLayout;
    fn size(layout: &RowsLayout) -> Bytes {
        layout.bytes(1)
    }
    fn encode(&self, out: &mut Vec<u8>) {
        put_labels([self.start].into_iter(), out);
        put_labels(self.words.as_chunks().0.iter().copied().map(join), out);
    }
    fn decode(layout: &RowsLayout, bytes: &[u8]) -> Result<Self, Malformed> {
        let mut blocks = read_labels(Self::size(layout), bytes)?;
        Ok(Self {
            layout: *layout,
            start: blocks.next().unwrap_or_default(),
            words: blocks.flat_map(split).collect(),
        })
    }
}

impl Wire for Rows {
    type Layout = RowsLayout;
    fn size(layout: &RowsLayout) -> Bytes {
        layout.bytes(layout.garblers)
    }
    fn encode(&self, out: &mut Vec<u8>) {
        put_labels(self.starts.iter().copied(), out);
        put_labels(self.words.as_chunks().0.iter().copied().map(join), out);
    }
    fn decode(layout: &RowsLayout, bytes: &[u8]) -> Result<Self, Malformed> {
        let mut blocks = read_labels(Self::size(layout), bytes)?;
        Ok(Self {
            layout: *layout,
            starts: blocks.by_ref().take(layout.garblers).collect(),
            words: blocks.flat_map(split).collect(),
        })
    }
}
