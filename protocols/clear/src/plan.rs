//! What a party knows of a plan: here the whole fixed graph, and the layouts of both messages.

use crate::parties::{CLIENT, SERVER};
use subrosa_core::{Bytes, Malformed, PartyId, Wire, Words, WordsLayout};
use subrosa_ir::{FixedGraph, LowerOptions, RangedGraph, WireId, lower, lower_auto, volume};
use subrosa_net::{Bill, Phase};
use subrosa_protocol::{Fingerprint, Plan, PlanError, Terms, fingerprint_of};

/// The plan of all parties.
pub struct Whole {
    pub graph: FixedGraph,
}

/// One party's view.
#[derive(Clone, Debug)]
pub struct View {
    pub me: PartyId,
    pub graph: FixedGraph,
}

/// Lowers into the narrowest ring that keeps the precision, or into the one that was asked for.
pub fn plan(graph: &RangedGraph, terms: &Terms) -> Result<Whole, PlanError> {
    let LowerOptions { frac, .. } = LowerOptions::default();
    let reveal = terms.reveal;
    let graph = match terms.ring {
        Some(ring) => lower(graph, &LowerOptions { ring, frac, reveal })?,
        None => lower_auto(graph, frac, reveal)?,
    };
    Ok(Whole { graph })
}

impl View {
    /// Layouts of the inputs as the client sends them: each wire in the narrowest ring that holds it.
    pub fn inputs(&self) -> Vec<WordsLayout> {
        self.layouts(self.graph.inputs.iter().map(|port| port.wire))
    }

    /// Layouts of the opened wires as the server sends them.
    pub fn outputs(&self) -> Vec<WordsLayout> {
        self.layouts(self.graph.outputs.iter().copied())
    }

    fn layouts(&self, wires: impl Iterator<Item = WireId>) -> Vec<WordsLayout> {
        let layout = |wire| {
            let wire = self.graph.wire(wire);
            WordsLayout {
                count: volume(&wire.shape),
                bits: wire.bits().min(u64::BITS),
            }
        };
        wires.map(layout).collect()
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
        let me = PartyId(*me);
        if me != SERVER && me != CLIENT {
            return Err(Malformed::Range);
        }
        let graph = FixedGraph::parse(graph).map_err(|_| Malformed::Encoding)?;
        Ok(Self { me, graph })
    }

    fn price(&self) -> Bill {
        let mut bill = Bill::default();
        if self.me == CLIENT {
            let sent = Vec::<Words>::size(&self.inputs());
            bill.exchange(Phase::Online, sent, false);
            bill.exchange(Phase::Online, Bytes(0), true);
        } else {
            let sent = Vec::<Words>::size(&self.outputs());
            bill.exchange(Phase::Online, Bytes(0), true);
            bill.exchange(Phase::Online, sent, false);
        }
        bill
    }

    fn fingerprint(&self, _: PartyId) -> Fingerprint {
        fingerprint_of(crate::CARD.name, &self.graph.encode())
    }
}
