//! Every way to spread a product over polynomials that is tried, and what each costs.

use super::axis::{Axis, AxisShape, Cut, Piece, Room};
use super::{Costs, Tile, Tiles};
use std::rc::Rc;
use subrosa_ring::ConvShape;

/// Both axes cut into phases and pieces, with the pitches that keep their margins.
#[derive(Clone, Debug)]
pub(super) struct Grid {
    pub axes: [Axis; 2],
    pub pieces: [Vec<Piece>; 2],
    /// Coefficients from one row to the next.
    pub line: usize,
    /// Coefficients from one channel to the next.
    pub plane: usize,
}

impl Grid {
    fn new(axes: [Axis; 2], size: [usize; 2]) -> Self {
        let pieces = [axes[0].pieces(size[0]), axes[1].pieces(size[1])];
        let y = Room::of(&axes[0], &pieces[0]);
        let x = Room::of(&axes[1], &pieces[1]);
        // A product of a row ends before the first output of the next row, a product of a plane
        // before the first output of the next plane. Each tap is read somewhere, so that all taps fit too.
        let line = x.overhang.max(x.reach) + 1;
        let plane = (y.overhang * line + x.overhang).max(y.reach * line + x.reach) + 1;
        Self {
            axes,
            pieces,
            line: line as usize,
            plane: plane as usize,
        }
    }

    /// Channels of a polynomial for each channel of the input.
    pub fn phases(&self) -> usize {
        self.axes[0].phases.len() * self.axes[1].phases.len()
    }
}

/// Room for `groups` groups, in units of one group: twice the last [`place`], and one.
pub(super) fn groups_span(groups: usize) -> usize {
    2 * place(groups.saturating_sub(1)) + 1
}

/// Where group `index` lies in a query, and by how much its weights shift it: its outputs lie at
/// twice that. No three places are in arithmetic progression (the bits of the index, read in base 3), so
/// no product of a group with another's weights meets an output.
pub(super) fn place(index: usize) -> usize {
    (0..usize::BITS)
        .rev()
        .fold(0, |sum, bit| 3 * sum + (index >> bit & 1))
}

/// All spreads that are tried for a shape of which some tap is read. There is at least one for
/// every degree.
pub(super) fn spreads(shape: &ConvShape, degree: usize) -> impl Iterator<Item = (Rc<Grid>, Tile)> {
    let shape = *shape;
    let axes = axis_shapes(&shape);
    let cuts = |axis: AxisShape| Cut::ALL.into_iter().filter_map(move |c| Axis::new(axis, c));
    let axes = cuts(axes[0]).flat_map(move |y| cuts(axes[1]).map(move |x| [y.clone(), x]));
    let grids = axes.flat_map(move |axes| {
        parts(shape.out_height()).flat_map(move |height| {
            let axes = axes.clone();
            parts(shape.out_width()).map(move |width| Grid::new(axes.clone(), [height, width]))
        })
    });
    grids.map(Rc::new).flat_map(move |grid| {
        let tiles = tiles(&shape, grid.phases(), degree / grid.plane);
        tiles.map(move |tile| (grid.clone(), tile))
    })
}

/// Tiles that fill `slots` channels of a polynomial.
fn tiles(shape: &ConvShape, phases: usize, slots: usize) -> impl Iterator<Item = Tile> + use<> {
    let inputs = shape.in_channels / shape.groups * phases;
    let outputs = shape.out_channels / shape.groups;
    let (batch, groups) = (shape.batch, shape.groups);
    let fitting = |whole: usize, room: usize| parts(whole).filter(move |&part| part <= room);
    fitting(batch, slots).flat_map(move |images| {
        let slots = slots / images;
        fitting(groups, slots)
            .filter(move |&groups| groups_span(groups) <= slots)
            .flat_map(move |groups| {
                let slots = slots / groups_span(groups);
                fitting(inputs, slots).map(move |inputs| {
                    let most = outputs.min(slots / inputs);
                    Tile {
                        images,
                        groups,
                        inputs,
                        outputs: outputs.div_ceil(outputs.div_ceil(most)),
                    }
                })
            })
    })
}

/// The sizes `ceil(whole / n)`, largest first.
fn parts(whole: usize) -> impl Iterator<Item = usize> {
    let next = move |&part: &usize| (part > 1).then(|| whole.div_ceil(whole.div_ceil(part - 1)));
    std::iter::successors(Some(whole), next)
}

pub(super) fn axis_shapes(shape: &ConvShape) -> [AxisShape; 2] {
    let axis = |i: usize, size, kernel, out| AxisShape {
        size,
        kernel,
        stride: shape.stride[i],
        dilation: shape.dilation[i],
        pad: shape.pad_begin[i],
        out,
    };
    let (height, width) = (shape.out_height(), shape.out_width());
    [
        axis(0, shape.in_height, shape.kernel_height, height),
        axis(1, shape.in_width, shape.kernel_width, width),
    ]
}

/// The cheapest spread, the first of equals.
pub(super) fn cheapest(shape: &ConvShape, costs: &Costs) -> Option<(Rc<Grid>, Tile)> {
    spreads(shape, costs.degree).min_by_key(|(grid, tile)| {
        let tiles = Tiles::new(shape, grid, tile);
        cost(&tiles, costs)
    })
}

/// Cost in bits: all ciphertexts, and for each product an eighth of a bit a coefficient, which is
/// what its time is worth on a link of about a gigabit a second. Opened coefficients cost every
/// spread the same.
fn cost(tiles: &Tiles, costs: &Costs) -> u128 {
    let times = |count: usize, bits: u32| count as u128 * costs.degree as u128 * u128::from(bits);
    times(tiles.queries(), costs.query_bits)
        + times(tiles.answers(), costs.answer_bits)
        + times(tiles.products(), 1) / 8
}
