use crate::constant::Data;
use crate::error::{Fault, Op, Refusal};
use crate::lowering::{Lowering, constants};
use crate::node::Node;
use crate::ops::fold::{self, Binary, check};
use crate::value::{Args, Named, Value, broadcast, widen};
use subrosa_ir::{Element, FloatOp, LinearKind, Shape, Spread, TailOp, Tensor, View, WireId};

pub(crate) fn add(l: &mut Lowering, _: &Node<'_>, args: &Args) -> Op<Vec<Value>> {
    Ok(vec![binary(l, Binary::Add, args.get(0)?, args.get(1)?)?])
}

pub(crate) fn sub(l: &mut Lowering, _: &Node<'_>, args: &Args) -> Op<Vec<Value>> {
    Ok(vec![binary(l, Binary::Sub, args.get(0)?, args.get(1)?)?])
}

pub(crate) fn mul(l: &mut Lowering, _: &Node<'_>, args: &Args) -> Op<Vec<Value>> {
    Ok(vec![binary(l, Binary::Mul, args.get(0)?, args.get(1)?)?])
}

pub(crate) fn div(l: &mut Lowering, _: &Node<'_>, args: &Args) -> Op<Vec<Value>> {
    Ok(vec![binary(l, Binary::Div, args.get(0)?, args.get(1)?)?])
}

pub(crate) fn sum(l: &mut Lowering, _: &Node<'_>, args: &Args) -> Op<Vec<Value>> {
    let mut terms = args.all()?.into_iter();
    let mut total = terms
        .next()
        .cloned()
        .ok_or(Fault::MissingInput { input: 0 })?;
    for term in terms {
        total = binary(l, Binary::Add, &total, term)?;
    }
    Ok(vec![total])
}

/// x: [N, C, ..] -> (x - mean) / sqrt(variance + epsilon) * scale + shift, channel by channel.
pub(crate) fn batch_norm(l: &mut Lowering, node: &Node<'_>, args: &Args) -> Op<Vec<Value>> {
    let x = l.private(args.get(0)?)?;
    if node.flag("training_mode", false)? {
        return Err(Refusal::Training.into());
    }
    node.only("spatial", 1, "1")?;
    let epsilon = f64::from(node.float_or("epsilon", 1e-5)?);
    let shape = l.graph.wire(x).shape.clone();
    let (batch, channels) = match shape.as_slice() {
        [batch, channels, ..] => (*batch, *channels),
        _ => {
            return Err(Fault::Rank {
                input: 0,
                expected: 2,
                found: shape.len(),
            }
            .into());
        }
    };
    let mut parts = Vec::with_capacity(4);
    for input in 1..5 {
        let (found, values) = args.floats(input)?;
        if found.as_slice() != [channels] {
            return Err(Fault::Shape {
                input,
                expected: vec![channels],
                found: found.clone(),
            }
            .into());
        }
        parts.push(values);
    }
    let [scale, shift, mean, variance] = parts.as_slice() else {
        return Err(Fault::InputCount {
            expected: 5,
            found: parts.len() + 1,
        }
        .into());
    };
    let mut weight = Vec::with_capacity(channels);
    let mut bias = Vec::with_capacity(channels);
    for (((scale, shift), mean), variance) in scale.iter().zip(*shift).zip(*mean).zip(*variance) {
        let factor = f64::from(*scale) / (f64::from(*variance) + epsilon).sqrt();
        weight.push(factor as f32);
        bias.push((f64::from(*shift) - f64::from(*mean) * factor) as f32);
    }
    let inner = shape.iter().skip(2).product();
    let kind = LinearKind::Diagonal(Spread {
        outer: batch,
        channels,
        inner,
    });
    Ok(vec![Value::Wire(l.linear(
        kind,
        x,
        weight,
        Some(bias),
        &shape,
    )?)])
}

pub(crate) fn binary(l: &mut Lowering, op: Binary, a: &Value, b: &Value) -> Op<Value> {
    if let Some([a, b]) = constants(&[a, b]).as_deref() {
        return Ok(fold::binary(op, a, b)?.into());
    }
    let shape = broadcast(l.shape(a), l.shape(b))?;
    match (a, b) {
        (Value::Wire(x), Value::Constant(c)) => with_constant(l, op, *x, c, &shape),
        (Value::Constant(c), Value::Wire(x)) if op != Binary::Div => {
            let x = if op == Binary::Sub {
                negate(l, *x)?
            } else {
                *x
            };
            let op = if op == Binary::Sub { Binary::Add } else { op };
            with_constant(l, op, x, c, &shape)
        }
        (Value::Wire(x), Value::Wire(y)) if matches!(op, Binary::Add | Binary::Sub) => {
            let inputs = vec![stretch(l, *x, &shape)?, stretch(l, *y, &shape)?];
            let op = if op == Binary::Add {
                FloatOp::Add
            } else {
                FloatOp::Sub
            };
            Ok(Value::Wire(l.emit(op, inputs, &shape)?))
        }
        _ => {
            let op = match op {
                Binary::Add => TailOp::Add,
                Binary::Sub => TailOp::Sub,
                Binary::Mul => TailOp::Mul,
                Binary::Div if integers(a, b) => {
                    return Err(Fault::Type {
                        input: 0,
                        expected: "floating point",
                    }
                    .into());
                }
                Binary::Div => TailOp::Div,
            };
            l.clear(op, &[a, b], &shape)
        }
    }
}

/// Division of indices rounds, which the tail does not.
fn integers(a: &Value, b: &Value) -> bool {
    let integer = |value: &Value| match value {
        Value::Clear(clear) => clear.element == Element::Integer,
        Value::Constant(named) => matches!(named.constant.data, Data::Int(_)),
        Value::Wire(_) => false,
    };
    integer(a) && integer(b)
}

pub(crate) fn negate(l: &mut Lowering, x: WireId) -> Op<WireId> {
    let shape = l.graph.wire(x).shape.clone();
    l.emit(FloatOp::Scale(-1.0), vec![x], &shape)
}

/// x op c for a constant c; `shape` is the result's.
fn with_constant(l: &mut Lowering, op: Binary, x: WireId, c: &Named, shape: &[usize]) -> Op<Value> {
    let tensor = match &c.constant.data {
        Data::Float(_) => c.constant.tensor(),
        Data::Int(_) => {
            return Err(Fault::Type {
                input: 1,
                expected: "floating point",
            }
            .into());
        }
    };
    if op == Binary::Div && tensor.values.contains(&0.0) {
        return Err(Fault::DivisionByZero.into());
    }
    let values: Vec<f32> = match op {
        Binary::Add | Binary::Mul => tensor.values.clone(),
        Binary::Sub => tensor.values.iter().map(|v| -v).collect(),
        Binary::Div => tensor.values.iter().map(|v| 1.0 / v).collect(),
    };
    let x = stretch(l, x, shape)?;
    let sum = matches!(op, Binary::Add | Binary::Sub);
    if let Some(value) = scalar(&values, &tensor.shape, shape) {
        if !value.is_finite() {
            return Err(Fault::NotFinite.into());
        }
        l.publish(&c.name, tensor);
        let op = if sum {
            FloatOp::Offset(value)
        } else {
            FloatOp::Scale(value)
        };
        return Ok(Value::Wire(l.emit(op, vec![x], shape)?));
    }
    let (spread, values) = spread(&values, &tensor.shape, shape)?;
    if sum {
        let weight = l.weight(Tensor {
            shape: vec![values.len()],
            values,
        })?;
        return Ok(Value::Wire(l.emit(
            FloatOp::Bias { weight, spread },
            vec![x],
            shape,
        )?));
    }
    Ok(Value::Wire(l.linear(
        LinearKind::Diagonal(spread),
        x,
        values,
        None,
        shape,
    )?))
}

/// The value, if the constant is a public scalar: of rank 0, or a single number stretched along every axis but the
/// batch. A single number that belongs to an axis of extent 1, as the bias of one neuron does, is a private weight.
fn scalar(values: &[f32], from: &[usize], to: &[usize]) -> Option<f32> {
    let [value] = values else { return None };
    let owned = (0..to.len())
        .skip(to.len() - from.len())
        .any(|axis| (axis > 0 || to.len() == 1) && to.get(axis) == Some(&1));
    (!owned).then_some(*value)
}

/// Where a constant of shape `from` lies in a tensor of shape `to`, and its values without gaps.
fn spread(values: &[f32], from: &[usize], to: &[usize]) -> Op<(Spread, Vec<f32>)> {
    let wide = widen(from, to.len());
    let first = wide.iter().position(|extent| *extent != 1).unwrap_or(0);
    let last = wide
        .iter()
        .rposition(|extent| *extent != 1)
        .map_or(first, |last| last + 1);
    let part = |shape: &[usize], range: std::ops::Range<usize>| -> Shape {
        shape
            .iter()
            .skip(range.start)
            .take(range.len())
            .copied()
            .collect()
    };
    let (narrow, full) = (part(&wide, first..last), part(to, first..last));
    let channels = check(&full)?;
    let values = if narrow == full {
        values.to_vec()
    } else {
        View::Broadcast.apply(&[(&narrow, values)], &full)
    };
    let product = |range: std::ops::Range<usize>| part(to, range).iter().product();
    Ok((
        Spread {
            outer: product(0..first),
            channels,
            inner: product(last..to.len()),
        },
        values,
    ))
}

/// The wire, repeated up to `shape`.
pub(crate) fn stretch(l: &mut Lowering, x: WireId, shape: &[usize]) -> Op<WireId> {
    let value = stretch_value(l, &Value::Wire(x), shape)?;
    l.private(&value)
}

pub(crate) fn stretch_value(l: &mut Lowering, x: &Value, shape: &[usize]) -> Op<Value> {
    let wide = widen(l.shape(x), shape.len());
    let x = l.view(x, View::Reshape, &wide)?;
    l.view(&x, View::Broadcast, shape)
}

/// Sum of a wire and a private constant that is broadcast over it.
pub(crate) fn add_private(
    l: &mut Lowering,
    x: WireId,
    values: &[f32],
    from: &[usize],
) -> Op<WireId> {
    let shape = l.graph.wire(x).shape.clone();
    let (spread, values) = spread(values, from, &shape)?;
    let weight = l.weight(Tensor {
        shape: vec![values.len()],
        values,
    })?;
    l.emit(FloatOp::Bias { weight, spread }, vec![x], &shape)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn constants_find_their_place() {
        let place = |from: &[usize], to: &[usize]| {
            let values: Vec<f32> = (0..from.iter().product()).map(|i| i as f32).collect();
            let (s, values) = spread(&values, from, to).unwrap();
            (s.outer, s.channels, s.inner, values)
        };
        assert_eq!(place(&[3], &[2, 3]), (2, 3, 1, vec![0.0, 1.0, 2.0]));
        assert_eq!(
            place(&[3, 1, 1], &[2, 3, 4, 5]),
            (2, 3, 20, vec![0.0, 1.0, 2.0])
        );
        assert_eq!(
            place(&[2, 1, 2], &[2, 2, 2]),
            (1, 8, 1, vec![0.0, 1.0, 0.0, 1.0, 2.0, 3.0, 2.0, 3.0])
        );
        assert_eq!(place(&[1, 1], &[4, 1]), (1, 1, 4, vec![0.0]));
    }

    #[test]
    fn a_bias_of_one_neuron_is_no_scalar() {
        assert_eq!(scalar(&[2.0], &[], &[8, 1]), Some(2.0));
        assert_eq!(scalar(&[2.0], &[1], &[8, 16]), Some(2.0));
        assert_eq!(scalar(&[2.0], &[1], &[8, 1]), None);
        assert_eq!(scalar(&[2.0], &[1, 1, 1], &[8, 1, 28, 28]), None);
        assert_eq!(scalar(&[2.0], &[1, 1, 1, 1], &[1, 16, 28, 28]), Some(2.0));
    }
}
