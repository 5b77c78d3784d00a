//! Constants, and operators that hand their input on.

use crate::constant::{Constant, Data};
use crate::error::{Fault, Op, Refusal, TensorFault};
use crate::lowering::Lowering;
use crate::node::Node;
use crate::ops::fold::{check, finite};
use crate::value::{Args, Value};
use subrosa_ir::{Element, Shape};
use tract_onnx::pb::TensorProto;
use tract_onnx::pb::tensor_proto::DataType;

pub(crate) fn constant(_: &mut Lowering, node: &Node<'_>, _: &Args) -> Op<Vec<Value>> {
    if node.has("sparse_value") {
        return Err(Fault::Tensor(TensorFault::Sparse).into());
    }
    let value = if let Some(tensor) = node.tensor("value")? {
        decode(tensor)?
    } else if let Some(value) = node.float("value_float")? {
        Constant::float(Shape::new(), vec![value])
    } else if let Some(values) = node.floats("value_floats")? {
        Constant::float(vec![values.len()], values.to_vec())
    } else if let Some(value) = node.int("value_int")? {
        Constant::int(Shape::new(), vec![value])
    } else if let Some(values) = node.ints("value_ints")? {
        Constant::int(vec![values.len()], values.to_vec())
    } else {
        return Err(Fault::MissingAttribute { name: "value" }.into());
    };
    Ok(vec![finite(value)?.into()])
}

fn decode(tensor: &TensorProto) -> Op<Constant> {
    Ok(Constant::decode(tensor).map_err(Fault::Tensor)?)
}

pub(crate) fn constant_of_shape(_: &mut Lowering, node: &Node<'_>, args: &Args) -> Op<Vec<Value>> {
    let shape = extents(args.ints(0)?)?;
    let length = check(&shape)?;
    let value = match node.tensor("value")? {
        Some(tensor) => decode(tensor)?,
        None => Constant::float(vec![1], vec![0.0]),
    };
    let data = match &value.data {
        Data::Float(values) if values.len() == 1 => Data::Float(values.repeat(length)),
        Data::Int(values) if values.len() == 1 => Data::Int(values.repeat(length)),
        _ => {
            return Err(Fault::Entries {
                what: "value",
                expected: 1,
                found: value.len(),
            }
            .into());
        }
    };
    Ok(vec![Constant { shape, data }.into()])
}

/// Extents that a file computes.
pub(crate) fn extents(found: &[i64]) -> Op<Shape> {
    let extent = |v: &i64| usize::try_from(*v).map_err(|_| Fault::NotPositive { found: *v }.into());
    found.iter().map(extent).collect()
}

pub(crate) fn identity(_: &mut Lowering, _: &Node<'_>, args: &Args) -> Op<Vec<Value>> {
    Ok(vec![args.get(0)?.clone()])
}

/// Hands its input on, as inference does.
pub(crate) fn dropout(l: &mut Lowering, node: &Node<'_>, args: &Args) -> Op<Vec<Value>> {
    if args.optional(2).is_some() && args.int(2)? != 0 {
        return Err(Refusal::Training.into());
    }
    identity(l, node, args)
}

pub(crate) fn cast(_: &mut Lowering, node: &Node<'_>, args: &Args) -> Op<Vec<Value>> {
    let to = node
        .int("to")?
        .ok_or(Fault::MissingAttribute { name: "to" })?;
    let kind = i32::try_from(to)
        .ok()
        .and_then(|to| DataType::try_from(to).ok());
    let target = kind.and_then(target).ok_or_else(|| Refusal::Attribute {
        name: "to",
        expected: "a floating-point, integer or bool type",
        found: kind.map_or(to.to_string(), |kind| kind.as_str_name().to_owned()),
    })?;
    let integral = || Refusal::Attribute {
        name: "to",
        expected: "a floating-point type",
        found: to.to_string(),
    };
    let value = match (args.get(0)?, target) {
        (Value::Wire(wire), Target::Float) => Value::Wire(*wire),
        (Value::Clear(clear), Target::Float) => {
            let mut clear = clear.clone();
            clear.element = Element::Float;
            Value::Clear(clear)
        }
        (Value::Clear(clear), Target::Int) if clear.element == Element::Integer => {
            Value::Clear(clear.clone())
        }
        (Value::Wire(_) | Value::Clear(_), _) => return Err(integral().into()),
        (Value::Constant(named), target) => convert(&named.constant, target).into(),
    };
    Ok(vec![value])
}

#[derive(Clone, Copy)]
enum Target {
    Float,
    Int,
    Bool,
}

fn target(kind: DataType) -> Option<Target> {
    match kind {
        DataType::Float | DataType::Double | DataType::Float16 | DataType::Bfloat16 => {
            Some(Target::Float)
        }
        DataType::Int64 | DataType::Int32 | DataType::Uint32 | DataType::Uint64 => {
            Some(Target::Int)
        }
        DataType::Bool => Some(Target::Bool),
        _ => None,
    }
}

fn convert(constant: &Constant, target: Target) -> Constant {
    let data = match (&constant.data, target) {
        (Data::Float(values), Target::Int) => Data::Int(values.iter().map(|v| *v as i64).collect()),
        (Data::Float(values), Target::Bool) => {
            Data::Int(values.iter().map(|v| i64::from(*v != 0.0)).collect())
        }
        (Data::Int(values), Target::Float) => {
            Data::Float(values.iter().map(|v| *v as f32).collect())
        }
        (Data::Int(values), Target::Bool) => {
            Data::Int(values.iter().map(|v| i64::from(*v != 0)).collect())
        }
        (same, _) => same.clone(),
    };
    Constant {
        shape: constant.shape.clone(),
        data,
    }
}
