//! What `inspect` says to people.

use super::inspect_json::fraction_bits;
use super::prepare::{named, ranges_kind, samples_text};
use crate::fault::Fault;
use crate::input::{RangeSource, shape_text};
use crate::report::{self, Table, paint};
use std::path::Path;
use subrosa::{Entry, Interval, Model, Network, Planned, Prepared, PublicConstant, Shape};

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
    /// Each way to compute activations, where there is more than one and none was asked for.
    pub readings: Vec<Planned>,
    /// What the choice between them reckons with.
    pub network: Network,
}

impl Report<'_> {
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
        text += &format!("ranges     {}\n", self.ranges_text());
        text += &format!("batch      {}\n\n", self.batch);
        text += &self.table().render("");
        let mut remarks: Vec<(String, Vec<&str>)> = Vec::new();
        for under in self.under {
            let (remark, name) = (under.remark(), under.protocol.name());
            match remarks.iter_mut().find(|(known, _)| *known == remark) {
                Some((_, names)) => names.push(name),
                None if remark.is_empty() => {}
                None => remarks.push((remark, vec![name])),
            }
        }
        for choice in self.under.iter().filter_map(Under::choice) {
            text += &format!("\n{choice}\n");
        }
        for (remark, names) in remarks {
            text += &format!("\n{}: {remark}\n", names.join(", "));
        }
        report::print(&text)
    }

    pub fn outputs(&self) -> Vec<(&str, Shape)> {
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

    /// Of the first output and of the widest wire.
    fn ranges_text(&self) -> String {
        let ranged = &self.prepared.ranged;
        let about = |wire: usize| {
            let (proven, seen) = (ranged.proven.get(wire)?, ranged.calibrated.get(wire)?);
            let name = &ranged.graph.wires.get(wire)?.name;
            let [low, high, seen] = [proven.low, proven.high, *seen].map(report::number);
            Some(format!("{name} [{low}, {high}] proven, {seen} seen"))
        };
        let output = ranged.graph.outputs.first().map(|wire| wire.0 as usize);
        let size = |wire: &usize| ranged.proven.get(*wire).map_or(0.0, Interval::magnitude);
        let widest = (0..ranged.proven.len()).max_by(|a, b| size(a).total_cmp(&size(b)));
        let mut parts: Vec<String> = output.and_then(about).into_iter().collect();
        if widest != output {
            let widest = widest.and_then(about).map(|text| format!("widest: {text}"));
            parts.extend(widest);
        }
        parts.push(format!("seen in {}", samples_text(ranged.samples)));
        parts.join("\n           ")
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
            match (&under.planned, under.readings.as_slice()) {
                (Err(_), _) => table.row(vec![under.protocol.name().to_owned(), "no".to_owned()]),
                (Ok(planned), []) => table.row(row(planned)),
                (Ok(_), readings) => readings.iter().for_each(|one| table.row(row(one))),
            }
        }
        table
    }
}

fn row(planned: &Planned) -> Vec<String> {
    let (graph, price) = (planned.graph(), planned.price());
    let [least, most] = fraction_bits(graph);
    vec![
        named(planned),
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

impl Under {
    /// Which reading is taken, and why.
    fn choice(&self) -> Option<String> {
        let taken = self.planned.as_ref().ok()?.reading()?;
        let reckoned = self.readings.iter().filter_map(|planned| {
            let time = planned.predicted(&self.network)?;
            Some(format!("{} {}", planned.reading()?, report::seconds(time)))
        });
        let reckoned: Vec<String> = reckoned.collect();
        (!reckoned.is_empty()).then(|| {
            format!(
                "{}: --nonlinear auto takes {taken} on network {}; offline and online together,\n\
                 without the products that both have: {}",
                self.protocol.name(),
                self.network,
                reckoned.join(", ")
            )
        })
    }

    /// What cannot be, or what is not proven.
    fn remark(&self) -> String {
        match &self.planned {
            Err(error) => format!("cannot run it: {error}"),
            Ok(planned) => {
                let wires = planned.graph().calibrated_wires();
                // A product and what is left of it after truncation are one thing to people.
                let named: Vec<&str> = wires
                    .iter()
                    .filter(|wire| !wire.ends_with(" (product)"))
                    .take(6)
                    .copied()
                    .collect();
                let more = if wires.len() > 2 * named.len() {
                    ", ..."
                } else {
                    ""
                };
                match wires.len() {
                    0 => String::new(),
                    count => format!(
                        "{count} wires are only calibrated: {}{more}",
                        named.join(", ")
                    ),
                }
            }
        }
    }
}
