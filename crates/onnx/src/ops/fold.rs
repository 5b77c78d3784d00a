//! Arithmetic on constants: shapes, indices, and weights that the file computes.

use crate::constant::{Constant, Data, FOLD_LIMIT};
use crate::error::{Fault, Op, Refusal};
use crate::lowering::Lowering;
use crate::node::Node;
use crate::value::{Args, Value, axes, bounded, broadcast, widen};
use subrosa_ir::View;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Binary {
    Add,
    Sub,
    Mul,
    Div,
}

/// Element by element with broadcasting. Integers do not wrap, and their quotient is rounded towards zero.
pub(crate) fn binary(op: Binary, a: &Constant, b: &Constant) -> Op<Constant> {
    let shape = broadcast(&a.shape, &b.shape)?;
    check(&shape)?;
    match (&a.data, &b.data) {
        (Data::Float(x), Data::Float(y)) => {
            let (x, y) = (stretch(x, &a.shape, &shape), stretch(y, &b.shape, &shape));
            finite(Constant::float(
                shape,
                x.iter().zip(&y).map(|(x, y)| float(op, *x, *y)).collect(),
            ))
        }
        (Data::Int(x), Data::Int(y)) => {
            let (x, y) = (stretch(x, &a.shape, &shape), stretch(y, &b.shape, &shape));
            let values: Op<Vec<i64>> = x.iter().zip(&y).map(|(x, y)| int(op, *x, *y)).collect();
            Ok(Constant::int(shape, values?))
        }
        _ => Err(Fault::Type {
            input: 1,
            expected: "input 0",
        }
        .into()),
    }
}

fn float(op: Binary, x: f32, y: f32) -> f32 {
    match op {
        Binary::Add => x + y,
        Binary::Sub => x - y,
        Binary::Mul => x * y,
        Binary::Div => x / y,
    }
}

fn int(op: Binary, x: i64, y: i64) -> Op<i64> {
    let result = match op {
        Binary::Add => x.checked_add(y),
        Binary::Sub => x.checked_sub(y),
        Binary::Mul => x.checked_mul(y),
        Binary::Div if y == 0 => return Err(Fault::DivisionByZero.into()),
        Binary::Div => x.checked_div(y),
    };
    result.ok_or_else(|| Fault::Overflow.into())
}

fn stretch<T: Copy + Default>(values: &[T], from: &[usize], to: &[usize]) -> Vec<T> {
    View::Broadcast.apply(&[(&widen(from, to.len()), values)], to)
}

/// Number of elements of a folded constant, if it is allowed.
pub(crate) fn check(shape: &[usize]) -> Op<usize> {
    let limit = FOLD_LIMIT;
    bounded(shape, limit).ok_or_else(|| Fault::TooLarge { limit }.into())
}

pub(crate) fn finite(constant: Constant) -> Op<Constant> {
    constant.check_finite().map_err(|_| Fault::NotFinite)?;
    Ok(constant)
}

/// A function of floats, element by element.
pub(crate) fn map(constant: &Constant, function: fn(f32) -> f32) -> Op<Constant> {
    let Data::Float(values) = &constant.data else {
        return Err(Fault::Type {
            input: 0,
            expected: "floating point",
        }
        .into());
    };
    finite(Constant::float(
        constant.shape.clone(),
        values.iter().map(|v| function(*v)).collect(),
    ))
}

pub(crate) fn floor(_: &mut Lowering, _: &Node<'_>, args: &Args) -> Op<Vec<Value>> {
    Ok(vec![map(alone(args, 0)?, f32::floor)?.into()])
}

pub(crate) fn ceil(_: &mut Lowering, _: &Node<'_>, args: &Args) -> Op<Vec<Value>> {
    Ok(vec![map(alone(args, 0)?, f32::ceil)?.into()])
}

/// An input of an operator that is supported on constants alone.
fn alone(args: &Args, input: usize) -> Op<&Constant> {
    match args.get(input)? {
        Value::Constant(named) => Ok(&named.constant),
        _ => Err(Refusal::ConstantsAlone.into()),
    }
}

pub(crate) fn equal(_: &mut Lowering, _: &Node<'_>, args: &Args) -> Op<Vec<Value>> {
    let (a, b) = (alone(args, 0)?, alone(args, 1)?);
    let shape = broadcast(&a.shape, &b.shape)?;
    check(&shape)?;
    let same: Vec<i64> = match (&a.data, &b.data) {
        (Data::Float(x), Data::Float(y)) => {
            let (x, y) = (stretch(x, &a.shape, &shape), stretch(y, &b.shape, &shape));
            x.iter().zip(&y).map(|(x, y)| i64::from(x == y)).collect()
        }
        (Data::Int(x), Data::Int(y)) => {
            let (x, y) = (stretch(x, &a.shape, &shape), stretch(y, &b.shape, &shape));
            x.iter().zip(&y).map(|(x, y)| i64::from(x == y)).collect()
        }
        _ => {
            return Err(Fault::Type {
                input: 1,
                expected: "input 0",
            }
            .into());
        }
    };
    Ok(vec![Value::int(shape, same)])
}

/// Where: the second input where the first holds, else the third.
pub(crate) fn select(_: &mut Lowering, _: &Node<'_>, args: &Args) -> Op<Vec<Value>> {
    let (choice, a, b) = (alone(args, 0)?, alone(args, 1)?, alone(args, 2)?);
    let shape = broadcast(&broadcast(&choice.shape, &a.shape)?, &b.shape)?;
    check(&shape)?;
    let choice = stretch(args.ints(0)?, &choice.shape, &shape);
    let data = match (&a.data, &b.data) {
        (Data::Float(x), Data::Float(y)) => Data::Float(pick(
            &choice,
            stretch(x, &a.shape, &shape),
            stretch(y, &b.shape, &shape),
        )),
        (Data::Int(x), Data::Int(y)) => Data::Int(pick(
            &choice,
            stretch(x, &a.shape, &shape),
            stretch(y, &b.shape, &shape),
        )),
        _ => {
            return Err(Fault::Type {
                input: 2,
                expected: "input 1",
            }
            .into());
        }
    };
    Ok(vec![Constant { shape, data }.into()])
}

fn pick<T>(choice: &[i64], a: Vec<T>, b: Vec<T>) -> Vec<T> {
    choice
        .iter()
        .zip(a.into_iter().zip(b))
        .map(|(c, (a, b))| if *c != 0 { a } else { b })
        .collect()
}

/// start, start + step, .. up to but without the limit.
pub(crate) fn range(_: &mut Lowering, _: &Node<'_>, args: &Args) -> Op<Vec<Value>> {
    for input in 0..3 {
        alone(args, input)?;
    }
    let (start, limit, step) = (args.int(0)?, args.int(1)?, args.int(2)?);
    if step == 0 {
        return Err(Fault::ZeroStep.into());
    }
    let (start, limit, step) = (i128::from(start), i128::from(limit), i128::from(step));
    let length = ((limit - start + step - step.signum()) / step).max(0);
    let length = check(&[usize::try_from(length).map_err(|_| Fault::Overflow)?])?;
    let values = (0..length as i128).map(|i| (start + i * step) as i64);
    Ok(vec![Value::int(vec![length], values.collect())])
}

pub(crate) fn reduce_prod(l: &mut Lowering, node: &Node<'_>, args: &Args) -> Op<Vec<Value>> {
    let x = alone(args, 0)?;
    let rank = x.shape.len();
    let reduced = reduced_axes(node, args, rank, 18)?;
    let kept: Vec<usize> = (0..rank).filter(|axis| !reduced.contains(axis)).collect();
    let extent = |axis: &usize| x.shape.get(*axis).copied().unwrap_or(1);
    let perm: Vec<usize> = kept.iter().chain(&reduced).copied().collect();
    let moved: Vec<usize> = perm.iter().map(extent).collect();
    let x = l.view(args.get(0)?, View::Transpose(perm), &moved)?;
    let values = Args {
        values: vec![Some(x)],
    };
    let run = reduced.iter().map(extent).product::<usize>();
    let groups = kept.iter().map(extent).product::<usize>();
    let values = values.ints(0)?;
    let product = |group: usize| -> Op<i64> {
        values
            .iter()
            .skip(group * run)
            .take(run)
            .try_fold(1, |product, v| int(Binary::Mul, product, *v))
    };
    let values: Op<Vec<i64>> = (0..groups).map(product).collect();
    let shape = reduced_shape(node, &args.constant(0)?.shape, &reduced)?;
    Ok(vec![Value::int(shape, values?)])
}

/// The axes that a reduction removes: an attribute, or an input from `since` on; all where none is named.
pub(crate) fn reduced_axes(
    node: &Node<'_>,
    args: &Args,
    rank: usize,
    since: i64,
) -> Op<Vec<usize>> {
    let named = node.moved_ints(args, 1, "axes", since)?;
    let mut reduced = match named {
        Some(named) if !named.is_empty() => axes(named, rank)?,
        _ if node.flag("noop_with_empty_axes", false)? => Vec::new(),
        _ => (0..rank).collect(),
    };
    reduced.sort_unstable();
    Ok(reduced)
}

pub(crate) fn reduced_shape(node: &Node<'_>, from: &[usize], reduced: &[usize]) -> Op<Vec<usize>> {
    let keep = node.flag("keepdims", true)?;
    let extents = from.iter().enumerate();
    Ok(extents
        .filter(|(axis, _)| keep || !reduced.contains(axis))
        .map(|(axis, extent)| if reduced.contains(&axis) { 1 } else { *extent })
        .collect())
}
