//! What `inspect` says.

use super::prepare::{ranges_kind, samples_text};
use crate::fault::Fault;
use crate::input::{RangeSource, shape_text};
use crate::report::{self, BillJson, Table, paint, print_json};
use serde::Serialize;
use std::collections::BTreeMap;
use std::path::Path;
use subrosa::{Entry, FixedGraph, FixedOp, Model, Planned, Prepared, PublicConstant, Shape};

pub struct Report<'a> {
    pub path: &'a Path,
    pub model: &'a Model,
    pub batch: usize,
    pub ranges: &'a [[f32; 2]],
    pub sources: &'a [RangeSource],
    pub prepared: &'a Prepared,
    pub constants: &'a [PublicConstant],
    pub under: &'a [Under],
}

/// A model under one protocol.
pub struct Under {
    pub protocol: &'static Entry,
    pub planned: Result<Planned, subrosa::Error>,
}

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
        rings: Vec<u32>,
        fraction_bits: [u32; 2],
        ranges: &'a str,
        calibrated_wires: Vec<&'a str>,
        price: BillJson,
        parties: BTreeMap<&'a str, BillJson>,
    },
    Refused {
        runs: bool,
        reason: String,
    },
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
            calibration: samples_text(self.prepared.ranged.samples),
            protocols: self.under.iter().map(Under::json).collect(),
        })
    }

    pub fn print_text(&self) -> Result<(), Fault> {
        let paint = paint();
        let model = self.model;
        let mut text = format!(
            "{}: {} (by {}), opset {}\n\n",
            paint.bold(&self.path.display().to_string()),
            model.name(),
            if model.producer().is_empty() {
                "unknown"
            } else {
                model.producer()
            },
            model.opset(),
        );
        let inputs = model
            .inputs()
            .into_iter()
            .zip(self.ranges)
            .zip(self.sources);
        for ((info, [low, high]), source) in inputs {
            let how = match source {
                RangeSource::Assumed => ", assumed: --input-range declares another",
                _ => "",
            };
            text += &format!(
                "input      {} {}, range [{low}, {high}]{how}\n",
                info.name,
                shape_text(&info)
            );
        }
        for (name, shape) in self.outputs() {
            text += &format!("output     {name} {}\n", report::shape(&shape));
        }
        let operators: Vec<String> = model
            .operators()
            .iter()
            .map(|(name, count)| format!("{name} {count}"))
            .collect();
        text += &format!("operators  {}\n", operators.join(", "));
        text += &format!(
            "weights    {} private numbers\n",
            report::count(model.parameters() as u64)
        );
        text += &format!("public     {}\n", self.public_text());
        text += &format!(
            "ranges     not proven: seen in {}\n",
            samples_text(self.prepared.ranged.samples)
        );
        text += &format!("batch      {}\n\n", self.batch);
        text += &self.table().render("");
        for under in self.under {
            text += &under.remarks();
        }
        report::print(&text)
    }

    fn outputs(&self) -> Vec<(&str, Shape)> {
        let graph = self.prepared.graph();
        let shape = |port: &subrosa::OutputPort| match &port.value {
            subrosa::TailValue::Opened(at) => graph
                .outputs
                .get(*at)
                .map(|wire| graph.wire(*wire).shape.clone()),
            subrosa::TailValue::Node(at) => graph.tail.nodes.get(*at).map(|n| n.shape.clone()),
            subrosa::TailValue::Constant(tensor) => Some(tensor.shape.clone()),
        };
        let ports = graph.tail.outputs.iter();
        ports
            .map(|port| (port.name.as_str(), shape(port).unwrap_or_default()))
            .collect()
    }

    fn public_text(&self) -> String {
        if self.constants.is_empty() {
            return "no constants, only the architecture".to_owned();
        }
        let constants =
            self.constants
                .iter()
                .map(|constant| match constant.tensor.values.as_slice() {
                    [value] => format!("{} = {value}", constant.name),
                    _ => format!(
                        "{} {}",
                        constant.name,
                        report::shape(&constant.tensor.shape)
                    ),
                });
        constants.collect::<Vec<_>>().join(", ")
    }

    fn table(&self) -> Table {
        let head = [
            "protocol", "ring", "fraction", "ranges", "setup", "offline", "online", "rounds",
        ];
        let mut table = Table::with_head(&head, 1);
        for under in self.under {
            let name = under.protocol.name().to_owned();
            table.row(match &under.planned {
                Err(_) => vec![name, "no".to_owned()],
                Ok(planned) => {
                    let (graph, price) = (planned.graph(), planned.price());
                    let [least, most] = fraction_bits(graph);
                    vec![
                        name,
                        graph.ring.to_string(),
                        if least == most {
                            most.to_string()
                        } else {
                            format!("{least}-{most}")
                        },
                        ranges_kind(graph).to_owned(),
                        report::bytes(price.setup.bytes.0),
                        report::bytes(price.offline.bytes.0),
                        report::bytes(price.online.bytes.0),
                        price.online.rounds.0.to_string(),
                    ]
                }
            });
        }
        table
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
                    rings: vec![graph.ring],
                    fraction_bits: fraction_bits(graph),
                    ranges: ranges_kind(graph),
                    calibrated_wires: graph.calibrated_wires(),
                    price: (&planned.price()).into(),
                    parties: parties.map(|p| (p.seat.name, (&p.price).into())).collect(),
                }
            }
        };
        (self.protocol.name(), json)
    }

    fn remarks(&self) -> String {
        let name = self.protocol.name();
        match &self.planned {
            Err(error) => format!("\n{name} cannot run it: {error}\n"),
            Ok(planned) => match planned.graph().calibrated_wires().as_slice() {
                [] => String::new(),
                wires => {
                    let more = if wires.len() > 6 { ", ..." } else { "" };
                    let some: Vec<&str> = wires.iter().take(6).copied().collect();
                    format!(
                        "\n{name}: only calibrated are {} wires: {}{more}\n",
                        wires.len(),
                        some.join(", ")
                    )
                }
            },
        }
    }
}

/// Fewest and most fraction bits of what is truncated or given.
fn fraction_bits(graph: &FixedGraph) -> [u32; 2] {
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
