//! What `run` says.

use super::compare::{Comparison, argmax};
use super::prepare::{named, ranges_kind, reveal_text};
use crate::args::Run;
use crate::fault::Fault;
use crate::input::{Given, RangeSource};
use crate::parties::{Measured, Settings};
use crate::report::{self, BillJson, Table, paint, print_json};
use serde::Serialize;
use std::collections::BTreeMap;
use subrosa::{Element, PartyKind, Planned, Shape, Tensor};

pub struct Report<'a> {
    pub options: &'a Run,
    pub planned: &'a Planned,
    pub given: &'a Given,
    pub names: Vec<String>,
    pub measured: &'a Measured,
    pub comparison: &'a Comparison,
    pub exceeded: Vec<String>,
    pub settings: &'a Settings,
}

#[derive(Serialize)]
struct Json<'a> {
    protocol: &'a str,
    /// How activations are computed, where the protocol has more than one way.
    nonlinear: Option<&'a str>,
    /// Where the network is cut, if it is.
    split: Option<String>,
    model: String,
    batch: usize,
    outputs: BTreeMap<&'a str, &'a Shape>,
    reveal: String,
    repeat: usize,
    /// Inferences whose material was made ahead.
    pool: usize,
    time: Time,
    bill: BillJson,
    price: BillJson,
    parties: BTreeMap<&'a str, Party>,
    max_abs_error: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_abs_error_reason: Option<String>,
    argmax_agrees: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    argmax_agrees_reason: Option<String>,
    rings: Vec<u32>,
    ranges: &'a str,
    input_ranges: BTreeMap<&'a str, InputRange>,
    exceeded: &'a [String],
    threads: usize,
    network: String,
}

#[derive(Serialize)]
pub struct Time {
    pub setup_s: f64,
    pub offline_s: f64,
    pub online_s: f64,
}

#[derive(Serialize)]
struct Party {
    role: PartyKind,
    peak_rss_bytes: u64,
    price: BillJson,
    bill: BillJson,
}

#[derive(Serialize)]
struct InputRange {
    low: f32,
    high: f32,
    source: RangeSource,
}

impl Measured {
    pub fn time(&self) -> Time {
        Time {
            setup_s: self.setup.as_secs_f64(),
            offline_s: self.offline.as_secs_f64(),
            online_s: self.online.as_secs_f64(),
        }
    }
}

impl Report<'_> {
    pub fn print(&self) -> Result<(), Fault> {
        if self.options.json {
            print_json(&self.json())
        } else {
            report::print(&self.text())
        }
    }

    fn json(&self) -> Json<'_> {
        let ports = self.planned.graph().tail.outputs.iter();
        let outputs = ports.zip(&self.measured.outputs);
        let parties = self.measured.parties.iter().map(|party| {
            let about = Party {
                role: party.seat.kind,
                peak_rss_bytes: party.peak_rss_bytes,
                price: (&party.price).into(),
                bill: (&party.bill).into(),
            };
            (party.seat.name, about)
        });
        let ranges = self
            .names
            .iter()
            .zip(&self.given.ranges)
            .zip(&self.given.sources);
        let ranges = ranges.map(|((name, [low, high]), source)| {
            (
                name.as_str(),
                InputRange {
                    low: *low,
                    high: *high,
                    source: *source,
                },
            )
        });
        let error = self.comparison.max_abs_error();
        let agrees = self.comparison.argmax_agrees();
        Json {
            protocol: self.planned.protocol.name(),
            nonlinear: self.planned.reading(),
            split: self.planned.cut(),
            model: self.options.model.display().to_string(),
            batch: self.given.batch,
            outputs: outputs
                .map(|(port, x)| (port.name.as_str(), &x.shape))
                .collect(),
            reveal: reveal_text(self.options.numbers.reveal),
            repeat: self.options.repeat,
            pool: self.settings.pool,
            time: self.measured.time(),
            bill: (&self.measured.bill()).into(),
            price: (&self.measured.price()).into(),
            parties: parties.collect(),
            max_abs_error: error.as_ref().ok().copied(),
            max_abs_error_reason: error.err(),
            argmax_agrees: agrees.as_ref().ok().copied(),
            argmax_agrees_reason: agrees.err(),
            rings: vec![self.planned.graph().ring],
            ranges: ranges_kind(self.planned.graph()),
            input_ranges: ranges.collect(),
            exceeded: &self.exceeded,
            threads: self.settings.threads,
            network: self.settings.network.to_string(),
        }
    }

    fn text(&self) -> String {
        let (measured, graph, paint) = (self.measured, self.planned.graph(), paint());
        let cut = self.planned.cut();
        let cut = cut.map_or_else(String::new, |at| format!(" cut at {at}"));
        let mut text = format!(
            "{} under {}{cut}, batch {}, ring of {} bits, ranges {}, network {}\n\n",
            paint.bold(&self.options.model.display().to_string()),
            paint.bold(&named(self.planned)),
            self.given.batch,
            graph.ring,
            ranges_kind(graph),
            self.settings.network,
        );
        for (port, tensor) in graph.tail.outputs.iter().zip(&measured.outputs) {
            text += &format!("  output {} {}", port.name, report::shape(&tensor.shape));
            text += &largest(port.element, tensor);
            text.push('\n');
        }
        text += &match (self.comparison.max_abs_error(), self.comparison.rows()) {
            (Ok(error), Ok((agreeing, rows))) => format!(
                "  float model: largest difference {error:.2e}, same largest in {agreeing} of {rows} rows\n"
            ),
            (Ok(error), Err(_)) => format!("  float model: largest difference {error:.2e}\n"),
            (Err(_), Ok((agreeing, rows))) => {
                format!("  float model: same largest in {agreeing} of {rows} rows\n")
            }
            (Err(reason), Err(_)) => format!("  float model: no comparison, {reason}\n"),
        };
        let runs = match self.options.repeat {
            1 => "once, after a warm-up".to_owned(),
            repeat => format!("median of {repeat}, after a warm-up"),
        };
        let ahead = match self.settings.pool {
            0 => String::new(),
            pool => format!(" for each of {pool} made ahead"),
        };
        text += &format!(
            "  time ({runs}): setup {}, offline {}{ahead}, online {}\n\n",
            report::seconds(measured.setup),
            report::seconds(measured.offline),
            paint.bold(&report::seconds(measured.online)),
        );
        text += &self.parties().render("  ");
        text += if measured.overcharged().is_empty() {
            "  price: reckoned before the run, the bill is the same to the byte\n"
        } else {
            "  PRICE: the bill is not what was reckoned\n"
        };
        text
    }

    fn parties(&self) -> Table {
        let head = [
            "party",
            "role",
            "peak memory",
            "setup sent",
            "offline sent",
            "online sent",
            "rounds",
        ];
        let mut table = Table::with_head(&head, 2);
        let cells = |bill: &subrosa::Bill| {
            let mut cells: Vec<String> = [bill.setup, bill.offline, bill.online]
                .iter()
                .map(|cost| report::bytes(cost.bytes.0))
                .collect();
            cells.push(bill.online.rounds.0.to_string());
            cells
        };
        for party in &self.measured.parties {
            let role = format!("{:?}", party.seat.kind).to_lowercase();
            let mut row = vec![
                party.seat.name.to_owned(),
                role,
                report::bytes(party.peak_rss_bytes),
            ];
            row.extend(cells(&party.bill));
            table.row(row);
        }
        let mut all = vec!["all".to_owned(), String::new(), String::new()];
        all.extend(cells(&self.measured.bill()));
        table.row(all);
        table
    }
}

/// Where the largest of each of the first rows is. What has more axes than rows and columns has none.
fn largest(element: Element, tensor: &Tensor) -> String {
    const ROWS: usize = 12;
    let [rows, extent] = *tensor.shape.as_slice() else {
        return String::new();
    };
    let first = tensor.values.chunks(extent.max(1)).take(ROWS);
    let places: Vec<String> = match element {
        Element::Integer => first.flatten().map(f32::to_string).collect(),
        Element::Float => first
            .filter_map(argmax)
            .map(|place| place.to_string())
            .collect(),
    };
    let more = if rows > ROWS { ", ..." } else { "" };
    format!(", largest at {}{more}", places.join(", "))
}
