//! What the user and the gateway agree on: all that the user knows.

use serde::{Deserialize, Serialize};
use subrosa_core::{Bits, Malformed, Wire, WordsLayout};
use subrosa_hybrid::{OwnerKeys, Reading, Scheme};
use subrosa_ir::{
    Element, FixedGraph, FixedWire, InputPort, OutputPort, Tail, TailValue, WireId, volume,
};
use subrosa_share::flow::top_k_fits;

/// The gateway's half of the network.
pub enum Front {
    /// Nothing: the user's inputs are what the servers begin with. A graph whose outputs are its inputs.
    Bare(FixedGraph),
    /// Computed by the user and the gateway.
    Hybrid(Box<Scheme>),
}

/// The user's view of an inference: the front half, what is handed on, and the answers. Nothing in it depends on the hidden half but
/// ring, shapes, widths and scales of what goes in and comes out.
pub struct Face {
    pub front: Front,
    /// A graph whose inputs are its outputs, the answers, with what the user computes of them in the clear.
    pub answers: FixedGraph,
    /// r of each wire that the front half hands on: always in the full ring, so that its width does not say who reads it.
    pub transition: Vec<WordsLayout>,
    /// Masked answers.
    pub outputs: Vec<WordsLayout>,
}

#[derive(Serialize, Deserialize)]
struct Encoded {
    /// Reading and bits of the largest weight.
    front: Option<(u8, u8)>,
    asks: FixedGraph,
    answers: FixedGraph,
    /// Of the answers.
    widths: Vec<u8>,
}

impl Face {
    /// `hidden`: a graph whose outputs are the answers, which come in `outputs`.
    pub fn new(front: Front, hidden: &FixedGraph, outputs: &[WordsLayout]) -> Self {
        let widths: Vec<u32> = outputs.iter().map(|layout| layout.bits).collect();
        Self::of(front, answers(hidden, &widths), &widths)
    }

    fn of(front: Front, answers: FixedGraph, widths: &[u32]) -> Self {
        let asks = front.graph();
        let handed = asks.outputs.iter().map(|wire| WordsLayout {
            count: volume(&asks.wire(*wire).shape),
            bits: asks.ring,
        });
        let outputs = answers.wires.iter().zip(widths);
        let outputs = outputs.map(|(wire, bits)| WordsLayout {
            count: volume(&wire.shape),
            bits: *bits,
        });
        Self {
            transition: handed.collect(),
            outputs: outputs.collect(),
            answers,
            front,
        }
    }

    /// The graph of which the user brings the inputs.
    pub fn asks(&self) -> &FixedGraph {
        self.front.graph()
    }

    pub fn hybrid(&self) -> Option<&Scheme> {
        match &self.front {
            Front::Bare(_) => None,
            Front::Hybrid(scheme) => Some(scheme),
        }
    }

    /// Layout of each side's keys for the front half, of one or none.
    pub fn keys(&self) -> <Vec<OwnerKeys> as Wire>::Layout {
        let parameters = self.hybrid().map(|scheme| scheme.parameters.clone());
        parameters.into_iter().collect()
    }

    pub fn encode(&self) -> Vec<u8> {
        let front = self.hybrid();
        let encoded = Encoded {
            front: front.map(|scheme| (scheme.reading as u8, scheme.weight_bits.0 as u8)),
            asks: self.asks().clone(),
            answers: self.answers.clone(),
            widths: self.outputs.iter().map(|l| l.bits as u8).collect(),
        };
        // Writing to a vector cannot fail, and every type in a graph has an encoding.
        postcard::to_stdvec(&encoded).unwrap_or_default()
    }

    /// And the bytes behind it.
    pub fn parse(bytes: &[u8]) -> Result<(Self, &[u8]), Malformed> {
        let taken = postcard::take_from_bytes::<Encoded>(bytes);
        let (encoded, rest) = taken.map_err(|_| Malformed::Encoding)?;
        let Encoded {
            front,
            asks,
            answers,
            widths,
        } = encoded;
        for graph in [&asks, &answers] {
            graph.check().map_err(|_| Malformed::Encoding)?;
        }
        let widths: Vec<u32> = widths.into_iter().map(u32::from).collect();
        let fit = widths.iter().all(|bits| (1..=u64::BITS).contains(bits));
        let all = widths.len() == answers.wires.len() && passes(&answers);
        if !fit || !all || asks.ring != answers.ring {
            return Err(Malformed::Range);
        }
        let front = match front {
            None if passes(&asks) => Front::Bare(asks),
            None => return Err(Malformed::Range),
            Some((reading, bits)) => Front::hybrid(asks, reading_of(reading)?, bits.into())?,
        };
        Ok((Self::of(front, answers, &widths), rest))
    }
}

impl Front {
    /// `Malformed::Range` where no parameters hold the products.
    pub fn hybrid(graph: FixedGraph, reading: Reading, bits: u32) -> Result<Self, Malformed> {
        if !(1..=graph.ring).contains(&bits) || top_k_fits(&graph).is_err() {
            return Err(Malformed::Range);
        }
        let ring = graph.ring;
        let scheme = Scheme::new(graph, reading, Bits(bits), ring)?;
        Ok(Self::Hybrid(Box::new(scheme)))
    }

    /// Nothing but the inputs of `whole`.
    pub fn bare(whole: &FixedGraph) -> Self {
        let wires = whole
            .inputs
            .iter()
            .map(|port| whole.wire(port.wire).clone());
        let mut graph = passing(whole.ring, wires.collect());
        graph.declared.clone_from(&whole.declared);
        for (port, named) in graph.inputs.iter_mut().zip(&whole.inputs) {
            port.name.clone_from(&named.name);
        }
        Self::Bare(graph)
    }

    fn graph(&self) -> &FixedGraph {
        match self {
            Self::Bare(graph) => graph,
            Self::Hybrid(scheme) => &scheme.graph,
        }
    }
}

fn reading_of(byte: u8) -> Result<Reading, Malformed> {
    match byte {
        0 => Ok(Reading::Ot),
        1 => Ok(Reading::Gc),
        _ => Err(Malformed::Range),
    }
}

/// Whether the inputs are the outputs and all wires, in this order.
fn passes(graph: &FixedGraph) -> bool {
    let ids = || (0..graph.wires.len() as u32).map(WireId);
    let ports = graph.inputs.iter().map(|port| port.wire);
    graph.nodes.is_empty() && ports.eq(ids()) && graph.outputs.iter().copied().eq(ids())
}

/// A graph that hands out its inputs.
fn passing(ring: u32, wires: Vec<FixedWire>) -> FixedGraph {
    let ids = || (0..wires.len() as u32).map(WireId);
    let port = |wire: WireId| InputPort {
        name: wires[wire.0 as usize].name.clone(),
        wire,
    };
    let opened = |(at, wire): (usize, &FixedWire)| OutputPort {
        name: wire.name.clone(),
        value: TailValue::Opened(at),
        element: Element::Float,
    };
    let declared = wires.iter().map(|wire| {
        let bound = i64::try_from(wire.bound).unwrap_or(i64::MAX);
        [-bound, bound]
    });
    FixedGraph {
        ring,
        inputs: ids().map(port).collect(),
        declared: declared.collect(),
        nodes: Vec::new(),
        outputs: ids().collect(),
        tail: Tail {
            nodes: Vec::new(),
            outputs: wires.iter().enumerate().map(opened).collect(),
        },
        wires,
    }
}

/// The answers of `graph`: shapes, scales and widths, without names and bounds of its wires.
fn answers(graph: &FixedGraph, widths: &[u32]) -> FixedGraph {
    let wire = |(number, (id, bits)): (usize, (&WireId, &u32))| {
        let wire = graph.wire(*id);
        FixedWire {
            name: format!("answer {number}"),
            shape: wire.shape.clone(),
            frac: wire.frac,
            bound: (1 << bits.min(&graph.ring).saturating_sub(2)) - 1,
            proven: false,
        }
    };
    let wires = graph.outputs.iter().zip(widths).enumerate().map(wire);
    let mut passing = passing(graph.ring, wires.collect());
    passing.tail.clone_from(&graph.tail);
    passing
}
