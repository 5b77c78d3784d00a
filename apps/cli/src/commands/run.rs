//! `run`: one model, one input, all parties on this machine.

use super::compare::{Comparison, answers};
use super::parts::read_parts;
use super::prepare::{cores, open, plan, prepare, ranges_kind, samples_text, settings};
use super::run_report::Report;
use crate::args::Run;
use crate::fault::{Fault, of_model};
use crate::input::{Given, Preprocessing, RangeSource, names, read_inputs, read_samples};
use crate::output::Output;
use crate::parties::measure;
use crate::report::note;
use indicatif::ProgressBar;
use subrosa::{Oracle, Planned, Prepared, encode_input};

pub fn run(options: &Run) -> Result<(), Fault> {
    let model = open(&options.model)?;
    let given = read_inputs(
        &model,
        &options.input,
        &options.numbers.input_range,
        &options.image,
    )?;
    let preprocessing = Preprocessing::new(&options.image)?;
    let samples = read_samples(
        &model,
        &options.numbers.calibrate,
        given.batch,
        &preprocessing,
    )?;
    let prepared = prepare(
        &options.model,
        &model,
        given.batch,
        &given.ranges,
        samples.as_deref(),
    )?;
    let planned = plan(
        &options.model,
        &prepared,
        options.protocol,
        &options.numbers,
        options.place.network,
    )?;
    let ports = &planned.graph().tail.outputs;
    let output = options
        .output
        .as_ref()
        .map(|path| Output::new(path, ports.len()))
        .transpose()?;
    check_inputs(&planned, &given)?;
    say_ranges(&names(&model), &given, &planned, &prepared);
    let mut settings = settings(&options.model, &options.place, &planned, options.pool)?;
    if let Some(folder) = &options.parts {
        settings.holdings = Some(read_parts(folder, &planned)?);
    }
    let bar = progress(options.repeat);
    let measured = measure(
        &planned,
        &prepared.weights,
        &given.tensors,
        &settings,
        options.repeat,
        |round| bar.set_position(round as u64),
    );
    bar.finish_and_clear();
    let measured = measured?;
    let answers = answers(&prepared.graph().tail.outputs, options.numbers.reveal);
    let comparison = Comparison::once(
        &model,
        given.batch,
        &given.tensors,
        &answers,
        &measured.outputs,
    );
    let oracle = Oracle::new(planned.graph(), &prepared.weights, cores());
    let oracle = oracle.and_then(|oracle| oracle.infer(&given.tensors));
    let oracle = oracle.map_err(of_model(&options.model))?;
    if !oracle.exceeded.is_empty() {
        note(&format!(
            "on this input {} went beyond the calibrated range, the answer may be wrong: \
             give --calibrate samples like the input",
            oracle.exceeded.join(", ")
        ));
    }
    if let Some(output) = output {
        let arrays = ports.iter().zip(&measured.outputs);
        let arrays = arrays.map(|(port, x)| (port.name.as_str(), port.element, x));
        output.write(&arrays.collect::<Vec<_>>())?;
    }
    let report = Report {
        options,
        planned: &planned,
        given: &given,
        names: names(&model),
        measured: &measured,
        comparison: &comparison,
        exceeded: oracle.exceeded,
        settings: &settings,
    };
    report.print()?;
    let overcharged = measured.overcharged();
    if overcharged.is_empty() {
        return Ok(());
    }
    let parties = overcharged.iter().map(|party| {
        format!(
            "{} {:?}, reckoned {:?}",
            party.seat.name, party.bill, party.price
        )
    });
    Err(Fault::Overcharged(parties.collect::<Vec<_>>().join("; ")))
}

/// The client would refuse these; here they are refused before anything starts.
fn check_inputs(planned: &Planned, given: &Given) -> Result<(), Fault> {
    for (port, (tensor, path)) in given.tensors.iter().zip(&given.paths).enumerate() {
        encode_input(planned.graph(), port, tensor).map_err(|fault| Fault::Input {
            path: path.clone(),
            fault,
        })?;
    }
    Ok(())
}

fn say_ranges(names: &[String], given: &Given, planned: &Planned, prepared: &Prepared) {
    for ((name, [low, high]), source) in names.iter().zip(&given.ranges).zip(&given.sources) {
        if *source == RangeSource::File {
            note(&format!(
                "input {name}: range [{low}, {high}] is that of its file, rounded out to powers \
                 of two; it is public; --input-range declares another"
            ));
        }
    }
    if ranges_kind(planned.graph()) == "calibrated" {
        let wires = planned.graph().calibrated_wires().len();
        let samples = samples_text(prepared.ranged.samples);
        note(&format!(
            "{wires} of {} wires have no proven range, only one calibrated in {samples}",
            planned.graph().wires.len()
        ));
    }
}

fn progress(repeat: usize) -> ProgressBar {
    if repeat < 2 {
        ProgressBar::hidden()
    } else {
        ProgressBar::new(repeat as u64 + 1)
    }
}
