//! The plan of all parties: one graph, lowered as a whole, and its two halves.

use crate::cut::{Cut, Halves, cuts, find, halves, hiding};
use crate::face::{Face, Front};
use crate::parties::{USER, servers, servers_at};
use crate::view::{GatewayView, RemoteView, UserView};
use crate::{CARD, behind, part};
use std::sync::Arc;
use subrosa_collective::scheme::REMOTES;
use subrosa_collective::{Scheme, Shares, activation, shares};
use subrosa_core::{PartyId, Seed};
use subrosa_hybrid::Reading;
use subrosa_ir::{
    FixedGraph, FixedOp, LowerOptions, RangedGraph, WeightId, Weights, encode_weights, lower,
    lower_auto,
};
use subrosa_net::{InputFault, LocalFault, Network, RunError};
use subrosa_protocol::{Division, Garbling, Holders, Holding, Nonlinear, Plan, PlanError, Terms};
use subrosa_share::flow::top_k_fits;

/// The plan of all parties.
pub struct Whole {
    /// The network before it is cut.
    pub graph: FixedGraph,
    pub cut: Cut,
    pub face: Arc<Face>,
    pub hidden: Arc<Scheme>,
    /// Which weights of the whole the two halves use.
    pub weights: [Vec<WeightId>; 2],
}

/// A network that can be divided, and how.
pub(crate) struct Divisible<'a> {
    ranged: &'a RangedGraph,
    pub graph: FixedGraph,
    pub terms: &'a Terms,
    /// Cuts that hide what must be hidden.
    pub cuts: Vec<Cut>,
}

/// One unit, by which a product of the front half may be off: see [`subrosa_hybrid`].
const FRONT_ERROR: u64 = 1;

impl<'a> Divisible<'a> {
    /// Lowers into the narrowest ring that keeps the precision, or into the one that was asked for.
    pub fn new(ranged: &'a RangedGraph, terms: &'a Terms) -> Result<Self, PlanError> {
        let options = LowerOptions {
            reveal: terms.reveal,
            ..LowerOptions::default()
        };
        let mut graph = match terms.ring {
            Some(ring) => lower(ranged, &LowerOptions { ring, ..options })?,
            None => lower_auto(ranged, options.frac, options.reveal)?,
        };
        top_k_fits(&graph)
            .map_err(|node| refuse("comparison of so many values at this width", node))?;
        let found = terms.division.remotes;
        if !REMOTES.contains(&found) {
            let (least, most) = (*REMOTES.start(), *REMOTES.end());
            return Err(PlanError::Remotes { least, most, found });
        }
        widen(&mut graph, FRONT_ERROR);
        let mut all = cuts(&graph);
        if let Some(hide) = &terms.division.hide {
            let possible = || graph.nodes.iter().map(|node| node.name.clone()).collect();
            all = hiding(&graph, all, hide).ok_or_else(|| PlanError::Cut {
                at: hide.clone(),
                possible: possible(),
            })?;
        }
        Ok(Self {
            ranged,
            graph,
            terms,
            cuts: all,
        })
    }

    /// The cut that is asked for by name.
    pub fn named(&self, at: &str) -> Result<Cut, PlanError> {
        let found = find(&self.graph, &self.cuts, at).cloned();
        found.ok_or_else(|| PlanError::Cut {
            at: at.to_owned(),
            possible: self.cuts.iter().map(|cut| cut.name.clone()).collect(),
        })
    }

    pub fn halves(&self, cut: &Cut) -> Result<Halves, PlanError> {
        halves(&self.graph, cut).map_err(|_| PlanError::Cut {
            at: cut.name.clone(),
            possible: Vec::new(),
        })
    }

    /// The front half in each reading that is asked for.
    pub fn fronts(&self, halves: &Halves) -> Result<Vec<Front>, PlanError> {
        let Some(part) = &halves.front else {
            return Ok(vec![Front::bare(&self.graph)]);
        };
        let bits = self.weight_bits(&part.graph, &part.weights);
        let readings: &[Reading] = match self.terms.nonlinear {
            Nonlinear::Auto => &[Reading::Ot, Reading::Gc],
            Nonlinear::Ot => &[Reading::Ot],
            Nonlinear::Gc => &[Reading::Gc],
        };
        let front = |reading: &Reading| {
            let front = Front::hybrid(part.graph.clone(), *reading, bits);
            front.map_err(|_| refuse_products(&part.graph))
        };
        readings.iter().map(front).collect()
    }

    /// The hidden half; its products are off by more than those of the front half.
    pub fn hidden(&self, halves: &Halves) -> Result<Scheme, PlanError> {
        let division = &self.terms.division;
        let (garbling, holders) = ways(division);
        let mut graph = halves.hidden.graph.clone();
        widen(
            &mut graph,
            error_of(division.remotes).saturating_sub(FRONT_ERROR),
        );
        let products = || refuse_products(&graph);
        Scheme::new(graph.clone(), division.remotes, garbling, holders).map_err(|_| products())
    }

    /// Bits of the largest weight that is multiplied in the front half, as an integer.
    fn weight_bits(&self, graph: &FixedGraph, weights: &[WeightId]) -> u32 {
        let nodes = self.ranged.graph.nodes.iter().zip(&self.ranged.gains);
        let factor = |op: &subrosa_ir::FloatOp| match op {
            subrosa_ir::FloatOp::Linear(linear) => weights.contains(&linear.weight),
            _ => false,
        };
        let gains = nodes.filter(|(node, _)| factor(&node.op));
        let largest = gains.filter_map(|(_, gain)| gain.map(|gain| gain.largest));
        let frac = graph.nodes.iter().filter_map(|node| match node.op {
            FixedOp::Linear { weight_frac, .. } => Some(weight_frac),
            _ => None,
        });
        let scaled = largest.fold(0.0, f64::max) * f64::from(frac.max().unwrap_or(0)).exp2() + 1.0;
        (scaled.log2().floor() as u32 + 1).clamp(1, graph.ring)
    }
}

pub fn plan(ranged: &RangedGraph, terms: &Terms) -> Result<Whole, PlanError> {
    let divisible = Divisible::new(ranged, terms)?;
    let cut = match &terms.division.at {
        Some(at) => divisible.named(at)?,
        None => crate::choice::choose(&divisible)?,
    };
    let halves = divisible.halves(&cut)?;
    let front = fastest(divisible.fronts(&halves)?, &terms.network);
    let hidden = divisible.hidden(&halves)?;
    let front = front.ok_or_else(|| refuse("reading of activations", String::new()))?;
    let first = halves.front.map(|part| part.weights);
    Ok(Whole {
        face: Arc::new(Face::new(front, &hidden.graph, &hidden.outputs)),
        hidden: Arc::new(hidden),
        weights: [first.unwrap_or_default(), halves.hidden.weights],
        graph: divisible.graph,
        cut,
    })
}

/// The reading that is predicted to be fastest.
pub(crate) fn fastest(fronts: Vec<Front>, network: &Network) -> Option<Front> {
    fronts.into_iter().min_by_key(|front| match front {
        Front::Bare(_) => Default::default(),
        Front::Hybrid(scheme) => scheme.predicted(network),
    })
}

fn refuse(operator: &'static str, node: String) -> PlanError {
    PlanError::Unsupported {
        protocol: CARD.name,
        operator,
        node,
    }
}

fn refuse_products(graph: &FixedGraph) -> PlanError {
    let linear = |op: &FixedOp| matches!(op, FixedOp::Linear { .. });
    let node = graph.nodes.iter().find(|node| linear(&node.op));
    let name = node.map_or_else(String::new, |node| node.name.clone());
    refuse("encryption parameters for products of this size", name)
}

fn ways(division: &Division) -> (activation::Garbling, shares::Holders) {
    let garbling = match division.garbling {
        Garbling::Bmr => activation::Garbling::Bmr,
        Garbling::Single => activation::Garbling::Single,
    };
    let holders = match division.holders {
        Holders::AllServers => shares::Holders::AllServers,
        Holders::Remotes => shares::Holders::Remotes,
    };
    (garbling, holders)
}

/// By how many units a product of the hidden half is off at most: [`Scheme::product_error`].
fn error_of(remotes: usize) -> u64 {
    (remotes as u64).div_ceil(2)
}

/// Makes room for the units that a product may be off.
fn widen(graph: &mut FixedGraph, by: u64) {
    let most = (1u64 << (graph.ring - 2)) - 1;
    for node in &graph.nodes {
        let bound = |wire: &subrosa_ir::WireId| graph.wires[wire.0 as usize].bound;
        let widest = node.inputs.iter().map(bound).max().unwrap_or(0);
        let wire = &mut graph.wires[node.output.0 as usize];
        match node.op {
            FixedOp::Linear { .. } => wire.bound = (wire.bound + by).min(most),
            FixedOp::Relu | FixedOp::MaxPool(_) | FixedOp::View(_) => wire.bound = widest,
            _ => {}
        }
    }
}

impl Whole {
    pub fn remotes(&self) -> usize {
        self.hidden.remotes
    }

    /// By how many units of its last place a product may be off.
    pub fn product_error(&self) -> u64 {
        self.hidden.product_error().max(FRONT_ERROR)
    }

    pub fn user(&self) -> UserView {
        let face = self.face.clone();
        UserView { face }
    }

    pub fn gateway(&self) -> GatewayView {
        GatewayView {
            face: self.face.clone(),
            hidden: self.hidden.clone(),
            servers: servers_at(self.remotes(), self.remotes()),
        }
    }

    /// `number`: below [`Whole::remotes`].
    pub fn remote(&self, number: usize) -> RemoteView {
        RemoteView {
            hidden: self.hidden.clone(),
            servers: servers_at(self.remotes(), number),
        }
    }

    /// The weights that one half uses, as integers.
    fn encoded(
        &self,
        graph: &FixedGraph,
        used: &[WeightId],
        weights: &Weights,
    ) -> Result<Vec<Vec<u64>>, LocalFault> {
        let pick = |id: &WeightId| weights.tensors.get(id.0 as usize).cloned();
        let tensors: Option<Vec<_>> = used.iter().map(pick).collect();
        let tensors = tensors.ok_or(InputFault::Shape)?;
        encode_weights(graph, &Weights { tensors }).map_err(|_| InputFault::Shape.into())
    }

    /// A server's part of the model, as [`part`] writes it; nothing for the user.
    pub fn divided(
        &self,
        party: PartyId,
        weights: &Weights,
        seed: &Seed,
    ) -> Result<Holding, LocalFault> {
        if party == USER {
            return Ok(Holding::Nothing);
        }
        let [front, hidden] = &self.weights;
        let local = |error: RunError| match error {
            RunError::Local(fault) => fault,
            _ => LocalFault::Invariant,
        };
        let seed = seed.derive("seco parts", &behind::encode(&self.hidden));
        let hidden = self.encoded(&self.hidden.graph, hidden, weights)?;
        let servers = servers(self.remotes(), party).ok_or(LocalFault::Invariant)?;
        let share = Shares::divide(&self.hidden, &hidden, &seed, servers.me).map_err(local)?;
        if !servers.is_gateway() {
            let view = self.remote(servers.me.0);
            return Ok(Holding::Part(part::of_remote(&view, &share)));
        }
        let front = match self.face.hybrid() {
            None => Vec::new(),
            Some(scheme) => self.encoded(&scheme.graph, front, weights)?,
        };
        Ok(Holding::Part(part::of_gateway(
            &self.gateway(),
            &front,
            share,
        )))
    }

    pub fn published(&self, party: PartyId) -> Option<Vec<u8>> {
        if party == USER {
            return Some(self.user().encode());
        }
        let servers = servers(self.remotes(), party)?;
        Some(match servers.is_gateway() {
            true => self.gateway().encode(),
            false => self.remote(servers.me.0).encode(),
        })
    }
}
