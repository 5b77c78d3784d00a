//! The same elements under another shape, or in another order.

use crate::error::{Fault, Op, Refusal};
use crate::lowering::Lowering;
use crate::node::Node;
use crate::ops::arithmetic::stretch_value;
use crate::ops::constant::extents;
use crate::value::{Args, Value, axes, broadcast, count};
use subrosa_ir::{Shape, View};

pub(crate) fn flatten(l: &mut Lowering, node: &Node<'_>, args: &Args) -> Op<Vec<Value>> {
    let x = args.get(0)?;
    let shape = l.shape(x).to_vec();
    let (found, rank) = (node.int_or("axis", 1)?, shape.len());
    let from_start = if found < 0 {
        found.checked_add(rank as i64)
    } else {
        Some(found)
    };
    let axis = from_start
        .and_then(|axis| usize::try_from(axis).ok())
        .filter(|axis| *axis <= rank);
    let (rows, columns) = shape.split_at(axis.ok_or(Fault::Axis { found, rank })?);
    let matrix = [rows.iter().product(), columns.iter().product()];
    Ok(vec![l.view(x, View::Reshape, &matrix)?])
}

pub(crate) fn reshape(l: &mut Lowering, node: &Node<'_>, args: &Args) -> Op<Vec<Value>> {
    let x = args.get(0)?;
    let target = args.ints(1)?;
    let from = l.shape(x).to_vec();
    check_batch(l, x, &from, target)?;
    let shape = reshaped(&from, target, node.flag("allowzero", false)?)?;
    Ok(vec![l.view(x, View::Reshape, &shape)?])
}

/// Refuses a file that leaves the batch free at its inputs and fixes it here.
fn check_batch(l: &Lowering, x: &Value, from: &[usize], target: &[i64]) -> Op<()> {
    if let (Some(batch), Some(fixed), false) =
        (l.batch, target.first(), matches!(x, Value::Constant(_)))
        && from.first() == Some(&batch)
        && *fixed > 0
        && usize::try_from(*fixed) != Ok(batch)
        && (batch > 1 || count(from) != positive_count(target))
    {
        return Err(Refusal::FixedBatch {
            fixed: *fixed,
            batch,
        }
        .into());
    }
    Ok(())
}

/// Number of elements, where the target says them all.
fn positive_count(target: &[i64]) -> Option<usize> {
    let extents: Option<Shape> = target
        .iter()
        .map(|v| usize::try_from(*v).ok().filter(|v| *v > 0))
        .collect();
    count(&extents?)
}

/// 0 keeps an extent, -1 is what is left.
fn reshaped(from: &[usize], target: &[i64], allow_zero: bool) -> Op<Shape> {
    let impossible = || Fault::Reshape {
        from: from.to_vec(),
        to: target.to_vec(),
    };
    let mut shape = Shape::with_capacity(target.len());
    let mut free = None;
    for (axis, wanted) in target.iter().enumerate() {
        shape.push(match *wanted {
            -1 if free.is_none() => {
                free = Some(axis);
                1
            }
            0 if !allow_zero => *from.get(axis).ok_or_else(impossible)?,
            other => usize::try_from(other).map_err(|_| impossible())?,
        });
    }
    let (all, said) = (count(from), count(&shape));
    let (all, said) = all.zip(said).ok_or_else(impossible)?;
    if let Some(slot) = free.and_then(|axis| shape.get_mut(axis)) {
        *slot = if said == 0 || all % said != 0 {
            return Err(impossible().into());
        } else {
            all / said
        };
    } else if all != said {
        return Err(impossible().into());
    }
    Ok(shape)
}

pub(crate) fn transpose(l: &mut Lowering, node: &Node<'_>, args: &Args) -> Op<Vec<Value>> {
    let x = args.get(0)?;
    let from = l.shape(x).to_vec();
    let perm = match node.ints("perm")? {
        Some(found) => axes(found, from.len())?,
        None => (0..from.len()).rev().collect(),
    };
    if perm.len() != from.len() {
        return Err(Fault::Entries {
            what: "perm",
            expected: from.len(),
            found: perm.len(),
        }
        .into());
    }
    let shape: Shape = perm
        .iter()
        .filter_map(|axis| from.get(*axis).copied())
        .collect();
    Ok(vec![l.view(x, View::Transpose(perm), &shape)?])
}

pub(crate) fn squeeze(l: &mut Lowering, node: &Node<'_>, args: &Args) -> Op<Vec<Value>> {
    let x = args.get(0)?;
    let from = l.shape(x).to_vec();
    let named = node.moved_ints(args, 1, "axes", 13)?;
    let gone = match named {
        Some(found) => axes(found, from.len())?,
        None => (0..from.len())
            .filter(|axis| from.get(*axis) == Some(&1))
            .collect(),
    };
    let mut shape = Shape::new();
    for (axis, extent) in from.iter().enumerate() {
        if !gone.contains(&axis) {
            shape.push(*extent);
        } else if *extent != 1 {
            return Err(Fault::Squeeze {
                axis,
                found: *extent,
            }
            .into());
        }
    }
    Ok(vec![l.view(x, View::Reshape, &shape)?])
}

pub(crate) fn unsqueeze(l: &mut Lowering, node: &Node<'_>, args: &Args) -> Op<Vec<Value>> {
    let x = args.get(0)?;
    let from = l.shape(x).to_vec();
    let named = node.moved_ints(args, 1, "axes", 13)?;
    let named = named.ok_or(if node.opset < 13 {
        Fault::MissingAttribute { name: "axes" }
    } else {
        Fault::MissingInput { input: 1 }
    })?;
    let rank = from.len() + named.len();
    let new = axes(named, rank)?;
    let mut left = from.into_iter();
    let extent = |axis: usize| {
        if new.contains(&axis) {
            Some(1)
        } else {
            left.next()
        }
    };
    let shape: Shape = (0..rank).filter_map(extent).collect();
    Ok(vec![l.view(x, View::Reshape, &shape)?])
}

pub(crate) fn expand(l: &mut Lowering, _: &Node<'_>, args: &Args) -> Op<Vec<Value>> {
    let x = args.get(0)?;
    let shape = broadcast(l.shape(x), &extents(args.ints(1)?)?)?;
    Ok(vec![stretch_value(l, x, &shape)?])
}

/// The shape itself, or the part of it from `start` to `end`.
pub(crate) fn shape(l: &mut Lowering, node: &Node<'_>, args: &Args) -> Op<Vec<Value>> {
    let shape = l.shape(args.get(0)?);
    let rank = shape.len() as i64;
    let place = |found: i64| {
        let from_start = if found < 0 {
            found.saturating_add(rank)
        } else {
            found
        };
        from_start.clamp(0, rank) as usize
    };
    let (start, end) = (
        place(node.int_or("start", 0)?),
        place(node.int_or("end", rank)?),
    );
    let part = shape.get(start..end.max(start)).unwrap_or(&[]);
    Ok(vec![Value::int(
        vec![part.len()],
        part.iter().map(|extent| *extent as i64).collect(),
    )])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reshape_follows_zero_and_minus_one() {
        assert_eq!(reshaped(&[2, 3, 4], &[0, -1], false).unwrap(), [2, 12]);
        assert_eq!(reshaped(&[2, 3, 4], &[4, 6], false).unwrap(), [4, 6]);
        assert_eq!(reshaped(&[], &[1, -1], false).unwrap(), [1, 1]);
        assert!(reshaped(&[2, 3], &[-1, -1], false).is_err());
        assert!(reshaped(&[2, 3], &[4, -1], false).is_err());
        assert!(reshaped(&[2, 3], &[1, 2, 0], false).is_err());
        assert!(reshaped(&[2, 3], &[0, 6], true).is_err());
        assert!(reshaped(&[2, 3], &[i64::MAX, i64::MAX, 3], false).is_err());
    }
}
