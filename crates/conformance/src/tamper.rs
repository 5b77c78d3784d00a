//! Frames that are changed, lost or repeated on the way.

use crate::parallel::each;
use crate::run::{End, Ending, Job, Record, Stage};
use crate::tap::{Change, Fault, KIND, LENGTH, SEQUENCE, SESSION, STEP, number};
use crate::{Case, Failure, Frame, Planned, Subject, Target};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use subrosa_core::{PartyId, Prg, Seed};
use subrosa_net::{HEADER_LEN, Misdeed, RunError};

/// The longest silence that a party waits for.
pub(crate) const TIMEOUT: Duration = Duration::from_millis(600);
/// Frames that are tampered with where a run has more.
const MOST: usize = 96;

/// What is done to one frame.
struct Tampering {
    name: &'static str,
    change: Change,
    notice: Notice,
}

type Trial<'a> = (&'a Frame, Tampering);

/// When the receiver must notice.
#[derive(Clone, Copy, PartialEq)]
enum Notice {
    Always,
    /// When the next frame is due from the same sender, if one is.
    WithTheNext,
    /// If the message has padding bits.
    IfPadded,
}

/// For every frame of setup and of two inferences and for every kind of tampering with it, or for a selection of
/// [`Subject::trials`]: the receiver ends with an
/// error that names the sender, every party ends, none panics or names a party that is at neither end of the frame's
/// link, and the client has no answer but the honest run's.
pub fn faults_are_noticed(subject: &Subject, case: &Case) -> Result<(), Failure> {
    check(subject, case).map_err(|failure| failure.of(case.name))
}

fn check(subject: &Subject, case: &Case) -> Result<(), Failure> {
    let planned = case.plan(subject)?;
    let job = job(case, &planned);
    let honest = honest(&planned, &job)?;
    let frames = sample(&honest.frames).into_iter();
    let trials = frames.map(|frame| {
        let all = tamperings(frame, &honest.frames).into_iter();
        all.map(|tampering| (frame, tampering)).collect()
    });
    let trials = some(trials.collect(), subject.trials);
    let padding_noticed = AtomicBool::new(false);
    each(&trials, |(frame, tampering)| {
        let at = Target::from(*frame);
        let judge = |job: &Job| {
            let fault = Fault::Change(at, tampering.change.clone());
            let record = planned.table.run_with(job, fault)?;
            let next = honest
                .frames
                .iter()
                .find(|f| (f.from, f.to) == (frame.from, frame.to) && f.index == frame.index + 1);
            let refused = |e: &Ending| e.party == frame.to && is_refusal(&e.end, frame.from);
            let due = match tampering.notice {
                Notice::Always => Some(*frame),
                Notice::WithTheNext => next,
                // The bit was none of padding: a share like any other, and what becomes of it is not judged.
                Notice::IfPadded if !record.endings.iter().any(refused) => return Ok(()),
                Notice::IfPadded => {
                    padding_noticed.store(true, Ordering::Relaxed);
                    Some(*frame)
                }
            };
            verdict(&planned, &honest, &record, frame, due)
        };
        patiently(&job, judge).map_err(|failure| failure.under(tampering.name, at))
    })?;
    if padding_noticed.into_inner() {
        Ok(())
    } else {
        Err(Failure::NeverNoticed)
    }
}

/// Two inferences with fixed randomness, so that answers can be compared bit by bit.
pub(crate) fn job(case: &Case, planned: &Planned) -> Job {
    let inputs = vec![case.inputs(1), case.inputs(2)];
    let mut job = Job::new(planned.weights.clone(), inputs).seeded(9);
    job.timeout = TIMEOUT;
    job
}

/// Tries with longer timeouts what fails on a machine that has much else to do.
pub(crate) fn patiently(
    job: &Job,
    judge: impl Fn(&Job) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let Err(first) = judge(job) else {
        return Ok(());
    };
    let patient = Job {
        timeout: 8 * job.timeout,
        ..job.clone()
    };
    match first {
        Failure::Blame { .. } | Failure::Unnoticed { .. } => judge(&patient),
        failure => Err(failure),
    }
}

/// The run without a fault, however long the machine takes for it.
pub(crate) fn honest(planned: &Planned, job: &Job) -> Result<Record, Failure> {
    let patient = Job {
        timeout: Duration::from_secs(60),
        ..job.clone()
    };
    planned.table.run(&patient)
}

/// `most` trials: one of every frame, another kind from frame to frame, before any frame has a second one. Besides all those with
/// padding bits, since few messages have them. `of_frames`: the trials of each frame.
fn some<'a>(of_frames: Vec<Vec<Trial<'a>>>, most: usize) -> Vec<Trial<'a>> {
    let draws = Prg::new(&Seed::insecure_seeded(1)).words(64, of_frames.len());
    let mut ranked = Vec::new();
    for (at, (trials, draw)) in of_frames.into_iter().zip(draws).enumerate() {
        let kinds = trials.len();
        let ranks = (0..kinds).map(|kind| ((kind + at) % kinds, draw));
        ranked.extend(ranks.zip(trials));
    }
    ranked.sort_by_key(|(rank, _)| *rank);
    let kept = ranked.into_iter().map(|(_, trial)| trial).enumerate();
    let kept =
        kept.filter(|(at, (_, tampering))| *at < most || tampering.notice == Notice::IfPadded);
    kept.map(|(_, trial)| trial).collect()
}

/// All frames, or so many that every direction's every step and phase is among them.
fn sample(frames: &[Frame]) -> Vec<&Frame> {
    if frames.len() <= MOST {
        return frames.iter().collect();
    }
    let mut seen = BTreeSet::new();
    let mut chosen: Vec<&Frame> = Vec::new();
    for frame in frames {
        let later = matches!(frame.stage, Stage::Offline(1..) | Stage::Online(1..));
        let step = number(&frame.bytes, STEP);
        if !later && seen.insert((frame.from, frame.to, frame.stage, step)) {
            chosen.push(frame);
        }
    }
    chosen
}

/// Whether a party ended because a message of `from` could not be read.
fn is_refusal(end: &End, from: PartyId) -> bool {
    match end {
        End::Failed(RunError::Peer { peer, misdeed }) => {
            *peer == from && matches!(misdeed, Misdeed::Malformed(_))
        }
        _ => false,
    }
}

/// The receiver names the sender, the others name one end of the link, as far as they may know of it, and answers are the honest ones.
///
/// `due`: the frame at which the receiver must notice, if there is one.
fn verdict(
    planned: &Planned,
    honest: &Record,
    record: &Record,
    frame: &Frame,
    due: Option<&Frame>,
) -> Result<(), Failure> {
    for ending in &record.endings {
        answers(honest, ending)?;
        let party = ending.party;
        match &ending.end {
            End::Failed(error) => {
                let culprit = error.culprit();
                let named = culprit == Some(planned.table.named(party, frame.from));
                // The sender was honest: it and who believes it may name the end that refused its frame.
                let refused = planned.table.named(party, frame.to);
                let excused = party != frame.to && culprit == Some(refused);
                if !named && !excused {
                    let found = Some(error.clone());
                    return Err(Failure::Blame { party, found });
                }
            }
            _ if due.is_some() && party == frame.to => return Err(Failure::Unnoticed { party }),
            _ => {}
        }
        let stage = match due.map(|frame| frame.stage) {
            Some(Stage::Setup) => 0,
            Some(Stage::Offline(number) | Stage::Online(number)) => number,
            None => usize::MAX,
        };
        let answered = ending.answers.iter().skip(stage).any(Option::is_some);
        if party == frame.to && answered {
            return Err(Failure::Answered);
        }
    }
    Ok(())
}

/// Whatever is answered is what an honest run answers.
pub(crate) fn answers(honest: &Record, ending: &Ending) -> Result<(), Failure> {
    let expected = &honest.ending(ending.party)?.answers;
    if expected.starts_with(&ending.answers) {
        Ok(())
    } else {
        Err(Failure::Answered)
    }
}

fn set(bytes: &mut [u8], at: usize, value: u32) {
    if let Some(field) = bytes.get_mut(at..at + 4) {
        field.copy_from_slice(&value.to_le_bytes());
    }
}

fn tamperings(frame: &Frame, honest: &[Frame]) -> Vec<Tampering> {
    let one = |change: fn(&mut Vec<u8>)| -> Change {
        Arc::new(move |bytes, _| {
            let mut bytes = bytes.to_vec();
            change(&mut bytes);
            vec![bytes]
        })
    };
    let always = |name, change| Tampering {
        name,
        change,
        notice: Notice::Always,
    };
    let mut all = vec![
        always("frame cut by one byte", one(|b| b.truncate(b.len() - 1))),
        always(
            "frame cut in its header",
            one(|b| b.truncate(HEADER_LEN - 1)),
        ),
        always("frame of no bytes", one(Vec::clear)),
        always("longer frame than its header says", one(|b| b.push(7))),
        always(
            "longer payload",
            one(|b| {
                b.push(7);
                let length = number(b, LENGTH);
                set(b, LENGTH, length + 1);
            }),
        ),
        always("oversized length", one(|b| set(b, LENGTH, u32::MAX))),
        always(
            "wrong step",
            one(|b| {
                let step = number(b, STEP);
                set(b, STEP, step ^ 1);
            }),
        ),
        always(
            "wrong sequence",
            one(|b| {
                let sequence = number(b, SEQUENCE);
                set(b, SEQUENCE, sequence.wrapping_add(1));
            }),
        ),
        always(
            "another session",
            one(|b| {
                let session = number(b, SESSION);
                set(b, SESSION, !session);
            }),
        ),
        always("bad magic", one(|b| b[0] ^= 0xff)),
        always("unknown version", one(|b| b[1] ^= 0x40)),
        always("unknown kind", one(|b| b[KIND] = 200)),
        always("opening in place of data", one(|b| b[KIND] = 1)),
        always(
            "garbage",
            one(|b| {
                let noise = (1u8..).map(|n| n.wrapping_mul(167) ^ 0x35);
                b.iter_mut().zip(noise.cycle()).for_each(|(b, n)| *b = n);
            }),
        ),
        always("dropped", Arc::new(|_, _| Vec::new())),
        Tampering {
            name: "repeated",
            change: Arc::new(|bytes, _| vec![bytes.to_vec(); 2]),
            notice: Notice::WithTheNext,
        },
    ];
    if !frame.payload().is_empty() {
        all.push(always(
            "shorter payload",
            one(|b| {
                b.pop();
                let length = number(b, LENGTH);
                set(b, LENGTH, length - 1);
            }),
        ));
        all.push(Tampering {
            name: "padding bits",
            change: one(|b| {
                if let Some(last) = b.last_mut() {
                    *last ^= 0x80;
                }
            }),
            notice: Notice::IfPadded,
        });
    }
    if frame.index > 0 {
        let replay: Change = Arc::new(|_, before| before.first().cloned().into_iter().collect());
        all.push(always("frame from before", replay));
    }
    let differs = |other: &&Frame| {
        (other.from, other.to) == (frame.from, frame.to)
            && phase(other.stage) != phase(frame.stage)
            && (number(&other.bytes, STEP), other.bytes.len())
                != (number(&frame.bytes, STEP), frame.bytes.len())
    };
    if let Some(other) = honest.iter().find(differs) {
        let foreign = other.bytes.clone();
        let change: Change = Arc::new(move |bytes, _| {
            let mut mixed = foreign.clone();
            set(&mut mixed, SESSION, number(bytes, SESSION));
            set(&mut mixed, SEQUENCE, number(bytes, SEQUENCE));
            vec![mixed]
        });
        all.push(always("message of another phase", change));
    }
    all
}

fn phase(stage: Stage) -> u8 {
    match stage {
        Stage::Setup => 0,
        Stage::Offline(_) => 1,
        Stage::Online(_) => 2,
    }
}
