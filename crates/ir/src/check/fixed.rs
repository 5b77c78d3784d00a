use super::geometry::Geometry;
use super::structure::{Step, Structure};
use super::{GraphFault, checked_volume};
use crate::{FixedGraph, FixedNode, FixedOp, Shape, WeightId};
use std::collections::BTreeMap;

/// Shape and fraction bits of a weight, as the graph that uses it says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WeightLayout {
    pub shape: Shape,
    pub frac: u32,
}

impl FixedGraph {
    /// Everything that `walk` and the kernels rely on. Linear layers are not held to their bounds: these depend on weights.
    pub fn check(&self) -> Result<(), GraphFault> {
        if !(8..=64).contains(&self.ring) {
            return Err(GraphFault::Ring { found: self.ring });
        }
        self.structure().check()?;
        let limit = (1u64 << (self.ring - 2)) - 1;
        for wire in &self.wires {
            if wire.bound > limit {
                return Err(GraphFault::Bound {
                    wire: wire.name.clone(),
                    found: wire.bound,
                    limit,
                });
            }
        }
        for node in &self.nodes {
            self.check_numbers(node)?;
        }
        self.check_declared()?;
        self.layouts().map(|_| ())
    }

    /// Layout of each weight, by [`WeightId`]; empty for a graph that has not passed [`FixedGraph::check`].
    pub fn weight_layouts(&self) -> Vec<WeightLayout> {
        self.layouts().unwrap_or_default()
    }

    fn structure(&self) -> Structure<'_> {
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
    }

    /// Fraction bits, factors and bounds around a node whose shapes are right.
    fn check_numbers(&self, node: &FixedNode) -> Result<(), GraphFault> {
        let inputs: Vec<_> = node.inputs.iter().map(|w| self.wire(*w)).collect();
        let (first, out) = (inputs[0], self.wire(node.output));
        let name = || node.name.clone();
        let expected = match &node.op {
            FixedOp::Linear { weight_frac, .. } => first.frac.saturating_add(*weight_frac),
            FixedOp::Scale(rescale) => {
                let period = rescale.by.len();
                let length = checked_volume(&first.shape).unwrap_or(0);
                if period == 0 || !length.is_multiple_of(period) {
                    return Err(GraphFault::Factors { node: name() });
                }
                first.frac.saturating_add(rescale.frac)
            }
            FixedOp::Truncate { by } => {
                if *by == 0 || *by > first.frac || *by > self.ring - 2 {
                    return Err(GraphFault::Factors { node: name() });
                }
                first.frac - by
            }
            FixedOp::TopK { .. } => 0,
            _ => first.frac,
        };
        for (expected, found) in inputs
            .iter()
            .map(|w| (first.frac, w.frac))
            .chain([(expected, out.frac)])
        {
            if expected != found || found > 64 {
                return Err(GraphFault::Fraction {
                    node: name(),
                    expected,
                    found,
                });
            }
        }
        let limit = match &node.op {
            FixedOp::Relu | FixedOp::MaxPool(_) | FixedOp::View(_) => {
                inputs.iter().map(|w| w.bound).max().unwrap_or(0)
            }
            FixedOp::TopK { .. } => first.shape.last().map_or(0, |n| *n as u64 - 1),
            _ => return Ok(()),
        };
        if out.bound != limit {
            return Err(GraphFault::Bound {
                wire: out.name.clone(),
                found: out.bound,
                limit,
            });
        }
        Ok(())
    }

    fn check_declared(&self) -> Result<(), GraphFault> {
        for (index, port) in self.inputs.iter().enumerate() {
            let bound = self.wire(port.wire).bound;
            let fits = self.declared.get(index).is_some_and(|[low, high]| {
                low <= high && low.unsigned_abs() <= bound && high.unsigned_abs() <= bound
            });
            if !fits || self.declared.len() != self.inputs.len() {
                return Err(GraphFault::Declared {
                    input: port.name.clone(),
                });
            }
        }
        Ok(())
    }

    fn layouts(&self) -> Result<Vec<WeightLayout>, GraphFault> {
        let mut found: BTreeMap<WeightId, WeightLayout> = BTreeMap::new();
        for node in &self.nodes {
            let frac = node.output_frac(self);
            let mut uses = Vec::new();
            match &node.op {
                FixedOp::Linear {
                    linear,
                    weight_frac,
                } => {
                    let shape = linear.kind.weight_shape();
                    uses.push((
                        linear.weight,
                        WeightLayout {
                            shape,
                            frac: *weight_frac,
                        },
                    ));
                    if let Some(bias) = linear.bias {
                        let shape = vec![linear.kind.bias_spread().channels];
                        uses.push((bias, WeightLayout { shape, frac }));
                    }
                }
                FixedOp::Bias { weight, spread } => {
                    uses.push((
                        *weight,
                        WeightLayout {
                            shape: vec![spread.channels],
                            frac,
                        },
                    ));
                }
                _ => {}
            }
            for (id, layout) in uses {
                let known = found.entry(id).or_insert_with(|| layout.clone());
                if *known != layout {
                    return Err(GraphFault::Weight {
                        node: node.name.clone(),
                        weight: id.0,
                    });
                }
            }
        }
        for (position, id) in found.keys().enumerate() {
            if id.0 as usize != position {
                return Err(GraphFault::WeightUnused {
                    weight: position as u32,
                });
            }
        }
        Ok(found.into_values().collect())
    }
}

impl FixedNode {
    fn output_frac(&self, graph: &FixedGraph) -> u32 {
        graph
            .wires
            .get(self.output.0 as usize)
            .map_or(0, |w| w.frac)
    }
}

fn geometry(op: &FixedOp) -> Geometry<'_> {
    match op {
        FixedOp::Linear { linear, .. } => Geometry::Linear(&linear.kind),
        FixedOp::Bias { spread, .. } => Geometry::Constant(spread),
        FixedOp::Scale(_) | FixedOp::Offset(_) | FixedOp::Truncate { .. } | FixedOp::Relu => {
            Geometry::Alike(1)
        }
        FixedOp::Add | FixedOp::Sub => Geometry::Alike(2),
        FixedOp::SumPool(window) | FixedOp::MaxPool(window) => Geometry::Pool(window),
        FixedOp::TopK { count } => Geometry::TopK(*count),
        FixedOp::View(view) => Geometry::View(view),
    }
}
