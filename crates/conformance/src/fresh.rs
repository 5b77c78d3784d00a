//! Nothing is sent twice.

use crate::run::Job;
use crate::tap::Frame;
use crate::{Case, Failure, Subject};
use std::collections::{BTreeMap, HashSet};
use subrosa_core::PartyId;

/// Shorter messages may be equal by chance.
const LONG: usize = 16;

/// No party gets an equal message twice, and no message shares a stretch of sixteen bytes with another: not within a
/// session of two inferences on one input, not in a second session, and not where both sessions start from the same
/// keys, as after a restored backup.
pub fn sessions_are_fresh(subject: &Subject, cases: &[Case]) -> Result<(), Failure> {
    for case in cases {
        let check = || {
            let planned = case.plan(subject)?;
            let mut job = Job::new(planned.weights.clone(), vec![case.inputs(1); 2]);
            let first = planned.table.run(&job)?;
            let second = planned.table.run(&job)?;
            distinct(&[&first.frames, &second.frames])?;
            job.insecure_keys = Some(77);
            let first = planned.table.run(&job)?;
            let second = planned.table.run(&job)?;
            let after_setup = |frames: &[Frame]| -> Vec<Frame> {
                let later = frames.iter().filter(|f| f.stage > crate::Stage::Setup);
                later.cloned().collect()
            };
            distinct(&[&after_setup(&first.frames), &after_setup(&second.frames)])
        };
        check().map_err(|failure: Failure| failure.of(case.name))?;
    }
    Ok(())
}

fn distinct(sessions: &[&[Frame]]) -> Result<(), Failure> {
    let mut received: BTreeMap<PartyId, Vec<&[u8]>> = BTreeMap::new();
    for frame in sessions.iter().copied().flatten() {
        let messages = received.entry(frame.to).or_default();
        messages.push(frame.payload());
    }
    if received.is_empty() {
        return Err(Failure::Nothing);
    }
    for (to, messages) in received {
        let mut seen = HashSet::new();
        for message in messages {
            for stretch in message.windows(LONG) {
                if !seen.insert(stretch) {
                    let bytes = message.len();
                    return Err(Failure::Repeated { to, bytes });
                }
            }
        }
    }
    Ok(())
}
