//! `status`: how nodes are.

use crate::args::Status as Options;
use crate::fault::Fault;
use crate::nodes::open_directory;
use crate::report::{self, Table, paint, print_json};
use serde::Serialize;
use subrosa_node::{Client, ModelStatus, Status, TalkFault};

#[derive(Serialize)]
struct Json<'a> {
    nodes: Vec<Node<'a>>,
}

#[derive(Serialize)]
struct Node<'a> {
    /// What this side calls it.
    name: &'a str,
    address: String,
    health: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<&'a Status>,
    #[serde(skip_serializing_if = "Option::is_none")]
    fault: Option<String>,
}

pub fn status(options: &Options) -> Result<(), Fault> {
    let (directory, identity) = open_directory(&options.at)?;
    let mut told = Client::status(&identity, &directory.nodes, directory.timeout);
    for (_, status) in &mut told {
        if let Ok(status) = status {
            words(status).for_each(|word| *word = report::plain(word).replace('\n', " "));
        }
    }
    let nodes = directory.nodes.iter().zip(&told);
    let nodes = nodes.map(|(known, (name, told))| Node {
        name,
        address: known.address.to_string(),
        health: health(told),
        status: told.as_ref().ok(),
        fault: told.as_ref().err().map(TalkFault::to_string),
    });
    let json = Json {
        nodes: nodes.collect(),
    };
    match options.json {
        true => print_json(&json)?,
        false => report::print(&text(&json))?,
    }
    let silent = json.nodes.iter().filter_map(|node| {
        let fault = node.fault.as_ref()?;
        Some(format!("{} ({fault})", node.name))
    });
    let silent: Vec<String> = silent.collect();
    match silent.is_empty() {
        true => Ok(()),
        false => Err(Fault::Unreachable(silent.join(", "))),
    }
}

/// All that a node says in words.
fn words(status: &mut Status) -> impl Iterator<Item = &mut String> {
    let own = [&mut status.name, &mut status.version].into_iter();
    let models = status.models.iter_mut().flat_map(|model| {
        let ModelStatus {
            name,
            deployment,
            protocol,
            seat,
            ..
        } = model;
        [name, deployment, protocol, seat]
    });
    let peers = status.peers.iter_mut();
    let peers = peers.flat_map(|peer| [&mut peer.name, &mut peer.address]);
    own.chain(models).chain(&mut status.staged).chain(peers)
}

fn health(told: &Result<Status, TalkFault>) -> &'static str {
    match told {
        Ok(status) if status.draining => "stopping",
        Ok(_) => "up",
        Err(TalkFault::Refused(_)) => "refuses",
        Err(_) => "unreachable",
    }
}

/// In the unit that leaves two digits.
fn time(seconds: u64) -> String {
    match seconds {
        0..120 => format!("{seconds} s"),
        120..7_200 => format!("{} min", seconds / 60),
        7_200..172_800 => format!("{} h", seconds / 3_600),
        _ => format!("{} days", seconds / 86_400),
    }
}

fn text(json: &Json<'_>) -> String {
    let paint = paint();
    let head = [
        "node", "address", "health", "version", "up for", "sessions", "waiting", "guests",
    ];
    let mut table = Table::with_head(&head, 4);
    for node in &json.nodes {
        let mut row = vec![
            node.name.to_owned(),
            node.address.clone(),
            node.health.to_owned(),
        ];
        if let Some(status) = node.status {
            row.extend([
                status.version.clone(),
                time(status.uptime_s),
                status.running.to_string(),
                status.waiting.to_string(),
                status.guests.to_string(),
            ]);
        }
        table.row(row);
    }
    let mut text = table.render("");
    for node in &json.nodes {
        let Some(status) = node.status else { continue };
        let called = match status.name == node.name {
            true => String::new(),
            false => format!(", which calls itself {}", status.name),
        };
        text += &format!("\n{}{called}\n", paint.bold(node.name));
        text += &models(&status.models);
        for model in &status.staged {
            text += &format!("  {model}: a deployment is not complete\n");
        }
        for peer in &status.peers {
            let reachable = match peer.reachable {
                Some(true) => ", reachable",
                Some(false) => ", unreachable",
                None => "",
            };
            text += &format!("  peer {} at {}{reachable}\n", peer.name, peer.address);
        }
    }
    text
}

fn models(models: &[ModelStatus]) -> String {
    if models.is_empty() {
        return "  no model\n".to_owned();
    }
    let head = [
        "model",
        "version",
        "protocol",
        "seat",
        "batches",
        "clients",
        "pool",
        "inferences",
        "failed",
        "sent",
        "received",
    ];
    let mut table = Table::with_head(&head, 4);
    for model in models {
        let batches: Vec<String> = model.batches.iter().map(u32::to_string).collect();
        let counts = &model.counts;
        table.row(vec![
            model.name.clone(),
            model.deployment.chars().take(8).collect(),
            model.protocol.clone(),
            model.seat.clone(),
            batches.join(","),
            model.enrolments.to_string(),
            model.pool.to_string(),
            report::count(counts.inferences),
            counts.failures.to_string(),
            report::bytes(counts.sent_bytes),
            report::bytes(counts.received_bytes),
        ]);
    }
    table.render("  ")
}
