//! Which cut is taken where none is asked for, and what each would cost.
//!
//! **The rule.** The user comes first: of all cuts that keep hidden what must be, those count whose cost for the user is at
//! most one eighth above the least. Among them the one is taken whose servers send least to each other, and the earliest of equal
//! ones. The user's cost is the time that the front half is predicted to take on the network at hand
//! (`subrosa_hybrid::Scheme::predicted`, with its messages and waits), and that of the bytes to and from the user, reckoned at
//! 1 Gbit/s where the network has no limit.
//!
//! A front half costs the user its encryptions and activations, and δ of what it hands on. So the cut is the input as a rule; another
//! one is taken where the input is large, and the first steps make it small without a product.

use crate::cut::Cut;
use crate::face::{Face, Front};
use crate::parties::{GATEWAY, remotes, servers};
use crate::plan::{Divisible, fastest};
use crate::price;
use std::time::Duration;
use subrosa_collective::Scheme;
use subrosa_core::{Bytes, WordsLayout};
use subrosa_hybrid::Side;
use subrosa_ir::{FixedNode, FixedOp, RangedGraph, WireId, volume};
use subrosa_net::{Bill, Network};
use subrosa_protocol::{PlanError, Terms};

/// The part of the least cost for the user that is given to spare the servers.
const GIVEN: u32 = 8;
/// No encrypted product sends less: one ciphertext of 4096 coefficients modulo 64 bits, half of which is a seed.
const PRODUCT: u64 = 4096 * 64 / 8;
/// Nor does one send less for each value that it reads: a coefficient modulo 48 bits.
const ENCRYPTED: u64 = 6;

/// What a cut costs.
#[derive(Clone, Debug, PartialEq)]
pub struct Split {
    /// What [`subrosa_protocol::Division::at`] takes.
    pub at: String,
    /// Bytes to and from the user, and its waits.
    pub user: Bill,
    /// Bytes among the servers, and the gateway's waits for them.
    pub servers: Bill,
}

/// All cuts that hide what must be hidden, from the input on. Parameters and steps of both halves are worked out for each.
pub fn splits(graph: &RangedGraph, terms: &Terms) -> Result<Vec<Split>, PlanError> {
    let divisible = Divisible::new(graph, terms)?;
    let split = |cut: &Cut| {
        let halves = divisible.halves(cut)?;
        let hidden = divisible.hidden(&halves)?;
        let front = fastest(divisible.fronts(&halves)?, &terms.network);
        let user = front.map(|front| user(front, &hidden.graph, &hidden.outputs));
        Ok(Split {
            at: cut.name.clone(),
            user: user.unwrap_or_default(),
            servers: among(&hidden),
        })
    };
    divisible.cuts.iter().map(split).collect()
}

pub(crate) fn choose(divisible: &Divisible<'_>) -> Result<Cut, PlanError> {
    let mut costs = Vec::with_capacity(divisible.cuts.len());
    let mut least = Duration::MAX;
    for cut in &divisible.cuts {
        if floor(divisible, cut)? <= given(least) {
            let cost = user_time(divisible, cut)?;
            least = least.min(cost);
            costs.push((cut, cost));
        }
    }
    let mut best: Option<(Bytes, &Cut)> = None;
    for (cut, _) in costs.into_iter().filter(|(_, cost)| *cost <= given(least)) {
        let bill = among(&divisible.hidden(&divisible.halves(cut)?)?);
        let bytes = bill.offline.bytes + bill.online.bytes;
        if best.is_none_or(|(least, _)| bytes < least) {
            best = Some((bytes, cut));
        }
    }
    // The cut at the input is always among them.
    let (_, cut) = best.ok_or_else(|| PlanError::Cut {
        at: String::new(),
        possible: Vec::new(),
    })?;
    Ok(cut.clone())
}

/// The most that a cut may cost the user.
fn given(least: Duration) -> Duration {
    least.saturating_add(least / GIVEN)
}

/// What a cut costs the user at least: with a product, its masked input in half the ring, and what products read under encryption.
fn floor(divisible: &Divisible<'_>, cut: &Cut) -> Result<Duration, PlanError> {
    let Some(front) = divisible.halves(cut)?.front else {
        return Ok(Duration::ZERO);
    };
    let graph = &front.graph;
    let values = |wire: WireId| volume(&graph.wire(wire).shape) as u64;
    let product = |node: &&FixedNode| matches!(node.op, FixedOp::Linear { .. });
    let read = graph.nodes.iter().filter(product);
    let read = read.filter_map(|node| node.inputs.first());
    let encrypted: u64 = read
        .map(|wire| PRODUCT.max(ENCRYPTED * values(*wire)))
        .sum();
    let input = graph.inputs.iter().map(|port| values(port.wire));
    let masked = match encrypted {
        0 => 0,
        _ => input.sum::<u64>() * u64::from(graph.ring) / 16,
    };
    Ok(reckoned(&divisible.terms.network).transfer(Bytes(encrypted + masked)))
}

/// The user's part of an inference with nothing made ahead.
fn user_time(divisible: &Divisible<'_>, cut: &Cut) -> Result<Duration, PlanError> {
    let network = reckoned(&divisible.terms.network);
    let halves = divisible.halves(cut)?;
    let Some(front) = fastest(divisible.fronts(&halves)?, &network) else {
        return Ok(Duration::MAX);
    };
    // What is predicted has its own bytes in it.
    let (predicted, counted) = match &front {
        Front::Bare(_) => (Duration::ZERO, 0),
        Front::Hybrid(scheme) => {
            let bills = [Side::Client, Side::Owner].map(|side| scheme.bill(side));
            let bytes = bills.map(|bill| bill.offline.bytes.0 + bill.online.bytes.0);
            (scheme.predicted(&network), bytes.iter().sum())
        }
    };
    let bill = user(front, &halves.hidden.graph, &[]);
    let all = bill.offline.bytes.0 + bill.online.bytes.0;
    Ok(predicted + network.transfer(Bytes(all.saturating_sub(counted))))
}

/// Bytes take time on every network.
fn reckoned(network: &Network) -> Network {
    let rate = network.bits_per_second.or(Network::LAN.bits_per_second);
    Network {
        bits_per_second: rate,
        ..*network
    }
}

/// Bytes both ways, and the user's waits.
fn user(front: Front, hidden: &subrosa_ir::FixedGraph, outputs: &[WordsLayout]) -> Bill {
    let face = Face::new(front, hidden, outputs);
    let mut bill = price::user(&face);
    let back = price::to_user(&face);
    bill.setup.bytes += back.setup.bytes;
    bill.offline.bytes += back.offline.bytes;
    bill.online.bytes += back.online.bytes;
    bill
}

/// What all servers send to each other, and the gateway's waits.
fn among(hidden: &Scheme) -> Bill {
    let mut sum = Bill::default();
    let count = hidden.remotes;
    let parties = remotes(count).chain([GATEWAY]);
    for servers in parties.filter_map(|party| servers(count, party)) {
        let bill = hidden.bill(&servers);
        for (all, one) in [
            (&mut sum.setup, bill.setup),
            (&mut sum.offline, bill.offline),
            (&mut sum.online, bill.online),
        ] {
            all.bytes += one.bytes;
            // The gateway is the last.
            all.rounds = one.rounds;
        }
    }
    sum
}
