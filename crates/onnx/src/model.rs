use crate::constant::{Constant, Data};
use crate::error::{Refusal, TensorFault};
use crate::file::{check_fields, check_size};
use crate::input::{InputInfo, inputs};
use crate::lowering::Lowering;
use crate::node::{name, operator, own_domain};
use crate::operators::is_known;
use crate::order::live_order;
use crate::{OnnxError, PublicConstant};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;
use subrosa_ir::{FloatGraph, Weights};
use tract_onnx::pb::{GraphProto, ModelProto, TensorProto};
use tract_onnx::prelude::Framework;

/// Opsets whose operators are known here.
const OPSETS: std::ops::RangeInclusive<i64> = 7..=26;

/// An ONNX file, read and checked. Its graph is made by [`Model::graph`], for one batch size.
#[derive(Clone)]
pub struct Model {
    pub(crate) proto: Arc<ModelProto>,
    pub(crate) opset: i64,
    pub(crate) inputs: Vec<InputInfo>,
    pub(crate) constants: HashMap<String, Arc<Constant>>,
    /// Indices of the nodes that the outputs depend on, in the order in which they are read.
    pub(crate) order: Vec<usize>,
}

impl Model {
    /// Checks everything that does not depend on the batch: encoding, opset, names, order, operators, weights.
    pub fn parse(bytes: &[u8]) -> Result<Model, OnnxError> {
        check_size(bytes.len() as u64)?;
        check_fields(bytes)?;
        let proto = tract_onnx::onnx()
            .proto_model_for_read(&mut &bytes[..])
            .map_err(|_| OnnxError::Damaged)?;
        Self::check(proto)
    }

    fn check(proto: ModelProto) -> Result<Model, OnnxError> {
        let graph = proto.graph.as_ref().ok_or(OnnxError::NoGraph)?;
        let constants = initialisers(graph)?;
        let free = graph
            .input
            .iter()
            .filter(|info| !constants.contains_key(&info.name));
        let inputs = inputs(free)?;
        let mut known: HashSet<&str> = constants.keys().map(String::as_str).collect();
        for input in &inputs {
            if !known.insert(&input.name) {
                return Err(OnnxError::DefinedTwice {
                    value: input.name.clone(),
                });
            }
        }
        if graph.output.is_empty() {
            return Err(OnnxError::NoOutputs);
        }
        let order = live_order(graph, &known)?;
        check_operators(&proto, graph, &order)?;
        let opset = opset(&proto, "").ok_or(OnnxError::NoOpset)?;
        if !OPSETS.contains(&opset) {
            return Err(OnnxError::Opset {
                found: opset,
                oldest: *OPSETS.start(),
                newest: *OPSETS.end(),
            });
        }
        Ok(Model {
            opset,
            inputs,
            constants,
            order,
            proto: Arc::new(proto),
        })
    }

    /// The graph's own name.
    pub fn name(&self) -> &str {
        self.proto.graph.as_ref().map_or("", |graph| &graph.name)
    }

    /// The program that wrote the file.
    pub fn producer(&self) -> &str {
        &self.proto.producer_name
    }

    pub fn opset(&self) -> i64 {
        self.opset
    }

    /// How often each operator occurs among the nodes that the outputs depend on.
    pub fn operators(&self) -> BTreeMap<String, usize> {
        let mut counts = BTreeMap::new();
        for node in self.order.iter().filter_map(|at| self.nodes().get(*at)) {
            *counts.entry(operator(node)).or_insert(0) += 1;
        }
        counts
    }

    /// Number of floating-point constants of the file.
    pub fn parameters(&self) -> usize {
        let given = self
            .constants
            .values()
            .filter(|c| matches!(c.data, Data::Float(_)))
            .map(|c| c.len());
        let inline = self
            .order
            .iter()
            .filter_map(|at| self.nodes().get(*at))
            .filter(|node| node.op_type == "Constant")
            .flat_map(|node| &node.attribute)
            .filter_map(|attribute| attribute.t.as_ref())
            .filter_map(|tensor| Constant::decode(tensor).ok())
            .filter(|constant| matches!(constant.data, Data::Float(_)))
            .map(|constant| constant.len());
        given.sum::<usize>() + inline.sum::<usize>()
    }

    /// Initialisers that the file lists as inputs, as old files do, are not among them.
    pub fn inputs(&self) -> Vec<InputInfo> {
        self.inputs.clone()
    }

    pub fn has_dynamic_batch(&self) -> bool {
        self.inputs.iter().any(InputInfo::has_dynamic_batch)
    }

    /// The batch that the file fixes: the leading extent of its first input. `None` where it is free.
    pub fn fixed_batch(&self) -> Option<usize> {
        if self.has_dynamic_batch() {
            return None;
        }
        Some(
            self.inputs
                .first()
                .and_then(|input| input.shape(1).first().copied())
                .unwrap_or(1),
        )
    }

    /// The graph for one batch size, and the weights that belong to it. A file that fixes the batch takes only that.
    pub fn graph(&self, batch: usize) -> Result<(FloatGraph, Weights), OnnxError> {
        let lowered = Lowering::run(self, batch)?;
        Ok((lowered.graph, lowered.weights))
    }

    /// The scalars and the constants of the output tail: what of the file's numbers everybody learns.
    pub fn public_constants(&self, batch: usize) -> Result<Vec<PublicConstant>, OnnxError> {
        Ok(Lowering::run(self, batch)?.public)
    }

    pub(crate) fn nodes(&self) -> &[tract_onnx::pb::NodeProto] {
        self.proto.graph.as_ref().map_or(&[], |graph| &graph.node)
    }
}

fn initialisers(graph: &GraphProto) -> Result<HashMap<String, Arc<Constant>>, OnnxError> {
    if let Some(sparse) = graph.sparse_initializer.first() {
        let name = sparse
            .values
            .as_ref()
            .map_or("", |values| &values.name)
            .to_owned();
        return Err(OnnxError::Tensor {
            name,
            fault: TensorFault::Sparse,
        });
    }
    let mut constants = HashMap::new();
    for tensor in &graph.initializer {
        let constant = decode(tensor)?;
        if constants
            .insert(tensor.name.clone(), Arc::new(constant))
            .is_some()
        {
            return Err(OnnxError::DefinedTwice {
                value: tensor.name.clone(),
            });
        }
    }
    Ok(constants)
}

fn decode(tensor: &TensorProto) -> Result<Constant, OnnxError> {
    Constant::decode(tensor).map_err(|fault| OnnxError::Tensor {
        name: tensor.name.clone(),
        fault,
    })
}

fn opset(proto: &ModelProto, domain: &str) -> Option<i64> {
    let same = |other: &str| other == domain || own_domain(domain) && own_domain(other);
    proto
        .opset_import
        .iter()
        .find(|import| same(&import.domain))
        .map(|import| import.version)
}

/// Names the first operator that is not known, before anything of the graph is read.
fn check_operators(
    proto: &ModelProto,
    graph: &GraphProto,
    order: &[usize],
) -> Result<(), OnnxError> {
    for node in order.iter().filter_map(|at| graph.node.get(*at)) {
        if own_domain(&node.domain) && is_known(&node.op_type) {
            continue;
        }
        return Err(OnnxError::UnsupportedOperator {
            operator: operator(node),
            node: name(node).to_owned(),
            opset: opset(proto, &node.domain).ok_or(OnnxError::NoOpset)?,
            reason: Refusal::Unknown,
        });
    }
    Ok(())
}
