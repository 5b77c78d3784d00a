//! Nothing is sent twice.

use crate::run::Job;
use crate::tap::Frame;
use crate::{Case, Failure, Subject};
use std::collections::{BTreeMap, HashSet};
use std::hash::{BuildHasherDefault, Hasher};
use subrosa_core::PartyId;

/// Shorter messages may be equal by chance.
const LONG: usize = 16;

/// No party gets an equal message twice, and no message repeats a stretch of another: each sixteen bytes of a message,
/// counted from its start, come nowhere else, at no offset. Not within a session of two inferences on one input, not
/// in a second session, and not where both sessions start from the same keys, as after a restored backup.
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
        if let Some(bytes) = repeated(&messages) {
            return Err(Failure::Repeated { to, bytes });
        }
    }
    Ok(())
}

/// Length of the first message with a stretch that came before.
fn repeated(messages: &[&[u8]]) -> Option<usize> {
    let mut blocks: HashSet<u128, BuildHasherDefault<Uniform>> = HashSet::default();
    for message in messages {
        for (at, stretch) in message.windows(LONG).enumerate() {
            let stretch = stretch.try_into().map_or(0, u128::from_le_bytes);
            let first = at.is_multiple_of(LONG);
            let before = if first {
                !blocks.insert(stretch)
            } else {
                blocks.contains(&stretch)
            };
            if before {
                return Some(message.len());
            }
        }
    }
    None
}

/// Hashes what is nearly uniform: it mixes two halves.
#[derive(Default)]
struct Uniform(u64);

impl Hasher for Uniform {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_u128(u128::from(*byte));
        }
    }

    fn write_u128(&mut self, x: u128) {
        let mixed = (x as u64 ^ self.0).wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ (x >> 64) as u64;
        self.0 = mixed.wrapping_mul(0xd6e8_feb8_6659_fd93).rotate_left(29);
    }
}

#[cfg(test)]
mod tests {
    use super::repeated;
    use subrosa_core::{Prg, Seed};

    #[test]
    fn a_stretch_that_comes_again_is_found_at_any_offset() {
        let mut bytes = vec![0; 2000];
        Prg::new(&Seed::insecure_seeded(3)).fill(&mut bytes);
        let (one, other) = bytes.split_at(1000);
        assert_eq!(repeated(&[one, other]), None);
        for offset in [0, 1, 7, 16, 801] {
            let mut copy = other.to_vec();
            copy[offset..offset + 31].copy_from_slice(&one[5..36]);
            assert_eq!(repeated(&[one, &copy]), Some(1000), "{offset}");
        }
        assert_eq!(repeated(&[&[7; 40][..]]), Some(40));
    }
}
