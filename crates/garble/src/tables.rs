//! Garbled tables as they travel.

use crate::hash::{LANES_PER_KEY, Row, ZERO};
use crate::labels::{put_labels, read_labels};
use subrosa_core::{Bytes, Malformed, Wire};

/// The ciphertexts of `lanes` copies of one circuit: two for each AND gate and lane. Not `Clone`: evaluated once.
///
/// Order: blocks of [`LANES_PER_KEY`] lanes, in a block the AND gates, of a gate first all garbler's halves and then all
/// evaluator's halves.
///
/// ```compile_fail
/// fn twice(tables: subrosa_garble::Tables) { drop(tables.clone()); }
/// ```
/// ```compile_fail
/// use subrosa_garble::{ActiveLabels, Circuit, Evaluator, Tables};
/// fn twice(circuit: &Circuit, tables: Tables, a: ActiveLabels, b: ActiveLabels) {
///     let _ = Evaluator::new().evaluate(circuit, tables, a);
///     let _ = Evaluator::new().evaluate(circuit, tables, b);
/// }
/// ```
pub struct Tables {
    layout: TablesLayout,
    /// Key of the hash at the first input of the first gate in the first block.
    pub(crate) start: u128,
    rows: Vec<u128>,
}

/// Tables of `lanes` copies of a circuit with `ands` AND gates: 16 + 32 ands lanes bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TablesLayout {
    pub ands: usize,
    pub lanes: usize,
}

impl Tables {
    pub(crate) fn new(layout: TablesLayout, start: u128) -> Self {
        Self {
            layout,
            start,
            rows: Vec::with_capacity(2 * layout.ands * layout.lanes),
        }
    }

    pub fn layout(&self) -> TablesLayout {
        self.layout
    }

    /// Appends the first `lanes` lanes of one half of a gate.
    #[inline]
    pub(crate) fn push(&mut self, row: &Row, lanes: usize) {
        let labels = row.chunks_exact(2).take(lanes);
        self.rows.extend(labels.map(|l| label(l[0], l[1])));
    }

    /// Both halves of gate `index` in block `block`, which has `lanes` lanes.
    #[inline]
    pub(crate) fn gate(&self, block: usize, index: usize, lanes: usize) -> [Row; 2] {
        let at = 2 * (block * LANES_PER_KEY * self.layout.ands + index * lanes);
        let labels = &self.rows[at..at + 2 * lanes];
        [row(&labels[..lanes]), row(&labels[lanes..])]
    }
}

impl Wire for Tables {
    type Layout = TablesLayout;
    fn size(layout: &TablesLayout) -> Bytes {
        let gates = (layout.ands as u64).saturating_mul(layout.lanes as u64);
        Bytes(gates.saturating_mul(32).saturating_add(16))
    }
    fn encode(&self, out: &mut Vec<u8>) {
        put_labels(&[self.start], out);
        put_labels(&self.rows, out);
    }
    fn decode(layout: &TablesLayout, bytes: &[u8]) -> Result<Self, Malformed> {
        let mut labels = read_labels(Self::size(layout), bytes)?;
        Ok(Self {
            layout: *layout,
            start: labels.next().unwrap_or_default(),
            rows: labels.collect(),
        })
    }
}

pub(crate) fn label(low: u64, high: u64) -> u128 {
    u128::from(low) | u128::from(high) << 64
}

/// At most a block of labels as a row; the lanes that are not there are zero.
#[inline(always)]
pub(crate) fn row(labels: &[u128]) -> Row {
    let mut row = ZERO;
    for (words, label) in row.chunks_exact_mut(2).zip(labels) {
        words[0] = *label as u64;
        words[1] = (label >> 64) as u64;
    }
    row
}
