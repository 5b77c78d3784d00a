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
const TILE: usize = 256;
/// Steps of depth gathered at once while packing.
pub(crate) const GATHER: usize = 8;

/// An operand as `lanes` vectors along the depth: rows of the left one,
/// columns of the right one.
pub(crate) trait Operand<L: Lane> {
    /// The block `depth` x `lanes` in panels of `width` lanes: panel `q` at
    /// `q * width * depth.len()`, its step `p` at `p * width`, lanes beyond
    /// the operand of any value. `depth` and `lanes` are not empty, and
    /// `lanes.start` is a multiple of `width`.
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

/// Calls a function compiled for each panel width of the kernels.
macro_rules! with_width {
    ($width:expr, $pack:ident($($argument:expr),*)) => {
        match $width {
            4 => $pack::<_, 4>($($argument),*),
            6 => $pack::<_, 6>($($argument),*),
            8 => $pack::<_, 8>($($argument),*),
            16 => $pack::<_, 16>($($argument),*),
            32 => $pack::<_, 32>($($argument),*),
            width => unreachable!("no kernel has panels {width} wide"),
        }
    };
}

impl<L: Lane> Operand<L> for Rows<'_> {
    fn block<'a>(
        &'a self,
        depth: Range<usize>,
        lanes: Range<usize>,
        width: usize,
        buffer: &'a mut Vec<L>,
    ) -> &'a [L] {
        buffer.resize(
            lanes.len().next_multiple_of(width) * depth.len(),
            L::default(),
        );
        with_width!(width, interleave(self, depth, lanes, buffer));
        buffer
    }
}

/// Lanes beyond the operand repeat the last one.
fn interleave<L: Lane, const W: usize>(
    from: &Rows<'_>,
    depth: Range<usize>,
    lanes: Range<usize>,
    panels: &mut [L],
) {
    for (panel, first) in panels
        .chunks_exact_mut(W * depth.len())
        .zip(lanes.clone().step_by(W))
    {
        let rows: [&[u64]; W] = std::array::from_fn(|i| {
            let lane = lanes.end.min(first + i + 1) - 1;
            &from.values[lane * from.stride..][depth.clone()]
        });
        let (panel, _) = panel.as_chunks_mut::<W>();
        for (p, to) in panel.iter_mut().enumerate() {
            for (to, row) in to.iter_mut().zip(rows) {
                *to = L::narrow(row[p]);
            }
        }
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
        buffer.resize(lanes.len().next_multiple_of(width) * steps, L::default());
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
/// into their panels. Lanes beyond the operand become zero.
pub(crate) fn scatter<L: Lane>(
    rows: &[&[u64]],
    first: usize,
    steps: usize,
    width: usize,
    panels: &mut [L],
) {
    with_width!(width, scatter_wide(rows, first, steps, panels));
}

fn scatter_wide<L: Lane, const W: usize>(
    rows: &[&[u64]],
    first: usize,
    steps: usize,
    panels: &mut [L],
) {
    for (q, panel) in panels.chunks_exact_mut(W * steps).enumerate() {
        let (panel, _) = panel.as_chunks_mut::<W>();
        for (to, row) in panel[first..].iter_mut().zip(rows) {
            let from = &row[q * W..];
            if let Some(from) = from.first_chunk::<W>() {
                *to = from.map(L::narrow);
            } else {
                *to = [L::default(); W];
                for (to, &v) in to.iter_mut().zip(from) {
                    *to = L::narrow(v);
                }
            }
        }
    }
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
        let mut values = Vec::new();
        if lanes > 0 && depth <= DEPTH_BLOCK && depth > 0 {
            operand.block(0..depth, 0..lanes, width, &mut values);
        } else if lanes > 0 {
            values.reserve(depth * lanes.next_multiple_of(width));
            let mut buffer = Vec::new();
            for block in blocks(depth, DEPTH_BLOCK) {
                values.extend_from_slice(operand.block(block, 0..lanes, width, &mut buffer));
            }
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

/// Where a product is added, tile by tile.
pub(crate) trait Output {
    /// The elements from `(row, columns.start)` on and the distance of their
    /// rows; `None` where `columns` do not lie side by side.
    fn elements(&mut self, row: usize, columns: Range<usize>) -> Option<(&mut [u64], usize)>;

    /// Adds `values`, row `r` of the tile at `r * stride`.
    fn add(&mut self, rows: Range<usize>, columns: Range<usize>, values: &[u64], stride: usize);
}

/// Adds the product of `left`, `m` lanes, and `right`, `n` lanes, both `depth`
/// long, to `out`.
pub(crate) fn gemm<K: Kernel>(
    kernel: K,
    left: &impl Operand<K::Lane>,
    right: &impl Operand<K::Lane>,
    (m, depth, n): (usize, usize, usize),
    out: &mut impl Output,
) {
    const {
        assert!(K::ROWS * K::COLUMNS <= TILE);
        assert!(ROW_BLOCK.is_multiple_of(K::ROWS) && COLUMN_BLOCK.is_multiple_of(K::COLUMNS));
    }
    let (mut left_buffer, mut right_buffer) = (Vec::new(), Vec::new());
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
                multiply_block(kernel, left, right, steps.len(), rows, columns.clone(), out);
            }
        }
    }
}

fn multiply_block<K: Kernel>(
    kernel: K,
    left: &[K::Lane],
    right: &[K::Lane],
    steps: usize,
    rows: Range<usize>,
    columns: Range<usize>,
    out: &mut impl Output,
) {
    for (b, c) in right
        .chunks_exact(K::COLUMNS * steps)
        .zip(columns.clone().step_by(K::COLUMNS))
    {
        let c = c..columns.end.min(c + K::COLUMNS);
        let tiles = left
            .chunks_exact(K::ROWS * steps)
            .zip(rows.clone().step_by(K::ROWS));
        if c.len() == K::COLUMNS
            && let Some((elements, stride)) = out.elements(rows.start, c.clone())
        {
            for (a, r) in tiles {
                let elements = &mut elements[(r - rows.start) * stride..];
                kernel.tile(K::ROWS.min(rows.end - r), a, b, elements, stride);
            }
            continue;
        }
        for (a, r) in tiles {
            let r = r..rows.end.min(r + K::ROWS);
            let mut tile = [0; TILE];
            kernel.tile(r.len(), a, b, &mut tile, K::COLUMNS);
            out.add(r, c.clone(), &tile, K::COLUMNS);
        }
    }
}
