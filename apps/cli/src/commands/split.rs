//! `split`: a model divided between a gateway and remote servers, as files.

use super::prepare::{open, prepare_assumed, terms};
use crate::args::Split;
use crate::fault::{Fault, Usage, of_model};
use crate::output::{check_new_folder, write_new_folder};
use crate::report::{self, Table, paint, print_json};
use serde::Serialize;
use std::path::Path;
use subrosa::{Holding, PartFile, Planned, find};

const PROTOCOL: &str = "seco";

#[derive(Serialize)]
struct Json {
    model: String,
    /// Where the network is cut.
    at: Option<String>,
    remotes: usize,
    ways: Vec<Way>,
    files: Vec<File>,
}

/// One place to cut, and what it costs: bytes of one inference with its offline phase.
#[derive(Serialize)]
struct Way {
    at: String,
    /// To and from the user.
    user_offline_bytes: u64,
    user_online_bytes: u64,
    /// Among the servers.
    servers_offline_bytes: u64,
    servers_online_bytes: u64,
}

#[derive(Serialize)]
struct File {
    name: String,
    bytes: u64,
    holds: &'static str,
}

pub fn split(options: &Split) -> Result<(), Fault> {
    if let Some(folder) = &options.out {
        check_new_folder(folder)?;
    }
    let model = open(&options.model)?;
    let prepared = prepare_assumed(&options.model, &model, options.batch, &options.numbers)?;
    let terms = terms(&options.numbers, options.network);
    let protocol = find(PROTOCOL).ok_or_else(|| Usage::CommandLine(PROTOCOL.to_owned()))?;
    let planned = prepared.plan(protocol, &terms);
    let planned = planned.map_err(of_model(&options.model))?;
    let ways = match options.ways {
        true => prepared.splits(&terms).map_err(of_model(&options.model))?,
        false => Vec::new(),
    };
    let ways = ways.into_iter().map(|split| Way {
        at: split.at,
        user_offline_bytes: split.user.offline.bytes.0,
        user_online_bytes: split.user.online.bytes.0,
        servers_offline_bytes: split.servers.offline.bytes.0,
        servers_online_bytes: split.servers.online.bytes.0,
    });
    let mut json = Json {
        model: options.model.display().to_string(),
        at: planned.cut(),
        remotes: options.numbers.divide.remotes,
        ways: ways.collect(),
        files: Vec::new(),
    };
    if let Some(folder) = &options.out {
        let parts = PartFile::divide(&planned, &prepared.weights);
        let parts = parts.map_err(of_model(&options.model))?;
        json.files = write(folder, &parts)?;
    }
    if options.json {
        print_json(&json)
    } else {
        report::print(&text(&json, &planned, options.out.as_deref()))
    }
}

/// Where a party's file lies.
pub fn file_name(party: &str) -> String {
    format!("{party}.part")
}

fn write(folder: &Path, parts: &[PartFile]) -> Result<Vec<File>, Fault> {
    let files = parts.iter().map(|part| {
        let bytes = part.encode();
        (file_name(&part.name), bytes)
    });
    let files: Vec<(String, Vec<u8>)> = files.collect();
    write_new_folder(folder, &files)?;
    let listed = files.iter().zip(parts).map(|((name, bytes), part)| File {
        name: name.clone(),
        bytes: bytes.len() as u64,
        holds: match part.holding {
            Holding::Nothing => "the plan, nothing secret",
            Holding::Weights(_) => "the weights",
            Holding::Part(_) if part.name == "gateway" => "the front half, a share of the rest",
            Holding::Part(_) => "shares of the hidden half",
        },
    });
    Ok(listed.collect())
}

fn text(json: &Json, planned: &Planned, folder: Option<&Path>) -> String {
    let paint = paint();
    let mut text = String::new();
    if !json.ways.is_empty() {
        text += "Where it can be cut, and bytes of one inference:\n\n";
        let head = ["cut at", "user ahead", "online", "servers ahead", "online"];
        let mut table = Table::with_head(&head, 1);
        for way in &json.ways {
            let chosen = json.at.as_ref() == Some(&way.at);
            let name = if chosen {
                format!("{} *", way.at)
            } else {
                way.at.clone()
            };
            table.row(vec![
                name,
                report::bytes(way.user_offline_bytes),
                report::bytes(way.user_online_bytes),
                report::bytes(way.servers_offline_bytes),
                report::bytes(way.servers_online_bytes),
            ]);
        }
        text += &format!("{}\n", table.render("  "));
    }
    let at = json.at.as_deref().unwrap_or("nowhere");
    text += &format!(
        "{} cut at {}, for a gateway and {} remotes\n",
        paint.bold(&json.model),
        paint.bold(at),
        json.remotes
    );
    let Some(folder) = folder else {
        return text + "no file is written: --out FOLDER writes one for each party\n";
    };
    text += &format!("written to {}:\n\n", folder.display());
    let mut table = Table::new(2);
    for file in &json.files {
        table.row(vec![
            file.name.clone(),
            report::bytes(file.bytes),
            file.holds.to_owned(),
        ]);
    }
    text += &table.render("  ");
    text += &format!(
        "\nGive each party its own file and nobody another's: all remotes' and the gateway's together are the model.\n\
         next: subrosa run MODEL.onnx --protocol {} --at {at} --parts {} --input X.npy\n",
        planned.protocol.name(),
        folder.display(),
    );
    text
}
