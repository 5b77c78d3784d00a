//! `bench`: models, protocols and batch sizes side by side.

use super::bundled;
use super::prepare::{open, prepare, settings, terms};
use super::run_report::Time;
use crate::args::Bench;
use crate::fault::Fault;
use crate::input::{Preprocessing, declared_ranges, names, read_samples};
use crate::parties::{Measured, measure};
use crate::report::{self, BillJson, Table, note, print_json};
use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;
use std::path::Path;
use std::time::Duration;
use subrosa::{Entry, Model, PartyKind, Prepared, Tensor, protocols};

#[derive(Serialize)]
struct Json {
    network: String,
    repeat: usize,
    rows: Vec<Row>,
}

#[derive(Serialize)]
struct Row {
    model: String,
    batch: usize,
    protocol: &'static str,
    rings: Vec<u32>,
    threads: usize,
    time: Time,
    bill: BillJson,
    /// The largest of a server.
    server_peak_rss_bytes: u64,
    /// `online_s` beside that of `clear`, where that is in the table.
    online_to_clear: Option<f64>,
}

pub fn bench(options: &Bench) -> Result<(), Fault> {
    let models = if options.models.is_empty() {
        bundled::nets()?
    } else {
        let named = options
            .models
            .iter()
            .map(|path| Ok((path.display().to_string(), open(path)?)));
        named.collect::<Result<Vec<_>, Fault>>()?
    };
    let chosen: Vec<&'static Entry> = if options.protocols.is_empty() {
        protocols().iter().collect()
    } else {
        options.protocols.clone()
    };
    let bar = ProgressBar::new((models.len() * options.batch.len() * chosen.len()) as u64);
    let style = ProgressStyle::with_template("{wide_bar} {pos}/{len} {msg}");
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    let mut rows: Vec<Row> = Vec::new();
    for (name, model) in &models {
        for batch in &options.batch {
            if let Some(fixed) = model.fixed_batch().filter(|fixed| fixed != batch) {
                note(&format!(
                    "{name}: the file fixes the batch to {fixed}, left out at {batch}"
                ));
                continue;
            }
            bar.set_message(format!("{name}, batch {batch}"));
            let (prepared, inputs) = prepared(options, name, model, *batch)?;
            for protocol in &chosen {
                match row(options, name, *batch, protocol, &prepared, &inputs) {
                    Ok(row) => rows.push(row),
                    Err(fault) if fault.exit_status() == 2 => note(&format!("left out: {fault}")),
                    Err(fault) => return Err(fault),
                }
                bar.inc(1);
            }
        }
    }
    bar.finish_and_clear();
    let clear: Vec<(String, usize, f64)> = rows
        .iter()
        .filter(|row| row.protocol == "clear")
        .map(|row| (row.model.clone(), row.batch, row.time.online_s))
        .collect();
    for row in &mut rows {
        let same = clear
            .iter()
            .find(|(model, batch, _)| *model == row.model && *batch == row.batch);
        row.online_to_clear = same.map(|(_, _, online_s)| row.time.online_s / online_s);
    }
    let json = Json {
        network: options.place.network.to_string(),
        repeat: options.repeat,
        rows,
    };
    if options.json {
        print_json(&json)
    } else {
        report::print(&text(&json))
    }
}

fn prepared(
    options: &Bench,
    name: &str,
    model: &Model,
    batch: usize,
) -> Result<(Prepared, Vec<Tensor>), Fault> {
    let declared = declared_ranges(&options.numbers.input_range, &names(model))?;
    let ranges: Vec<[f32; 2]> = declared
        .into_iter()
        .map(|r| r.unwrap_or([0.0, 1.0]))
        .collect();
    let image = crate::args::Image {
        mean: Vec::new(),
        std: Vec::new(),
        raw: false,
    };
    let samples = read_samples(
        model,
        &options.numbers.calibrate,
        batch,
        &Preprocessing::new(&image)?,
    )?;
    let prepared = prepare(Path::new(name), model, batch, &ranges, samples.as_deref())?;
    let inputs = model.inputs().into_iter().zip(&ranges);
    let inputs = inputs
        .map(|(info, range)| spread(info.shape(batch), *range))
        .collect();
    Ok((prepared, inputs))
}

/// Values all over the range: the same ones every time.
fn spread(shape: Vec<usize>, [low, high]: [f32; 2]) -> Tensor {
    let count: usize = shape.iter().product();
    let value = |at: usize| {
        let part = (at as u32).wrapping_mul(2_654_435_761) as f64 / f64::from(u32::MAX);
        (f64::from(low) + part * f64::from(high - low)).clamp(low.into(), high.into()) as f32
    };
    Tensor {
        shape,
        values: (0..count).map(value).collect(),
    }
}

fn row(
    options: &Bench,
    name: &str,
    batch: usize,
    protocol: &'static Entry,
    prepared: &Prepared,
    inputs: &[Tensor],
) -> Result<Row, Fault> {
    let planned = prepared.plan(protocol, &terms(&options.numbers, options.place.network));
    let planned = planned.map_err(crate::fault::of_model(Path::new(name)))?;
    let settings = settings(&options.place, &planned);
    let measured = measure(
        &planned,
        &prepared.weights,
        inputs,
        &settings,
        options.repeat,
        |_| (),
    )?;
    if let Some(party) = measured.overcharged().first() {
        let (name, bill) = (party.seat.name, &party.bill);
        return Err(Fault::Overcharged(format!(
            "{name} {bill:?}, reckoned {:?}",
            party.price
        )));
    }
    Ok(Row {
        model: name.to_owned(),
        batch,
        protocol: protocol.name(),
        rings: vec![planned.graph().ring],
        threads: settings.threads,
        time: measured.time(),
        bill: (&measured.bill()).into(),
        server_peak_rss_bytes: server_peak(&measured),
        online_to_clear: None,
    })
}

fn server_peak(measured: &Measured) -> u64 {
    let serves = |kind| matches!(kind, PartyKind::Server | PartyKind::Vendor);
    let servers = measured
        .parties
        .iter()
        .filter(|party| serves(party.seat.kind));
    servers.map(|party| party.peak_rss_bytes).max().unwrap_or(0)
}

fn text(json: &Json) -> String {
    let head = [
        "model",
        "protocol",
        "batch",
        "ring",
        "setup",
        "offline",
        "online",
        "to clear",
        "offline sent",
        "online sent",
        "rounds",
        "server",
    ];
    let mut table = Table::with_head(&head, 2);
    let seconds = |s: f64| report::seconds(Duration::from_secs_f64(s));
    for row in &json.rows {
        table.row(vec![
            row.model.clone(),
            row.protocol.to_owned(),
            row.batch.to_string(),
            row.rings
                .iter()
                .map(u32::to_string)
                .collect::<Vec<_>>()
                .join("/"),
            seconds(row.time.setup_s),
            seconds(row.time.offline_s),
            seconds(row.time.online_s),
            row.online_to_clear
                .map_or_else(String::new, |ratio| format!("{ratio:.1}x")),
            report::bytes(row.bill.offline.bytes),
            report::bytes(row.bill.online.bytes),
            row.bill.online.rounds.to_string(),
            report::bytes(row.server_peak_rss_bytes),
        ]);
    }
    format!(
        "Medians of {} runs on network {}; bytes of all parties; memory of the largest server.\n\n{}",
        json.repeat,
        json.network,
        table.render("")
    )
}
