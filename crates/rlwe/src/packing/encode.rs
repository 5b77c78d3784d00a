//! Where each element of input, weights and output lies.

use super::axis::{Phase, Piece};
use super::plan::place;
use super::{Packing, Spread};
use std::ops::Range;

/// Whose weights a polynomial holds: tiles of groups, inputs and outputs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct WeightTile {
    pub group: usize,
    pub input: usize,
    pub output: usize,
}

/// A part of the batch and of the map, and a tile of groups.
struct Place<'a> {
    images: Range<usize>,
    pieces: [&'a Piece; 2],
    groups: Range<usize>,
}

fn tile(index: usize, size: usize, whole: usize) -> Range<usize> {
    index * size..((index + 1) * size).min(whole)
}

impl Packing {
    /// The coefficients of a query: `x` at its places, zeros elsewhere.
    ///
    /// # Panics
    /// Where there is no such query or `x` does not fit the product.
    pub fn encode_input(&self, query: usize, x: &[u64]) -> Vec<u64> {
        assert_eq!(x.len(), self.in_len(), "the input fits the product");
        assert!(query < self.queries(), "the query exists");
        let mut polynomial = vec![0; self.degree];
        let Some(spread) = &self.spread else {
            return polynomial;
        };
        let shape = &self.shape;
        let depth = shape.in_channels / shape.groups;
        let plane = shape.in_height * shape.in_width;
        let inputs = spread.tiles.inputs;
        let place = self.place(spread, query / inputs);
        for (unit, image, group) in place.units(spread) {
            for (slot, input) in self.inputs(spread, query % inputs).enumerate() {
                let (channel, phases) = spread.phases(input);
                let from = ((image * shape.groups + group) * depth + channel) * plane;
                let at = unit + slot * spread.grid.plane;
                let [y, x_axis] = place.pieces;
                let spacing = [0, 1].map(|axis| spread.grid.axes[axis].spacing);
                for v in y.contents[phases[0]].clone() {
                    let row = spread.grid.axes[0].phases[phases[0]].start + spacing[0] * v;
                    let row = &x[from + row as usize * shape.in_width..][..shape.in_width];
                    let at = at + (v - y.origin) as usize * spread.grid.line;
                    for v in x_axis.contents[phases[1]].clone() {
                        let column = spread.grid.axes[1].phases[phases[1]].start + spacing[1] * v;
                        polynomial[at + (v - x_axis.origin) as usize] = row[column as usize];
                    }
                }
            }
        }
        polynomial
    }

    /// The weights with which a query goes into an answer; `None` where it does not.
    ///
    /// # Panics
    /// Where there is no such query or answer or `w` does not fit the product.
    pub fn encode_weight(&self, query: usize, answer: usize, w: &[i64]) -> Option<Vec<i64>> {
        assert!(query < self.queries(), "the query exists");
        assert!(answer < self.answers(), "the answer exists");
        let tiles = self.tiles();
        let (place, input) = (query / tiles.inputs, query % tiles.inputs);
        (place == answer / tiles.outputs).then(|| {
            let tile = WeightTile {
                group: place % tiles.groups,
                input,
                output: answer % tiles.outputs,
            };
            self.encode_weight_tile(tile, w)
        })
    }

    /// The weights of a tile, the same at every site.
    fn encode_weight_tile(&self, which: WeightTile, w: &[i64]) -> Vec<i64> {
        let mut polynomial = vec![0; self.degree];
        self.place_weights(which, w, |at, weight| polynomial[at] = weight);
        polynomial
    }

    /// Hands each weight of a tile to `put`, with its coefficient.
    pub(super) fn place_weights(
        &self,
        which: WeightTile,
        w: &[i64],
        mut put: impl FnMut(usize, i64),
    ) {
        let shape = &self.shape;
        assert_eq!(w.len(), shape.weight_len(), "the weights fit the product");
        let Some(spread) = &self.spread else {
            return;
        };
        let depth = shape.in_channels / shape.groups;
        let rows = shape.out_channels / shape.groups;
        let grid = &spread.grid;
        let reverse = |axis: usize, phase: usize| {
            let Phase { taps, .. } = &grid.axes[axis].phases[phase];
            let high = grid.axes[axis].high;
            taps.iter().map(move |&(k, at)| (k, (high - at) as usize))
        };
        let groups = tile(which.group, spread.tile.groups, shape.groups);
        for (index, group) in groups.enumerate() {
            let unit = place(index) * spread.unit();
            for (m, output) in tile(which.output, spread.tile.outputs, rows).enumerate() {
                for (slot, input) in self.inputs(spread, which.input).enumerate() {
                    let (channel, phases) = spread.phases(input);
                    let slot = (m + 1) * spread.tile.inputs - 1 - slot;
                    let at = unit + slot * grid.plane;
                    let row = group * rows + output;
                    for (ky, y) in reverse(0, phases[0]) {
                        for (kx, x) in reverse(1, phases[1]) {
                            let k = ky * shape.kernel_width + kx;
                            let from = if self.transposed {
                                channel * rows + output
                            } else {
                                (row * depth + channel) * shape.kernel_height * shape.kernel_width
                                    + k
                            };
                            put(at + y * grid.line + x, w[from]);
                        }
                    }
                }
            }
        }
    }

    /// The coefficients of an answer that are outputs, ascending. All others hold partial sums of
    /// weights and inputs and stay closed.
    ///
    /// # Panics
    /// Where there is no such answer.
    pub fn positions(&self, answer: usize) -> Vec<usize> {
        self.opened(answer).map(|(position, _)| position).collect()
    }

    /// The output that each of the [`Packing::positions`] holds.
    ///
    /// # Panics
    /// Where there is no such answer.
    pub fn outputs(&self, answer: usize) -> Vec<usize> {
        self.opened(answer).map(|(_, output)| output).collect()
    }

    fn opened(&self, answer: usize) -> impl Iterator<Item = (usize, usize)> {
        assert!(answer < self.answers(), "the answer exists");
        let shape = &self.shape;
        let rows = shape.out_channels / shape.groups;
        let (height, width) = (shape.out_height(), shape.out_width());
        self.spread.iter().flat_map(move |spread| {
            let outputs = spread.tiles.outputs;
            let place = self.place(spread, answer / outputs);
            let tile = tile(answer % outputs, spread.tile.outputs, rows);
            let [piece_y, piece_x] = place.pieces;
            place
                .output_units(spread)
                .flat_map(move |(unit, image, group)| {
                    tile.clone().enumerate().flat_map(move |(m, output)| {
                        let slot = (m + 1) * spread.tile.inputs - 1;
                        let at = unit + slot * spread.grid.plane;
                        let channel = image * shape.out_channels + group * rows + output;
                        piece_y.outputs.clone().flat_map(move |y| {
                            let at = at + piece_y.position(y) * spread.grid.line;
                            piece_x.outputs.clone().map(move |x| {
                                let index = (channel * height + y) * width + x;
                                (at + piece_x.position(x), index)
                            })
                        })
                    })
                })
        })
    }

    /// Input channels of a tile, each phase for itself.
    fn inputs(&self, spread: &Spread, index: usize) -> Range<usize> {
        let whole = self.shape.in_channels / self.shape.groups * spread.grid.phases();
        tile(index, spread.tile.inputs, whole)
    }

    fn place<'a>(&self, spread: &'a Spread, index: usize) -> Place<'a> {
        let [y, x] = &spread.grid.pieces;
        let (site, group) = (index / spread.tiles.groups, index % spread.tiles.groups);
        let (row, column) = (site / x.len(), site % x.len());
        let images = tile(row / y.len(), spread.tile.images, self.shape.batch);
        Place {
            images,
            pieces: [&y[row % y.len()], &x[column]],
            groups: tile(group, spread.tile.groups, self.shape.groups),
        }
    }
}

impl Spread {
    /// The channel of which an input is a phase, and which phase on each axis.
    fn phases(&self, input: usize) -> (usize, [usize; 2]) {
        let (all, columns) = (self.grid.phases(), self.grid.axes[1].phases.len());
        let phase = input % all;
        (input / all, [phase / columns, phase % columns])
    }
}

impl Place<'_> {
    /// (first coefficient in a query, image, group).
    fn units(&self, spread: &Spread) -> impl Iterator<Item = (usize, usize, usize)> {
        self.units_at(spread, 1)
    }

    /// (first coefficient in an answer, image, group).
    fn output_units(&self, spread: &Spread) -> impl Iterator<Item = (usize, usize, usize)> + use<> {
        self.units_at(spread, 2)
    }

    fn units_at(
        &self,
        spread: &Spread,
        times: usize,
    ) -> impl Iterator<Item = (usize, usize, usize)> + use<> {
        let (image_pitch, unit) = (spread.image(), spread.unit());
        let groups = self.groups.clone();
        self.images.clone().enumerate().flat_map(move |(i, image)| {
            groups
                .clone()
                .enumerate()
                .map(move |(g, group)| (i * image_pitch + times * place(g) * unit, image, group))
        })
    }
}
