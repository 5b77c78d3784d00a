//! A network cut in two at a single tensor.

use crate::{
    Element, FixedGraph, FixedNode, FixedOp, InputPort, Linear, OutputPort, Tail, TailValue,
    WeightId, WireId,
};
use thiserror::Error;

/// One part of a cut network, and which weights of the whole it uses: its `WeightId(i)` is `weights[i]` of the whole.
#[derive(Clone, Debug, PartialEq)]
pub struct Part {
    pub graph: FixedGraph,
    pub weights: Vec<WeightId>,
}

/// Why a network cannot be cut at a wire.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum SplitFault {
    #[error("the graph has no wire {wire}")]
    Unknown { wire: u32 },
    #[error("cut at `{wire}`, `{node}` still needs `{other}` from before the cut")]
    Crossed {
        wire: String,
        node: String,
        other: String,
    },
    #[error("cut at `{wire}`, output `{other}` lies before the cut")]
    Output { wire: String, other: String },
}

impl FixedGraph {
    /// The part up to `wire`, whose only output it is, and the part from there on, whose only input it is. What the
    /// receiver computes in the clear belongs to the second part.
    pub fn split(&self, wire: WireId) -> Result<[Part; 2], SplitFault> {
        let before = self.ancestors(wire)?;
        let name = |wire: WireId| self.wire(wire).name.clone();
        let inside = |node: &FixedNode| before[node.output.0 as usize];
        for node in self.nodes.iter().filter(|node| !inside(node)) {
            let crosses = |x: &&WireId| before[x.0 as usize] && **x != wire;
            if let Some(other) = node.inputs.iter().find(crosses) {
                return Err(SplitFault::Crossed {
                    wire: name(wire),
                    node: node.name.clone(),
                    other: name(*other),
                });
            }
        }
        let early = |x: &&WireId| before[x.0 as usize] && **x != wire;
        if let Some(other) = self.outputs.iter().find(early) {
            return Err(SplitFault::Output {
                wire: name(wire),
                other: name(*other),
            });
        }
        let opened = OutputPort {
            name: name(wire),
            value: TailValue::Opened(0),
            element: Element::Float,
        };
        let tail = Tail {
            nodes: Vec::new(),
            outputs: vec![opened],
        };
        let first = self.part(&inside, self.inputs.clone(), vec![wire], tail);
        let port = InputPort {
            name: name(wire),
            wire,
        };
        let rest = |node: &FixedNode| !inside(node);
        let second = self.part(&rest, vec![port], self.outputs.clone(), self.tail.clone());
        Ok([first, second])
    }

    /// Wires at which [`FixedGraph::split`] can cut, in order, inputs and outputs left out.
    pub fn cuts(&self) -> Vec<WireId> {
        let inner = self.nodes.iter().map(|node| node.output);
        let inner = inner.filter(|wire| !self.outputs.contains(wire));
        inner.filter(|wire| self.split(*wire).is_ok()).collect()
    }

    /// For each wire, whether `wire` depends on it; itself included, and every input of the graph.
    fn ancestors(&self, wire: WireId) -> Result<Vec<bool>, SplitFault> {
        let mut before = vec![false; self.wires.len()];
        let own = before.get_mut(wire.0 as usize);
        *own.ok_or(SplitFault::Unknown { wire: wire.0 })? = true;
        for node in self.nodes.iter().rev() {
            if before[node.output.0 as usize] {
                node.inputs.iter().for_each(|x| before[x.0 as usize] = true);
            }
        }
        for port in &self.inputs {
            before[port.wire.0 as usize] = true;
        }
        Ok(before)
    }

    fn part(
        &self,
        keeps: &impl Fn(&FixedNode) -> bool,
        inputs: Vec<InputPort>,
        outputs: Vec<WireId>,
        tail: Tail,
    ) -> Part {
        let nodes: Vec<FixedNode> = self.nodes.iter().filter(|n| keeps(n)).cloned().collect();
        let mut wires = vec![None; self.wires.len()];
        let mut kept = Vec::new();
        let ports = inputs.iter().map(|port| port.wire);
        for wire in ports.chain(nodes.iter().map(|node| node.output)) {
            wires[wire.0 as usize] = Some(WireId(kept.len() as u32));
            kept.push(self.wire(wire).clone());
        }
        // Every wire that a part reads is one of its inputs or the output of one of its nodes.
        let renamed = |wire: WireId| wires[wire.0 as usize].unwrap_or(WireId(u32::MAX));
        let mut weights = Vec::new();
        let nodes = nodes.into_iter().map(|node| FixedNode {
            name: node.name,
            op: renumbered(node.op, &mut weights),
            inputs: node.inputs.into_iter().map(renamed).collect(),
            output: renamed(node.output),
        });
        let nodes = nodes.collect();
        let declared = inputs.iter().map(|port| self.declared_of(port.wire));
        let graph = FixedGraph {
            ring: self.ring,
            declared: declared.collect(),
            wires: kept,
            inputs: inputs
                .into_iter()
                .map(|port| InputPort {
                    wire: renamed(port.wire),
                    ..port
                })
                .collect(),
            nodes,
            outputs: outputs.into_iter().map(renamed).collect(),
            tail,
        };
        Part { graph, weights }
    }

    /// The declared range of an input; of an inner wire, its bound both ways.
    fn declared_of(&self, wire: WireId) -> [i64; 2] {
        let port = self.inputs.iter().position(|port| port.wire == wire);
        let declared = port.and_then(|port| self.declared.get(port));
        let bound = i64::try_from(self.wire(wire).bound).unwrap_or(i64::MAX);
        declared.copied().unwrap_or([-bound, bound])
    }
}

/// The operation with its weights numbered in the order in which they come.
fn renumbered(op: FixedOp, weights: &mut Vec<WeightId>) -> FixedOp {
    let mut number = |id: WeightId| {
        let known = weights.iter().position(|known| *known == id);
        let at = known.unwrap_or_else(|| {
            weights.push(id);
            weights.len() - 1
        });
        WeightId(at as u32)
    };
    match op {
        FixedOp::Linear {
            linear,
            weight_frac,
        } => FixedOp::Linear {
            linear: Linear {
                weight: number(linear.weight),
                bias: linear.bias.map(&mut number),
                kind: linear.kind,
            },
            weight_frac,
        },
        FixedOp::Bias { weight, spread } => FixedOp::Bias {
            weight: number(weight),
            spread,
        },
        other => other,
    }
}
