use crate::error::{Fault, Op, Refusal};
use crate::lowering::Lowering;
use crate::node::Node;
use crate::ops::geometry::{Geometry, pair, planar, unplanar};
use crate::value::{Args, Value};
use subrosa_ir::{Conv, LinearKind};

/// x: [n, in, ..], w: [out, in / groups, ..] -> [n, out, ..], over one or two axes.
pub(crate) fn conv(l: &mut Lowering, node: &Node<'_>, args: &Args) -> Op<Vec<Value>> {
    l.private(args.get(0)?)?;
    let x = planar(l, args.get(0)?)?;
    let [batch, in_channels, height, width] = x.shape;
    let (shape, weight) = args.floats(1)?;
    let (out_channels, depth, kernel) = match *shape.as_slice() {
        [out, depth, w] if x.spatial == 1 => (out, depth, [1, w]),
        [out, depth, h, w] if x.spatial == 2 => (out, depth, [h, w]),
        _ => {
            return Err(Fault::Rank {
                input: 1,
                expected: x.spatial + 2,
                found: shape.len(),
            }
            .into());
        }
    };
    if let Some(declared) = node
        .ints("kernel_shape")?
        .filter(|declared| !declared.is_empty())
    {
        let found = pair(Some(declared), "kernel_shape", x.spatial)?;
        if found != kernel {
            return Err(Fault::Shape {
                input: 1,
                expected: found.to_vec(),
                found: kernel.to_vec(),
            }
            .into());
        }
    }
    let groups = groups(node.int_or("group", 1)?, in_channels, out_channels)?;
    if in_channels / groups != depth {
        let mut expected = shape.clone();
        if let Some(slot) = expected.get_mut(1) {
            *slot = in_channels / groups;
        }
        return Err(Fault::Shape {
            input: 1,
            expected,
            found: shape.clone(),
        }
        .into());
    }
    let bias = match args.optional(2) {
        None => None,
        Some(_) => {
            let (found, values) = args.floats(2)?;
            if found.as_slice() != [out_channels] {
                let expected = vec![out_channels];
                return Err(Fault::Shape {
                    input: 2,
                    expected,
                    found: found.clone(),
                }
                .into());
            }
            Some(values.to_vec())
        }
    };
    let in_size = [height, width];
    let geometry = Geometry::read(node, kernel, in_size, x.spatial)?;
    if node.flag("ceil_mode", false)? {
        let found = "1".to_owned();
        return Err(Refusal::Attribute {
            name: "ceil_mode",
            expected: "none",
            found,
        }
        .into());
    }
    let kind = LinearKind::Conv(Conv {
        batch,
        in_channels,
        in_size,
        out_channels,
        kernel,
        stride: geometry.stride,
        dilation: geometry.dilation,
        pad_begin: geometry.pad_begin,
        pad_end: geometry.pad_end,
        groups,
    });
    let [h, w] = geometry.out_size;
    let input = l.private(&x.value)?;
    let y = l.linear(
        kind,
        input,
        weight.to_vec(),
        bias,
        &[batch, out_channels, h, w],
    )?;
    Ok(vec![unplanar(l, Value::Wire(y), x.spatial)?])
}

fn groups(found: i64, in_channels: usize, out_channels: usize) -> Op<usize> {
    let groups = usize::try_from(found).ok().filter(|groups| *groups > 0);
    for channels in [in_channels, out_channels] {
        if groups.is_none_or(|groups| !channels.is_multiple_of(groups)) {
            return Err(Fault::Groups {
                channels,
                groups: found,
            }
            .into());
        }
    }
    Ok(groups.unwrap_or(1))
}
