//! Windows that slide over one or two axes. With one, the first of the two entries is that of an axis of extent 1.

use crate::error::{Fault, Op, Refusal};
use crate::lowering::Lowering;
use crate::node::Node;
use crate::value::Value;
use subrosa_ir::{Shape, View};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Geometry {
    pub kernel: [usize; 2],
    pub stride: [usize; 2],
    pub dilation: [usize; 2],
    pub pad_begin: [usize; 2],
    pub pad_end: [usize; 2],
    pub out_size: [usize; 2],
}

/// Longest padded extent, kernel, stride and dilation.
pub(crate) const EXTENT_LIMIT: usize = 1 << 24;

/// An image [n, channels, h, w] and how many spatial axes it has in the file.
pub(crate) struct Planar {
    pub value: Value,
    pub shape: [usize; 4],
    pub spatial: usize,
}

/// Sees [n, channels, length] as [n, channels, 1, length].
pub(crate) fn planar(l: &mut Lowering, x: &Value) -> Op<Planar> {
    let (shape, spatial) = match *l.shape(x) {
        [n, c, w] => ([n, c, 1, w], 1),
        [n, c, h, w] => ([n, c, h, w], 2),
        ref other => {
            return Err(Refusal::Rank {
                input: 0,
                expected: "3 or 4",
                found: other.len(),
            }
            .into());
        }
    };
    Ok(Planar {
        value: l.view(x, View::Reshape, &shape)?,
        shape,
        spatial,
    })
}

/// The result in the rank of the file.
pub(crate) fn unplanar(l: &mut Lowering, y: Value, spatial: usize) -> Op<Value> {
    let mut shape: Shape = l.shape(&y).to_vec();
    if spatial == 1 && shape.len() == 4 {
        shape.remove(2);
    }
    l.view(&y, View::Reshape, &shape)
}

impl Geometry {
    /// Reads `strides`, `dilations`, `pads`, `auto_pad` and `ceil_mode` for a kernel over an input of `size`.
    pub fn read(node: &Node<'_>, kernel: [usize; 2], size: [usize; 2], spatial: usize) -> Op<Self> {
        let stride = pair(node.ints("strides")?, "strides", spatial)?;
        let dilation = pair(node.ints("dilations")?, "dilations", spatial)?;
        let (begin, end) = pads(node, spatial)?;
        let auto = node.text_or("auto_pad", "NOTSET")?;
        let ceil = node.flag("ceil_mode", false)?;
        let mut found = Self {
            kernel,
            stride,
            dilation,
            pad_begin: begin,
            pad_end: end,
            out_size: [1, 1],
        };
        for axis in 0..2 {
            let reach = reach(kernel[axis], dilation[axis])?;
            if spatial == 1 && axis == 0 {
                continue;
            }
            let upper = match auto {
                "NOTSET" | "" => None,
                "VALID" => {
                    (found.pad_begin[axis], found.pad_end[axis]) = (0, 0);
                    None
                }
                "SAME_UPPER" => Some(true),
                "SAME_LOWER" => Some(false),
                other => {
                    let expected = "NOTSET, VALID, SAME_UPPER or SAME_LOWER";
                    return Err(Fault::Attribute {
                        name: "auto_pad",
                        expected,
                        found: other.to_owned(),
                    }
                    .into());
                }
            };
            if let Some(upper) = upper {
                let out = size[axis].div_ceil(stride[axis]);
                let covered = out
                    .saturating_sub(1)
                    .checked_mul(stride[axis])
                    .and_then(|v| v.checked_add(reach));
                let total = covered.ok_or(Fault::Overflow)?.saturating_sub(size[axis]);
                let before = if upper { total / 2 } else { total - total / 2 };
                (found.pad_begin[axis], found.pad_end[axis]) = (before, total - before);
            }
            let (begin, end) = (found.pad_begin[axis], found.pad_end[axis]);
            let padded = size[axis]
                .checked_add(begin)
                .and_then(|v| v.checked_add(end));
            let padded = padded.filter(|padded| *padded <= EXTENT_LIMIT);
            let padded = padded.ok_or(Fault::Extent {
                limit: EXTENT_LIMIT,
            })?;
            let free = padded.checked_sub(reach).ok_or(Fault::Kernel {
                kernel: reach,
                padded,
            })?;
            let mut steps = if ceil {
                free.div_ceil(stride[axis])
            } else {
                free / stride[axis]
            };
            // The last window starts inside the input or in the padding before it.
            if ceil && steps.saturating_mul(stride[axis]) >= size[axis] + begin {
                steps = steps.saturating_sub(1);
            }
            found.out_size[axis] = steps + 1;
        }
        Ok(found)
    }

    /// Whether the last window of an axis reaches past the padded input.
    pub fn overhangs(&self, size: [usize; 2]) -> bool {
        (0..2).any(|axis| {
            let last = (self.out_size[axis] - 1) * self.stride[axis]
                + (self.kernel[axis] - 1) * self.dilation[axis];
            last >= size[axis] + self.pad_begin[axis] + self.pad_end[axis]
        })
    }

    /// Whether every window holds an element of the input.
    pub fn windows_hold_input(&self, size: [usize; 2]) -> bool {
        (0..2).all(|axis| {
            (0..self.out_size[axis]).all(|out| {
                let start = out * self.stride[axis];
                let step = self.dilation[axis];
                // The first tap at or behind the start of the input.
                let tap = self.pad_begin[axis].saturating_sub(start).div_ceil(step);
                tap < self.kernel[axis] && start + tap * step < self.pad_begin[axis] + size[axis]
            })
        })
    }
}

/// Extent of a dilated kernel.
fn reach(kernel: usize, dilation: usize) -> Op<usize> {
    let inner = kernel
        .checked_sub(1)
        .ok_or(Fault::NotPositive { found: 0 })?;
    let reach = inner.checked_mul(dilation).and_then(|v| v.checked_add(1));
    Ok(reach
        .filter(|reach| *reach <= EXTENT_LIMIT)
        .ok_or(Fault::Extent {
            limit: EXTENT_LIMIT,
        })?)
}

/// Positive numbers for each spatial axis; 1 where nothing is said.
pub(crate) fn pair(found: Option<&[i64]>, what: &'static str, spatial: usize) -> Op<[usize; 2]> {
    let Some(found) = found.filter(|found| !found.is_empty()) else {
        return Ok([1, 1]);
    };
    let positive = |v: i64| usize::try_from(v).ok().filter(|v| *v > 0);
    let positive = |v: i64| match positive(v) {
        Some(v) if v <= EXTENT_LIMIT => Ok(v),
        Some(_) => Err(Fault::Extent {
            limit: EXTENT_LIMIT,
        }),
        None => Err(Fault::NotPositive { found: v }),
    };
    match *found {
        [w] if spatial == 1 => Ok([1, positive(w)?]),
        [h, w] if spatial == 2 => Ok([positive(h)?, positive(w)?]),
        _ => Err(Fault::Entries {
            what,
            expected: spatial,
            found: found.len(),
        }
        .into()),
    }
}

fn pads(node: &Node<'_>, spatial: usize) -> Op<([usize; 2], [usize; 2])> {
    let Some(found) = node.ints("pads")?.filter(|found| !found.is_empty()) else {
        return Ok(([0, 0], [0, 0]));
    };
    let size = |v: i64| usize::try_from(v).map_err(|_| Refusal::NegativePads);
    let bounded = |v: i64| -> Op<usize> {
        Ok(Some(size(v)?)
            .filter(|v| *v <= EXTENT_LIMIT)
            .ok_or(Fault::Extent {
                limit: EXTENT_LIMIT,
            })?)
    };
    match *found {
        [b, e] if spatial == 1 => Ok(([0, bounded(b)?], [0, bounded(e)?])),
        [t, l, b, r] if spatial == 2 => {
            Ok(([bounded(t)?, bounded(l)?], [bounded(b)?, bounded(r)?]))
        }
        _ => Err(Fault::Entries {
            what: "pads",
            expected: 2 * spatial,
            found: found.len(),
        }
        .into()),
    }
}
