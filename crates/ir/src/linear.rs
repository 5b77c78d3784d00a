use crate::{Shape, Tensor};
use serde::{Deserialize, Serialize};
use subrosa_ring::ConvShape;

/// Index into [`Weights`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct WeightId(pub u32);

/// The owner's constants, apart from the architecture. `tensors[id]` belongs to `WeightId(id)`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Weights {
    pub tensors: Vec<Tensor>,
}

impl Weights {
    pub fn get(&self, id: WeightId) -> Option<&Tensor> {
        self.tensors.get(id.0 as usize)
    }
}

/// A product with a private weight.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Linear {
    pub kind: LinearKind,
    pub weight: WeightId,
    /// One value for each output channel (`Conv`), column (`MatMul`) or channel (`Diagonal`).
    pub bias: Option<WeightId>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum LinearKind {
    /// x: [rows, inner], w: [inner, columns] -> [rows, columns]; `rows` runs over all leading axes.
    MatMul {
        rows: usize,
        inner: usize,
        columns: usize,
    },
    /// x: [batch, in, h, w], w: [out, in / groups, kh, kw] -> [batch, out, oh, ow]. A 1-D convolution has h = 1.
    Conv(Conv),
    /// x times w element by element, w broadcast.
    Diagonal(Spread),
}

/// How a constant of `channels` values is broadcast: x is seen as [outer, channels, inner].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Spread {
    pub outer: usize,
    pub channels: usize,
    pub inner: usize,
}

/// Geometry of a convolution.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Conv {
    pub batch: usize,
    pub in_channels: usize,
    pub in_size: [usize; 2],
    pub out_channels: usize,
    pub kernel: [usize; 2],
    pub stride: [usize; 2],
    pub dilation: [usize; 2],
    pub pad_begin: [usize; 2],
    pub pad_end: [usize; 2],
    pub groups: usize,
}

impl Conv {
    pub fn shape(&self) -> ConvShape {
        ConvShape {
            batch: self.batch,
            in_channels: self.in_channels,
            in_height: self.in_size[0],
            in_width: self.in_size[1],
            out_channels: self.out_channels,
            kernel_height: self.kernel[0],
            kernel_width: self.kernel[1],
            stride: self.stride,
            dilation: self.dilation,
            pad_begin: self.pad_begin,
            pad_end: self.pad_end,
            groups: self.groups,
        }
    }
}

impl LinearKind {
    /// Shape of the weight tensor.
    pub fn weight_shape(&self) -> Shape {
        match self {
            Self::MatMul { inner, columns, .. } => vec![*inner, *columns],
            Self::Conv(c) => {
                vec![
                    c.out_channels,
                    c.in_channels / c.groups.max(1),
                    c.kernel[0],
                    c.kernel[1],
                ]
            }
            Self::Diagonal(spread) => vec![spread.channels],
        }
    }

    pub fn in_len(&self) -> usize {
        match self {
            Self::MatMul { rows, inner, .. } => rows * inner,
            Self::Conv(c) => c.shape().in_len(),
            Self::Diagonal(spread) => spread.len(),
        }
    }

    pub fn out_len(&self) -> usize {
        match self {
            Self::MatMul { rows, columns, .. } => rows * columns,
            Self::Conv(c) => c.shape().out_len(),
            Self::Diagonal(spread) => spread.len(),
        }
    }

    /// How a bias is broadcast over the output.
    pub fn bias_spread(&self) -> Spread {
        match self {
            Self::MatMul { rows, columns, .. } => Spread {
                outer: *rows,
                channels: *columns,
                inner: 1,
            },
            Self::Conv(c) => {
                let s = c.shape();
                Spread {
                    outer: c.batch,
                    channels: c.out_channels,
                    inner: s.out_height() * s.out_width(),
                }
            }
            Self::Diagonal(spread) => *spread,
        }
    }

    /// How the input is seen as channels that meet different weights.
    pub(crate) fn input_spread(&self) -> Spread {
        match self {
            Self::MatMul { rows, inner, .. } => Spread {
                outer: *rows,
                channels: *inner,
                inner: 1,
            },
            Self::Conv(conv) => Spread {
                outer: conv.batch,
                channels: conv.in_channels,
                inner: conv.in_size[0] * conv.in_size[1],
            },
            Self::Diagonal(spread) => *spread,
        }
    }

    /// Whether some products meet padding in place of the input.
    pub(crate) fn is_padded(&self) -> bool {
        match self {
            Self::Conv(conv) => [conv.pad_begin, conv.pad_end]
                .iter()
                .flatten()
                .any(|p| *p > 0),
            _ => false,
        }
    }

    /// Calls `visit(position in the weight, input channel, output channel)` for each element of the weight.
    pub(crate) fn each_weight(&self, mut visit: impl FnMut(usize, usize, usize)) {
        match self {
            Self::MatMul { inner, columns, .. } => {
                for at in 0..inner * columns {
                    visit(at, at / columns, at % columns);
                }
            }
            Self::Conv(conv) => {
                let ins = conv.in_channels / conv.groups;
                let outs = conv.out_channels / conv.groups;
                let taps = conv.kernel[0] * conv.kernel[1];
                for at in 0..conv.out_channels * ins * taps {
                    let (out, within) = (at / (ins * taps), at / taps % ins);
                    visit(at, out / outs * ins + within, out);
                }
            }
            Self::Diagonal(spread) => (0..spread.channels).for_each(|c| visit(c, c, c)),
        }
    }

    /// out += x * w, wrapping; only the low `bits` bits of `out` are meant. The lengths are those of this kind.
    pub fn accumulate(&self, threads: usize, bits: u32, x: &[u64], w: &[u64], out: &mut [u64]) {
        match self {
            Self::MatMul {
                rows,
                inner,
                columns,
            } => {
                subrosa_ring::matmul_acc_threads(threads, bits, x, w, out, *rows, *inner, *columns)
            }
            Self::Conv(c) => subrosa_ring::conv_acc_threads(threads, bits, &c.shape(), x, w, out),
            Self::Diagonal(spread) => spread.each(|at, channel| {
                out[at] = out[at].wrapping_add(x[at].wrapping_mul(w[channel]));
            }),
        }
    }
}

impl Spread {
    #[allow(clippy::len_without_is_empty)]
    pub fn len(&self) -> usize {
        self.outer * self.channels * self.inner
    }

    /// Calls `visit(position, channel)` for every element in order.
    pub fn each(&self, mut visit: impl FnMut(usize, usize)) {
        let mut at = 0;
        for _ in 0..self.outer {
            for channel in 0..self.channels {
                for _ in 0..self.inner {
                    visit(at, channel);
                    at += 1;
                }
            }
        }
    }

    /// The constant at every element.
    pub fn expand<T: Copy>(&self, constant: &[T]) -> Vec<T> {
        let mut out = Vec::with_capacity(self.len());
        self.each(|_, channel| out.push(constant[channel]));
        out
    }
}
