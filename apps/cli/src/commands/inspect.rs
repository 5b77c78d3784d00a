//! `inspect`: what a model is, which protocols can run it, and for what price.

use super::inspect_report::{Report, Under};
use super::prepare::{open, prepare, terms};
use crate::args::{Image, Inspect};
use crate::fault::{Fault, of_model};
use crate::input::{Preprocessing, RangeSource, declared_ranges, names, read_samples};
use subrosa::{Entry, Nonlinear, Planned, Terms, protocols};

/// The range of an input of which nothing is said.
const ASSUMED: [f32; 2] = [0.0, 1.0];

pub fn inspect(options: &Inspect) -> Result<(), Fault> {
    let model = open(&options.model)?;
    let batch = options.batch.or(model.fixed_batch()).unwrap_or(1);
    let declared = declared_ranges(&options.numbers.input_range, &names(&model))?;
    let ranges: Vec<[f32; 2]> = declared
        .iter()
        .map(|range| range.unwrap_or(ASSUMED))
        .collect();
    let source = |range: &Option<_>| match range {
        Some(_) => RangeSource::Declared,
        None => RangeSource::Assumed,
    };
    let sources: Vec<RangeSource> = declared.iter().map(source).collect();
    let samples = read_samples(
        &model,
        &options.numbers.calibrate,
        batch,
        &Preprocessing::new(&Image::default())?,
    )?;
    let prepared = prepare(&options.model, &model, batch, &ranges, samples.as_deref())?;
    let constants = model.public_constants(batch);
    let constants = constants.map_err(|error| of_model(&options.model)(error.into()))?;
    let chosen = |entry: &&Entry| {
        options
            .protocol
            .is_none_or(|one| one.name() == entry.name())
    };
    let mut under = Vec::new();
    for entry in protocols().iter().filter(chosen) {
        let asked = terms(&options.numbers, options.network);
        let planned = prepared.plan(entry, &asked);
        let reading = planned.as_ref().ok().and_then(Planned::reading);
        let mut readings = Vec::new();
        if reading.is_some() && asked.nonlinear == Nonlinear::Auto {
            for nonlinear in [Nonlinear::Ot, Nonlinear::Gc] {
                let terms = Terms {
                    nonlinear,
                    ..asked.clone()
                };
                readings.extend(prepared.plan(entry, &terms).ok());
            }
        }
        under.push(Under {
            protocol: entry,
            planned,
            readings,
            network: options.network,
        });
    }
    let report = Report {
        path: &options.model,
        model: &model,
        batch,
        ranges: &ranges,
        sources: &sources,
        prepared: &prepared,
        constants: &constants,
        under: &under,
    };
    if options.json {
        report.print_json()?
    } else {
        report.print_text()?
    }
    // With one protocol asked for, that it cannot run the model is a refusal.
    match (options.protocol, under.pop()) {
        (
            Some(_),
            Some(Under {
                planned: Err(error),
                ..
            }),
        ) => Err(of_model(&options.model)(error)),
        _ => Ok(()),
    }
}
