use crate::constant::Data;
use crate::error::{Fault, Op, Refusal};
use crate::lowering::Lowering;
use crate::node::Node;
use crate::ops::arithmetic::add_private;
use crate::ops::fold::check;
use crate::value::{Args, Value, axes, axis};
use subrosa_ir::{Shape, View};

pub(crate) fn concat(l: &mut Lowering, node: &Node<'_>, args: &Args) -> Op<Vec<Value>> {
    let inputs = args.all()?;
    let first = inputs
        .first()
        .map(|x| l.shape(x).to_vec())
        .unwrap_or_default();
    let found = node
        .int("axis")?
        .ok_or(Fault::MissingAttribute { name: "axis" })?;
    let axis = axis(found, first.len())?;
    let mut total = 0usize;
    for (input, x) in inputs.iter().enumerate() {
        let shape = l.shape(x);
        let others = |shape: &[usize]| -> Shape {
            shape
                .iter()
                .enumerate()
                .filter(|(at, _)| *at != axis)
                .map(|(_, extent)| *extent)
                .collect()
        };
        if shape.len() != first.len() || others(shape) != others(&first) {
            return Err(Fault::Shape {
                input,
                expected: first,
                found: shape.to_vec(),
            }
            .into());
        }
        total = shape
            .get(axis)
            .and_then(|extent| total.checked_add(*extent))
            .ok_or(Fault::Overflow)?;
    }
    let mut shape = first;
    if let Some(slot) = shape.get_mut(axis) {
        *slot = total;
    }
    if let [one] = inputs.as_slice() {
        return Ok(vec![(*one).clone()]);
    }
    let constant = |x: &&&Value| matches!(x, Value::Constant(_));
    let wire = |x: &&&Value| matches!(x, Value::Wire(_));
    let constants = inputs.iter().filter(constant).count();
    if constants > 0
        && constants + inputs.iter().filter(wire).count() == inputs.len()
        && constants < inputs.len()
    {
        return Ok(vec![with_constants(l, &inputs, axis, &shape)?]);
    }
    Ok(vec![l.views(&inputs, View::Concat { axis }, &shape)?])
}

/// Wires padded with zeros where the constants go, and then the constants added as private weights.
fn with_constants(l: &mut Lowering, inputs: &[&Value], axis: usize, shape: &[usize]) -> Op<Value> {
    check(shape)?;
    let extent = |l: &Lowering, x: &Value| l.shape(x).get(axis).copied().unwrap_or(0);
    let mut pieces: Vec<Value> = Vec::new();
    let mut pending = 0;
    let mut constant_pieces = Vec::new();
    for x in inputs {
        let width = extent(l, x);
        if let Value::Constant(named) = x {
            let Data::Float(values) = &named.constant.data else {
                return Err(Fault::Type {
                    input: 0,
                    expected: "floating point",
                }
                .into());
            };
            constant_pieces.push((named.constant.shape.clone(), values.clone()));
            match pieces.pop() {
                Some(last) => {
                    let padded = pad_axis(l, &last, axis, 0, width)?;
                    pieces.push(padded);
                }
                None => pending += width,
            }
        } else {
            let blank = l.shape(x).to_vec();
            let zeros = vec![0.0; blank.iter().product()];
            constant_pieces.push((blank, zeros));
            let padded = pad_axis(l, x, axis, pending, 0)?;
            pending = 0;
            pieces.push(padded);
        }
    }
    let joined = match pieces.as_slice() {
        [one] => one.clone(),
        many => l.views(
            &many.iter().collect::<Vec<_>>(),
            View::Concat { axis },
            shape,
        )?,
    };
    let parts: Vec<(&[usize], &[f32])> = constant_pieces
        .iter()
        .map(|(shape, values)| (shape.as_slice(), values.as_slice()))
        .collect();
    let constant = View::Concat { axis }.apply(&parts, shape);
    if constant.iter().all(|v| *v == 0.0) {
        return Ok(joined);
    }
    let wire = l.private(&joined)?;
    Ok(Value::Wire(add_private(l, wire, &constant, shape)?))
}

fn pad_axis(l: &mut Lowering, x: &Value, axis: usize, before: usize, after: usize) -> Op<Value> {
    let mut shape = l.shape(x).to_vec();
    let (mut front, mut back) = (vec![0; shape.len()], vec![0; shape.len()]);
    if let (Some(extent), Some(front), Some(back)) =
        (shape.get_mut(axis), front.get_mut(axis), back.get_mut(axis))
    {
        *extent += before + after;
        (*front, *back) = (before, after);
    }
    l.view(
        x,
        View::Pad {
            before: front,
            after: back,
        },
        &shape,
    )
}

/// Zeros around a tensor.
pub(crate) fn pad(l: &mut Lowering, node: &Node<'_>, args: &Args) -> Op<Vec<Value>> {
    let mode = node.text_or("mode", "constant")?;
    if mode != "constant" {
        return Err(Refusal::Attribute {
            name: "mode",
            expected: "constant",
            found: mode.to_owned(),
        }
        .into());
    }
    let x = args.get(0)?;
    let rank = l.shape(x).len();
    let (found, value, named) = if node.opset < 11 {
        node.takes(args, 1)?;
        let found = node
            .ints("pads")?
            .ok_or(Fault::MissingAttribute { name: "pads" })?;
        (found, node.float_or("value", 0.0)?, None)
    } else {
        node.without(&["pads", "value"])?;
        (args.ints(1)?, pad_value(args)?, args.optional_ints(3)?)
    };
    if value != 0.0 {
        return Err(Refusal::PadValue { found: value }.into());
    }
    let positions = match named {
        Some(named) => axes(named, rank)?,
        None => (0..rank).collect(),
    };
    if found.len() != 2 * positions.len() {
        return Err(Fault::Entries {
            what: "pads",
            expected: 2 * positions.len(),
            found: found.len(),
        }
        .into());
    }
    let (begins, ends) = found.split_at(positions.len());
    let mut shape = l.shape(x).to_vec();
    let (mut before, mut after) = (vec![0; rank], vec![0; rank]);
    for ((position, begin), end) in positions.into_iter().zip(begins).zip(ends) {
        let size = |v: &i64| usize::try_from(*v).map_err(|_| Refusal::NegativePads);
        let (begin, end) = (size(begin)?, size(end)?);
        if let (Some(extent), Some(front), Some(back)) = (
            shape.get_mut(position),
            before.get_mut(position),
            after.get_mut(position),
        ) {
            let wide = extent.checked_add(begin).and_then(|v| v.checked_add(end));
            *extent = wide.ok_or(Fault::Overflow)?;
            (*front, *back) = (begin, end);
        }
    }
    Ok(vec![l.view(x, View::Pad { before, after }, &shape)?])
}

fn pad_value(args: &Args) -> Op<f32> {
    if args.optional(2).is_none() {
        return Ok(0.0);
    }
    match &args.constant(2)?.data {
        Data::Float(values) => Ok(values.first().copied().unwrap_or(0.0)),
        Data::Int(values) => Ok(values.first().map_or(0.0, |v| *v as f32)),
    }
}
