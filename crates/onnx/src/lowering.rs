use crate::constant::{CONSTANT_LIMIT, Constant, Data};
use crate::error::{Fault, InputFault, Op, Refusal, Trouble};
use crate::finish::{ClearInput, ClearNode, Lowered, Owner, Published, finish};
use crate::node::{Node, name, operator};
use crate::operators::lower;
use crate::ops::fold::check;
use crate::value::{Args, Clear, Named, Source, Value, count};
use crate::{Model, OnnxError};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use subrosa_ir::{
    Element, FloatGraph, FloatNode, FloatOp, FloatWire, InputPort, Linear, LinearKind,
    MAX_ELEMENTS, TailOp, Tensor, View, WeightId, WireId,
};

/// Most elements that the wires of a graph may have together.
const WIRE_LIMIT: usize = MAX_ELEMENTS as usize;
/// Most axes that a tensor may have.
const RANK_LIMIT: usize = 16;

/// A graph under construction.
pub(crate) struct Lowering {
    pub graph: FloatGraph,
    pub weights: Vec<Tensor>,
    pub tail: Vec<ClearNode>,
    pub published: Vec<Published>,
    /// The batch, where the file leaves it free.
    pub batch: Option<usize>,
    elements: usize,
    folded: usize,
    at: usize,
    node: String,
}

impl Lowering {
    pub fn run(model: &Model, batch: usize) -> Result<Lowered, OnnxError> {
        if let Some(expected) = model.fixed_batch().filter(|fixed| *fixed != batch) {
            return Err(OnnxError::Batch {
                expected,
                found: batch,
            });
        }
        let mut lowering = Self {
            graph: FloatGraph::default(),
            weights: Vec::new(),
            tail: Vec::new(),
            published: Vec::new(),
            batch: model.has_dynamic_batch().then_some(batch),
            elements: 0,
            folded: 0,
            at: 0,
            node: String::new(),
        };
        let mut values = lowering.inputs(model, batch)?;
        for (name, constant) in &model.constants {
            let named = Named {
                name: name.as_str().into(),
                constant: Arc::clone(constant),
            };
            values.insert(name, Value::Constant(named));
        }
        let used = used(model);
        for at in &model.order {
            lowering
                .read(model, *at, &used, &mut values)
                .map_err(|trouble| blame(model, *at, trouble))?;
        }
        finish(lowering, model, &values)
    }

    fn inputs<'m>(
        &mut self,
        model: &'m Model,
        batch: usize,
    ) -> Result<HashMap<&'m str, Value>, OnnxError> {
        let mut values = HashMap::new();
        for input in &model.inputs {
            let shape = input.shape(batch);
            let fault = match count(&shape) {
                Some(0) => Some(InputFault::NoElements {
                    shape: shape.clone(),
                }),
                Some(_) if shape.len() > RANK_LIMIT => Some(InputFault::TooLarge {
                    shape: shape.clone(),
                }),
                Some(count) if self.elements.saturating_add(count) <= WIRE_LIMIT => None,
                _ => Some(InputFault::TooLarge {
                    shape: shape.clone(),
                }),
            };
            if let Some(fault) = fault {
                return Err(OnnxError::Input {
                    name: input.name.clone(),
                    fault,
                });
            }
            self.elements += count(&shape).unwrap_or(0);
            let wire = WireId(self.graph.wires.len() as u32);
            self.graph.wires.push(FloatWire {
                name: input.name.clone(),
                shape,
            });
            self.graph.inputs.push(InputPort {
                name: input.name.clone(),
                wire,
            });
            values.insert(input.name.as_str(), Value::Wire(wire));
        }
        Ok(values)
    }

    fn read<'m>(
        &mut self,
        model: &'m Model,
        at: usize,
        used: &HashSet<&str>,
        values: &mut HashMap<&'m str, Value>,
    ) -> Op<()> {
        let Some(proto) = model.nodes().get(at) else {
            return Ok(());
        };
        self.at = at;
        self.node = name(proto).to_owned();
        let args = Args {
            values: proto
                .input
                .iter()
                .map(|name| values.get(name.as_str()).cloned())
                .collect(),
        };
        let node = Node {
            proto,
            opset: model.opset,
        };
        let results = lower(self, &node, &args)?;
        let mut results = results.into_iter();
        for (output, name) in proto.output.iter().enumerate() {
            match results.next() {
                Some(_) if name.is_empty() => {}
                Some(Value::Constant(named)) => {
                    self.folded = self.folded.saturating_add(named.constant.len());
                    if self.folded > CONSTANT_LIMIT {
                        return Err(Fault::TooLarge {
                            limit: CONSTANT_LIMIT,
                        }
                        .into());
                    }
                    let named = Named {
                        name: name.as_str().into(),
                        ..named
                    };
                    values.insert(name, Value::Constant(named));
                }
                Some(value) => {
                    values.insert(name, value);
                }
                None if used.contains(name.as_str()) => {
                    return Err(Refusal::Output { output }.into());
                }
                None => {}
            }
        }
        Ok(())
    }

    pub fn shape<'a>(&'a self, value: &'a Value) -> &'a [usize] {
        match value {
            Value::Constant(named) => &named.constant.shape,
            Value::Wire(wire) => &self.graph.wire(*wire).shape,
            Value::Clear(clear) => &clear.shape,
        }
    }

    /// The wire of a private value; anything else is refused.
    pub fn private(&self, value: &Value) -> Op<WireId> {
        match value {
            Value::Wire(wire) => Ok(*wire),
            Value::Clear(clear) => Err(Trouble::AfterTail(clear.cause)),
            Value::Constant(_) => Err(Refusal::NothingPrivate.into()),
        }
    }

    /// Counts the elements of a new wire or value of the tail.
    fn reckon(&mut self, shape: &[usize]) -> Op<()> {
        let found = count(shape).filter(|count| *count <= WIRE_LIMIT - self.elements);
        let found = found.ok_or(Fault::TooLarge { limit: WIRE_LIMIT })?;
        if found == 0 {
            return Err(Fault::NoElements {
                shape: shape.to_vec(),
            }
            .into());
        }
        if shape.len() > RANK_LIMIT {
            return Err(Fault::Axes {
                shape: shape.to_vec(),
                limit: RANK_LIMIT,
            }
            .into());
        }
        self.elements += found;
        Ok(())
    }

    /// Adds a node to the private part.
    pub fn emit(&mut self, op: FloatOp, inputs: Vec<WireId>, shape: &[usize]) -> Op<WireId> {
        self.reckon(shape)?;
        let output = WireId(self.graph.wires.len() as u32);
        self.graph.wires.push(FloatWire {
            name: self.node.clone(),
            shape: shape.to_vec(),
        });
        self.graph.nodes.push(FloatNode {
            name: self.node.clone(),
            op,
            inputs,
            output,
        });
        Ok(output)
    }

    /// A product with a new private weight. `values` and `bias` are in the order that `kind` says.
    pub fn linear(
        &mut self,
        kind: LinearKind,
        x: WireId,
        weight: Vec<f32>,
        bias: Option<Vec<f32>>,
        shape: &[usize],
    ) -> Op<WireId> {
        let weight = self.weight(Tensor {
            shape: kind.weight_shape(),
            values: weight,
        })?;
        let bias = match bias {
            Some(values) => Some(self.weight(Tensor {
                shape: vec![values.len()],
                values,
            })?),
            None => None,
        };
        self.emit(
            FloatOp::Linear(Linear { kind, weight, bias }),
            vec![x],
            shape,
        )
    }

    pub fn weight(&mut self, tensor: Tensor) -> Op<WeightId> {
        if tensor.values.iter().any(|v| !v.is_finite()) {
            return Err(Fault::NotFinite.into());
        }
        self.weights.push(tensor);
        Ok(WeightId(self.weights.len() as u32 - 1))
    }

    /// Notes that the constant that the next private node uses is public.
    pub fn publish(&mut self, name: &str, tensor: Tensor) {
        let owner = Owner::Node(self.graph.nodes.len());
        self.published.push(Published {
            owner,
            name: name.to_owned(),
            node: self.node.clone(),
            tensor,
        });
    }

    /// Adds a node to the output tail.
    pub fn clear(&mut self, op: TailOp, inputs: &[&Value], shape: &[usize]) -> Op<Value> {
        self.reckon(shape)?;
        let index = self.tail.len();
        let mut cause = self.at;
        let moves = matches!(op, TailOp::View(_));
        let mut element = if moves {
            Element::Integer
        } else {
            Element::Float
        };
        let mut sources = Vec::with_capacity(inputs.len());
        for value in inputs {
            sources.push(match value {
                Value::Wire(wire) => {
                    element = Element::Float;
                    ClearInput::Source(Source::Opened(*wire))
                }
                Value::Clear(clear) => {
                    if clear.element == Element::Float {
                        element = Element::Float;
                    }
                    cause = clear.cause;
                    ClearInput::Source(clear.source)
                }
                Value::Constant(named) => {
                    let tensor = named.constant.tensor();
                    self.published.push(Published {
                        owner: Owner::Tail(index),
                        name: named.name.to_string(),
                        node: self.node.clone(),
                        tensor: tensor.clone(),
                    });
                    ClearInput::Constant(tensor)
                }
            });
        }
        self.tail.push(ClearNode {
            name: self.node.clone(),
            op,
            inputs: sources,
            shape: shape.to_vec(),
        });
        Ok(Value::Clear(Clear {
            source: Source::Node(index),
            shape: shape.to_vec(),
            element,
            cause,
        }))
    }

    /// A private value that is opened here, with elements of the given type.
    pub fn open(&self, wire: WireId, element: Element) -> Value {
        let shape = self.graph.wire(wire).shape.clone();
        Value::Clear(Clear {
            source: Source::Opened(wire),
            shape,
            element,
            cause: self.at,
        })
    }

    /// Moves elements, whatever the value is. Constants are moved at once.
    pub fn view(&mut self, x: &Value, view: View, shape: &[usize]) -> Op<Value> {
        if is_identity(&view, self.shape(x), shape) {
            Ok(x.clone())
        } else {
            self.views(&[x], view, shape)
        }
    }

    /// As [`Lowering::view`], for several inputs. Wires and constants do not go together.
    pub fn views(&mut self, inputs: &[&Value], view: View, shape: &[usize]) -> Op<Value> {
        if let Some(constants) = constants(inputs) {
            return Ok(move_constants(&constants, &view, shape)?.into());
        }
        if inputs.iter().any(|value| matches!(value, Value::Clear(_))) {
            return self.clear(TailOp::View(view), inputs, shape);
        }
        let wires = inputs
            .iter()
            .map(|value| self.private(value))
            .collect::<Op<Vec<_>>>()?;
        Ok(Value::Wire(self.emit(FloatOp::View(view), wires, shape)?))
    }
}

fn is_identity(view: &View, from: &[usize], to: &[usize]) -> bool {
    from == to
        && match view {
            View::Reshape | View::Pad { .. } | View::Broadcast => true,
            View::Transpose(perm) => perm.iter().enumerate().all(|(axis, from)| axis == *from),
            View::Slice(axes) => axes.iter().all(|a| a.count < 2 || a.step == 1),
            View::Concat { .. } => false,
        }
}

/// The inputs, if all are constants.
pub(crate) fn constants<'a>(inputs: &[&'a Value]) -> Option<Vec<&'a Constant>> {
    let constant = |value: &&'a Value| match value {
        Value::Constant(named) => Some(named.constant.as_ref()),
        _ => None,
    };
    inputs.iter().map(constant).collect()
}

fn move_constants(inputs: &[&Constant], view: &View, shape: &[usize]) -> Op<Constant> {
    check(shape)?;
    let mut floats = Vec::new();
    let mut ints = Vec::new();
    for constant in inputs {
        match &constant.data {
            Data::Float(values) => floats.push((constant.shape.as_slice(), values.as_slice())),
            Data::Int(values) => ints.push((constant.shape.as_slice(), values.as_slice())),
        }
    }
    if ints.is_empty() {
        return Ok(Constant::float(shape.to_vec(), view.apply(&floats, shape)));
    }
    if !floats.is_empty() {
        return Err(Fault::Type {
            input: 0,
            expected: "the other inputs",
        }
        .into());
    }
    Ok(Constant::int(shape.to_vec(), view.apply(&ints, shape)))
}

/// Names that a live node or the outside reads.
fn used(model: &Model) -> HashSet<&str> {
    let nodes = model.order.iter().filter_map(|at| model.nodes().get(*at));
    let read = nodes.flat_map(|node| &node.input).map(String::as_str);
    let outputs = model
        .proto
        .graph
        .iter()
        .flat_map(|graph| &graph.output)
        .map(|info| info.name.as_str());
    read.chain(outputs)
        .filter(|name| !name.is_empty())
        .collect()
}

fn blame(model: &Model, at: usize, trouble: Trouble) -> OnnxError {
    let named = |at: usize| {
        let proto = model.nodes().get(at);
        (
            proto.map(operator).unwrap_or_default(),
            proto.map(name).unwrap_or_default().to_owned(),
        )
    };
    let opset = model.opset;
    let (operator, node) = named(at);
    match trouble {
        Trouble::Refused(reason) => OnnxError::UnsupportedOperator {
            operator,
            node,
            opset,
            reason,
        },
        Trouble::Broken(fault) => OnnxError::InvalidNode {
            operator,
            node,
            opset,
            fault,
        },
        Trouble::AfterTail(cause) => {
            let reason = Refusal::NeededBy { operator, node };
            let (operator, node) = named(cause);
            OnnxError::UnsupportedOperator {
                operator,
                node,
                opset,
                reason,
            }
        }
    }
}
