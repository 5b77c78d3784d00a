//! What servers see, bit by bit.

use crate::run::{Job, Record, Stage};
use crate::stats::Verdict;
use crate::tap::Frame;
use crate::{Case, Failure, Planned, Subject, Target};
use std::collections::BTreeMap;
use std::sync::Arc;
use subrosa_core::PartyId;
use subrosa_ir::{Tensor, Weights};
use subrosa_protocol::PartyKind;

/// Chance of a false alarm of one call.
const ALARM: f64 = 1e-8;
/// Of longer messages only the beginning is tested bit by bit.
const PREFIX: usize = 32 << 10;
/// Fewer samples cannot tell a fixed bit from chance.
const SAMPLES: usize = 60;
/// Shorter messages tell nothing in pairs.
const PAIRED: usize = 64;

/// Where the randomness of a test's sessions comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Randomness {
    /// The same in every run of the test.
    Fixed(u64),
    Fresh,
}

impl Randomness {
    fn seed(self, session: u64) -> Option<u64> {
        match self {
            Self::Fixed(base) => Some(base.wrapping_mul(1 << 20).wrapping_add(session)),
            Self::Fresh => None,
        }
    }
}

/// Inputs and weights that differ as much as a plan allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Data {
    Zero,
    Largest,
    Random,
}

/// Every payload byte that a party other than a client receives is uniform, with all inputs and weights zero, all
/// largest, and random: byte by byte (chi-squared), at each bit of a word for every width of word, in each stretch of
/// each message, and at each bit of each message over 64 inferences.
///
/// Every wire of `cases` needs a multiple of eight values, so that no message has padding bits.
pub fn views_are_uniform(
    subject: &Subject,
    cases: &[Case],
    randomness: Randomness,
) -> Result<(), Failure> {
    for case in cases {
        uniform(subject, case, randomness).map_err(|failure| failure.of(case.name))?;
    }
    Ok(())
}

/// XOR and difference of every two messages of one length that a party other than a client receives are uniform:
/// within a session of two inferences, across two sessions with the same keys and data, and across sessions with the
/// same keys and other data. A mask that is used twice fails here.
pub fn masks_are_used_once(
    subject: &Subject,
    cases: &[Case],
    randomness: Randomness,
) -> Result<(), Failure> {
    for case in cases {
        reuse(subject, case, randomness).map_err(|failure| failure.of(case.name))?;
    }
    Ok(())
}

/// A plan whose bounds hold for every choice of [`Data`].
fn plan(subject: &Subject, case: &Case) -> Result<Planned, Failure> {
    let full = Case {
        name: case.name,
        graph: case.graph.clone(),
        weights: full(&case.weights),
        declared: case.declared.clone(),
        terms: case.terms.clone(),
    };
    full.plan(subject)
}

/// Every weight as large as the largest of its tensor.
fn full(weights: &Weights) -> Weights {
    let mut weights = weights.clone();
    for tensor in &mut weights.tensors {
        let largest = tensor
            .values
            .iter()
            .copied()
            .map(f32::abs)
            .fold(0.0, f32::max);
        tensor.values.fill(largest);
    }
    weights
}

impl Data {
    fn job(self, case: &Case, planned: &Planned, inferences: u64, session: u64) -> Job {
        let inputs = |number: u64| match self {
            Self::Zero => zero(case),
            Self::Largest => case.constant_inputs(1.0),
            Self::Random => case.inputs(1000 * session + number),
        };
        let mut weights: Weights = (*planned.weights).clone();
        match self {
            Self::Zero => weights.tensors.iter_mut().for_each(|t| t.values.fill(0.0)),
            Self::Largest => {}
            Self::Random => shake(&mut weights, session),
        }
        let inputs = (0..inferences).map(inputs).collect();
        let mut job = Job::new(Arc::new(weights), inputs);
        job.ahead = session.is_multiple_of(2);
        job
    }
}

fn zero(case: &Case) -> Vec<Tensor> {
    let mut inputs = case.constant_inputs(0.0);
    inputs.iter_mut().for_each(|x| x.values.fill(0.0));
    inputs
}

/// Multiplies every weight by a number in [-1, 1].
fn shake(weights: &mut Weights, seed: u64) {
    let mut prg = subrosa_core::Prg::new(&subrosa_core::Seed::insecure_seeded(seed));
    for tensor in &mut weights.tensors {
        let draws = prg.words(24, tensor.values.len());
        for (value, draw) in tensor.values.iter_mut().zip(draws) {
            *value *= draw as f32 / (1 << 23) as f32 - 1.0;
        }
    }
}

/// What names a message apart from its inference.
type Slot = (PartyId, PartyId, Stage, usize);

fn uniform(subject: &Subject, case: &Case, randomness: Randomness) -> Result<(), Failure> {
    let planned = plan(subject, case)?;
    let mut verdicts: Vec<(Slot, Verdict)> = Vec::new();
    for (number, data) in [Data::Zero, Data::Largest, Data::Random]
        .into_iter()
        .enumerate()
    {
        let mut slots: BTreeMap<Slot, Vec<Vec<u8>>> = BTreeMap::new();
        for session in 0..8 {
            let mut job = data.job(case, &planned, 8, session);
            job.insecure_seed = randomness.seed(100 * number as u64 + session);
            for (slot, payload) in received(&planned, planned.table.run(&job)?) {
                slots.entry(slot).or_default().push(payload);
            }
        }
        let tested = slots.into_iter().map(|(slot, all)| (slot, judge(&all)));
        verdicts.extend(tested);
    }
    if verdicts.is_empty() {
        return Err(Failure::Nothing);
    }
    let tests = verdicts.iter().map(|(_, verdict)| verdict.tests()).sum();
    for ((from, to, stage, _), verdict) in verdicts {
        if let Some(deviation) = verdict.beyond(ALARM, tests) {
            return Err(Failure::NotUniform {
                from,
                to,
                stage,
                deviation,
            });
        }
    }
    Ok(())
}

fn judge(samples: &[Vec<u8>]) -> Verdict {
    let mut verdict = Verdict::default();
    verdict.string(&samples.concat());
    let heads: Vec<&[u8]> = samples
        .iter()
        .map(|sample| &sample[..sample.len().min(PREFIX)])
        .collect();
    verdict.periods(&heads);
    verdict.stretches(&heads);
    if samples.len() >= SAMPLES {
        verdict.positions(&heads);
    }
    verdict
}

fn is_watched(planned: &Planned, frame: &Frame) -> bool {
    let seat = planned.table.seat_of(frame.to);
    seat.is_some_and(|seat| seat.kind != PartyKind::Client) && !frame.payload().is_empty()
}

/// What parties other than clients received, slot by slot.
fn received(planned: &Planned, record: Record) -> Vec<(Slot, Vec<u8>)> {
    let mut counts: BTreeMap<(PartyId, PartyId, Stage), usize> = BTreeMap::new();
    let mut all = Vec::new();
    for frame in record.frames.iter().filter(|f| is_watched(planned, f)) {
        let count = counts
            .entry((frame.from, frame.to, frame.stage))
            .or_default();
        let stage = match frame.stage {
            Stage::Setup => Stage::Setup,
            Stage::Offline(_) => Stage::Offline(0),
            Stage::Online(_) => Stage::Online(0),
        };
        all.push((
            (frame.from, frame.to, stage, *count),
            frame.payload().to_vec(),
        ));
        *count += 1;
    }
    all
}

fn reuse(subject: &Subject, case: &Case, randomness: Randomness) -> Result<(), Failure> {
    let planned = plan(subject, case)?;
    let run = |data: Data, session: u64| -> Result<Vec<Frame>, Failure> {
        let mut job = data.job(case, &planned, 2, session);
        job.insecure_seed = randomness.seed(session);
        job.insecure_keys = Some(5);
        let mut frames = planned.table.run(&job)?.frames;
        // With the same keys setup is the same, too.
        frames.retain(|f| is_watched(&planned, f) && (session == 0 || f.stage != Stage::Setup));
        Ok(frames)
    };
    let runs = [
        run(Data::Zero, 0)?,
        run(Data::Zero, 1)?,
        run(Data::Largest, 2)?,
    ];
    let mut groups: BTreeMap<(PartyId, usize), Vec<&Frame>> = BTreeMap::new();
    for frame in runs.iter().flatten() {
        let length = frame.payload().len();
        if length >= PAIRED {
            groups.entry((frame.to, length)).or_default().push(frame);
        }
    }
    if groups.is_empty() {
        return Err(Failure::Nothing);
    }
    let mut verdicts = Vec::new();
    for ((to, _), frames) in groups {
        for (at, one) in frames.iter().enumerate() {
            for other in &frames[at + 1..] {
                let (x, y) = (one.payload(), other.payload());
                let xor: Vec<u8> = x.iter().zip(y).map(|(x, y)| x ^ y).collect();
                for bytes in [xor, difference(x, y)] {
                    let mut verdict = Verdict::default();
                    verdict.string(&bytes);
                    verdicts.push((to, Target::from(*one), Target::from(*other), verdict));
                }
            }
        }
    }
    let tests = verdicts.iter().map(|(.., verdict)| verdict.tests()).sum();
    for (to, one, other, verdict) in verdicts {
        if let Some(deviation) = verdict.beyond(ALARM, tests) {
            return Err(Failure::Dependent {
                to,
                one,
                other,
                deviation,
            });
        }
    }
    Ok(())
}

/// Difference of two little-endian numbers. Of packed words it is the difference word by word, up to a borrow.
fn difference(x: &[u8], y: &[u8]) -> Vec<u8> {
    let mut borrow = false;
    let pairs = x.iter().zip(y);
    let subtract = |(x, y): (&u8, &u8)| {
        let (first, one) = x.overflowing_sub(*y);
        let (second, two) = first.overflowing_sub(u8::from(borrow));
        borrow = one || two;
        second
    };
    pairs.map(subtract).collect()
}
