//! From a file to a plan and to what it runs on.

use crate::args::{Image, Numbers, Place};
use crate::fault::{Fault, of_model};
use crate::input::{Preprocessing, declared_ranges, names, read_samples};
use crate::parties::Settings;
use std::path::Path;
use subrosa::{
    Entry, FixedGraph, Model, Network, PartyKind, Planned, Prepared, Reveal, Samples, Tensor, Terms,
};

pub fn open(path: &Path) -> Result<Model, Fault> {
    Model::read(path).map_err(Fault::File)
}

pub fn prepare(
    path: &Path,
    model: &Model,
    batch: usize,
    ranges: &[[f32; 2]],
    samples: Option<&[Vec<Tensor>]>,
) -> Result<Prepared, Fault> {
    Prepared::new(model, batch, ranges, samples).map_err(of_model(path))
}

pub fn plan(
    path: &Path,
    prepared: &Prepared,
    protocol: &'static Entry,
    numbers: &Numbers,
    network: Network,
) -> Result<Planned, Fault> {
    prepared
        .plan(protocol, &terms(numbers, network))
        .map_err(of_model(path))
}

pub fn terms(numbers: &Numbers, network: Network) -> Terms {
    Terms {
        ring: numbers.ring.0,
        reveal: numbers.reveal,
        nonlinear: numbers.nonlinear,
        network,
        division: numbers.divide.division(),
    }
}

/// For a model without an input at hand: declared ranges, or 0 to 1.
pub fn prepare_assumed(
    path: &Path,
    model: &Model,
    batch: Option<usize>,
    numbers: &Numbers,
) -> Result<Prepared, Fault> {
    let batch = batch.or(model.fixed_batch()).unwrap_or(1);
    let declared = declared_ranges(&numbers.input_range, &names(model))?;
    let ranges: Vec<[f32; 2]> = declared.iter().map(|r| r.unwrap_or([0.0, 1.0])).collect();
    let samples = read_samples(
        model,
        &numbers.calibrate,
        batch,
        &Preprocessing::new(&Image::default())?,
    )?;
    prepare(path, model, batch, &ranges, samples.as_deref())
}

/// `pool`: inferences whose material is made ahead.
pub fn settings(
    path: &Path,
    place: &Place,
    planned: &Planned,
    pool: Option<usize>,
) -> Result<Settings, Fault> {
    let servers = planned.seats();
    let computes = |kind| matches!(kind, PartyKind::Server | PartyKind::Vendor);
    let servers = servers.iter().filter(|seat| computes(seat.kind)).count();
    let threads = place
        .threads
        .unwrap_or_else(|| (cores() / servers.max(1)).max(1));
    let keepers = match pool {
        Some(_) => {
            let seats = planned.seats().into_iter();
            let told = seats.map(|seat| planned.keepers_told(seat.party));
            told.collect::<Result<_, _>>().map_err(of_model(path))?
        }
        None => Vec::new(),
    };
    Ok(Settings {
        network: place.network,
        threads,
        timeout: place.timeout,
        pool: pool.unwrap_or(0),
        keepers,
        holdings: None,
    })
}

pub fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZero::get)
}

/// A protocol's name, with how it computes activations where it has more than one way.
pub fn named(planned: &Planned) -> String {
    let name = planned.protocol.name();
    match planned.reading() {
        Some(reading) => format!("{name} ({reading})"),
        None => name.to_owned(),
    }
}

/// `proven`, or `calibrated` if the bound of any wire is only that.
pub fn ranges_kind(graph: &FixedGraph) -> &'static str {
    if graph.wires.iter().all(|wire| wire.proven) {
        "proven"
    } else {
        "calibrated"
    }
}

/// What calibrated bounds were seen on.
pub fn samples_text(samples: Samples) -> String {
    match samples {
        Samples::Uniform { runs } => format!("{runs} runs on uniformly random inputs"),
        Samples::Given { runs } => format!("{runs} runs on the samples given"),
    }
}

pub fn reveal_text(reveal: Reveal) -> String {
    match reveal {
        Reveal::All => "all".to_owned(),
        Reveal::ArgMax => "argmax".to_owned(),
        Reveal::TopK(count) => format!("top:{count}"),
    }
}
