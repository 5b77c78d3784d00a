use crate::error::{Fault, Op, Refusal};
use crate::lowering::Lowering;
use crate::node::Node;
use crate::ops::fold::{reduced_axes, reduced_shape};
use crate::ops::geometry::{EXTENT_LIMIT, Geometry, Planar, pair, planar, unplanar};
use crate::value::{Args, Value, count};
use subrosa_ir::{FloatOp, Shape, View, Window, WireId};

/// Most elements that the windows of a pooling may hold together.
const TAP_LIMIT: usize = 1 << 32;

pub(crate) fn max(l: &mut Lowering, node: &Node<'_>, args: &Args) -> Op<Vec<Value>> {
    l.private(args.get(0)?)?;
    let x = planar(l, args.get(0)?)?;
    let (geometry, window) = window(node, &x)?;
    if !geometry.windows_hold_input(window.in_size) {
        return Err(Refusal::EmptyWindow.into());
    }
    pooled(l, x, FloatOp::MaxPool(window), window.out_size)
}

pub(crate) fn average(l: &mut Lowering, node: &Node<'_>, args: &Args) -> Op<Vec<Value>> {
    l.private(args.get(0)?)?;
    let mut x = planar(l, args.get(0)?)?;
    let (geometry, mut window) = window(node, &x)?;
    let mut include_pad = node.flag("count_include_pad", false)?;
    let alone = !geometry.windows_hold_input(window.in_size);
    if include_pad && (alone || geometry.overhangs(window.in_size)) {
        // The declared padding counts in the divisor, what a rounded-up last window reads beyond it does not.
        let [n, c, h, w] = x.shape;
        let ([top, left], [bottom, right]) = (geometry.pad_begin, geometry.pad_end);
        x.shape = [n, c, h + top + bottom, w + left + right];
        let view = View::Pad {
            before: vec![0, 0, top, left],
            after: vec![0, 0, bottom, right],
        };
        x.value = l.view(&x.value, view, &x.shape)?;
        window = Window {
            in_size: [h + top + bottom, w + left + right],
            pad_begin: [0, 0],
            ..window
        };
        include_pad = false;
    } else if alone {
        return Err(Refusal::EmptyWindow.into());
    }
    pooled(
        l,
        x,
        FloatOp::AveragePool {
            window,
            include_pad,
        },
        window.out_size,
    )
}

fn window(node: &Node<'_>, x: &Planar) -> Op<(Geometry, Window)> {
    let declared = node.ints("kernel_shape")?.ok_or(Fault::MissingAttribute {
        name: "kernel_shape",
    })?;
    let kernel = pair(Some(declared), "kernel_shape", x.spatial)?;
    let [n, c, h, w] = x.shape;
    let geometry = Geometry::read(node, kernel, [h, w], x.spatial)?;
    let taps = count(&[
        n,
        c,
        geometry.out_size[0],
        geometry.out_size[1],
        kernel[0],
        kernel[1],
    ]);
    if taps.is_none_or(|taps| taps > TAP_LIMIT) {
        return Err(Fault::TooLarge { limit: TAP_LIMIT }.into());
    }
    let window = Window {
        planes: n * c,
        in_size: [h, w],
        out_size: geometry.out_size,
        kernel,
        stride: geometry.stride,
        dilation: geometry.dilation,
        pad_begin: geometry.pad_begin,
    };
    Ok((geometry, window))
}

fn pooled(l: &mut Lowering, x: Planar, op: FloatOp, out_size: [usize; 2]) -> Op<Vec<Value>> {
    let [n, c, _, _] = x.shape;
    let wire = l.private(&x.value)?;
    let y = l.emit(op, vec![wire], &[n, c, out_size[0], out_size[1]])?;
    Ok(vec![unplanar(l, Value::Wire(y), x.spatial)?])
}

pub(crate) fn global_average(l: &mut Lowering, _: &Node<'_>, args: &Args) -> Op<Vec<Value>> {
    global(l, args, |window| FloatOp::AveragePool {
        window,
        include_pad: false,
    })
}

pub(crate) fn global_max(l: &mut Lowering, _: &Node<'_>, args: &Args) -> Op<Vec<Value>> {
    global(l, args, FloatOp::MaxPool)
}

/// [n, c, ..] -> [n, c, 1, ..]
fn global(l: &mut Lowering, args: &Args, op: fn(Window) -> FloatOp) -> Op<Vec<Value>> {
    let x = l.private(args.get(0)?)?;
    let shape = l.graph.wire(x).shape.clone();
    let [n, c, spatial @ ..] = shape.as_slice() else {
        return Err(Fault::Rank {
            input: 0,
            expected: 3,
            found: shape.len(),
        }
        .into());
    };
    let size = match *spatial {
        [] => {
            return Err(Fault::Rank {
                input: 0,
                expected: 3,
                found: shape.len(),
            }
            .into());
        }
        [h, w] => [h, w],
        ref other => [1, other.iter().product()],
    };
    let y = whole(l, x, [*n, *c], size, op)?;
    let mut result = vec![*n, *c];
    result.resize(shape.len(), 1);
    Ok(vec![l.view(&Value::Wire(y), View::Reshape, &result)?])
}

/// One window over the whole of every plane: [n, c, h, w] -> [n, c, 1, 1].
fn whole(
    l: &mut Lowering,
    x: WireId,
    [n, c]: [usize; 2],
    size: [usize; 2],
    op: fn(Window) -> FloatOp,
) -> Op<WireId> {
    if size.iter().any(|extent| *extent > EXTENT_LIMIT) {
        return Err(Fault::Extent {
            limit: EXTENT_LIMIT,
        }
        .into());
    }
    let x = l.view(&Value::Wire(x), View::Reshape, &[n, c, size[0], size[1]])?;
    let wire = l.private(&x)?;
    let window = Window {
        planes: n * c,
        in_size: size,
        out_size: [1, 1],
        kernel: size,
        stride: [1, 1],
        dilation: [1, 1],
        pad_begin: [0, 0],
    };
    l.emit(op(window), vec![wire], &[n, c, 1, 1])
}

/// The mean over any axes.
pub(crate) fn reduce_mean(l: &mut Lowering, node: &Node<'_>, args: &Args) -> Op<Vec<Value>> {
    let x = l.private(args.get(0)?)?;
    let shape = l.graph.wire(x).shape.clone();
    let reduced = reduced_axes(node, args, shape.len(), 18)?;
    let result = reduced_shape(node, &shape, &reduced)?;
    if reduced.is_empty() {
        return Ok(vec![Value::Wire(x)]);
    }
    let perm: Shape = (0..shape.len())
        .filter(|axis| !reduced.contains(axis))
        .chain(reduced.iter().copied())
        .collect();
    let moved: Shape = perm
        .iter()
        .filter_map(|axis| shape.get(*axis).copied())
        .collect();
    let x = l.view(&Value::Wire(x), View::Transpose(perm), &moved)?;
    let x = l.private(&x)?;
    let (kept, gone) = moved.split_at(moved.len() - reduced.len());
    let (planes, size) = (kept.iter().product(), [1, gone.iter().product()]);
    let y = whole(l, x, [1, planes], size, |window| FloatOp::AveragePool {
        window,
        include_pad: false,
    })?;
    Ok(vec![l.view(&Value::Wire(y), View::Reshape, &result)?])
}
