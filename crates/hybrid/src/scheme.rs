//! What both parties know of an inference: the graph, how it is computed, and every step in order.

use crate::step::{Kind, Operands, Shape};
use std::convert::Infallible;
use subrosa_core::{Bits, Malformed, WordsLayout};
use subrosa_ir::{FixedGraph, FixedOp, Linear, LinearKind, Spread, WeightId, WireId, volume};
use subrosa_rlwe::{Layer, Parameters, Product, parameters_for_all};
use subrosa_share::flow::{Backend, Flow, Value};
use subrosa_share::widths;

/// How activations are computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reading {
    /// Comparison and selection on oblivious transfers: few bytes, a round for each level.
    Ot,
    /// Garbled circuits: one round for each activation.
    Gc,
}

/// One step of the walk.
pub enum Step {
    /// A product, and the layout of each share of its result.
    Linear(Box<Layer>, WordsLayout),
    Nonlinear(Shape),
}

/// The public description of an inference between a client and an owner.
pub struct Scheme {
    pub graph: FixedGraph,
    pub reading: Reading,
    /// Every weight is smaller than 2^this in absolute value.
    pub weight_bits: Bits,
    /// The least width in which outputs are delivered; 0 where their bounds decide.
    pub ending: u32,
    pub parameters: Parameters,
    pub steps: Vec<Step>,
    /// Masked inputs, as the client sends them.
    pub inputs: Vec<WordsLayout>,
    /// Masked outputs, as the owner sends them.
    pub outputs: Vec<WordsLayout>,
}

impl Scheme {
    /// `Malformed::Range` where no parameters hold the products.
    pub fn new(
        graph: FixedGraph,
        reading: Reading,
        weight_bits: Bits,
        ending: u32,
    ) -> Result<Self, Malformed> {
        let wide = widths(&graph, ending);
        let layout = |wire: WireId| WordsLayout {
            count: volume(&graph.wire(wire).shape),
            bits: wide[wire.0 as usize],
        };
        let inputs: Vec<_> = graph.inputs.iter().map(|p| layout(p.wire)).collect();
        let values = inputs
            .iter()
            .map(|l| Value::with_parts(l.bits, l.count, vec![], vec![]));
        let values = values.collect();
        let survey = Survey {
            reading,
            found: Vec::new(),
        };
        let mut flow = Flow::new(&graph, ending, survey);
        let Ok(outputs) = flow.run(values);
        let found = flow.backend.found;
        let outputs = outputs.iter().map(|v| WordsLayout {
            count: v.len,
            bits: v.bits,
        });
        let outputs = outputs.collect();
        let parameters = parameters(&found, weight_bits)?;
        let steps = found.into_iter().map(|step| match step {
            Found::Linear(product, bits) => {
                let layer = Layer::new(&product, &parameters, bits);
                let count = layer.packing().out_len();
                Step::Linear(Box::new(layer), WordsLayout { count, bits })
            }
            Found::Nonlinear(shape) => Step::Nonlinear(shape),
        });
        Ok(Self {
            steps: steps.collect(),
            inputs,
            outputs,
            graph,
            reading,
            weight_bits,
            ending,
            parameters,
        })
    }

    /// The weights that values are multiplied with.
    pub fn factors(&self) -> impl Iterator<Item = WeightId> {
        self.graph.nodes.iter().filter_map(|node| match &node.op {
            FixedOp::Linear { linear, .. } => Some(linear.weight),
            _ => None,
        })
    }

    pub fn shapes(&self) -> impl Iterator<Item = &Shape> {
        self.steps.iter().filter_map(|step| match step {
            Step::Nonlinear(shape) => Some(shape),
            Step::Linear(..) => None,
        })
    }
}

/// One set of parameters for all products.
fn parameters(found: &[Found], weight_bits: Bits) -> Result<Parameters, Malformed> {
    let products = found.iter().filter_map(|step| match step {
        Found::Linear(product, bits) => Some((product.clone(), *bits, 0)),
        Found::Nonlinear(_) => None,
    });
    let products: Vec<_> = products.collect();
    parameters_for_all(&products, weight_bits.0)
        .and_then(|literal| literal.check())
        .map_err(|_| Malformed::Range)
}

fn product(kind: &LinearKind) -> Product {
    match kind {
        LinearKind::MatMul {
            rows,
            inner,
            columns,
        } => Product::MatMul {
            rows: *rows,
            inner: *inner,
            columns: *columns,
        },
        LinearKind::Conv(conv) => Product::Conv(conv.shape()),
        LinearKind::Diagonal(spread) => Product::Diagonal {
            outer: spread.outer,
            channels: spread.channels,
            inner: spread.inner,
        },
    }
}

enum Found {
    Linear(Product, u32),
    Nonlinear(Shape),
}

/// The reading of a plan that lists its steps.
struct Survey {
    reading: Reading,
    found: Vec<Found>,
}

impl Backend for Survey {
    type Error = Infallible;
    const LIVE: bool = false;
    const PUBLIC: bool = false;

    fn linear(
        &mut self,
        linear: &Linear,
        bits: u32,
        _: &[u64],
        _: &[u64],
    ) -> Result<Vec<u64>, Infallible> {
        self.found.push(Found::Linear(product(&linear.kind), bits));
        Ok(Vec::new())
    }

    fn bias(&mut self, _: WeightId, _: &Spread, _: &mut [u64]) {}

    fn parts(&mut self, _: usize, _: u32, _: &[u64]) -> Result<Vec<u64>, Infallible> {
        Ok(Vec::new())
    }

    fn step(&mut self, lanes: usize, kind: Kind, _: Operands<'_>) -> Result<Vec<u64>, Infallible> {
        self.found
            .extend(Shape::split(lanes, kind, self.reading).map(Found::Nonlinear));
        Ok(Vec::new())
    }
}
