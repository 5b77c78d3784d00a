//! The blocked matrix product under [`crate::matmul`] and [`crate::conv`]:
//! operands are cut into blocks that fit the caches and packed into panels,
//! lane by lane, for a register-blocked [`Kernel`] ([GG08], "Anatomy of
//! High-Performance Matrix Multiplication").

use std::ops::Range;

use crate::kernel::{Kernel, Lane};

/// Depth of one block: a panel of the right operand stays in the first-level
/// cache.
const DEPTH_BLOCK: usize = 256;
/// Rows of one block of the left operand, a multiple of every `Kernel::ROWS`:
/// the block stays in the second-level cache.
const ROW_BLOCK: usize = 96;
/// Columns of one block of the right operand, a multiple of every
/// `Kernel::COLUMNS`.
const COLUMN_BLOCK: usize = 512;
/// The largest tile of a kernel, rows times columns.
pub(crate) const TILE: usize = 256;
/// Steps of depth gathered at once while packing.
pub(crate) const GATHER: usize = 8;

/// An operand as `lanes` vectors along the depth: rows of the left one,
/// columns of the right one.
pub(crate) trait Operand<L: Lane> {
    /// The block `depth` x `lanes` in panels of `width` lanes: panel `q` at
    /// `q * width * depth.len()`, its step `p` at `p * width`, lanes beyond
    /// the operand zero. `lanes.start` is a multiple of `width`.
    fn block<'a>(
        &'a self,
        depth: Range<usize>,
        lanes: Range<usize>,
        width: usize,
        buffer: &'a mut Vec<L>,
    ) -> &'a [L];
}

/// A row-major left operand: lane `r`, step `p` at `r * stride + p`.
pub(crate) struct Rows<'a> {
    pub values: &'a [u64],
    pub stride: usize,
}

/// A row-major right operand: lane `c`, step `p` at `p * stride + c`.
pub(crate) struct Columns<'a> {
    pub values: &'a [u64],
    pub stride: usize,
}

impl<L: Lane> Operand<L> for Rows<'_> {
    fn block<'a>(
        &'a self,
        depth: Range<usize>,
        lanes: Range<usize>,
        width: usize,
        buffer: &'a mut Vec<L>,
    ) -> &'a [L] {
        let steps = depth.len();
        clear(buffer, lanes.len().next_multiple_of(width) * steps);
        if steps == 0 {
            return buffer;
        }
        for (panel, first) in buffer
            .chunks_exact_mut(width * steps)
            .zip(lanes.clone().step_by(width))
        {
            for lane in first..lanes.end.min(first + width) {
                let row = &self.values[lane * self.stride..][depth.clone()];
                for (to, &v) in panel[lane - first..].iter_mut().step_by(width).zip(row) {
                    *to = L::narrow(v);
                }
            }
        }
        buffer
    }
}

impl<L: Lane> Operand<L> for Columns<'_> {
    fn block<'a>(
        &'a self,
        depth: Range<usize>,
        lanes: Range<usize>,
        width: usize,
        buffer: &'a mut Vec<L>,
    ) -> &'a [L] {
        let steps = depth.len();
        clear(buffer, lanes.len().next_multiple_of(width) * steps);
        let mut rows: [&[u64]; GATHER] = [&[]; GATHER];
        for first in depth.clone().step_by(GATHER) {
            let count = GATHER.min(depth.end - first);
            for (i, row) in rows[..count].iter_mut().enumerate() {
                *row = &self.values[(first + i) * self.stride..][lanes.clone()];
            }
            scatter(&rows[..count], first - depth.start, steps, width, buffer);
        }
        buffer
    }
}

/// Writes the lanes of consecutive steps, from step `first` of `steps` on,
/// into their panels.
pub(crate) fn scatter<L: Lane>(
    rows: &[&[u64]],
    first: usize,
    steps: usize,
    width: usize,
    panels: &mut [L],
) {
    for (q, panel) in panels.chunks_exact_mut(width * steps).enumerate() {
        for (i, row) in rows.iter().enumerate() {
            let to = &mut panel[(first + i) * width..][..width];
            let from = &row[q * width..row.len().min((q + 1) * width)];
            for (to, &v) in to.iter_mut().zip(from) {
                *to = L::narrow(v);
            }
        }
    }
}

/// Makes `buffer` `len` zeros.
pub(crate) fn clear<L: Lane>(buffer: &mut Vec<L>, len: usize) {
    buffer.clear();
    buffer.resize(len, L::default());
}

/// An operand packed whole, for one kernel's panel width.
#[derive(Clone, Debug)]
pub(crate) struct Panels<L> {
    values: Vec<L>,
    lanes: usize,
    width: usize,
}

impl<L: Lane> Panels<L> {
    pub(crate) fn new(
        operand: &impl Operand<L>,
        depth: usize,
        lanes: usize,
        width: usize,
    ) -> Panels<L> {
        let mut values = Vec::with_capacity(depth * lanes.next_multiple_of(width));
        let mut buffer = Vec::new();
        for block in blocks(depth, DEPTH_BLOCK) {
            values.extend_from_slice(operand.block(block, 0..lanes, width, &mut buffer));
        }
        Panels {
            values,
            lanes,
            width,
        }
    }
}

impl<L: Lane> Operand<L> for Panels<L> {
    fn block<'a>(
        &'a self,
        depth: Range<usize>,
        lanes: Range<usize>,
        width: usize,
        _buffer: &'a mut Vec<L>,
    ) -> &'a [L] {
        assert_eq!(width, self.width);
        let start = depth.start * self.lanes.next_multiple_of(width) + lanes.start * depth.len();
        &self.values[start..][..lanes.len().next_multiple_of(width) * depth.len()]
    }
}

fn blocks(len: usize, size: usize) -> impl Iterator<Item = Range<usize>> {
    (0..len)
        .step_by(size)
        .map(move |start| start..len.min(start + size))
}

/// A part of a product: `rows` x `columns`, row `r` at `r * stride` in
/// `values`.
pub(crate) struct Tile<'a, L> {
    pub rows: Range<usize>,
    pub columns: Range<usize>,
    pub values: &'a [L],
    pub stride: usize,
}

/// The product of `left`, `m` lanes, and `right`, `n` lanes, both `depth`
/// long, given to `sink` in tiles that add up to it.
pub(crate) fn gemm<K: Kernel>(
    kernel: K,
    left: &impl Operand<K::Lane>,
    right: &impl Operand<K::Lane>,
    (m, depth, n): (usize, usize, usize),
    mut sink: impl FnMut(Tile<'_, K::Lane>),
) {
    const {
        assert!(K::ROWS * K::COLUMNS <= TILE);
        assert!(ROW_BLOCK.is_multiple_of(K::ROWS) && COLUMN_BLOCK.is_multiple_of(K::COLUMNS));
    }
    let (mut left_buffer, mut right_buffer) = (Vec::new(), Vec::new());
    let mut tile = [K::Lane::default(); TILE];
    for columns in blocks(n, COLUMN_BLOCK) {
        for steps in blocks(depth, DEPTH_BLOCK) {
            let right = right.block(
                steps.clone(),
                columns.clone(),
                K::COLUMNS,
                &mut right_buffer,
            );
            for rows in blocks(m, ROW_BLOCK) {
                let left = left.block(steps.clone(), rows.clone(), K::ROWS, &mut left_buffer);
                for (b, c) in right
                    .chunks_exact(K::COLUMNS * steps.len())
                    .zip(columns.clone().step_by(K::COLUMNS))
                {
                    for (a, r) in left
                        .chunks_exact(K::ROWS * steps.len())
                        .zip(rows.clone().step_by(K::ROWS))
                    {
                        let r_end = rows.end.min(r + K::ROWS);
                        kernel.tile(r_end - r, a, b, &mut tile);
                        sink(Tile {
                            rows: r..r_end,
                            columns: c..columns.end.min(c + K::COLUMNS),
                            values: &tile,
                            stride: K::COLUMNS,
                        });
                    }
                }
            }
        }
    }
}
