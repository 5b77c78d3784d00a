//! Keys that outlive a process.

use crate::agree::check_answers;
use crate::run::Job;
use crate::{Case, Failure, Planned, Subject};
use std::collections::BTreeMap;
use subrosa_core::PartyId;
use subrosa_net::{LocalFault, RunError};

type Kept = BTreeMap<PartyId, Vec<u8>>;

/// Keys come back as they were: all parties, and any single one while the others go on, may come back after setup and an offline
/// phase with their keys, holdings and material alone, and answer as if nothing had been: from that material, and from material
/// that is made later. Keys of another party, of another case's plan, cut or longer ones are refused.
pub fn keys_are_restored(subject: &Subject, cases: &[Case]) -> Result<(), Failure> {
    let mut before: Option<Kept> = None;
    for case in cases {
        let check = || {
            let planned = case.plan(subject)?;
            let kept = goes_on(case, &planned)?;
            refuses(&planned, &kept, before.as_ref())?;
            Ok(kept)
        };
        let kept = check().map_err(|failure: Failure| failure.of(case.name))?;
        before = Some(kept);
    }
    Ok(())
}

/// The keys of the last run.
fn goes_on(case: &Case, planned: &Planned) -> Result<Kept, Failure> {
    let parties = planned.table.parties();
    let single = parties.iter().map(|party| vec![*party]);
    let mut kept = Kept::new();
    for restored in single.chain([parties.clone()]) {
        let mut job = Job::new(
            planned.weights.clone(),
            vec![case.inputs(1), case.inputs(2)],
        );
        job.restored = Some(restored.clone());
        let mut run = || {
            let record = planned.table.run(&job)?;
            check_answers(case, planned, &job, &record)?;
            for ending in record.endings {
                let party = ending.party;
                kept.insert(party, ending.keys.ok_or(Failure::NoKeys { party })?);
            }
            Ok(())
        };
        run().map_err(|failure: Failure| Failure::Restored {
            parties: restored,
            failure: Box::new(failure),
        })?;
    }
    Ok(kept)
}

fn refuses(planned: &Planned, kept: &Kept, before: Option<&Kept>) -> Result<(), Failure> {
    for (&party, own) in kept {
        let holding = planned.table.holding(party, &planned.weights);
        let holding = holding.map_err(|fault| Failure::Run {
            party,
            error: fault.into(),
        })?;
        let refused = |keys: &[u8], what: &'static str| {
            let mut seated = planned.table.seat(party)?;
            match seated.restore(keys, &holding) {
                Err(RunError::Local(LocalFault::Keys)) if seated.keys().is_none() => Ok(()),
                _ => Err(Failure::Keys { party, what }),
            }
        };
        for (_, keys) in kept.iter().filter(|(other, _)| **other != party) {
            refused(keys, "another party's")?;
        }
        if let Some(keys) = before.and_then(|before| before.get(&party)) {
            refused(keys, "another plan's")?;
        }
        for length in [0, 1, own.len() / 2, own.len() - 1] {
            refused(&own[..length], "a part of them")?;
        }
        refused(&[&own[..], &[0]].concat(), "more than they are")?;
        let mut again = planned.table.seat(party)?;
        let restored = again.restore(own, &holding);
        restored.map_err(|error| Failure::Run { party, error })?;
        if again.keys().is_none_or(|keys| keys.reveal() != own) {
            return Err(Failure::NoKeys { party });
        }
    }
    Ok(())
}
