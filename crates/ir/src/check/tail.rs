use super::geometry::Geometry;
use super::{GraphFault, checked_volume};
use crate::{Shape, Tail, TailNode, TailOp, TailValue};

impl Tail {
    /// Whether the tail can be computed from opened values of the given shapes.
    pub fn check(&self, opened: &[&[usize]]) -> Result<(), GraphFault> {
        for (index, node) in self.nodes.iter().enumerate() {
            self.check_node(index, node, opened)
                .ok_or_else(|| GraphFault::Tail {
                    node: node.name.clone(),
                })?;
        }
        for output in &self.outputs {
            self.shape(&output.value, self.nodes.len(), opened)
                .ok_or_else(|| GraphFault::TailOutput {
                    output: output.name.clone(),
                })?;
        }
        Ok(())
    }

    fn check_node(&self, index: usize, node: &TailNode, opened: &[&[usize]]) -> Option<()> {
        checked_volume(&node.shape)?;
        let shapes: Option<Vec<&[usize]>> = node
            .inputs
            .iter()
            .map(|value| self.shape(value, index, opened))
            .collect();
        let shapes = shapes?;
        let fits = match (&node.op, shapes.as_slice()) {
            (TailOp::View(view), [_, ..]) => {
                let geometry = Geometry::View(view);
                geometry.arity().is_none_or(|arity| arity == shapes.len())
                    && geometry.fits(&shapes, &node.shape)
            }
            (TailOp::Softmax { axis } | TailOp::LogSoftmax { axis }, [x]) => {
                *axis < x.len() && *x == node.shape
            }
            (TailOp::Add | TailOp::Sub | TailOp::Mul | TailOp::Div, [x, y]) => {
                broadcast(x, y).as_ref() == Some(&node.shape)
            }
            (
                TailOp::Exp
                | TailOp::Log
                | TailOp::Sigmoid
                | TailOp::Tanh
                | TailOp::Sqrt
                | TailOp::Neg,
                [x],
            ) => *x == node.shape,
            _ => false,
        };
        fits.then_some(())
    }

    /// Shape of a value that node `before` may read.
    fn shape<'a>(
        &'a self,
        value: &'a TailValue,
        before: usize,
        opened: &[&'a [usize]],
    ) -> Option<&'a [usize]> {
        match value {
            TailValue::Opened(index) => opened.get(*index).copied(),
            TailValue::Node(index) => self
                .nodes
                .get(*index)
                .filter(|_| *index < before)
                .map(|n| n.shape.as_slice()),
            TailValue::Constant(tensor) => (checked_volume(&tensor.shape)
                == Some(tensor.values.len()))
            .then_some(tensor.shape.as_slice()),
        }
    }
}

/// The common shape under numpy's rules.
fn broadcast(x: &[usize], y: &[usize]) -> Option<Shape> {
    let rank = x.len().max(y.len());
    let extent = |shape: &[usize], axis: usize| match (axis + shape.len()).checked_sub(rank) {
        Some(own) => shape.get(own).copied().unwrap_or(1),
        None => 1,
    };
    (0..rank)
        .map(|axis| match (extent(x, axis), extent(y, axis)) {
            (a, b) if a == b => Some(a),
            (1, b) => Some(b),
            (a, 1) => Some(a),
            _ => None,
        })
        .collect()
}
