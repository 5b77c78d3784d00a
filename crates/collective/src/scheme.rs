//! What all servers know of an inference: the graph, how it is computed, and every step in order.

use crate::activation::{Garbling, Shape};
use crate::linear::Product;
use crate::refresh::Refresh;
use crate::servers::Servers;
use crate::shares::Holders;
use crate::walk::{Known, Reading, Walk, values};
use std::convert::Infallible;
use std::ops::RangeInclusive;
use subrosa_core::{Malformed, Words, WordsLayout};
use subrosa_ir::{FixedGraph, Linear, LinearKind, Spread, WeightId, WireId, volume};
use subrosa_net::{LocalFault, RunError};
use subrosa_rlwe::{Layer, Parameters, Release, collective_parameters_for};
use subrosa_share::flow::Flow;
use subrosa_share::widths;

/// How many remotes there may be.
pub const REMOTES: RangeInclusive<usize> = 2..=8;

/// One step of the walk.
pub enum Step {
    Linear(Box<Product>),
    Refresh(Refresh),
    /// Chunks that are evaluated at once online.
    Activation(Vec<Shape>),
}

/// The public description of an inference among servers.
pub struct Scheme {
    pub graph: FixedGraph,
    pub remotes: usize,
    pub garbling: Garbling,
    pub holders: Holders,
    pub parameters: Parameters,
    pub steps: Vec<Step>,
    /// Masked inputs and their masks.
    pub inputs: Vec<WordsLayout>,
    /// Masked outputs and their masks.
    pub outputs: Vec<WordsLayout>,
}

impl Scheme {
    /// `Malformed::Range` where no parameters hold the products, or for a number of remotes out of [`REMOTES`].
    pub fn new(
        graph: FixedGraph,
        remotes: usize,
        garbling: Garbling,
        holders: Holders,
    ) -> Result<Self, Malformed> {
        if !REMOTES.contains(&remotes) {
            return Err(Malformed::Range);
        }
        let wide = widths(&graph, 0);
        let layout = |wire: WireId| WordsLayout {
            count: volume(&graph.wire(wire).shape),
            bits: wide[wire.0 as usize],
        };
        let inputs: Vec<_> = graph.inputs.iter().map(|p| layout(p.wire)).collect();
        let mut flow = Flow::new(&graph, 0, Walk::new(Survey::default()));
        let Ok(outputs) = flow.run(values(&inputs, Vec::new()));
        let found = flow.backend.reading.found;
        let outputs = outputs.iter().map(|v| WordsLayout {
            count: v.len,
            bits: v.bits,
        });
        let outputs = outputs.collect();
        let parameters = parameters(&found)?;
        let steps = found.into_iter().map(|step| match step {
            Found::Linear(product, bits) => {
                let layer = Layer::new(&product, &parameters, bits);
                let count = layer.packing().out_len();
                let out = WordsLayout { count, bits };
                Step::Linear(Box::new(Product { layer, out }))
            }
            Found::Refresh(refresh) => Step::Refresh(refresh),
            Found::Activation(shapes) => Step::Activation(shapes),
        });
        Ok(Self {
            steps: steps.collect(),
            inputs,
            outputs,
            graph,
            remotes,
            garbling,
            holders,
            parameters,
        })
    }

    /// Remotes and the gateway.
    pub fn servers(&self) -> usize {
        self.remotes + 1
    }

    /// By how many units a product is off at most: every share of it is rounded once.
    pub fn product_error(&self) -> u64 {
        self.servers() as u64 / 2
    }

    /// Whether inputs, or their masks, and servers are those of the scheme.
    pub(crate) fn check(&self, servers: &Servers, words: &[Words]) -> Result<(), RunError> {
        let found = words.iter().map(|words| (words.values.len(), words.bits));
        let fits = self.inputs.iter().map(|l| (l.count, l.bits)).eq(found);
        match fits {
            true => self.check_servers(servers),
            false => Err(LocalFault::Invariant.into()),
        }
    }

    pub(crate) fn check_servers(&self, servers: &Servers) -> Result<(), RunError> {
        match servers.count() == self.servers() && servers.me <= servers.gateway() {
            true => Ok(()),
            false => Err(LocalFault::Invariant.into()),
        }
    }
}

/// One set of parameters for all products, for the widest ring and the most weights in an answer among them.
fn parameters(found: &[Found]) -> Result<Parameters, Malformed> {
    let products = || {
        found.iter().filter_map(|step| match step {
            Found::Linear(product, bits) => Some((product, *bits)),
            _ => None,
        })
    };
    let widest = products().map(|(_, bits)| bits).max().unwrap_or(1);
    let mut taps = 1;
    loop {
        let parameters = collective_parameters_for(widest, taps, Release::Masked)
            .and_then(|literal| literal.check())
            .map_err(|_| Malformed::Range)?;
        let layers = products().map(|(product, bits)| Layer::new(product, &parameters, bits));
        let most = layers.map(|layer| layer.packing().l1_taps()).max();
        match most {
            Some(most) if most > taps => taps = most,
            _ => return Ok(parameters),
        }
    }
}

fn product(kind: &LinearKind) -> subrosa_rlwe::Product {
    match kind {
        LinearKind::MatMul {
            rows,
            inner,
            columns,
        } => subrosa_rlwe::Product::MatMul {
            rows: *rows,
            inner: *inner,
            columns: *columns,
        },
        LinearKind::Conv(conv) => subrosa_rlwe::Product::Conv(conv.shape()),
        LinearKind::Diagonal(spread) => subrosa_rlwe::Product::Diagonal {
            outer: spread.outer,
            channels: spread.channels,
            inner: spread.inner,
        },
    }
}

enum Found {
    Linear(subrosa_rlwe::Product, u32),
    Refresh(Refresh),
    Activation(Vec<Shape>),
}

/// The reading of a plan that lists its steps.
#[derive(Default)]
struct Survey {
    found: Vec<Found>,
}

impl Reading for Survey {
    type Error = Infallible;
    const LIVE: bool = false;
    const PUBLIC: bool = false;

    fn linear(&mut self, linear: &Linear, bits: u32, _: &[u64]) -> Result<Vec<u64>, Infallible> {
        self.found.push(Found::Linear(product(&linear.kind), bits));
        Ok(Vec::new())
    }

    fn bias(&mut self, _: WeightId, _: &Spread, _: &mut [u64]) {}

    fn refresh(&mut self, refresh: Refresh, _: u32, _: &[u64]) -> Result<Known, Infallible> {
        self.found.push(Found::Refresh(refresh));
        Ok(Default::default())
    }

    fn activate(
        &mut self,
        shapes: &[Shape],
        _: &[Vec<Known>],
        _: &[u64],
    ) -> Result<Vec<u64>, Infallible> {
        self.found.push(Found::Activation(shapes.to_vec()));
        Ok(Vec::new())
    }
}
