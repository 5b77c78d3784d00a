//! Functions that the receiver computes in the clear, and those that order decides.

use crate::error::{Op, Refusal, Trouble};
use crate::finish::ClearInput;
use crate::lowering::Lowering;
use crate::node::Node;
use crate::ops::arithmetic::{binary, negate};
use crate::ops::fold::{self, Binary};
use crate::value::{Args, Source, Value, axis};
use subrosa_ir::{Element, FloatOp, Shape, TailOp, View};

fn unary(l: &mut Lowering, args: &Args, op: TailOp, fold: fn(f32) -> f32) -> Op<Vec<Value>> {
    let x = args.get(0)?;
    if let Value::Constant(named) = x {
        return Ok(vec![fold::map(&named.constant, fold)?.into()]);
    }
    let shape = l.shape(x).to_vec();
    Ok(vec![l.clear(op, &[x], &shape)?])
}

pub(crate) fn exp(l: &mut Lowering, _: &Node<'_>, args: &Args) -> Op<Vec<Value>> {
    unary(l, args, TailOp::Exp, f32::exp)
}

pub(crate) fn log(l: &mut Lowering, _: &Node<'_>, args: &Args) -> Op<Vec<Value>> {
    unary(l, args, TailOp::Log, f32::ln)
}

pub(crate) fn sqrt(l: &mut Lowering, _: &Node<'_>, args: &Args) -> Op<Vec<Value>> {
    unary(l, args, TailOp::Sqrt, f32::sqrt)
}

pub(crate) fn tanh(l: &mut Lowering, _: &Node<'_>, args: &Args) -> Op<Vec<Value>> {
    unary(l, args, TailOp::Tanh, f32::tanh)
}

pub(crate) fn sigmoid(l: &mut Lowering, _: &Node<'_>, args: &Args) -> Op<Vec<Value>> {
    unary(l, args, TailOp::Sigmoid, |v| 1.0 / (1.0 + (-v).exp()))
}

pub(crate) fn neg(l: &mut Lowering, _: &Node<'_>, args: &Args) -> Op<Vec<Value>> {
    match args.get(0)? {
        Value::Wire(x) => Ok(vec![Value::Wire(negate(l, *x)?)]),
        Value::Constant(named) if matches!(named.constant.data, crate::constant::Data::Int(_)) => {
            let zero = crate::constant::Constant::int(Shape::new(), vec![0]);
            Ok(vec![
                fold::binary(Binary::Sub, &zero, &named.constant)?.into(),
            ])
        }
        _ => unary(l, args, TailOp::Neg, |v| -v),
    }
}

pub(crate) fn reciprocal(l: &mut Lowering, _: &Node<'_>, args: &Args) -> Op<Vec<Value>> {
    let one = Value::float(Shape::new(), vec![1.0]);
    Ok(vec![binary(l, Binary::Div, &one, args.get(0)?)?])
}

pub(crate) fn relu(l: &mut Lowering, _: &Node<'_>, args: &Args) -> Op<Vec<Value>> {
    let x = args.get(0)?;
    if let Value::Constant(named) = x {
        return Ok(vec![fold::map(&named.constant, |v| v.max(0.0))?.into()]);
    }
    let wire = l.private(x)?;
    let shape = l.shape(x).to_vec();
    Ok(vec![Value::Wire(l.emit(
        FloatOp::Relu,
        vec![wire],
        &shape,
    )?)])
}

pub(crate) fn softmax(l: &mut Lowering, node: &Node<'_>, args: &Args) -> Op<Vec<Value>> {
    along_axis(l, node, args, |axis| TailOp::Softmax { axis })
}

pub(crate) fn log_softmax(l: &mut Lowering, node: &Node<'_>, args: &Args) -> Op<Vec<Value>> {
    along_axis(l, node, args, |axis| TailOp::LogSoftmax { axis })
}

/// From opset 13 on along the axis; before, over all axes from it on together.
fn along_axis(
    l: &mut Lowering,
    node: &Node<'_>,
    args: &Args,
    op: fn(usize) -> TailOp,
) -> Op<Vec<Value>> {
    let x = args.get(0)?;
    if matches!(x, Value::Constant(_)) {
        return Err(Refusal::NothingPrivate.into());
    }
    let shape = l.shape(x).to_vec();
    let default = if node.opset < 13 { 1 } else { -1 };
    let axis = axis(node.int_or("axis", default)?, shape.len())?;
    let (before, after) = shape.split_at(axis);
    if node.opset >= 13 || after.iter().skip(1).all(|extent| *extent == 1) {
        return Ok(vec![l.clear(op(axis), &[x], &shape)?]);
    }
    let flat = [before.iter().product(), after.iter().product()];
    let x = l.view(x, View::Reshape, &flat)?;
    let y = l.clear(op(1), &[&x], &flat)?;
    Ok(vec![l.view(&y, View::Reshape, &shape)?])
}

/// The index of the largest along an axis; among equals the smallest.
pub(crate) fn arg_max(l: &mut Lowering, node: &Node<'_>, args: &Args) -> Op<Vec<Value>> {
    node.only("select_last_index", 0, "0")?;
    let shape = l.shape(args.get(0)?).to_vec();
    let axis = axis(node.int_or("axis", 0)?, shape.len())?;
    let x = before_monotone(l, args.get(0)?, axis)?;
    let perm: Vec<usize> = (0..shape.len())
        .filter(|at| *at != axis)
        .chain([axis])
        .collect();
    let mut moved: Shape = perm
        .iter()
        .filter_map(|at| shape.get(*at).copied())
        .collect();
    let x = l.view(&x, View::Transpose(perm), &moved)?;
    let x = l.private(&x)?;
    if let Some(last) = moved.last_mut() {
        *last = 1;
    }
    let index = l.emit(FloatOp::TopK { count: 1 }, vec![x], &moved)?;
    let mut result = shape;
    if node.flag("keepdims", true)? {
        if let Some(extent) = result.get_mut(axis) {
            *extent = 1;
        }
    } else {
        result.remove(axis);
    }
    let index = l.view(&Value::Wire(index), View::Reshape, &result)?;
    let index = l.private(&index)?;
    Ok(vec![l.open(index, Element::Integer)])
}

/// The private value whose order along `axis` the given one has: a softmax does not change which is largest.
fn before_monotone(l: &Lowering, x: &Value, axis: usize) -> Op<Value> {
    let Value::Clear(clear) = x else {
        return Ok(x.clone());
    };
    let refused = || Trouble::AfterTail(clear.cause);
    let mut source = clear.source;
    loop {
        let at = match source {
            Source::Opened(wire) if clear.element == Element::Float => {
                return Ok(Value::Wire(wire));
            }
            Source::Opened(_) => return Err(refused()),
            Source::Node(at) => at,
        };
        let node = l.tail.get(at).ok_or_else(refused)?;
        let keeps_order = match node.op {
            TailOp::Softmax { axis: along } | TailOp::LogSoftmax { axis: along } => along == axis,
            TailOp::Exp | TailOp::Log | TailOp::Sigmoid | TailOp::Tanh | TailOp::Sqrt => true,
            _ => false,
        };
        source = match node.inputs.as_slice() {
            [ClearInput::Source(source)] if keeps_order => *source,
            _ => return Err(refused()),
        };
    }
}
