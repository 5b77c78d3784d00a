//! What `predict` says.

use super::compare::argmax;
use super::predict::{Lot, Outcome, element};
use crate::args::Predict;
use crate::fault::Fault;
use crate::report::{self, BillJson, Table, paint, print_json};
use serde::Serialize;
use std::collections::BTreeMap;
use std::time::Duration;
use subrosa::{Element, Fingerprint, Shape, Tensor};
use subrosa_node::message::{ClientSide, Id, Opened};

/// Rows of an answer that are shown.
const ROWS: usize = 20;
/// Numbers of a row that are shown.
const NUMBERS: usize = 10;

pub struct Report<'a> {
    pub options: &'a Predict,
    pub side: &'a ClientSide,
    pub deployment: Id,
    pub fingerprint: Fingerprint,
    pub count: usize,
    pub lots: &'a [Lot],
}

#[derive(Serialize)]
struct Json<'a> {
    protocol: &'a str,
    model: &'a str,
    deployment: String,
    fingerprint: String,
    inputs: usize,
    /// Inferences by batch size.
    batches: BTreeMap<u32, usize>,
    outputs: BTreeMap<&'a str, &'a Shape>,
    answers: BTreeMap<&'a str, Answer<'a>>,
    reveal: String,
    time: Time,
    /// This client's.
    bill: BillJson,
    price: BillJson,
    received_bytes: u64,
    /// Setups that were needed.
    setups: u64,
    inferences: u64,
    /// Of these, those with material from the pool.
    pooled: u64,
}

#[derive(Serialize)]
struct Time {
    total_s: f64,
    input_s: f64,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Answer<'a> {
    Numbers(&'a [f32]),
    Indices(Vec<i64>),
}

impl Report<'_> {
    /// Before anything is sent: the model, and what it will cost.
    pub fn opening(&self) -> String {
        let paint = paint();
        let inputs = match self.count {
            1 => "1 input".to_owned(),
            count => format!("{count} inputs"),
        };
        let mut text = format!(
            "{} under {}, version {}, opened: {}; {inputs}\n\
             fingerprint {}\n",
            paint.bold(&self.options.name),
            paint.bold(&self.side.protocol),
            self.deployment.to_string().get(..8).unwrap_or_default(),
            self.opened(),
            self.fingerprint,
        );
        for lot in self.lots {
            let price = &lot.price;
            text += &format!(
                "price  an inference of batch {} sends {} in {}",
                lot.batch,
                report::bytes(price.online.bytes.0),
                rounds(price.online.rounds.0),
            );
            if price.offline.bytes.0 > 0 {
                let made = lot.level.min(lot.inferences as u64);
                text += &format!(", offline {}", report::bytes(price.offline.bytes.0));
                if made > 0 {
                    text += &format!(", of which {made} are in the pool");
                }
            }
            if !lot.enrolled {
                text += &format!("; setup, once, {}", report::bytes(price.setup.bytes.0));
            }
            text.push('\n');
        }
        text.push('\n');
        text
    }

    pub fn closing(&self, outcome: &Outcome) -> Result<(), Fault> {
        match self.options.json {
            true => print_json(&self.json(outcome)),
            false => report::print(&self.text(outcome)),
        }
    }

    fn opened(&self) -> String {
        match self.side.opened {
            Opened::All => "all outputs".to_owned(),
            opened => format!("{opened} alone"),
        }
    }

    fn json<'a>(&'a self, outcome: &'a Outcome) -> Json<'a> {
        let spent = &outcome.spent;
        let outputs = || self.side.outputs.iter().zip(&outcome.outputs);
        let shapes = outputs().map(|(side, x)| (side.name.as_str(), &x.shape));
        let answers = outputs().map(|(side, x)| {
            let answer = match element(side) {
                Element::Float => Answer::Numbers(&x.values),
                Element::Integer => Answer::Indices(x.values.iter().map(|v| *v as i64).collect()),
            };
            (side.name.as_str(), answer)
        });
        let total = outcome.time.as_secs_f64();
        let batches = self.lots.iter();
        Json {
            protocol: &self.side.protocol,
            model: &self.options.name,
            deployment: self.deployment.to_string(),
            fingerprint: self.fingerprint.to_string(),
            inputs: self.count,
            batches: batches.map(|lot| (lot.batch, lot.inferences)).collect(),
            outputs: shapes.collect(),
            answers: answers.collect(),
            reveal: self.side.opened.to_string(),
            time: Time {
                total_s: total,
                input_s: total / self.count as f64,
            },
            bill: (&spent.bill).into(),
            price: (&spent.price).into(),
            received_bytes: spent.received.0,
            setups: spent.setups,
            inferences: spent.inferences,
            pooled: spent.pooled,
        }
    }

    fn text(&self, outcome: &Outcome) -> String {
        let (spent, paint) = (&outcome.spent, paint());
        let mut text = String::new();
        for (side, tensor) in self.side.outputs.iter().zip(&outcome.outputs) {
            let shape = report::shape(&tensor.shape);
            text += &format!("output {} {shape}\n", paint.bold(&side.name));
            text += &rows(element(side), tensor);
        }
        let bill = &spent.bill;
        let waited = bill.setup.rounds.0 + bill.offline.rounds.0 + bill.online.rounds.0;
        text += &format!(
            "\ntime   {}, {} an input; sent {}, received {}, {}\n",
            report::seconds(outcome.time),
            report::seconds(each(outcome.time, self.count)),
            report::bytes(spent.sent()),
            report::bytes(spent.received.0),
            rounds(waited),
        );
        if bill.offline.bytes.0 > 0 || spent.pooled > 0 {
            text += &format!(
                "pool   material of {} of {} inferences was made before\n",
                spent.pooled, spent.inferences
            );
        }
        text += match spent.is_as_reckoned() {
            true => "price  reckoned before, the bill is the same to the byte\n",
            false => "PRICE  the bill is not what was reckoned\n",
        };
        text
    }
}

fn rounds(count: u64) -> String {
    match count {
        1 => "1 round".to_owned(),
        count => format!("{count} rounds"),
    }
}

fn each(time: Duration, count: usize) -> Duration {
    time.div_f64(count.max(1) as f64)
}

/// The first rows: of numbers, the place of the largest before them.
fn rows(element: Element, tensor: &Tensor) -> String {
    let count = tensor.shape.first().copied().unwrap_or(1).max(1);
    let extent = (tensor.values.len() / count).max(1);
    let many = extent > NUMBERS;
    let mut table = match element {
        Element::Integer => Table::with_head(&["input", "class"], 0),
        Element::Float => Table::with_head(&["input", "largest", "numbers"], 0),
    };
    for (at, row) in tensor.values.chunks(extent).take(ROWS).enumerate() {
        let mut cells = vec![at.to_string()];
        let shown = row.iter().take(NUMBERS);
        match element {
            Element::Integer => cells.extend(shown.map(f32::to_string)),
            Element::Float => {
                cells.push(argmax(row).unwrap_or_default().to_string());
                cells.extend(shown.map(|value| report::number(f64::from(*value))));
            }
        }
        if many {
            cells.push("...".to_owned());
        }
        table.row(cells);
    }
    let mut text = table.render("  ");
    if count > ROWS {
        text += &format!("  and {} more; --output Y.npy has all\n", count - ROWS);
    }
    text
}
