//! Coefficient packing: a product with plain weights as products of polynomials, without rotations.
//!
//! [Cheetah] Huang, Lu, Hong, Ding, USENIX Security 2022, section 3. One polynomial holds, from the
//! finest to the coarsest, columns, rows, channels, output channels, groups and images. With a row every
//! `line` coefficients, a channel every `plane` coefficients, `C` input and `M` output channels:
//!
//! ```text
//! x[c, y, x]          at c*plane + y*line + x
//! w[m, c, ky, kx]     at (m*C + C-1-c)*plane + (kh-1-ky)*line + (kw-1-kx)
//! out[m, y, x]        at (m*C + C-1)*plane + (y+kh-1)*line + (x+kw-1)
//! ```
//!
//! Images follow each other every `C*M*plane` coefficients and share the weights. A matrix product is
//! the case of 1x1 images and kernels. What goes beyond the paper:
//!
//! - Padding is never sent. The zeros behind a row serve as the margin before the next one too.
//! - A stride is a polyphase decomposition: a channel for each residue that some tap reads.
//! - Several groups share a polynomial, at places without arithmetic progressions of length three: group g of
//!   the input at place g, its weights at place g, its output at twice place g. A third place between
//!   would meet it only if it lay half way.
//! - Maps larger than a polynomial are cut into pieces of the output, whose inputs overlap.
//!
//! All sizes follow from the product alone, so they tell nothing of weights or inputs.

mod axis;
mod choice;
mod collective;
mod encode;
mod layer;
mod parallel;
mod plan;
#[cfg(test)]
mod tests;

pub use choice::{Release, collective_parameters_for, parameters_for, parameters_for_all};
pub use collective::{CollectiveQuery, CollectiveQueryLayout};
pub use layer::{Answer, Layer, Query};

use axis::Axis;
use plan::{Grid, cheapest, groups_span};
use subrosa_ring::ConvShape;

/// A product of an input with plain weights, as geometry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Product {
    /// x: [rows, inner], w: [inner, columns] -> [rows, columns].
    MatMul {
        rows: usize,
        inner: usize,
        columns: usize,
    },
    /// x: [batch, in, h, w], w: [out, in / groups, kh, kw] -> [batch, out, oh, ow].
    Conv(ConvShape),
    /// x: [outer, channels, inner], w: [channels] -> [outer, channels, inner], element by element.
    Diagonal {
        outer: usize,
        channels: usize,
        inner: usize,
    },
}

impl Product {
    /// The same product as a convolution; the weights of a matrix product are transposed.
    fn conv(&self) -> ConvShape {
        let plain = ConvShape {
            batch: 1,
            in_channels: 1,
            in_height: 1,
            in_width: 1,
            out_channels: 1,
            kernel_height: 1,
            kernel_width: 1,
            stride: [1; 2],
            dilation: [1; 2],
            pad_begin: [0; 2],
            pad_end: [0; 2],
            groups: 1,
        };
        match *self {
            Self::Conv(shape) => shape,
            Self::MatMul {
                rows,
                inner,
                columns,
            } => ConvShape {
                batch: rows,
                in_channels: inner,
                out_channels: columns,
                ..plain
            },
            Self::Diagonal {
                outer,
                channels,
                inner,
            } => ConvShape {
                batch: outer,
                in_channels: channels,
                out_channels: channels,
                groups: channels.max(1),
                in_width: inner,
                ..plain
            },
        }
    }

    /// Elements of the input.
    pub fn in_len(&self) -> usize {
        self.conv().in_len()
    }

    /// Elements of the weights.
    pub fn weight_len(&self) -> usize {
        self.conv().weight_len()
    }

    /// Elements of the output.
    pub fn out_len(&self) -> usize {
        self.conv().out_len()
    }
}

/// What a ciphertext costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Costs {
    /// Coefficients of a polynomial.
    pub degree: usize,
    /// Bits of a coefficient of a query, which is one polynomial and a seed.
    pub query_bits: u32,
    /// Bits of a coefficient of an answer: one whole polynomial, and the opened coefficients of a second.
    pub answer_bits: u32,
}

/// What one polynomial holds at most.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Tile {
    images: usize,
    groups: usize,
    /// Input channels of a group, each phase for itself.
    inputs: usize,
    /// Output channels of a group.
    outputs: usize,
}

/// How many tiles there are of each kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Tiles {
    /// Image tiles times pieces of the map.
    sites: usize,
    groups: usize,
    inputs: usize,
    outputs: usize,
}

impl Tiles {
    fn new(shape: &ConvShape, grid: &Grid, tile: &Tile) -> Self {
        let inputs = shape.in_channels / shape.groups * grid.phases();
        let outputs = shape.out_channels / shape.groups;
        Self {
            sites: shape.batch.div_ceil(tile.images) * grid.pieces[0].len() * grid.pieces[1].len(),
            groups: shape.groups.div_ceil(tile.groups),
            inputs: inputs.div_ceil(tile.inputs),
            outputs: outputs.div_ceil(tile.outputs),
        }
    }

    fn queries(&self) -> usize {
        self.sites * self.groups * self.inputs
    }

    fn answers(&self) -> usize {
        self.sites * self.groups * self.outputs
    }

    fn products(&self) -> usize {
        self.queries() * self.outputs
    }
}

/// How the input, the weights and the output of a product are spread over polynomials. Public.
#[derive(Clone, Debug)]
pub struct Packing {
    shape: ConvShape,
    degree: usize,
    /// Weights are [inputs, outputs] instead of [outputs, inputs, ..].
    transposed: bool,
    /// `None` where every output is zero: then there are no queries and no answers.
    spread: Option<Spread>,
}

#[derive(Clone, Debug)]
struct Spread {
    grid: Grid,
    tile: Tile,
    tiles: Tiles,
}

impl Packing {
    /// The packing with the fewest bytes of queries and answers, and a mild weight for the number
    /// of products. A function of its arguments alone.
    ///
    /// # Panics
    /// Where the degree is 0 or the shape is not sound (see [`ConvShape`]).
    pub fn plan(product: &Product, costs: &Costs) -> Self {
        assert!(costs.degree > 0, "a polynomial has coefficients");
        let mut packing = Self::of_nothing(product, costs.degree);
        if packing.reads_something() {
            packing.spread = cheapest(&packing.shape, costs)
                .map(|(grid, tile)| Spread::new(&packing.shape, (*grid).clone(), tile));
        }
        packing
    }

    fn of_nothing(product: &Product, degree: usize) -> Self {
        Self {
            shape: product.conv(),
            degree,
            transposed: matches!(product, Product::MatMul { .. }),
            spread: None,
        }
    }

    /// Whether some output reads some input.
    fn reads_something(&self) -> bool {
        let taps = plan::axis_shapes(&self.shape)
            .into_iter()
            .filter_map(|axis| Axis::new(axis, axis::Cut::Residues))
            .map(|axis| axis.taps());
        self.shape.out_len() > 0 && self.shape.in_channels > 0 && taps.product::<usize>() > 0
    }

    /// Coefficients of a polynomial.
    pub fn degree(&self) -> usize {
        self.degree
    }

    fn tiles(&self) -> Tiles {
        let none = Tiles {
            sites: 0,
            groups: 0,
            inputs: 0,
            outputs: 0,
        };
        self.spread.as_ref().map_or(none, |spread| spread.tiles)
    }

    /// Polynomials that hold the input.
    pub fn queries(&self) -> usize {
        self.tiles().queries()
    }

    /// Polynomials that hold the output.
    pub fn answers(&self) -> usize {
        self.tiles().answers()
    }

    /// Products of a query with a weight polynomial.
    pub fn products(&self) -> usize {
        self.tiles().products()
    }

    /// Weight polynomials that differ: the same ones serve all images and pieces of the map.
    pub fn weight_polynomials(&self) -> usize {
        let tiles = self.tiles();
        tiles.groups * tiles.inputs * tiles.outputs
    }

    /// Largest number of weights that meet in one coefficient of an answer, whichever: each
    /// multiplies another coefficient of a query's noise.
    pub fn l1_taps(&self) -> usize {
        let Some(Spread { grid, tile, .. }) = &self.spread else {
            return 0;
        };
        tile.groups * tile.outputs * self.depth_on(grid)
    }

    /// Largest number of weights that meet an input in one opened coefficient.
    pub fn depth(&self) -> usize {
        let spread = self.spread.as_ref();
        spread.map_or(0, |spread| self.depth_on(&spread.grid))
    }

    fn depth_on(&self, grid: &Grid) -> usize {
        let taps: usize = grid.axes.iter().map(Axis::taps).product();
        self.shape.in_channels / self.shape.groups * taps
    }

    /// Elements of the input.
    pub fn in_len(&self) -> usize {
        self.shape.in_len()
    }

    /// Elements of the output.
    pub fn out_len(&self) -> usize {
        self.shape.out_len()
    }
}

impl Spread {
    fn new(shape: &ConvShape, grid: Grid, tile: Tile) -> Self {
        Self {
            tiles: Tiles::new(shape, &grid, &tile),
            grid,
            tile,
        }
    }

    /// Coefficients of one group.
    fn unit(&self) -> usize {
        self.tile.inputs * self.tile.outputs * self.grid.plane
    }

    /// Coefficients from one image to the next.
    fn image(&self) -> usize {
        self.unit() * groups_span(self.tile.groups)
    }
}
