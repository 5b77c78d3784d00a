//! Garbled tables as they travel.

use crate::half_gates::Halves;
use crate::hash::{LANES_PER_KEY, Label, ROW, Row, ZERO};
use crate::labels::{put_labels, read_labels};
use subrosa_core::{Bytes, Malformed, Wire};

/// The ciphertexts of `lanes` copies of one circuit: two for each AND gate and lane. Not `Clone`: evaluated once.
///
/// Order: blocks of [`LANES_PER_KEY`] lanes, in a block the AND gates, of a gate first all garbler's halves and then all
/// evaluator's halves.
///
/// ```compile_fail,E0599
/// fn twice(tables: subrosa_garble::Tables) { drop(tables.clone()); }
/// ```
/// ```compile_fail,E0382
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
    /// Low and high word of each ciphertext.
    words: Vec<u64>,
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
            words: Vec::with_capacity(4 * layout.ands * layout.lanes),
        }
    }

    pub fn layout(&self) -> TablesLayout {
        self.layout
    }

    /// Appends the first `lanes` lanes of a gate.
    #[inline(always)]
    pub(crate) fn push(&mut self, halves: &Halves, lanes: usize) {
        push_rows(&mut self.words, halves, lanes);
    }

    /// Gate `index` in block `block`, which has `lanes` lanes.
    #[inline(always)]
    pub(crate) fn gate(&self, block: usize, index: usize, lanes: usize) -> Halves {
        let at = 2 * (block * ROW * self.layout.ands + index * 2 * lanes);
        let mut halves = [ZERO; 2];
        read_rows(&self.words[at..], &mut halves, lanes);
        halves
    }
}

impl Wire for Tables {
    type Layout = TablesLayout;
    fn size(layout: &TablesLayout) -> Bytes {
        let gates = (layout.ands as u64).saturating_mul(layout.lanes as u64);
        Bytes(gates.saturating_mul(32).saturating_add(16))
    }
    fn encode(&self, out: &mut Vec<u8>) {
        put_labels([self.start].into_iter(), out);
        let labels = self.words.as_chunks().0;
        put_labels(labels.iter().copied().map(join), out);
    }
    fn decode(layout: &TablesLayout, bytes: &[u8]) -> Result<Self, Malformed> {
        let mut labels = read_labels(Self::size(layout), bytes)?;
        Ok(Self {
            layout: *layout,
            start: labels.next().unwrap_or_default(),
            words: labels.flat_map(split).collect(),
        })
    }
}

/// Appends the first `lanes` lanes of each row.
#[inline(always)]
pub(crate) fn push_rows(words: &mut Vec<u64>, rows: &[Row], lanes: usize) {
    if lanes == LANES_PER_KEY {
        words.extend_from_slice(rows.as_flattened());
    } else {
        rows.iter()
            .for_each(|row| words.extend_from_slice(&row[..2 * lanes]));
    }
}

/// Rows of `lanes` lanes from the start of `words`; other lanes stay.
#[inline(always)]
pub(crate) fn read_rows(words: &[u64], rows: &mut [Row], lanes: usize) {
    if lanes == LANES_PER_KEY {
        let rows = rows.as_flattened_mut();
        rows.copy_from_slice(&words[..rows.len()]);
    } else {
        for (row, words) in rows.iter_mut().zip(words.chunks_exact(2 * lanes)) {
            row[..2 * lanes].copy_from_slice(words);
        }
    }
}

pub(crate) fn split(label: u128) -> Label {
    [label as u64, (label >> 64) as u64]
}

pub(crate) fn join(label: Label) -> u128 {
    u128::from(label[0]) | u128::from(label[1]) << 64
}

/// At most a block of labels as a row; the lanes that are not there are zero.
#[inline(always)]
pub(crate) fn row(labels: &[u128]) -> Row {
    let mut row = ZERO;
    for (to, label) in row.as_chunks_mut().0.iter_mut().zip(labels) {
        *to = split(*label);
    }
    row
}
