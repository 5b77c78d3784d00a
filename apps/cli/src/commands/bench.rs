//! `bench`: models, protocols and batch sizes side by side.

use super::bench_client::{self, Client, Way, chart};
use super::bundled;
use super::prepare::{open, prepare, settings, terms};
use super::run_report::Time;
use crate::args::{Bench, Image};
use crate::fault::{Fault, Usage};
use crate::input::{Preprocessing, declared_ranges, names, read_samples};
use crate::output::folder;
use crate::parties::{Measured, measure};
use crate::report::{self, BillJson, Table, note, print_json};
use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;
use std::path::Path;
use std::time::Duration;
use subrosa::{Entry, Model, PartyKind, Prepared, Tensor, protocols};

const HEAD: [&str; 10] = [
    "protocol", "ring", "setup", "offline", "online", "to clear", "off sent", "on sent", "rounds",
    "memory",
];

#[derive(Serialize)]
struct Json {
    network: String,
    repeat: usize,
    /// Inferences whose material was made ahead.
    pool: usize,
    rows: Vec<Row>,
}

#[derive(Serialize)]
struct Row {
    model: String,
    batch: usize,
    protocol: &'static str,
    /// How activations are computed, where the protocol has more than one way.
    nonlinear: Option<&'static str>,
    /// Where the network is cut, if it is.
    split: Option<String>,
    rings: Vec<u32>,
    threads: usize,
    time: Time,
    bill: BillJson,
    client: Option<Client>,
    /// The largest of a server.
    server_peak_rss_bytes: u64,
    /// `online_s` beside that of `clear`, where that is in the table.
    online_to_clear: Option<f64>,
}

pub fn bench(options: &Bench) -> Result<(), Fault> {
    if let Some(path) = &options.plot
        && !folder(path).is_dir()
    {
        let (option, path) = ("--plot", path.clone());
        return Err(Usage::OutputFolder { option, path }.into());
    }
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
                for split in splits(options, protocol) {
                    match row(options, name, *batch, protocol, split, &prepared, &inputs) {
                        Ok(row) => rows.push(row),
                        Err(fault) if fault.exit_status() == 2 => {
                            note(&format!("left out: {fault}"));
                        }
                        Err(fault) => return Err(fault),
                    }
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
        pool: options.pool.unwrap_or(0),
        rows,
    };
    if let Some(path) = &options.plot {
        plot(path, &json)?;
    }
    if options.json {
        print_json(&json)
    } else {
        report::print(&text(&json))
    }
}

/// Where a protocol's networks are to be cut: once each, or as it chooses.
fn splits(options: &Bench, protocol: &Entry) -> Vec<Option<String>> {
    match protocol.divides() && !options.splits.is_empty() {
        true => options.splits.iter().cloned().map(Some).collect(),
        false => vec![options.numbers.divide.at.clone()],
    }
}

/// The clients of one model and batch, two-party's first.
fn ways(rows: &[Row]) -> Vec<Way<'_>> {
    let (first, others): (Vec<&Row>, Vec<&Row>) =
        rows.iter().partition(|row| row.protocol == "two-party");
    let divided = others.into_iter().filter(|row| row.split.is_some());
    let all = first.into_iter().chain(divided);
    all.filter_map(|row| {
        let client = row.client.as_ref()?;
        Some(Way {
            name: row.title(),
            client,
        })
    })
    .collect()
}

fn plot(path: &Path, json: &Json) -> Result<(), Fault> {
    let Some(first) = json.rows.first() else {
        return Ok(());
    };
    let same = |row: &&Row| row.model == first.model && row.batch == first.batch;
    let rows = json.rows.iter().take_while(same).count();
    let title = format!("{}, batch {}", first.model, first.batch);
    let Some(svg) = chart(&title, &ways(&json.rows[..rows])) else {
        note("--plot needs two-party and seco in the table: nothing is drawn");
        return Ok(());
    };
    std::fs::write(path, svg).map_err(|error| Fault::Output {
        path: path.to_owned(),
        error,
    })
}

impl Row {
    fn title(&self) -> String {
        let mut title = self.protocol.to_owned();
        if let Some(reading) = self.nonlinear {
            title += &format!(" ({reading})");
        }
        if let Some(split) = &self.split {
            title += &format!(", {split}");
        }
        title
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
    let samples = read_samples(
        model,
        &options.numbers.calibrate,
        batch,
        &Preprocessing::new(&Image::default())?,
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
    split: Option<String>,
    prepared: &Prepared,
    inputs: &[Tensor],
) -> Result<Row, Fault> {
    let mut terms = terms(&options.numbers, options.place.network);
    terms.division.at = split;
    let planned = prepared.plan(protocol, &terms);
    let planned = planned.map_err(crate::fault::of_model(Path::new(name)))?;
    let settings = settings(Path::new(name), &options.place, &planned, options.pool)?;
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
        nonlinear: planned.reading(),
        split: planned.cut(),
        rings: vec![planned.graph().ring],
        threads: settings.threads,
        time: measured.time(),
        bill: (&measured.bill()).into(),
        client: Client::of(&measured),
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
    let seconds = |s: f64| report::seconds(Duration::from_secs_f64(s));
    let row = |row: &Row| {
        let rings: Vec<String> = row.rings.iter().map(u32::to_string).collect();
        let ratio = |ratio: f64| match ratio {
            r if r < 9.95 => format!("{r:.1}x"),
            r => format!("{r:.0}x"),
        };
        vec![
            row.title(),
            rings.join("/"),
            seconds(row.time.setup_s),
            seconds(row.time.offline_s),
            seconds(row.time.online_s),
            row.online_to_clear.map_or_else(String::new, ratio),
            report::bytes(row.bill.offline.bytes),
            report::bytes(row.bill.online.bytes),
            row.bill.online.rounds.to_string(),
            report::bytes(row.server_peak_rss_bytes),
        ]
    };
    let same = |a: &Row, b: &Row| a.model == b.model && a.batch == b.batch;
    let mut text = format!(
        "Medians of {} runs on network {}. Time: setup, one offline phase{}, one\n\
         online inference and that beside clear. Sent: bytes of all parties. Memory: the largest server's.\n",
        json.repeat,
        json.network,
        if json.pool > 0 { " (made ahead)" } else { "" },
    );
    for rows in json.rows.chunk_by(same) {
        if let [first, ..] = rows {
            text += &format!("\n{}, batch {}\n", first.model, first.batch);
        }
        let mut table = Table::with_head(&HEAD, 1);
        rows.iter().for_each(|one| table.row(row(one)));
        text += &table.render("  ");
        let ways = ways(rows);
        if ways.len() > 1 {
            text += &format!("\n{}", bench_client::table(&ways));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::CostJson;

    #[test]
    fn the_widest_row_fits() {
        let cost = CostJson {
            bytes: 123_456_789,
            rounds: 12_345,
        };
        let row = Row {
            model: "mnist-lenet".to_owned(),
            batch: 128,
            protocol: "two-party",
            nonlinear: Some("ot"),
            split: None,
            rings: vec![64],
            threads: 2,
            time: Time {
                setup_s: 0.123,
                offline_s: 0.234,
                online_s: 0.345,
            },
            bill: BillJson {
                setup: cost,
                offline: cost,
                online: cost,
            },
            client: None,
            server_peak_rss_bytes: 999_000_000,
            online_to_clear: Some(1234.0),
        };
        let text = text(&Json {
            network: "loopback".to_owned(),
            repeat: 100,
            pool: 5,
            rows: vec![row],
        });
        assert!(text.contains("mnist-lenet, batch 128"), "{text}");
        assert!(
            text.lines().all(|line| line.chars().count() <= 98),
            "{text}"
        );
    }
}
