//! Parties that die or fall silent.

use crate::parallel::each;
use crate::run::{End, Job, Record, Stage};
use crate::tamper::{answers, honest, job, patiently};
use crate::tap::Fault;
use crate::{Case, Failure, Frame, Planned, Subject, Target};
use subrosa_core::PartyId;

/// How a party goes.
#[derive(Clone, Copy)]
enum Way {
    /// It is gone before a stage.
    Leaves(Stage),
    /// Its process ends when it is about to send a frame; its connections close.
    Dies(Target),
    /// From a frame on nothing comes from it any more, and its connections stay open.
    Stalls(Target),
}

struct Trial {
    party: PartyId,
    way: Way,
    stage: Stage,
    /// Frames that its sender has sent before it goes.
    turns: usize,
}

/// Each party goes before each phase and at its first, middle and last frame of each phase of an inference, once with
/// its connections closed and once in silence. Whoever waits for it ends with an error that names it, nobody names
/// anybody else, hangs or panics, and the client has no answer but the honest run's.
pub fn deaths_are_noticed(subject: &Subject, case: &Case) -> Result<(), Failure> {
    check(subject, case).map_err(|failure| failure.of(case.name))
}

fn check(subject: &Subject, case: &Case) -> Result<(), Failure> {
    let planned = case.plan(subject)?;
    let job = job(case, &planned);
    let honest = honest(&planned, &job)?;
    let mut trials = Vec::new();
    for party in planned.table.parties() {
        for stage in [Stage::Setup, Stage::Offline(0), Stage::Online(0)] {
            trials.extend(trials_of(&honest, party, stage));
        }
    }
    each(&trials, |trial| {
        let (name, at) = match trial.way {
            Way::Leaves(_) => ("leaves", None),
            Way::Dies(at) => ("dies", Some(at)),
            Way::Stalls(at) => ("stalls", Some(at)),
        };
        let judge = |job: &Job| {
            let (fault, leaves) = match trial.way {
                Way::Leaves(stage) => (Fault::None, Some((trial.party, stage))),
                Way::Dies(at) => (Fault::Kill(at), None),
                Way::Stalls(at) => (Fault::Silence(at), None),
            };
            let job = Job {
                leaves,
                ..job.clone()
            };
            let record = planned.table.run_with(&job, fault)?;
            verdict(&planned, &honest, &record, trial)
        };
        let here = at.unwrap_or(Target {
            from: trial.party,
            to: trial.party,
            index: trial.turns,
        });
        patiently(&job, judge).map_err(|failure| failure.under(name, here))
    })
}

fn trials_of(honest: &Record, party: PartyId, stage: Stage) -> Vec<Trial> {
    let mut sent: Vec<&Frame> = honest.frames.iter().filter(|f| f.from == party).collect();
    sent.sort_by_key(|frame| frame.turn);
    let before = sent.iter().filter(|f| f.stage < stage).count();
    let here: Vec<&&Frame> = sent.iter().filter(|f| f.stage == stage).collect();
    let mut trials = vec![Trial {
        party,
        way: Way::Leaves(stage),
        stage,
        turns: before,
    }];
    let mut places = vec![0, here.len() / 2, here.len().saturating_sub(1)];
    places.dedup();
    for frame in places.into_iter().filter_map(|place| here.get(place)) {
        let at = Target::from(**frame);
        for way in [Way::Dies(at), Way::Stalls(at)] {
            trials.push(Trial {
                party,
                way,
                stage,
                turns: frame.turn,
            });
        }
    }
    trials
}

fn verdict(
    planned: &Planned,
    honest: &Record,
    record: &Record,
    trial: &Trial,
) -> Result<(), Failure> {
    for ending in &record.endings {
        answers(honest, ending)?;
        let party = ending.party;
        if party == trial.party {
            continue;
        }
        let lost = |f: &&Frame| f.from == trial.party && f.to == party && f.turn >= trial.turns;
        let misses = honest.frames.iter().find(lost);
        let expected = planned.table.named(party, trial.party);
        match &ending.end {
            End::Failed(error) if error.culprit() == Some(expected) => {}
            End::Failed(error) => {
                let found = Some(error.clone());
                return Err(Failure::Blame { party, found });
            }
            _ if misses.is_some() => return Err(Failure::Unnoticed { party }),
            _ => {}
        }
        let answered = ending.answers.iter().filter(|a| a.is_some()).count();
        if misses.is_some_and(|frame| frame.stage <= trial.stage) && answered > 0 {
            return Err(Failure::Answered);
        }
    }
    Ok(())
}
