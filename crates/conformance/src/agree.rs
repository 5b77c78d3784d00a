//! Answers against the clear reading and the float model, prices against bills.

use crate::run::{Job, Record, Stage};
use crate::{Case, Failure, Planned, Subject};
use subrosa_core::Bytes;
use subrosa_ir::{
    FixedGraph, FixedOp, TailOp, TailValue, Tensor, WireId, clear, decode_output, encode_input,
    encode_weights, eval_float, tolerance, volume,
};
use subrosa_net::Bill;
use subrosa_protocol::PartyKind;

/// How far the float model may be, as a part of the largest value of an output.
const CLOSE: f64 = 1.0 / 256.0;

/// Two inferences of every case: each answer is within the truncation bound of the clear reading of the plan's
/// oracle and close to the float model, and every party's bill is its price after every stage. Once material is made
/// right before its use, once all ahead.
pub fn agrees(subject: &Subject, cases: &[Case]) -> Result<(), Failure> {
    for case in cases {
        check_case(subject, case).map_err(|failure| failure.of(case.name))?;
    }
    Ok(())
}

fn check_case(subject: &Subject, case: &Case) -> Result<(), Failure> {
    let planned = case.plan(subject)?;
    let random = vec![case.inputs(1), case.inputs(2)];
    let extreme = vec![case.constant_inputs(0.0), case.constant_inputs(1.0)];
    for (inputs, ahead) in [(random, false), (extreme, true)] {
        let mut job = Job::new(planned.weights.clone(), inputs);
        job.ahead = ahead;
        let record = planned.table.run(&job)?;
        check_bills(&planned, &record)?;
        check_answers(case, &planned, &job, &record)?;
    }
    Ok(())
}

/// Bills after every stage, and the bytes that really went.
fn check_bills(planned: &Planned, record: &Record) -> Result<(), Failure> {
    for ending in &record.endings {
        let party = ending.party;
        let price = planned.table.seat(party)?.price();
        let mut expected = Bill::default();
        for (stage, found) in &ending.bills {
            match stage {
                Stage::Setup => expected.setup += price.setup,
                Stage::Offline(_) => expected.offline += price.offline,
                Stage::Online(_) => expected.online += price.online,
            }
            if expected != *found {
                return Err(Failure::Price {
                    party,
                    stage: *stage,
                    expected: Box::new(expected),
                    found: Box::new(found.clone()),
                });
            }
        }
        let frames = record.frames.iter().filter(|frame| frame.from == party);
        let sent: u64 = frames.map(|frame| frame.payload().len() as u64).sum();
        let billed = [expected.setup, expected.offline, expected.online].map(|cost| cost.bytes);
        let Bytes(billed) = billed.into_iter().sum();
        if sent != billed {
            return Err(Failure::Unbilled {
                party,
                sent,
                billed,
            });
        }
    }
    Ok(())
}

/// What the clients answered, and that nobody else did.
pub(crate) fn check_answers(
    case: &Case,
    planned: &Planned,
    job: &Job,
    record: &Record,
) -> Result<(), Failure> {
    let reference = Reference::new(case, planned)?;
    for ending in &record.endings {
        let seat = planned.table.seat_of(ending.party);
        let client = seat.is_some_and(|seat| seat.kind == PartyKind::Client);
        let found = ending.answers.iter().filter(|a| a.is_some()).count();
        let expected = if client { job.inputs.len() } else { 0 };
        if expected != found {
            return Err(Failure::Answers { expected, found });
        }
        let answers = ending.answers.iter().flatten().zip(&job.inputs);
        for (inference, (answer, inputs)) in answers.enumerate() {
            reference.check(inference, answer, inputs)?;
        }
    }
    Ok(())
}

/// What answers are held against.
struct Reference<'a> {
    case: &'a Case,
    /// The oracle; where it hands out indices, the values that they choose among are opened instead.
    graph: FixedGraph,
    /// For each opened wire, how many of the largest are chosen from it.
    chosen: Vec<Option<usize>>,
    weights: Vec<Vec<u64>>,
    within: Vec<f64>,
}

impl<'a> Reference<'a> {
    fn new(case: &'a Case, planned: &Planned) -> Result<Self, Failure> {
        let mut graph = planned.table.oracle.clone();
        let weights = encode_weights(&graph, &planned.weights)?;
        let choice = |wire: &WireId| {
            let mut nodes = graph.nodes.iter();
            let node = nodes.find(|node| node.output == *wire)?;
            match node.op {
                FixedOp::TopK { count } => Some((node.inputs[0], count)),
                _ => None,
            }
        };
        let choices: Vec<_> = graph.outputs.iter().map(choice).collect();
        for (output, choice) in graph.outputs.iter_mut().zip(&choices) {
            *output = choice.map_or(*output, |(wire, _)| wire);
        }
        let units = tolerance(&graph, &weights, planned.table.product_error)?;
        let unit = |(wire, units): (&WireId, &u64)| {
            let frac = f64::from(graph.wire(*wire).frac);
            *units as f64 / frac.exp2()
        };
        let within = graph.outputs.iter().zip(&units).map(unit).collect();
        Ok(Self {
            case,
            chosen: choices.iter().map(|c| c.map(|(_, count)| count)).collect(),
            graph,
            weights,
            within,
        })
    }

    fn check(&self, inference: usize, answer: &[Tensor], inputs: &[Tensor]) -> Result<(), Failure> {
        let encoded: Result<Vec<_>, _> = inputs
            .iter()
            .enumerate()
            .map(|(port, x)| encode_input(&self.graph, port, x))
            .collect();
        let opened = clear(&self.graph, &self.weights, encoded?)?;
        let opened: Result<Vec<Tensor>, _> = opened
            .iter()
            .enumerate()
            .map(|(output, values)| decode_output(&self.graph, output, u64::BITS, values))
            .collect();
        let opened = opened?;
        let floats = eval_float(&self.case.graph, &self.case.weights, inputs)?;
        let slack: Vec<f64> = floats.iter().map(|t| CLOSE * largest(t)).collect();
        if self.chosen.iter().any(Option::is_some) {
            self.check_choices(inference, answer, &opened, &self.within)?;
            return self.check_choices(inference, answer, &floats, &slack);
        }
        let near = self.graph.tail.eval(&opened)?;
        let float = self.case.graph.tail.eval(&floats)?;
        compare(inference, answer, &near, self.through_tail(&self.within))?;
        compare(inference, answer, &float, self.through_tail(&slack))
    }

    /// What an error of opened wires can become in an output. Of the tail's operations, softmax is in use; it is
    /// at most as steep as its argument.
    fn through_tail(&self, within: &[f64]) -> impl Fn(usize) -> f64 {
        let tail = &self.graph.tail;
        assert!(
            tail.nodes
                .iter()
                .all(|n| matches!(n.op, TailOp::Softmax { .. }))
        );
        let widest = within.iter().copied().fold(0.0, f64::max);
        let of = tail.outputs.iter().map(|port| match port.value {
            TailValue::Opened(index) => within.get(index).copied().unwrap_or(widest),
            _ => widest,
        });
        let of: Vec<f64> = of.collect();
        move |output| of.get(output).copied().unwrap_or(0.0)
    }

    /// Indices of the largest, where values that are nearly equal may change places.
    fn check_choices(
        &self,
        inference: usize,
        answer: &[Tensor],
        values: &[Tensor],
        within: &[f64],
    ) -> Result<(), Failure> {
        for (output, port) in self.graph.tail.outputs.iter().enumerate() {
            let TailValue::Opened(index) = port.value else {
                return Err(Failure::Shape { output });
            };
            let (Some(found), Some(values), Some(Some(count))) = (
                answer.get(output),
                values.get(index),
                self.chosen.get(index),
            ) else {
                return Err(Failure::Shape { output });
            };
            let extent = values.shape.last().copied().unwrap_or(1);
            let rows = values.values.chunks(extent);
            if found.values.len() != count * rows.len()
                || volume(&found.shape) != found.values.len()
            {
                return Err(Failure::Shape { output });
            }
            for (row, (found, values)) in found.values.chunks(*count).zip(rows).enumerate() {
                let slack = 2.0 * within.get(index).copied().unwrap_or(0.0);
                if !are_largest(found, values, slack) {
                    return Err(Failure::Choice {
                        inference,
                        output,
                        row,
                        found: found.to_vec(),
                    });
                }
            }
        }
        Ok(())
    }
}

fn are_largest(found: &[f32], values: &[f32], slack: f64) -> bool {
    let mut left: Vec<Option<f64>> = values.iter().map(|v| Some(f64::from(*v))).collect();
    for index in found {
        let best = left.iter().flatten().copied().fold(f64::MIN, f64::max);
        let taken = left.get_mut(*index as usize).and_then(Option::take);
        if !taken.is_some_and(|value| value + slack >= best) {
            return false;
        }
    }
    true
}

fn largest(tensor: &Tensor) -> f64 {
    let sizes = tensor.values.iter().map(|v| f64::from(v.abs()));
    sizes.fold(1.0, f64::max)
}

fn compare(
    inference: usize,
    answer: &[Tensor],
    expected: &[Tensor],
    within: impl Fn(usize) -> f64,
) -> Result<(), Failure> {
    if answer.len() != expected.len() {
        let (expected, found) = (expected.len(), answer.len());
        return Err(Failure::Answers { expected, found });
    }
    for (output, (found, expected)) in answer.iter().zip(expected).enumerate() {
        if found.shape != expected.shape || found.values.len() != expected.values.len() {
            return Err(Failure::Shape { output });
        }
        // Floats of the answer are rounded to 24 bits.
        let within = within(output) + largest(expected) * 2f64.powi(-22);
        let pairs = found.values.iter().zip(&expected.values);
        for (element, (found, expected)) in pairs.enumerate() {
            let distance = (f64::from(*found) - f64::from(*expected)).abs();
            if distance.is_nan() || distance > within {
                return Err(Failure::Value {
                    inference,
                    output,
                    element,
                    expected: *expected,
                    found: *found,
                    within,
                });
            }
        }
    }
    Ok(())
}
