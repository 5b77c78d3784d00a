//! `deploy`: a model divided on this machine, a part for each node.

use super::prepare::{named, open, plan, prepare, reveal_text};
use crate::args::Deploy as Options;
use crate::fault::{Fault, Usage};
use crate::input::{Preprocessing, declared_ranges, names, read_samples};
use crate::nodes::open_directory;
use crate::report::{self, BillJson, Table, paint, print_json};
use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;
use std::path::Path;
use subrosa::{Dim, InputInfo, Model, PartyKind, Planned, Weights, total};
use subrosa_node::message::InputSide;
use subrosa_node::{Deploying, OwnerFault, deploy as hand_out, remove as take_back};

#[derive(Serialize)]
struct Json {
    name: String,
    protocol: String,
    /// Of this version.
    deployment: String,
    /// What clients pin.
    fingerprint: String,
    reveal: String,
    handed: Vec<Handed>,
    /// Seats that follow as soon as they reach the leading node.
    following: Vec<String>,
    lots: Vec<Lot>,
}

#[derive(Serialize)]
struct Handed {
    seat: String,
    address: String,
    bytes: u64,
    holds: &'static str,
}

/// What one batch size costs.
#[derive(Serialize)]
struct Lot {
    batch: u32,
    /// Of the client, and of all parties together: one setup, one offline phase, one inference.
    client: BillJson,
    all: BillJson,
}

pub fn deploy(options: &Options) -> Result<(), Fault> {
    if let Some(name) = &options.remove {
        return remove(options, name);
    }
    let (Some(path), Some(name), Some(protocol)) =
        (&options.model, &options.name, options.protocol)
    else {
        let said = "expected MODEL.onnx, --name and --protocol, or --remove";
        return Err(Usage::CommandLine(said.to_owned()).into());
    };
    let (directory, identity) = open_directory(&options.to)?;
    let model = open(path)?;
    let ranges = ranges(options, &model)?;
    let preprocessing = Preprocessing::new(&options.image)?;
    let (mut plans, mut prepared) = (Vec::new(), Vec::new());
    for batch in batches(options, path, &model)? {
        let samples = read_samples(&model, &options.numbers.calibrate, batch, &preprocessing)?;
        let ready = prepare(path, &model, batch, &ranges, samples.as_deref())?;
        let planned = plan(path, &ready, protocol, &options.numbers, options.network)?;
        plans.push((batch as u32, planned));
        prepared.push(ready);
    }
    let lots = plans.into_iter().zip(&prepared);
    let lots = lots.map(|((batch, planned), prepared)| (batch, planned, &prepared.weights));
    let lots: Vec<(u32, Planned, &Weights)> = lots.collect();
    let what = Deploying {
        model: name,
        identity: &identity,
        nodes: &directory.nodes,
        lots: &lots,
        inputs: sides(&model, &ranges),
        opened: options.numbers.reveal.into(),
        timeout: directory.timeout,
    };
    let bar = progress();
    let mut seat = String::new();
    let deployed = hand_out(&what, &mut |to, sent, of| {
        if seat != to {
            seat = to.to_owned();
            bar.reset();
            bar.set_message(seat.clone());
        }
        bar.set_length(of);
        bar.set_position(sent);
    });
    bar.finish_and_clear();
    let deployed = deployed.map_err(of_owner(&options.to))?;
    let Some((_, first, _)) = lots.first() else {
        return Ok(());
    };
    let handed = deployed.handed.into_iter().map(|(seat, bytes)| {
        let node = directory.node(&seat);
        Handed {
            address: node.map_or_else(String::new, |node| node.address.to_string()),
            holds: holds(first, &seat),
            bytes,
            seat,
        }
    });
    let json = Json {
        name: name.clone(),
        protocol: named(first),
        deployment: deployed.deployment.to_string(),
        fingerprint: deployed.fingerprint.to_string(),
        reveal: reveal_text(options.numbers.reveal),
        handed: handed.collect(),
        following: deployed.following,
        lots: lots
            .iter()
            .map(|(batch, planned, _)| lot(*batch, planned))
            .collect(),
    };
    match options.json {
        true => print_json(&json),
        false => report::print(&text(&json)),
    }
}

fn remove(options: &Options, name: &str) -> Result<(), Fault> {
    #[derive(Serialize)]
    struct Json<'a> {
        name: &'a str,
        /// Nodes that had it.
        removed: Vec<String>,
    }
    let (directory, identity) = open_directory(&options.to)?;
    let removed = take_back(name, &identity, &directory.nodes, directory.timeout);
    let removed = removed.map_err(of_owner(&options.to))?;
    if options.json {
        return print_json(&Json { name, removed });
    }
    report::print(&match removed.is_empty() {
        true => format!("no node had {name}\n"),
        false => format!("{name} removed from {}\n", removed.join(", ")),
    })
}

fn of_owner(path: &Path) -> impl Fn(OwnerFault) -> Fault {
    move |fault| Fault::Owner {
        path: path.to_owned(),
        fault: Box::new(fault),
    }
}

/// Of every input, as declared.
fn ranges(options: &Options, model: &Model) -> Result<Vec<[f32; 2]>, Fault> {
    let names = names(model);
    let declared = declared_ranges(&options.numbers.input_range, &names)?;
    let ranges = declared.into_iter().zip(names).map(|(range, name)| {
        let missing = Usage::RangeMissing { name };
        range.ok_or_else(|| missing.into())
    });
    ranges.collect()
}

fn batches(options: &Options, path: &Path, model: &Model) -> Result<Vec<usize>, Usage> {
    let mut asked = options.batch.clone();
    asked.sort_unstable();
    asked.dedup();
    match model.fixed_batch() {
        None if asked.is_empty() => Ok(vec![1]),
        None => Ok(asked),
        Some(fixed) => match asked.into_iter().find(|batch| *batch != fixed) {
            None => Ok(vec![fixed]),
            Some(found) => Err(Usage::FixedBatch {
                path: path.to_owned(),
                expected: fixed,
                found,
            }),
        },
    }
}

/// What clients are told of inputs. Where the file fixes the batch, it is the leading extent.
fn sides(model: &Model, ranges: &[[f32; 2]]) -> Vec<InputSide> {
    let fixed = model.fixed_batch();
    let side = |(info, range): (&InputInfo, &[f32; 2])| {
        let extent = |(at, dim): (usize, &Dim)| match dim {
            Dim::Fixed(extent) if at == 0 && Some(*extent) == fixed => None,
            Dim::Fixed(extent) => Some(*extent as u64),
            Dim::Batch(_) => None,
        };
        InputSide {
            name: info.name.clone(),
            shape: info.dims.iter().enumerate().map(extent).collect(),
            range: *range,
        }
    };
    model.inputs().iter().zip(ranges).map(side).collect()
}

fn lot(batch: u32, planned: &Planned) -> Lot {
    let parties = planned.parties();
    let client = parties
        .iter()
        .filter(|party| party.seat.kind.brings_input());
    Lot {
        batch,
        client: (&total(client.map(|party| &party.price))).into(),
        all: (&total(parties.iter().map(|party| &party.price))).into(),
    }
}

/// What a seat's node has of the model.
fn holds(planned: &Planned, seat: &str) -> &'static str {
    let seats = planned.seats();
    let kind = seats.iter().find(|found| found.name == seat);
    match kind.map(|found| found.kind) {
        Some(PartyKind::Vendor) => "the weights",
        _ if seat == "gateway" && planned.cut().as_deref() != Some("input") => {
            "the front half, a share of the rest"
        }
        _ if planned.protocol.divides() => "a share of the hidden half",
        _ => "shares of the weights",
    }
}

fn progress() -> ProgressBar {
    let style = ProgressStyle::with_template("{msg} {wide_bar} {bytes} of {total_bytes}");
    ProgressBar::new(0).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}

fn text(json: &Json) -> String {
    let paint = paint();
    let mut text = format!(
        "{} under {}, version {}\n\n",
        paint.bold(&json.name),
        paint.bold(&json.protocol),
        json.deployment.get(..8).unwrap_or_default(),
    );
    let mut table = Table::with_head(&["seat", "node", "holds", "handed"], 3);
    for handed in &json.handed {
        table.row(vec![
            handed.seat.clone(),
            handed.address.clone(),
            handed.holds.to_owned(),
            report::bytes(handed.bytes),
        ]);
    }
    text += &table.render("  ");
    for seat in &json.following {
        text += &format!("  {seat} has not confirmed, and follows when it reaches the others\n");
    }
    let opened = match json.reveal.as_str() {
        "all" => "all outputs, as the model gives them".to_owned(),
        reveal => format!("{reveal} alone"),
    };
    text += &format!("\n  opened to clients: {opened}\n\n");
    let head = [
        "batch",
        "client: setup",
        "offline",
        "online",
        "rounds",
        "all: offline",
        "online",
    ];
    let mut table = Table::with_head(&head, 1);
    for lot in &json.lots {
        table.row(vec![
            lot.batch.to_string(),
            report::bytes(lot.client.setup.bytes),
            report::bytes(lot.client.offline.bytes),
            report::bytes(lot.client.online.bytes),
            lot.client.online.rounds.to_string(),
            report::bytes(lot.all.offline.bytes),
            report::bytes(lot.all.online.bytes),
        ]);
    }
    text += &table.render("  ");
    text += &format!(
        "\nfingerprint {}\nnext: subrosa predict {} --at CLIENT.toml --input X.npy --expect FINGERPRINT\n",
        json.fingerprint, json.name,
    );
    text
}
