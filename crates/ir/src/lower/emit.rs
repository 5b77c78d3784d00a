//! Forwards through the graph: integer nodes, and a bound for each integer wire.

mod products;

use super::layer::Limits;
use super::{LowerOptions, Lowered};
use crate::encode::unit;
use crate::{
    FixedGraph, FixedNode, FixedOp, FixedWire, FloatNode, FloatOp, LowerError, Shape, View, WireId,
};

pub(super) fn emit(
    limits: Limits<'_>,
    options: &LowerOptions,
    targets: &[u32],
) -> Result<Lowered, LowerError> {
    let ranged = limits.ranged;
    let graph = &ranged.graph;
    let mut emitter = Emitter {
        limits,
        frac: options.frac,
        targets,
        known: vec![None; graph.wires.len()],
        errors: Vec::new(),
        shortage: 0,
        out: FixedGraph {
            ring: options.ring,
            wires: Vec::new(),
            inputs: Vec::new(),
            declared: Vec::new(),
            nodes: Vec::new(),
            outputs: Vec::new(),
            tail: graph.tail.clone(),
        },
    };
    for (port, declared) in graph.inputs.iter().zip(&ranged.declared) {
        emitter.input(port, *declared);
    }
    for (index, node) in graph.nodes.iter().enumerate() {
        emitter.node(index, node)?;
    }
    let mut out = emitter.out;
    out.outputs = graph
        .outputs
        .iter()
        .filter_map(|w| emitter.known[w.0 as usize])
        .collect();
    Ok(Lowered {
        graph: out,
        shortage: emitter.shortage,
    })
}

struct Emitter<'a> {
    limits: Limits<'a>,
    frac: u32,
    targets: &'a [u32],
    /// The integer wire of each float wire.
    known: Vec<Option<WireId>>,
    /// How far each integer wire may be from a value of the proven range, in units of its last place.
    errors: Vec<f64>,
    shortage: u32,
    out: FixedGraph,
}

/// Bound of an integer wire before it is compared with the limit.
struct Bound {
    value: f64,
    proven: bool,
    error: f64,
}

/// Where a new wire comes from.
struct Source<'a> {
    node: &'a FloatNode,
    /// Put behind names of node and wire where the float graph has none.
    part: Option<&'static str>,
}

impl<'a> Source<'a> {
    fn name(&self, base: &str) -> String {
        self.part
            .map_or_else(|| base.to_owned(), |part| format!("{base} ({part})"))
    }
}

impl<'a> Emitter<'a> {
    fn input(&mut self, port: &crate::InputPort, declared: [f32; 2]) {
        let float = self.limits.ranged.graph.wire(port.wire);
        let frac = self.targets[port.wire.0 as usize];
        let [low, high] = declared.map(|v| (f64::from(v) * unit(frac)).round() as i64);
        let id = self.wire(
            FixedWire {
                name: float.name.clone(),
                shape: float.shape.clone(),
                frac,
                bound: low.unsigned_abs().max(high.unsigned_abs()),
                proven: true,
            },
            0.5,
        );
        self.known[port.wire.0 as usize] = Some(id);
        self.out.inputs.push(crate::InputPort {
            name: port.name.clone(),
            wire: id,
        });
        self.out.declared.push([low, high]);
    }

    fn node(&mut self, index: usize, node: &FloatNode) -> Result<(), LowerError> {
        let inputs: Vec<WireId> = node
            .inputs
            .iter()
            .filter_map(|w| self.known[w.0 as usize])
            .collect();
        let x = inputs[0];
        let gain = self.limits.ranged.gains[index].unwrap_or_default();
        let last = Source { node, part: None };
        let id = match &node.op {
            FloatOp::Linear(linear) => {
                let product = self.linear(node, linear, &gain, x)?;
                self.settle(node, product, self.targets[node.output.0 as usize], true)
            }
            FloatOp::Bias { weight, spread } => {
                let frac = self.get(x).frac;
                let value = self.bound(x) + gain.bias * unit(frac) + 1.0;
                let bound = self.choose(
                    node.output,
                    frac,
                    value,
                    self.errors[x.0 as usize] + 0.5,
                    &[x],
                );
                let op = FixedOp::Bias {
                    weight: *weight,
                    spread: *spread,
                };
                self.push(last, op, vec![x], frac, bound)?
            }
            FloatOp::Offset(by) => {
                let frac = self.get(x).frac;
                let by = (f64::from(*by) * unit(frac)).round();
                let value = self.bound(x) + by.abs();
                let bound = self.choose(
                    node.output,
                    frac,
                    value,
                    self.errors[x.0 as usize] + 0.5,
                    &[x],
                );
                self.push(last, FixedOp::Offset(by as i64), vec![x], frac, bound)?
            }
            FloatOp::Scale(by) => {
                let scaled = self.scale(node, x, &[f64::from(*by)], "scaled")?;
                self.settle(node, scaled, self.targets[node.output.0 as usize], true)
            }
            FloatOp::AveragePool {
                window,
                include_pad,
            } => {
                let mean = self.average(node, window, *include_pad, x)?;
                self.settle(node, mean, self.targets[node.output.0 as usize], true)
            }
            FloatOp::Add | FloatOp::Sub => {
                let inputs = self.level(node, inputs);
                let frac = self.get(inputs[0]).frac;
                let value = inputs.iter().map(|w| self.bound(*w)).sum();
                let error = inputs.iter().map(|w| self.errors[w.0 as usize]).sum();
                let bound = self.choose(node.output, frac, value, error, &inputs);
                let op = if node.op == FloatOp::Add {
                    FixedOp::Add
                } else {
                    FixedOp::Sub
                };
                self.push(last, op, inputs, frac, bound)?
            }
            FloatOp::Relu => self.same(last, FixedOp::Relu, vec![x])?,
            FloatOp::MaxPool(window) => self.same(last, FixedOp::MaxPool(*window), vec![x])?,
            FloatOp::View(view) => {
                let inputs = if matches!(view, View::Concat { .. }) {
                    self.level(node, inputs)
                } else {
                    inputs
                };
                self.same(last, FixedOp::View(view.clone()), inputs)?
            }
            FloatOp::TopK { count } => {
                let extent = self.get(x).shape.last().copied().unwrap_or(1);
                let proven = self.get(x).proven;
                let bound = Bound {
                    value: extent as f64 - 1.0,
                    proven,
                    error: 0.0,
                };
                self.push(last, FixedOp::TopK { count: *count }, vec![x], 0, bound)?
            }
        };
        self.known[node.output.0 as usize] = Some(id);
        Ok(())
    }

    /// Brings all wires to the least number of fraction bits among them.
    fn level(&mut self, node: &FloatNode, wires: Vec<WireId>) -> Vec<WireId> {
        let least = wires.iter().map(|w| self.get(*w).frac).min().unwrap_or(0);
        wires
            .into_iter()
            .map(|w| self.settle(node, w, least, false))
            .collect()
    }

    /// Truncates to `frac` fraction bits where there are more. The result has the float wire's name if it is that wire.
    fn settle(&mut self, node: &FloatNode, x: WireId, frac: u32, last: bool) -> WireId {
        let wire = self.get(x);
        if wire.frac <= frac {
            return x;
        }
        let by = wire.frac - frac;
        let float = self.limits.ranged.graph.wire(node.output);
        let name = if last {
            float.name.clone()
        } else {
            format!("{} (truncated)", wire.name)
        };
        let error = self.errors[x.0 as usize] / unit(by) + 2.0;
        // The floor or one less: two more than the quotient of the bound.
        let wire = FixedWire {
            name,
            frac,
            bound: representable((wire.bound >> by) + 2),
            ..wire.clone()
        };
        let id = self.wire(wire, error);
        self.out.nodes.push(FixedNode {
            name: format!("{} (truncate)", node.name),
            op: FixedOp::Truncate { by },
            inputs: vec![x],
            output: id,
        });
        id
    }

    /// A node that makes nothing larger.
    fn same(
        &mut self,
        source: Source<'_>,
        op: FixedOp,
        inputs: Vec<WireId>,
    ) -> Result<WireId, LowerError> {
        let wires: Vec<&FixedWire> = inputs.iter().map(|w| self.get(*w)).collect();
        let bound = Bound {
            value: wires.iter().map(|w| w.bound).max().unwrap_or(0) as f64,
            proven: wires.iter().all(|w| w.proven),
            error: inputs
                .iter()
                .map(|w| self.errors[w.0 as usize])
                .fold(0.0, f64::max),
        };
        let frac = wires.first().map_or(0, |w| w.frac);
        self.push(source, op, inputs, frac, bound)
    }

    /// The proof where it fits, otherwise what was seen on samples with headroom.
    fn choose(&self, float: WireId, frac: u32, value: f64, error: f64, inputs: &[WireId]) -> Bound {
        let unit = unit(frac);
        let interval = self.limits.proven(float) * unit * (1.0 + 1e-9) + error + 1.0;
        let proof = (value * (1.0 + 4.0 * f64::EPSILON)).min(interval).ceil();
        let proven = inputs.iter().all(|w| self.get(*w).proven) && proof < self.limits.limit();
        if proven {
            return Bound {
                value: proof,
                proven,
                error,
            };
        }
        let seen = (self.limits.calibrated(float) * unit).ceil() + 2.0;
        Bound {
            value: proof.min(seen),
            proven,
            error,
        }
    }

    fn push(
        &mut self,
        source: Source<'_>,
        op: FixedOp,
        inputs: Vec<WireId>,
        frac: u32,
        bound: Bound,
    ) -> Result<WireId, LowerError> {
        let float = self.limits.ranged.graph.wire(source.node.output);
        if bound.value >= self.limits.limit() || frac > 64 {
            return Err(self.limits.too_wide(source.node.output));
        }
        let shape: Shape = float.shape.clone();
        let wire = FixedWire {
            name: source.name(&float.name),
            shape,
            frac,
            bound: bound.value as u64,
            proven: bound.proven,
        };
        let id = self.wire(wire, bound.error);
        self.out.nodes.push(FixedNode {
            name: source.name(&source.node.name),
            op,
            inputs,
            output: id,
        });
        Ok(id)
    }

    fn wire(&mut self, wire: FixedWire, error: f64) -> WireId {
        let id = WireId(self.out.wires.len() as u32);
        self.out.wires.push(wire);
        self.errors.push(error);
        id
    }

    fn get(&self, wire: WireId) -> &FixedWire {
        self.out.wire(wire)
    }

    fn bound(&self, wire: WireId) -> f64 {
        self.get(wire).bound as f64
    }
}

/// The next integer that a double holds: bounds pass through doubles unchanged.
fn representable(bound: u64) -> u64 {
    if bound < 1 << 53 {
        return bound;
    }
    (bound as f64 * (1.0 + f64::EPSILON)).ceil() as u64
}
