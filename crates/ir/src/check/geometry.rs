//! Whether the shapes around a node are those that its geometry gives.

use super::checked_volume;
use crate::{Conv, LinearKind, SliceAxis, Spread, View, Window};

/// What a node does to shapes, the same for float and fixed graphs.
pub(super) enum Geometry<'a> {
    Linear(&'a LinearKind),
    Constant(&'a Spread),
    /// This many inputs of the output's shape.
    Alike(usize),
    Pool(&'a Window),
    TopK(usize),
    View(&'a View),
}

/// Taps that a pooling window may have over all its outputs.
const MAX_TAPS: usize = 1 << 32;
/// Longest padded extent of a convolution or window.
const MAX_EXTENT: usize = 1 << 24;

impl Geometry<'_> {
    /// Number of inputs; `None` where any positive number will do.
    pub fn arity(&self) -> Option<usize> {
        match self {
            Self::Alike(count) => Some(*count),
            Self::View(View::Concat { .. }) => None,
            _ => Some(1),
        }
    }

    /// `inputs` has the right arity, and every shape has passed `checked_volume`.
    pub fn fits(&self, inputs: &[&[usize]], output: &[usize]) -> bool {
        let Some(first) = inputs.first() else {
            return false;
        };
        let (volume_in, volume_out) = (checked_volume(first), checked_volume(output));
        match self {
            Self::Linear(kind) => {
                let lengths = linear_lengths(kind);
                lengths.is_some()
                    && lengths.map(|l| l.0) == volume_in
                    && lengths.map(|l| l.1) == volume_out
            }
            Self::Constant(spread) => *first == output && spread_length(spread) == volume_out,
            Self::Alike(_) => inputs.iter().all(|input| *input == output),
            Self::Pool(window) => pool_fits(window, volume_in, volume_out),
            Self::TopK(count) => match (first.split_last(), output.split_last()) {
                (Some((n, leading)), Some((out, out_leading))) => {
                    leading == out_leading && out == count && (1..=*n).contains(count)
                }
                _ => false,
            },
            Self::View(view) => view_fits(view, inputs, output),
        }
    }
}

fn spread_length(spread: &Spread) -> Option<usize> {
    checked_volume(&[spread.outer, spread.channels, spread.inner])
}

/// Lengths of input and output, if the geometry makes sense and the weight is not too large.
fn linear_lengths(kind: &LinearKind) -> Option<(usize, usize)> {
    match kind {
        LinearKind::MatMul {
            rows,
            inner,
            columns,
        } => {
            checked_volume(&[*inner, *columns])?;
            Some((
                checked_volume(&[*rows, *inner])?,
                checked_volume(&[*rows, *columns])?,
            ))
        }
        LinearKind::Conv(conv) => conv_lengths(conv),
        LinearKind::Diagonal(spread) => spread_length(spread).map(|length| (length, length)),
    }
}

fn conv_lengths(conv: &Conv) -> Option<(usize, usize)> {
    let groups = conv.groups;
    if groups == 0
        || !conv.in_channels.is_multiple_of(groups)
        || !conv.out_channels.is_multiple_of(groups)
    {
        return None;
    }
    let [kh, kw] = conv.kernel;
    checked_volume(&[conv.out_channels, conv.in_channels / groups, kh, kw])?;
    let mut out = [0; 2];
    for (axis, out) in out.iter_mut().enumerate() {
        let padded = conv.in_size[axis]
            .checked_add(conv.pad_begin[axis])?
            .checked_add(conv.pad_end[axis])
            .filter(|extent| *extent <= MAX_EXTENT)?;
        let reach = conv.kernel[axis]
            .checked_sub(1)?
            .checked_mul(conv.dilation[axis])?;
        if conv.stride[axis] == 0 || conv.dilation[axis] == 0 {
            return None;
        }
        *out = padded.checked_sub(reach)?.checked_sub(1)? / conv.stride[axis] + 1;
    }
    let [h, w] = conv.in_size;
    Some((
        checked_volume(&[conv.batch, conv.in_channels, h, w])?,
        checked_volume(&[conv.batch, conv.out_channels, out[0], out[1]])?,
    ))
}

/// Every window must hold at least one element of the input.
fn pool_fits(window: &Window, volume_in: Option<usize>, volume_out: Option<usize>) -> bool {
    let ([h, w], [oh, ow]) = (window.in_size, window.out_size);
    let input = checked_volume(&[window.planes, h, w]);
    let output = checked_volume(&[window.planes, oh, ow]);
    let taps = output.and_then(|n| {
        n.checked_mul(window.kernel[0])?
            .checked_mul(window.kernel[1])
            .filter(|t| *t <= MAX_TAPS)
    });
    input.is_some_and(|n| u32::try_from(n).is_ok())
        && input == volume_in
        && output == volume_out
        && taps.is_some()
        && (0..2).all(|axis| axis_fits(window, axis))
}

fn axis_fits(window: &Window, axis: usize) -> bool {
    let [input, output] = [window.in_size[axis], window.out_size[axis]];
    let [kernel, stride] = [window.kernel[axis], window.stride[axis]];
    let [dilation, pad] = [window.dilation[axis], window.pad_begin[axis]];
    if [kernel, stride, dilation].contains(&0)
        || [input, output, kernel, stride, dilation, pad]
            .iter()
            .any(|v| *v > MAX_EXTENT)
    {
        return false;
    }
    (0..output).all(|o| {
        let start = o * stride;
        let first = pad.saturating_sub(start).div_ceil(dilation);
        first < kernel && start + first * dilation < pad + input
    })
}

fn view_fits(view: &View, inputs: &[&[usize]], output: &[usize]) -> bool {
    let Some(input) = inputs.first().copied() else {
        return false;
    };
    let same_rank = input.len() == output.len();
    match view {
        View::Reshape => checked_volume(input) == checked_volume(output),
        View::Transpose(perm) => {
            let mut seen = vec![false; input.len()];
            same_rank
                && perm.len() == output.len()
                && perm.iter().zip(output).all(|(axis, extent)| {
                    let fresh = seen
                        .get_mut(*axis)
                        .is_some_and(|s| !std::mem::replace(s, true));
                    fresh && input.get(*axis) == Some(extent)
                })
        }
        View::Slice(axes) => {
            same_rank
                && axes.len() == output.len()
                && axes
                    .iter()
                    .zip(input)
                    .all(|(axis, extent)| slice_fits(axis, *extent))
                && axes
                    .iter()
                    .zip(output)
                    .all(|(axis, extent)| axis.count == *extent)
        }
        View::Pad { before, after } => {
            same_rank
                && before.len() == output.len()
                && after.len() == output.len()
                && before
                    .iter()
                    .zip(after)
                    .zip(input)
                    .zip(output)
                    .all(|(((b, a), i), o)| {
                        b.checked_add(*a).and_then(|pads| pads.checked_add(*i)) == Some(*o)
                    })
        }
        View::Concat { axis } => concat_fits(*axis, inputs, output),
        View::Broadcast => same_rank && input.iter().zip(output).all(|(i, o)| *i == 1 || i == o),
    }
}

fn slice_fits(axis: &SliceAxis, extent: usize) -> bool {
    let last = axis
        .count
        .checked_sub(1)
        .and_then(|steps| isize::try_from(steps).ok())
        .and_then(|steps| axis.step.checked_mul(steps))
        .and_then(|distance| isize::try_from(axis.start).ok()?.checked_add(distance));
    axis.step != 0
        && axis.start < extent
        && last.is_some_and(|last| usize::try_from(last).is_ok_and(|last| last < extent))
}

fn concat_fits(axis: usize, inputs: &[&[usize]], output: &[usize]) -> bool {
    let alike = inputs.iter().all(|input| {
        input.len() == output.len()
            && axis < output.len()
            && (0..output.len()).all(|a| a == axis || input.get(a) == output.get(a))
    });
    let joined = inputs
        .iter()
        .try_fold(0usize, |sum, input| sum.checked_add(*input.get(axis)?));
    alike && joined == output.get(axis).copied()
}
