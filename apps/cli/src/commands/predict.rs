//! `predict`: a deployed model is asked, by a client that knows its name and its nodes.

use super::predict_report::Report;
use super::prepare::cores;
use crate::args::Predict as Options;
use crate::fault::Fault;
use crate::input::Asked;
use crate::nodes::{Spent, of_client, open_client};
use crate::output::Output;
use crate::report;
use indicatif::{ProgressBar, ProgressStyle};
use std::time::{Duration, Instant};
use subrosa::{Element, Tensor};
use subrosa_node::message::{MOST_INFERRED, OutputSide};

/// Inferences of one batch size.
pub struct Lot {
    pub batch: u32,
    pub inferences: usize,
    /// Whether keys are there, and how many inferences' material, before anything is asked.
    pub enrolled: bool,
    pub level: u64,
    pub price: subrosa::Bill,
}

/// What came of all.
#[derive(Default)]
pub struct Outcome {
    /// In the order of the model's outputs.
    pub outputs: Vec<Tensor>,
    pub spent: Spent,
    pub time: Duration,
}

pub fn predict(options: &Options) -> Result<(), Fault> {
    let fault = of_client(&options.at);
    let client = open_client(&options.at)?;
    let mut ask = client.ask(&options.name, options.expect).map_err(&fault)?;
    ask.threads = cores();
    let mut side = ask.side.clone();
    let inputs = side.inputs.iter_mut().map(|input| &mut input.name);
    let outputs = side.outputs.iter_mut().map(|output| &mut output.name);
    for name in inputs.chain(outputs) {
        *name = report::plain(name).replace('\n', " ");
    }
    let asked = Asked::read(&side.inputs, &options.input, options.limit, &options.image)?;
    let output = options.output.as_ref();
    let output = output.map(|path| Output::new(path, side.outputs.len()));
    let output = output.transpose()?;
    let mut lots = Vec::new();
    for (batch, inferences) in asked.cut(&ask.batches())? {
        let (enrolled, level) = ask.standing(batch).map_err(&fault)?;
        lots.push(Lot {
            batch,
            inferences,
            enrolled,
            level,
            price: ask.price(batch).map_err(&fault)?,
        });
    }
    let report = Report {
        options,
        side: &side,
        deployment: ask.deployment,
        fingerprint: ask.fingerprint,
        count: asked.count,
        lots: &lots,
    };
    if !options.json {
        report::print(&report.opening())?;
    }
    let bar = progress(asked.count);
    let began = Instant::now();
    let mut outcome = Outcome::default();
    let mut done = 0;
    for lot in &lots {
        let batch = lot.batch as usize;
        let mut left = lot.inferences;
        while left > 0 {
            // One visit each time, so that what it did can be held against its price.
            let now = left.min(MOST_INFERRED as usize);
            let inputs = (0..now).map(|at| asked.lot(done + at * batch, batch));
            let step = &mut |answered: usize| bar.set_position((done + answered * batch) as u64);
            let answers = ask.infer(lot.batch, inputs.collect(), step);
            let answers = answers.map_err(|error| {
                bar.finish_and_clear();
                fault(error)
            })?;
            outcome.spent.add(&lot.price, &answers.tally);
            for outputs in answers.outputs {
                gather(&mut outcome.outputs, outputs, &side.outputs, batch);
            }
            left -= now;
            done += now * batch;
        }
    }
    outcome.time = began.elapsed();
    bar.finish_and_clear();
    if let Some(output) = output {
        let sides = side.outputs.iter().zip(&outcome.outputs);
        let arrays = sides.map(|(side, x)| (side.name.as_str(), element(side), x));
        output.write(&arrays.collect::<Vec<_>>())?;
    }
    report.closing(&outcome)?;
    outcome.spent.check()
}

pub fn element(side: &OutputSide) -> Element {
    match side.integer {
        true => Element::Integer,
        false => Element::Float,
    }
}

/// Puts one inference's outputs behind those of the earlier ones. What has no leading batch gets one.
fn gather(all: &mut Vec<Tensor>, outputs: Vec<Tensor>, sides: &[OutputSide], batch: usize) {
    for (at, mut output) in outputs.into_iter().take(sides.len()).enumerate() {
        if output.shape.first() != Some(&batch) {
            output.shape.insert(0, 1);
        }
        match all.get_mut(at) {
            None => all.push(output),
            Some(whole) => {
                if let (Some(sum), Some(more)) = (whole.shape.first_mut(), output.shape.first()) {
                    *sum += more;
                }
                whole.values.extend(output.values);
            }
        }
    }
}

fn progress(inputs: usize) -> ProgressBar {
    let style = ProgressStyle::with_template("{wide_bar} {pos}/{len} inputs, {eta} left");
    ProgressBar::new(inputs as u64)
        .with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}
