//! What parties see, bit by bit.

use crate::parallel::map;
use crate::run::{Job, Stage};
use crate::stats::{Tally, Verdict};
use crate::tap::{Frame, STEP, number};
use crate::{Case, Exempt, Failure, Planned, Subject, Target, Watched};
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
/// Bits of a label or key.
const BLOCK: usize = 128;
/// Sessions that run at once, each with a thread for each party.
const WORKERS: usize = 2;

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

/// Every payload byte that a watched party ([`Watched`]) receives is uniform, with all inputs and weights zero, all
/// largest, and random: byte by byte (chi-squared), at each bit of a word for every width of word, in each stretch of
/// each message, and at each bit of each message over 64 inferences. So is what two crossing messages open together.
/// Messages that are [`Exempt`] must not depend on inputs and weights instead, where the session's randomness makes them.
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

/// XOR, sum and difference of every two messages of one length that a watched party receives, and of every two values
/// that it opens with them, are uniform, byte by byte and at each bit of a block of 128 bits: within a session of two inferences, across two sessions with the same keys and
/// data, and across sessions with the same keys and other data. A mask that is used twice fails here.
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

/// How a message is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reading {
    /// As it came.
    Received,
    /// XOR with what its receiver sent to its sender at the same step: what two bit shares open.
    Xor,
    /// Sum with it, as little-endian numbers: what two packed vectors of shares open, up to carries.
    Sum,
}

/// A message that a party sees, or what it opens with one of its own.
struct Seen {
    at: Target,
    /// With inferences left out.
    stage: Stage,
    /// Its number among the messages of this direction and stage.
    place: usize,
    reading: Reading,
    bytes: Vec<u8>,
}

fn uniform(subject: &Subject, case: &Case, randomness: Randomness) -> Result<(), Failure> {
    let planned = plan(subject, case)?;
    exempt_are_constant(subject, case, &planned)?;
    let mut verdicts = Vec::new();
    for (number, data) in [Data::Zero, Data::Largest, Data::Random]
        .into_iter()
        .enumerate()
    {
        let sessions: Vec<u64> = (0..8).collect();
        let seen = map(&sessions, WORKERS, |session| {
            let mut job = data.job(case, &planned, 8, *session);
            job.insecure_seed = randomness.seed(100 * number as u64 + session);
            Ok(views(subject, &planned, &planned.table.run(&job)?.frames))
        })?;
        let mut slots: BTreeMap<_, Vec<Vec<u8>>> = BTreeMap::new();
        for seen in seen.into_iter().flatten() {
            let Target { from, to, .. } = seen.at;
            let slot = (from, to, seen.stage, seen.place, seen.reading);
            slots.entry(slot).or_default().push(seen.bytes);
        }
        let slots: Vec<_> = slots.into_iter().collect();
        verdicts.extend(map(&slots, WORKERS, |(slot, all)| Ok((*slot, judge(all))))?);
    }
    if verdicts.is_empty() {
        return Err(Failure::Nothing);
    }
    let tests = verdicts.iter().map(|(_, verdict)| verdict.tests()).sum();
    for ((from, to, stage, _, reading), verdict) in verdicts {
        if let Some(deviation) = verdict.beyond(ALARM, tests) {
            return Err(Failure::NotUniform {
                from,
                to,
                stage,
                reading,
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
    let tally = Tally::new(&heads);
    verdict.periods(&tally);
    verdict.stretches(&tally);
    if samples.len() >= SAMPLES {
        verdict.positions(&tally);
    }
    verdict
}

/// With one randomness, exempt messages are the same for all inputs and weights; and there is one for each exemption.
fn exempt_are_constant(subject: &Subject, case: &Case, planned: &Planned) -> Result<(), Failure> {
    if subject.exempt.is_empty() {
        return Ok(());
    }
    let run = |data: Data| {
        let mut job = data.job(case, planned, 2, 0);
        job.insecure_seed = Some(7);
        planned.table.run(&job)
    };
    let (one, other) = (run(Data::Zero)?, run(Data::Largest)?);
    for exempt in subject.exempt {
        let why = exempt.why;
        let of = |frames| covered(frames, exempt);
        let (one, other) = (of(&one.frames), of(&other.frames));
        if one.is_empty() {
            return Err(Failure::NotExempt { why });
        }
        let mut pairs = one.iter().zip(&other);
        if let Some((frame, _)) = pairs.find(|(a, b)| exempt.seeded && a.payload() != b.payload()) {
            let at = Target::from(*frame);
            return Err(Failure::NotConstant { at, why });
        }
    }
    Ok(())
}

fn covered<'a>(frames: &'a [Frame], exempt: &Exempt) -> Vec<&'a Frame> {
    let covered = placed(frames).filter(|(frame, place)| exempt.covers(frame, *place));
    covered.map(|(frame, _)| frame).collect()
}

/// Frames that are not empty, each with its number among those of its direction and stage.
fn placed(frames: &[Frame]) -> impl Iterator<Item = (&Frame, usize)> {
    let mut counts: BTreeMap<(PartyId, PartyId, Stage), usize> = BTreeMap::new();
    let filled = frames.iter().filter(|frame| !frame.payload().is_empty());
    filled.map(move |frame| {
        let count = counts
            .entry((frame.from, frame.to, frame.stage))
            .or_default();
        *count += 1;
        (frame, *count - 1)
    })
}

/// Whether a party's view must tell it nothing.
fn is_watched(subject: &Subject, planned: &Planned, party: PartyId) -> bool {
    let seat = planned.table.seat_of(party);
    subject.watched == Watched::All || seat.is_some_and(|seat| seat.kind != PartyKind::Client)
}

/// What watched parties receive, and what they open with it.
fn views(subject: &Subject, planned: &Planned, frames: &[Frame]) -> Vec<Seen> {
    let step = |frame: &Frame| (frame.stage, number(&frame.bytes, STEP));
    let sent = frames
        .iter()
        .map(|f| ((f.from, f.to, step(f)), f.payload()));
    let sent: BTreeMap<_, &[u8]> = sent.collect();
    let mut all = Vec::new();
    for (frame, place) in placed(frames) {
        let (from, to, payload) = (frame.from, frame.to, frame.payload());
        let exempt = subject.exempt.iter().any(|e| e.covers(frame, place));
        if exempt || !is_watched(subject, planned, to) {
            continue;
        }
        let mut push = |reading, bytes| {
            all.push(Seen {
                at: Target::from(frame),
                stage: frame.stage.of_any(),
                place,
                reading,
                bytes,
            });
        };
        push(Reading::Received, payload.to_vec());
        let own = sent.get(&(to, from, step(frame)));
        if let Some(own) = own.filter(|own| own.len() == payload.len()) {
            push(Reading::Xor, xor(payload, own));
            push(Reading::Sum, sum(payload, own));
        }
    }
    all
}

fn reuse(subject: &Subject, case: &Case, randomness: Randomness) -> Result<(), Failure> {
    let planned = plan(subject, case)?;
    let mut groups: BTreeMap<_, Vec<Seen>> = BTreeMap::new();
    for (session, data) in [Data::Zero, Data::Zero, Data::Largest]
        .into_iter()
        .enumerate()
    {
        let mut job = data.job(case, &planned, 2, session as u64);
        job.insecure_seed = randomness.seed(session as u64);
        job.insecure_keys = Some(5);
        let mut frames = planned.table.run(&job)?.frames;
        // With the same keys setup is the same, too.
        frames.retain(|f| session == 0 || f.stage != Stage::Setup);
        for seen in views(subject, &planned, &frames) {
            if seen.bytes.len() >= PAIRED {
                let group = (seen.at.to, seen.reading, seen.bytes.len());
                groups.entry(group).or_default().push(seen);
            }
        }
    }
    let pairs = groups.values().flat_map(|seen| {
        let firsts = seen.iter().enumerate();
        firsts.flat_map(|(at, one)| seen[at + 1..].iter().map(move |other| (one, other)))
    });
    let pairs: Vec<(&Seen, &Seen)> = pairs.collect();
    let verdicts = map(&pairs, WORKERS, |(one, other)| {
        let (x, y) = (&one.bytes, &other.bytes);
        let combined = [xor(x, y), sum(x, y), difference(x, y)];
        Ok(combined.map(|bytes| {
            let mut verdict = Verdict::default();
            verdict.string(&bytes);
            let head = &bytes[..bytes.len().min(PREFIX)];
            verdict.period(&Tally::new(&[head]), BLOCK);
            (*one, *other, verdict)
        }))
    })?;
    let verdicts = verdicts.into_iter().flatten().collect::<Vec<_>>();
    if verdicts.is_empty() {
        return Err(Failure::Nothing);
    }
    let tests = verdicts.iter().map(|(.., verdict)| verdict.tests()).sum();
    for (one, other, verdict) in verdicts {
        if let Some(deviation) = verdict.beyond(ALARM, tests) {
            return Err(Failure::Dependent {
                reading: one.reading,
                one: one.at,
                other: other.at,
                deviation,
            });
        }
    }
    Ok(())
}

fn xor(x: &[u8], y: &[u8]) -> Vec<u8> {
    x.iter().zip(y).map(|(x, y)| x ^ y).collect()
}

/// Difference of two little-endian numbers. Of packed words it is the difference word by word, up to a borrow.
fn difference(x: &[u8], y: &[u8]) -> Vec<u8> {
    let not: Vec<u8> = y.iter().map(|y| !y).collect();
    carried(x, &not, true)
}

/// Sum of two little-endian numbers.
fn sum(x: &[u8], y: &[u8]) -> Vec<u8> {
    carried(x, y, false)
}

fn carried(x: &[u8], y: &[u8], carry: bool) -> Vec<u8> {
    let mut carry = u16::from(carry);
    let pairs = x.iter().zip(y);
    let add = |(x, y): (&u8, &u8)| {
        let sum = u16::from(*x) + u16::from(*y) + carry;
        carry = sum >> 8;
        sum as u8
    };
    pairs.map(add).collect()
}
