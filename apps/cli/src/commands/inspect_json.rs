//! What `inspect` says to scripts.

use super::inspect_report::{Report, Under};
use super::prepare::{ranges_kind, samples_text};
use crate::fault::Fault;
use crate::input::RangeSource;
use crate::report::{BillJson, print_json};
use serde::Serialize;
use std::collections::BTreeMap;
use subrosa::{FixedGraph, FixedOp, Planned, Shape};

#[derive(Serialize)]
struct Json<'a> {
    model: String,
    name: &'a str,
    producer: &'a str,
    opset: i64,
    batch: usize,
    inputs: Vec<InputJson>,
    outputs: Vec<OutputJson<'a>>,
    operators: BTreeMap<String, usize>,
    parameters: usize,
    public_constants: Vec<ConstantJson<'a>>,
    /// Of the float network, once simplified, in order of computation.
    wires: Vec<WireJson<'a>>,
    calibration: String,
    protocols: BTreeMap<&'a str, UnderJson<'a>>,
}

#[derive(Serialize)]
struct InputJson {
    name: String,
    shape: Shape,
    dynamic_batch: bool,
    low: f32,
    high: f32,
    range: RangeSource,
}

#[derive(Serialize)]
struct OutputJson<'a> {
    name: &'a str,
    shape: Shape,
}

#[derive(Serialize)]
struct WireJson<'a> {
    name: &'a str,
    shape: &'a Shape,
    /// Proven from the input range.
    low: f64,
    high: f64,
    /// Largest absolute value in calibration.
    calibrated: f64,
}

#[derive(Serialize)]
struct ConstantJson<'a> {
    name: &'a str,
    node: &'a str,
    shape: &'a Shape,
}

#[derive(Serialize)]
#[serde(untagged)]
enum UnderJson<'a> {
    Runs {
        runs: bool,
        /// How activations are computed, where the protocol has more than one way.
        nonlinear: Option<&'a str>,
        rings: Vec<u32>,
        fraction_bits: [u32; 2],
        ranges: &'a str,
        calibrated_wires: Vec<&'a str>,
        price: BillJson,
        parties: BTreeMap<&'a str, BillJson>,
        /// All ways, where none was asked for.
        readings: BTreeMap<&'a str, ReadingJson>,
    },
    Refused {
        runs: bool,
        reason: String,
    },
}

#[derive(Serialize)]
struct ReadingJson {
    price: BillJson,
    /// Offline and online together, without the products that all readings have.
    predicted_s: Option<f64>,
}

impl Report<'_> {
    pub fn print_json(&self) -> Result<(), Fault> {
        let inputs = self
            .model
            .inputs()
            .into_iter()
            .zip(self.ranges)
            .zip(self.sources);
        let inputs = inputs.map(|((info, [low, high]), source)| InputJson {
            shape: info.shape(self.batch),
            dynamic_batch: info.has_dynamic_batch(),
            name: info.name,
            low: *low,
            high: *high,
            range: *source,
        });
        let outputs = self
            .outputs()
            .into_iter()
            .map(|(name, shape)| OutputJson { name, shape });
        let constants = self.constants.iter().map(|constant| ConstantJson {
            name: &constant.name,
            node: &constant.node,
            shape: &constant.tensor.shape,
        });
        let ranged = &self.prepared.ranged;
        let known = ranged.proven.iter().zip(&ranged.calibrated);
        let wires = ranged.graph.wires.iter().zip(known);
        let wires = wires.map(|(wire, (proven, calibrated))| WireJson {
            name: &wire.name,
            shape: &wire.shape,
            low: proven.low,
            high: proven.high,
            calibrated: *calibrated,
        });
        print_json(&Json {
            model: self.path.display().to_string(),
            name: self.model.name(),
            producer: self.model.producer(),
            opset: self.model.opset(),
            batch: self.batch,
            inputs: inputs.collect(),
            outputs: outputs.collect(),
            operators: self.model.operators(),
            parameters: self.model.parameters(),
            public_constants: constants.collect(),
            wires: wires.collect(),
            calibration: samples_text(self.prepared.ranged.samples),
            protocols: self.under.iter().map(Under::json).collect(),
        })
    }
}

impl Under {
    fn json(&self) -> (&'static str, UnderJson<'_>) {
        let json = match &self.planned {
            Err(error) => UnderJson::Refused {
                runs: false,
                reason: error.to_string(),
            },
            Ok(planned) => {
                let graph = planned.graph();
                let parties = planned.parties().iter();
                UnderJson::Runs {
                    runs: true,
                    nonlinear: planned.reading(),
                    rings: vec![graph.ring],
                    fraction_bits: fraction_bits(graph),
                    ranges: ranges_kind(graph),
                    calibrated_wires: graph.calibrated_wires(),
                    price: (&planned.price()).into(),
                    parties: parties.map(|p| (p.seat.name, (&p.price).into())).collect(),
                    readings: self
                        .readings
                        .iter()
                        .filter_map(|one| self.reading(one))
                        .collect(),
                }
            }
        };
        (self.protocol.name(), json)
    }

    fn reading(&self, planned: &Planned) -> Option<(&'static str, ReadingJson)> {
        let predicted = planned.predicted(&self.network);
        let json = ReadingJson {
            price: (&planned.price()).into(),
            predicted_s: predicted.map(|time| time.as_secs_f64()),
        };
        Some((planned.reading()?, json))
    }
}

/// Fewest and most fraction bits of what is truncated or given.
pub fn fraction_bits(graph: &FixedGraph) -> [u32; 2] {
    let inputs = graph.inputs.iter().map(|port| port.wire);
    let cut = graph
        .nodes
        .iter()
        .filter(|node| matches!(node.op, FixedOp::Truncate { .. }));
    let wires = inputs.chain(cut.map(|node| node.output));
    wires
        .map(|wire| graph.wire(wire).frac)
        .fold([u32::MAX, 0], |[least, most], frac| {
            [least.min(frac), most.max(frac)]
        })
}
