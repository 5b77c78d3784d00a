//! What a party knows of a plan. The architecture is public, so both views hold the same scheme.

use crate::parties::{CLIENT, VENDOR};
use std::sync::Arc;
use subrosa_core::{Bits, Malformed, PartyId};
use subrosa_hybrid::{Reading, Scheme, Side};
use subrosa_ir::{FixedGraph, FixedOp, LowerOptions, RangedGraph, lower, lower_auto};
use subrosa_net::Bill;
use subrosa_protocol::{Fingerprint, Nonlinear, Plan, PlanError, Terms, fingerprint_of};
use subrosa_share::flow::top_k_fits;

/// The plan of all parties.
pub struct Whole {
    pub scheme: Arc<Scheme>,
}

/// One party's view.
#[derive(Clone)]
pub struct View {
    pub me: PartyId,
    pub scheme: Arc<Scheme>,
}

/// Lowers into the narrowest ring that keeps the precision, or into the one that was asked for.
pub fn plan(ranged: &RangedGraph, terms: &Terms) -> Result<Whole, PlanError> {
    let options = LowerOptions {
        reveal: terms.reveal,
        ..LowerOptions::default()
    };
    let mut graph = match terms.ring {
        Some(ring) => lower(ranged, &LowerOptions { ring, ..options })?,
        None => lower_auto(ranged, options.frac, options.reveal)?,
    };
    let refuse = |operator, node| PlanError::Unsupported {
        protocol: crate::CARD.name,
        operator,
        node,
    };
    top_k_fits(&graph)
        .map_err(|node| refuse("comparison of so many values at this width", node))?;
    widen(&mut graph);
    let weight_bits = weight_bits(ranged, &graph);
    let readings: &[Reading] = match terms.nonlinear {
        Nonlinear::Auto => &[Reading::Ot, Reading::Gc],
        Nonlinear::Ot => &[Reading::Ot],
        Nonlinear::Gc => &[Reading::Gc],
    };
    let mut schemes = Vec::with_capacity(readings.len());
    for reading in readings {
        let scheme = Scheme::new(graph.clone(), *reading, weight_bits, 0).map_err(|_| {
            let linear = |op: &FixedOp| matches!(op, FixedOp::Linear { .. });
            let node = graph.nodes.iter().find(|node| linear(&node.op));
            let name = node.map_or_else(String::new, |node| node.name.clone());
            refuse("encryption parameters for products of this size", name)
        })?;
        schemes.push(scheme);
    }
    let best = schemes
        .into_iter()
        .min_by_key(|scheme| scheme.predicted(&terms.network))
        .ok_or_else(|| refuse("reading of activations", String::new()))?;
    Ok(Whole {
        scheme: Arc::new(best),
    })
}

/// Makes room for the unit that a product may be off.
fn widen(graph: &mut FixedGraph) {
    let most = (1u64 << (graph.ring - 2)) - 1;
    for node in &graph.nodes {
        if let FixedOp::Linear { .. } = node.op {
            let wire = &mut graph.wires[node.output.0 as usize];
            wire.bound = (wire.bound + 1).min(most);
        }
    }
}

/// Bits of the largest weight that is multiplied, as an integer.
fn weight_bits(ranged: &RangedGraph, graph: &FixedGraph) -> Bits {
    let gains = ranged.gains.iter().flatten();
    let largest = gains.map(|gain| gain.largest).fold(0.0, f64::max);
    let frac = graph.nodes.iter().filter_map(|node| match node.op {
        FixedOp::Linear { weight_frac, .. } => Some(weight_frac),
        _ => None,
    });
    let scaled = largest * (frac.max().unwrap_or(0) as f64).exp2() + 1.0;
    Bits((scaled.log2().floor() as u32 + 1).clamp(1, graph.ring))
}

/// What both parties are given, as bytes.
fn shared(scheme: &Scheme) -> Vec<u8> {
    let mut bytes = vec![scheme.reading as u8, scheme.weight_bits.0 as u8];
    bytes.extend(scheme.graph.encode());
    bytes
}

impl Whole {
    pub fn view(&self, me: PartyId) -> View {
        let scheme = self.scheme.clone();
        View { me, scheme }
    }
}

impl View {
    pub fn side(&self) -> Side {
        if self.me == CLIENT {
            Side::Client
        } else {
            Side::Owner
        }
    }
}

impl Plan for View {
    fn encode(&self) -> Vec<u8> {
        let mut bytes = vec![self.me.0];
        bytes.extend(shared(&self.scheme));
        bytes
    }

    fn parse(bytes: &[u8]) -> Result<Self, Malformed> {
        let ([me, reading, weight_bits], graph) =
            bytes.split_first_chunk().ok_or(Malformed::Encoding)?;
        let me = PartyId(*me);
        if me != VENDOR && me != CLIENT {
            return Err(Malformed::Range);
        }
        let reading = match reading {
            0 => Reading::Ot,
            1 => Reading::Gc,
            _ => return Err(Malformed::Range),
        };
        let graph = FixedGraph::parse(graph).map_err(|_| Malformed::Encoding)?;
        if !(1..=graph.ring).contains(&u32::from(*weight_bits)) || top_k_fits(&graph).is_err() {
            return Err(Malformed::Range);
        }
        let scheme = Scheme::new(graph, reading, Bits(u32::from(*weight_bits)), 0)?;
        Ok(Self {
            me,
            scheme: Arc::new(scheme),
        })
    }

    fn price(&self) -> Bill {
        self.scheme.bill(self.side())
    }

    fn fingerprint(&self, _: PartyId) -> Fingerprint {
        fingerprint_of(crate::CARD.name, &shared(&self.scheme))
    }
}
