//! Who holds what of a divided model, who talks to whom, and how much each saw.

use crate::parties::{Measured, PartyMeasured};
use crate::report::{self, Table};
use subrosa::{FixedOp, PartyKind, Planned};

/// The parties as a picture, then a table of what each holds and saw.
pub fn scene(planned: &Planned, measured: &Measured) -> String {
    let name = |at: usize| measured.parties.get(at).map_or("", |party| party.seat.name);
    let (user, gateway) = (name(0), name(1));
    let remotes: Vec<&str> = measured
        .parties
        .iter()
        .skip(2)
        .map(|p| p.seat.name)
        .collect();
    let asks = format!("  {user} ---- x - r ----> {gateway} <==== shares, circuits ====> ");
    let answers = format!(
        "  {0:1$} <--- y - s ---- {0:2$} <==== between any two =====> ",
        "",
        user.len(),
        gateway.len()
    );
    let blank = " ".repeat(asks.len());
    let lefts = [asks, answers].into_iter().chain(std::iter::repeat(blank));
    let lines = lefts.zip(&remotes);
    let mut text: String = lines
        .map(|(left, remote)| format!("{left}{remote}\n"))
        .collect();
    let mut table = Table::with_head(&["", "holds", "received", "which is"], 4);
    let (front, hidden) = layers(planned);
    for party in &measured.parties {
        let (holds, what) = match (party.seat.kind, party.seat.name) {
            (PartyKind::Client, _) => (
                "the input, the masks r and s".to_owned(),
                "its answer, masked for it",
            ),
            (_, name) if name == gateway && front > 0 => (
                format!("{front} layers in clear, a share of {hidden}"),
                "noise",
            ),
            (_, name) if name == gateway => (format!("a share of {hidden} layers"), "noise"),
            _ => (format!("a share of {hidden} layers"), "noise"),
        };
        let received = report::bytes(received(party));
        table.row(vec![
            party.seat.name.to_owned(),
            holds,
            received,
            what.to_owned(),
        ]);
    }
    text += "\n";
    text + &table.render("  ")
}

fn received(party: &PartyMeasured) -> u64 {
    party.offline.received.0 + party.online.received.0
}

/// Layers with weights before the cut and behind it.
fn layers(planned: &Planned) -> (usize, usize) {
    let graph = planned.graph();
    let linear = |op: &FixedOp| matches!(op, FixedOp::Linear { .. });
    let cut = planned.cut().unwrap_or_default();
    let at = graph.nodes.iter().position(|node| node.name == cut);
    let count = |nodes: &[subrosa::FixedNode]| nodes.iter().filter(|node| linear(&node.op)).count();
    let (front, hidden) = graph.nodes.split_at(at.map_or(0, |at| at + 1));
    (count(front), count(hidden))
}
