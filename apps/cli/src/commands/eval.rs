//! `eval`: accuracy under a protocol beside accuracy in the clear.

use super::compare::{Comparison, answers, quietly};
use super::eval_score::{Batch, Score};
use super::prepare::{cores, named, open, plan, prepare, settings};
use crate::args::Eval;
use crate::fault::{Fault, Usage, of_model};
use crate::input::{Images, Preprocessing, declared_ranges, names, read_samples};
use crate::parties::Processes;
use crate::report::{self, BillJson, note, paint, print_json};
use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;
use std::time::{Duration, Instant};
use subrosa::{Bill, Model, Oracle, OracleAnswer, Reference, Shape, Tensor, total};

/// Images in one inference, where nothing is said.
const BATCH: usize = 128;

#[derive(Serialize)]
struct Json {
    protocol: String,
    /// How activations are computed, where the protocol has more than one way.
    nonlinear: Option<&'static str>,
    model: String,
    dataset: &'static str,
    images: usize,
    batch: usize,
    /// Inferences whose material was made ahead.
    pool: usize,
    /// Fractions.
    accuracy_float: Option<f64>,
    accuracy_clear_fixed: f64,
    accuracy: f64,
    /// With the clear fixed-point reading.
    argmax_agreement: f64,
    max_abs_error: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_abs_error_reason: Option<String>,
    /// Setup and all inferences.
    seconds: f64,
    bill: BillJson,
    rings: Vec<u32>,
    ranges: &'static str,
    exceeded: Vec<String>,
}

pub fn eval(options: &Eval) -> Result<(), Fault> {
    let model = open(&options.model)?;
    let mut images = options.dataset.read(&options.data)?;
    images.truncate(options.limit.unwrap_or(usize::MAX));
    let preprocessing = Preprocessing::new(&options.image)?;
    preprocessing.check(images.channels)?;
    let (batch, shape) = fit(options, &model, &images)?;
    let declared = declared_ranges(&options.numbers.input_range, &names(&model))?;
    let ranges: Vec<[f32; 2]> = declared
        .into_iter()
        .map(|range| range.unwrap_or_else(|| preprocessing.range()))
        .collect();
    let samples = read_samples(&model, &options.numbers.calibrate, batch, &preprocessing)?;
    let prepared = prepare(&options.model, &model, batch, &ranges, samples.as_deref())?;
    let planned = plan(
        &options.model,
        &prepared,
        options.protocol,
        &options.numbers,
        options.place.network,
    )?;
    let oracle = Oracle::new(planned.graph(), &prepared.weights, cores())
        .map_err(of_model(&options.model))?;
    let reference = quietly(|| Reference::new(&model, batch));
    let answers = answers(&prepared.graph().tail.outputs, options.numbers.reveal);
    let mut score = Score::default();
    if let Err(error) = &reference {
        score.comparison = Comparison::without(error);
    }
    let bar = progress(images.count);
    let settings = settings(&options.model, &options.place, &planned, options.pool)?;
    let mut processes = Processes::start(&planned, &prepared.weights, &settings)?;
    let begun = processes.setup()?;
    let mut bills = begun.bills;
    let mut time: Duration = begun.time;
    let pool = settings.pool.min(images.count.div_ceil(batch));
    if settings.pools() {
        processes.join(&settings.keepers)?;
        let filled = processes.fill(pool)?;
        time += filled.time;
        for (bill, made) in bills.iter_mut().zip(filled.bills) {
            *bill += made;
        }
    }
    let mut exceeded: Vec<String> = Vec::new();
    for first in (0..images.count).step_by(batch) {
        let last = images.count.min(first + batch);
        let input = [tensor(&images, first, batch, &shape, &preprocessing)];
        let started = Instant::now();
        let made = processes.ready()?;
        let answer = processes.infer(&input)?;
        time += started.elapsed();
        for (bill, (made, asked)) in bills
            .iter_mut()
            .zip(made.bills.iter().zip(&answer.step.bills))
        {
            *bill += made.clone() + asked.clone();
        }
        let OracleAnswer {
            outputs: clear,
            exceeded: beyond,
        } = oracle
            .infer(&input)
            .map_err(|error| Fault::Oracle(Box::new(error)))?;
        exceeded.extend(
            beyond
                .into_iter()
                .filter(|wire| !exceeded.contains(wire))
                .collect::<Vec<_>>(),
        );
        let float = match quietly(|| reference.as_ref().map(|float| float.run(&input))) {
            Ok(Ok(float)) => Some(float),
            Ok(Err(error)) => {
                score.comparison = Comparison::without(&error);
                None
            }
            Err(_) => None,
        };
        if clear
            .first()
            .is_none_or(|t| !t.values.len().is_multiple_of(batch))
        {
            let shape = clear.first().map(|t| t.shape.clone()).unwrap_or_default();
            return Err(Usage::Classes {
                path: options.model.clone(),
                shape,
                batch,
            }
            .into());
        }
        let labels = &images.labels[first..last];
        let given = Batch {
            labels,
            outputs: &answer.outputs,
            oracle: &clear,
            float: float.as_deref(),
        };
        score.add(&answers, batch, &given);
        bar.set_position(last as u64);
    }
    bar.finish_and_clear();
    if !exceeded.is_empty() {
        note(&format!(
            "beyond the calibrated range on some image: {}",
            exceeded.join(", ")
        ));
    }
    let error = score.comparison.max_abs_error();
    let floats = score.comparison.rows().is_ok() || error.is_ok();
    let json = Json {
        protocol: options.protocol.name().to_owned(),
        nonlinear: planned.reading(),
        model: options.model.display().to_string(),
        dataset: options.dataset.name(),
        images: score.images,
        batch,
        pool,
        accuracy_float: floats.then(|| score.fraction(score.right_float)),
        accuracy_clear_fixed: score.fraction(score.right_oracle),
        accuracy: score.fraction(score.right),
        argmax_agreement: score.fraction(score.agreeing),
        max_abs_error: error.as_ref().ok().copied(),
        max_abs_error_reason: error.err(),
        seconds: time.as_secs_f64(),
        bill: (&total(&bills)).into(),
        rings: vec![planned.graph().ring],
        ranges: super::prepare::ranges_kind(planned.graph()),
        exceeded,
    };
    if options.json {
        print_json(&json)
    } else {
        report::print(&text(&json, &named(&planned), &total(&bills)))
    }
}

/// Batch size, and the shape of the input.
fn fit(options: &Eval, model: &Model, images: &Images) -> Result<(usize, Shape), Fault> {
    let (path, inputs) = (options.model.clone(), model.inputs());
    let [info] = inputs.as_slice() else {
        return Err(Usage::ManyInputs {
            path,
            found: inputs.len(),
        }
        .into());
    };
    let asked = options.batch.unwrap_or(BATCH).min(images.count).max(1);
    let batch = model.fixed_batch().unwrap_or(asked);
    if options.batch.is_some_and(|asked| asked != batch) && model.fixed_batch().is_some() {
        note(&format!("the file fixes the batch to {batch}"));
    }
    let shape = info.shape(batch);
    let expected = images.size();
    if shape.iter().product::<usize>() != batch * expected {
        let (name, dataset) = (info.name.clone(), options.dataset.name());
        return Err(Usage::ImageShape {
            path,
            name,
            shape,
            dataset,
            expected,
        }
        .into());
    }
    Ok((batch, shape))
}

/// Images from `first` on; where there are too few, the last one again.
fn tensor(
    images: &Images,
    first: usize,
    batch: usize,
    shape: &[usize],
    preprocessing: &Preprocessing,
) -> Tensor {
    let channels = images.channels;
    let last_axis = shape.len() == 4 && shape[1] != channels && shape[3] == channels;
    let mut values = Vec::with_capacity(batch * images.size());
    for at in first..first + batch {
        values.extend(images.values(at.min(images.count - 1), last_axis, preprocessing));
    }
    Tensor {
        shape: shape.to_vec(),
        values,
    }
}

fn progress(images: usize) -> ProgressBar {
    let style = ProgressStyle::with_template("{wide_bar} {pos}/{len} images, {eta} left");
    ProgressBar::new(images as u64)
        .with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}

fn text(json: &Json, protocol: &str, bill: &Bill) -> String {
    let paint = paint();
    let percent = |fraction: f64| format!("{:.2} %", 100.0 * fraction);
    let float = json
        .accuracy_float
        .map_or_else(|| "unknown".to_owned(), percent);
    let error = json.max_abs_error.map_or_else(String::new, |error| {
        format!(", largest difference from the float model {error:.2e}")
    });
    format!(
        "{} under {}, {} images of {}, batch {}\n\n\
         \x20 accuracy  {}   in the clear: fixed point {}, float {float}\n\
         \x20 agreement {} with the clear fixed-point reading{error}\n\
         \x20 time      {} with setup, {} an image\n\
         \x20 sent      offline {}, online {} by all parties together\n",
        paint.bold(&json.model),
        paint.bold(protocol),
        json.images,
        json.dataset,
        json.batch,
        paint.bold(&percent(json.accuracy)),
        percent(json.accuracy_clear_fixed),
        percent(json.argmax_agreement),
        report::seconds(Duration::from_secs_f64(json.seconds)),
        report::seconds(Duration::from_secs_f64(
            json.seconds / json.images.max(1) as f64
        )),
        report::bytes(bill.offline.bytes.0),
        report::bytes(bill.online.bytes.0),
    )
}
