//! The order of nodes and the shapes of wires, for float and fixed graphs alike.

use super::geometry::Geometry;
use super::{GraphFault, MAX_ELEMENTS, checked_volume};
use crate::{FloatGraph, FloatOp, InputPort, Tail, WireId};

pub(super) struct Structure<'a> {
    pub wires: Vec<(&'a str, &'a [usize])>,
    pub inputs: &'a [InputPort],
    pub nodes: Vec<Step<'a>>,
    pub outputs: &'a [WireId],
    pub tail: &'a Tail,
}

pub(super) struct Step<'a> {
    pub name: &'a str,
    pub geometry: Geometry<'a>,
    pub inputs: &'a [WireId],
    pub output: WireId,
}

impl<'a> Structure<'a> {
    pub fn check(&self) -> Result<(), GraphFault> {
        let mut elements = 0u64;
        for (name, shape) in &self.wires {
            let volume = checked_volume(shape).ok_or_else(|| GraphFault::Extents {
                wire: (*name).to_owned(),
            })?;
            elements += volume as u64;
            if elements > MAX_ELEMENTS {
                return Err(GraphFault::TooLarge {
                    limit: MAX_ELEMENTS,
                });
            }
        }
        let mut defined = vec![false; self.wires.len()];
        for port in self.inputs {
            define(&mut defined, port.wire)?;
        }
        for node in &self.nodes {
            self.check_node(node, &defined)?;
            define(&mut defined, node.output)?;
        }
        if let Some((name, _)) = self
            .wires
            .iter()
            .zip(&defined)
            .find(|(_, d)| !**d)
            .map(|(w, _)| *w)
        {
            return Err(GraphFault::Undefined {
                wire: name.to_owned(),
            });
        }
        let opened: Option<Vec<&[usize]>> = self.outputs.iter().map(|w| self.shape(*w)).collect();
        let opened = opened
            .filter(|o| !o.is_empty())
            .ok_or(GraphFault::Outputs)?;
        self.tail.check(&opened)
    }

    fn check_node(&self, node: &Step<'a>, defined: &[bool]) -> Result<(), GraphFault> {
        let name = || node.name.to_owned();
        let mut shapes = Vec::with_capacity(node.inputs.len());
        for wire in node.inputs {
            let known = defined.get(wire.0 as usize).is_some_and(|d| *d);
            let shape = self.shape(*wire).filter(|_| known);
            shapes.push(shape.ok_or(GraphFault::Unknown {
                node: name(),
                wire: wire.0,
            })?);
        }
        let expected = node.geometry.arity().unwrap_or(node.inputs.len().max(1));
        if node.inputs.len() != expected {
            return Err(GraphFault::Arity {
                node: name(),
                expected,
                found: node.inputs.len(),
            });
        }
        let output = self.shape(node.output).ok_or(GraphFault::Redefined {
            wire: node.output.0,
        })?;
        if !node.geometry.fits(&shapes, output) {
            return Err(GraphFault::Shape { node: name() });
        }
        Ok(())
    }

    fn shape(&self, wire: WireId) -> Option<&'a [usize]> {
        self.wires.get(wire.0 as usize).map(|(_, shape)| *shape)
    }
}

fn define(defined: &mut [bool], wire: WireId) -> Result<(), GraphFault> {
    match defined.get_mut(wire.0 as usize) {
        Some(seen) if !*seen => {
            *seen = true;
            Ok(())
        }
        _ => Err(GraphFault::Redefined { wire: wire.0 }),
    }
}

impl FloatGraph {
    /// Order, shapes and geometry of the graph and its output tail.
    pub fn check(&self) -> Result<(), GraphFault> {
        let nodes = self.nodes.iter().map(|node| Step {
            name: &node.name,
            geometry: geometry(&node.op),
            inputs: &node.inputs,
            output: node.output,
        });
        Structure {
            wires: self
                .wires
                .iter()
                .map(|w| (w.name.as_str(), w.shape.as_slice()))
                .collect(),
            inputs: &self.inputs,
            nodes: nodes.collect(),
            outputs: &self.outputs,
            tail: &self.tail,
        }
        .check()
    }
}

fn geometry(op: &FloatOp) -> Geometry<'_> {
    match op {
        FloatOp::Linear(linear) => Geometry::Linear(&linear.kind),
        FloatOp::Bias { spread, .. } => Geometry::Constant(spread),
        FloatOp::Scale(_) | FloatOp::Offset(_) | FloatOp::Relu => Geometry::Alike(1),
        FloatOp::Add | FloatOp::Sub => Geometry::Alike(2),
        FloatOp::MaxPool(window) | FloatOp::AveragePool { window, .. } => Geometry::Pool(window),
        FloatOp::TopK { count } => Geometry::TopK(*count),
        FloatOp::View(view) => Geometry::View(view),
    }
}
