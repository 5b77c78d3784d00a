//! What a party knows of a plan. The architecture is public here, so every view holds the whole fixed graph.

use crate::price::Layouts;
use subrosa_core::{Malformed, PartyId};
use subrosa_ir::{FixedGraph, LowerOptions, RangedGraph, lower, lower_auto};
use subrosa_net::Bill;
use subrosa_protocol::{Fingerprint, Plan, PlanError, Terms, fingerprint_of};
use subrosa_share::flow::top_k_fits;

/// The plan of all parties.
pub struct Whole {
    pub graph: FixedGraph,
}

/// One party's view.
#[derive(Clone, Debug)]
pub struct View {
    pub me: PartyId,
    pub graph: FixedGraph,
    pub layouts: Layouts,
}

/// Lowers into the narrowest ring that keeps the precision, or into the one that was asked for.
pub fn plan(graph: &RangedGraph, terms: &Terms) -> Result<Whole, PlanError> {
    let options = LowerOptions {
        reveal: terms.reveal,
        ..LowerOptions::default()
    };
    let graph = match terms.ring {
        Some(ring) => lower(graph, &LowerOptions { ring, ..options })?,
        None => lower_auto(graph, options.frac, options.reveal)?,
    };
    top_k_fits(&graph).map_err(|node| PlanError::Unsupported {
        protocol: crate::CARD.name,
        operator: "comparison of so many values at this width",
        node,
    })?;
    Ok(Whole { graph })
}

impl View {
    pub fn new(me: PartyId, graph: FixedGraph) -> Self {
        let layouts = Layouts::of(&graph);
        Self { me, graph, layouts }
    }
}

impl Plan for View {
    fn encode(&self) -> Vec<u8> {
        let mut bytes = vec![self.me.0];
        bytes.extend(self.graph.encode());
        bytes
    }

    fn parse(bytes: &[u8]) -> Result<Self, Malformed> {
        let (me, graph) = bytes.split_first().ok_or(Malformed::Encoding)?;
        let graph = FixedGraph::parse(graph).map_err(|_| Malformed::Encoding)?;
        top_k_fits(&graph).map_err(|_| Malformed::Range)?;
        if *me > crate::parties::CLIENT.0 {
            return Err(Malformed::Range);
        }
        Ok(Self::new(PartyId(*me), graph))
    }

    fn price(&self) -> Bill {
        self.layouts.bill(self.me)
    }

    fn fingerprint(&self, _: PartyId) -> Fingerprint {
        fingerprint_of(crate::CARD.name, &self.graph.encode())
    }
}
