use crate::constant::Data;
use crate::lowering::Lowering;
use crate::value::{Source, Value};
use crate::{Model, OnnxError};
use std::collections::HashMap;
use subrosa_ir::{
    Element, FloatGraph, FloatOp, InputPort, OutputPort, Shape, Tail, TailNode, TailOp, TailValue,
    Tensor, WeightId, Weights, WireId,
};

/// A number of the file that everybody learns.
#[derive(Clone, Debug, PartialEq)]
pub struct PublicConstant {
    /// The file's name for the constant.
    pub name: String,
    /// The node that uses it.
    pub node: String,
    pub tensor: Tensor,
}

/// A node of the output tail while the graph is made.
pub(crate) struct ClearNode {
    pub name: String,
    pub op: TailOp,
    pub inputs: Vec<ClearInput>,
    pub shape: Shape,
}

pub(crate) enum ClearInput {
    Source(Source),
    Constant(Tensor),
}

/// A public constant and the node that uses it.
pub(crate) struct Published {
    pub owner: Owner,
    pub name: String,
    pub node: String,
    pub tensor: Tensor,
}

pub(crate) enum Owner {
    Node(usize),
    Tail(usize),
}

pub(crate) struct Lowered {
    pub graph: FloatGraph,
    pub weights: Weights,
    pub public: Vec<PublicConstant>,
}

/// Keeps what the outputs depend on, and numbers it anew.
pub(crate) fn finish(
    lowering: Lowering,
    model: &Model,
    values: &HashMap<&str, Value>,
) -> Result<Lowered, OnnxError> {
    let mut results = Vec::new();
    for info in model.proto.graph.iter().flat_map(|graph| &graph.output) {
        let value = values.get(info.name.as_str());
        results.push((
            info,
            value.ok_or_else(|| OnnxError::UnknownOutput {
                name: info.name.clone(),
            })?,
        ));
    }
    let roots = results.iter().filter_map(|(_, value)| match value {
        Value::Wire(wire) => Some(Source::Opened(*wire)),
        Value::Clear(clear) => Some(clear.source),
        Value::Constant(_) => None,
    });
    let mut tail = KeptTail::new(lowering.tail, roots.collect());
    let outputs = results.iter().map(|(info, value)| {
        let (value, element) = match value {
            Value::Wire(wire) => (tail.value(Source::Opened(*wire)), Element::Float),
            Value::Clear(clear) => (tail.value(clear.source), clear.element),
            Value::Constant(named) => {
                let integer = matches!(named.constant.data, Data::Int(_));
                let element = if integer {
                    Element::Integer
                } else {
                    Element::Float
                };
                (TailValue::Constant(named.constant.tensor()), element)
            }
        };
        OutputPort {
            name: info.name.clone(),
            value,
            element,
        }
    });
    let outputs = outputs.collect();
    tail.number_nodes();
    let wires = live_wires(&lowering.graph, &tail.opened);
    let live = |wire: WireId| wires.get(wire.0 as usize).copied().flatten();
    let mut graph = FloatGraph::default();
    for (wire, new) in lowering.graph.wires.iter().zip(&wires) {
        if new.is_some() {
            graph.wires.push(wire.clone());
        }
    }
    for port in &lowering.graph.inputs {
        if let Some(wire) = live(port.wire) {
            graph.inputs.push(InputPort {
                name: port.name.clone(),
                wire,
            });
        }
    }
    let mut weights = KeptWeights::new(lowering.weights);
    let mut kept_nodes = vec![false; lowering.graph.nodes.len() + 1];
    for (mut node, kept) in lowering.graph.nodes.into_iter().zip(&mut kept_nodes) {
        let Some(output) = live(node.output) else {
            continue;
        };
        *kept = true;
        node.output = output;
        node.inputs = node.inputs.into_iter().filter_map(live).collect();
        weights.renumber(&mut node.op);
        graph.nodes.push(node);
    }
    let public = lowering
        .published
        .into_iter()
        .filter(|constant| match constant.owner {
            Owner::Node(at) => kept_nodes.get(at).copied().unwrap_or(false),
            Owner::Tail(at) => tail.number.get(at).copied().flatten().is_some(),
        });
    let public = public
        .map(|constant| PublicConstant {
            name: constant.name,
            node: constant.node,
            tensor: constant.tensor,
        })
        .collect();
    if tail.opened.is_empty() {
        return Err(OnnxError::NothingPrivate);
    }
    graph.outputs = tail.opened.iter().copied().filter_map(live).collect();
    graph.tail = Tail {
        nodes: tail.nodes,
        outputs,
    };
    graph.check()?;
    Ok(Lowered {
        graph,
        weights: Weights {
            tensors: weights.kept,
        },
        public,
    })
}

/// New numbers of the inputs and of the wires that the opened ones depend on.
fn live_wires(graph: &FloatGraph, opened: &[WireId]) -> Vec<Option<WireId>> {
    let mut live = vec![false; graph.wires.len()];
    let mark = |wires: &mut dyn Iterator<Item = WireId>, live: &mut Vec<bool>| {
        for wire in wires {
            if let Some(slot) = live.get_mut(wire.0 as usize) {
                *slot = true;
            }
        }
    };
    mark(&mut graph.inputs.iter().map(|port| port.wire), &mut live);
    mark(&mut opened.iter().copied(), &mut live);
    for node in graph.nodes.iter().rev() {
        if live.get(node.output.0 as usize) == Some(&true) {
            mark(&mut node.inputs.iter().copied(), &mut live);
        }
    }
    let mut next = 0;
    live.into_iter()
        .map(|live| {
            live.then(|| {
                next += 1;
                WireId(next - 1)
            })
        })
        .collect()
}

struct KeptWeights {
    old: Vec<Option<Tensor>>,
    kept: Vec<Tensor>,
}

impl KeptWeights {
    fn new(weights: Vec<Tensor>) -> Self {
        Self {
            old: weights.into_iter().map(Some).collect(),
            kept: Vec::new(),
        }
    }

    fn renumber(&mut self, op: &mut FloatOp) {
        match op {
            FloatOp::Linear(linear) => {
                self.take(&mut linear.weight);
                if let Some(bias) = &mut linear.bias {
                    self.take(bias);
                }
            }
            FloatOp::Bias { weight, .. } => self.take(weight),
            _ => {}
        }
    }

    /// Each weight belongs to one node.
    fn take(&mut self, id: &mut WeightId) {
        if let Some(tensor) = self.old.get_mut(id.0 as usize).and_then(Option::take) {
            *id = WeightId(self.kept.len() as u32);
            self.kept.push(tensor);
        }
    }
}

/// The part of the tail that the outputs depend on.
struct KeptTail {
    /// New numbers of the nodes that are kept.
    number: Vec<Option<usize>>,
    nodes: Vec<TailNode>,
    opened: Vec<WireId>,
    old: Vec<ClearNode>,
}

impl KeptTail {
    fn new(old: Vec<ClearNode>, roots: Vec<Source>) -> Self {
        let mut live = vec![false; old.len()];
        let mark = |live: &mut Vec<bool>, source: &Source| {
            if let Source::Node(at) = source
                && let Some(slot) = live.get_mut(*at)
            {
                *slot = true;
            }
        };
        for root in &roots {
            mark(&mut live, root);
        }
        for (at, node) in old.iter().enumerate().rev() {
            if live.get(at) == Some(&true) {
                for input in &node.inputs {
                    if let ClearInput::Source(source) = input {
                        mark(&mut live, source);
                    }
                }
            }
        }
        let mut next = 0;
        let number = live.into_iter().map(|live| {
            live.then(|| {
                next += 1;
                next - 1
            })
        });
        Self {
            number: number.collect(),
            nodes: Vec::new(),
            opened: Vec::new(),
            old,
        }
    }

    /// The value by its new number. A wire is opened once, however often it is read.
    fn value(&mut self, source: Source) -> TailValue {
        match source {
            Source::Node(at) => {
                TailValue::Node(self.number.get(at).copied().flatten().unwrap_or(0))
            }
            Source::Opened(wire) => {
                let known = self.opened.iter().position(|opened| *opened == wire);
                TailValue::Opened(known.unwrap_or_else(|| {
                    self.opened.push(wire);
                    self.opened.len() - 1
                }))
            }
        }
    }

    fn number_nodes(&mut self) {
        let old = std::mem::take(&mut self.old);
        for (node, number) in old.into_iter().zip(self.number.clone()) {
            if number.is_none() {
                continue;
            }
            let inputs = node.inputs.into_iter().map(|input| match input {
                ClearInput::Source(source) => self.value(source),
                ClearInput::Constant(tensor) => TailValue::Constant(tensor),
            });
            let inputs = inputs.collect();
            self.nodes.push(TailNode {
                name: node.name,
                op: node.op,
                inputs,
                shape: node.shape,
            });
        }
    }
}
