use crate::constant::{Constant, Data};
use crate::error::{Fault, Op, Refusal};
use std::sync::Arc;
use subrosa_ir::{Element, Shape, WireId};

/// What a name of the file stands for while it is read.
#[derive(Clone)]
pub(crate) enum Value {
    /// Known before any input.
    Constant(Named),
    /// Private.
    Wire(WireId),
    /// Computed by the receiver after the opening.
    Clear(Clear),
}

#[derive(Clone)]
pub(crate) struct Named {
    pub name: Arc<str>,
    pub constant: Arc<Constant>,
}

#[derive(Clone)]
pub(crate) struct Clear {
    pub source: Source,
    pub shape: Shape,
    pub element: Element,
    /// The node that started this part of the tail.
    pub cause: usize,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Source {
    Opened(WireId),
    Node(usize),
}

impl Value {
    pub fn float(shape: Shape, values: Vec<f32>) -> Self {
        Constant::float(shape, values).into()
    }

    pub fn int(shape: Shape, values: Vec<i64>) -> Self {
        Constant::int(shape, values).into()
    }
}

impl From<Constant> for Value {
    fn from(constant: Constant) -> Self {
        Self::Constant(Named {
            name: "".into(),
            constant: Arc::new(constant),
        })
    }
}

/// The values that a node reads; `None` where an optional one is left out.
pub(crate) struct Args {
    pub values: Vec<Option<Value>>,
}

impl Args {
    pub fn optional(&self, input: usize) -> Option<&Value> {
        self.values.get(input).and_then(Option::as_ref)
    }

    pub fn get(&self, input: usize) -> Op<&Value> {
        Ok(self.optional(input).ok_or(Fault::MissingInput { input })?)
    }

    /// All inputs, of which none may be left out and one must be there.
    pub fn all(&self) -> Op<Vec<&Value>> {
        if self.values.is_empty() {
            return Err(Fault::InputCount {
                expected: 1,
                found: 0,
            }
            .into());
        }
        (0..self.values.len())
            .map(|input| self.get(input))
            .collect()
    }

    pub fn constant(&self, input: usize) -> Op<&Constant> {
        match self.get(input)? {
            Value::Constant(named) => Ok(&named.constant),
            _ => Err(Refusal::NotConstant { input }.into()),
        }
    }

    pub fn floats(&self, input: usize) -> Op<(&Shape, &[f32])> {
        let constant = self.constant(input)?;
        match &constant.data {
            Data::Float(values) => Ok((&constant.shape, values)),
            Data::Int(_) => Err(Fault::Type {
                input,
                expected: "floating point",
            }
            .into()),
        }
    }

    pub fn ints(&self, input: usize) -> Op<&[i64]> {
        match &self.constant(input)?.data {
            Data::Int(values) => Ok(values),
            Data::Float(_) => Err(Fault::Type {
                input,
                expected: "integer",
            }
            .into()),
        }
    }

    pub fn optional_ints(&self, input: usize) -> Op<Option<&[i64]>> {
        if self.optional(input).is_some() {
            self.ints(input).map(Some)
        } else {
            Ok(None)
        }
    }

    /// A single integer.
    pub fn int(&self, input: usize) -> Op<i64> {
        match self.ints(input)? {
            [value] => Ok(*value),
            other => Err(Fault::Entries {
                what: "a single integer",
                expected: 1,
                found: other.len(),
            }
            .into()),
        }
    }
}

/// Position of an axis that may be counted from the end.
pub(crate) fn axis(found: i64, rank: usize) -> Op<usize> {
    let from_start = if found < 0 {
        found.checked_add(rank as i64)
    } else {
        Some(found)
    };
    from_start
        .and_then(|axis| usize::try_from(axis).ok())
        .filter(|axis| *axis < rank)
        .ok_or_else(|| Fault::Axis { found, rank }.into())
}

/// Positions of several axes, each named once, in the order given.
pub(crate) fn axes(found: &[i64], rank: usize) -> Op<Vec<usize>> {
    let mut positions = Vec::with_capacity(found.len());
    for value in found {
        let position = axis(*value, rank)?;
        if positions.contains(&position) {
            return Err(Fault::AxisTwice { found: position }.into());
        }
        positions.push(position);
    }
    Ok(positions)
}

/// The shape of an element-wise operation on two shapes.
pub(crate) fn broadcast(left: &[usize], right: &[usize]) -> Op<Shape> {
    let rank = left.len().max(right.len());
    let (a, b) = (widen(left, rank), widen(right, rank));
    let joined: Option<Shape> = a
        .iter()
        .zip(&b)
        .map(|(a, b)| match (*a, *b) {
            (a, b) if a == b => Some(a),
            (1, b) => Some(b),
            (a, 1) => Some(a),
            _ => None,
        })
        .collect();
    joined.ok_or_else(|| {
        Fault::Broadcast {
            left: left.to_vec(),
            right: right.to_vec(),
        }
        .into()
    })
}

/// The shape with extents of 1 before it.
pub(crate) fn widen(shape: &[usize], rank: usize) -> Shape {
    let mut wide = vec![1; rank.saturating_sub(shape.len())];
    wide.extend_from_slice(shape);
    wide
}

/// Number of elements, if it is at most `limit`, also without the extents of 0.
pub(crate) fn bounded(shape: &[usize], limit: usize) -> Option<usize> {
    let extents: Shape = shape.iter().map(|extent| (*extent).max(1)).collect();
    count(&extents).filter(|count| *count <= limit)?;
    count(shape)
}

/// Number of elements, if it can be counted.
pub(crate) fn count(shape: &[usize]) -> Option<usize> {
    shape
        .iter()
        .try_fold(1usize, |product, extent| product.checked_mul(*extent))
}
