//! Connections that come for one session, each in its own time.

use crate::message::Id;
use crate::places::Caller;
use std::collections::HashMap;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use subrosa::PartyId;

/// Connections that may wait for a session of which this node has not heard yet.
const EARLY: usize = 256;

struct Arrived {
    lines: Vec<(PartyId, Caller)>,
    since: Instant,
    /// Whether somebody waits for them.
    awaited: bool,
}

/// Meeting places, by ticket.
#[derive(Default)]
pub struct Gathering {
    places: Mutex<HashMap<Id, Arrived>>,
    changed: Condvar,
}

impl Gathering {
    fn places(&self) -> MutexGuard<'_, HashMap<Id, Arrived>> {
        self.places.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Leaves a connection for the session of `ticket`. Closes it where there is no room, or somebody else has taken
    /// that seat; says whether it stayed.
    pub fn arrive(&self, ticket: Id, from: PartyId, line: Caller) -> bool {
        let mut places = self.places();
        if !places.contains_key(&ticket) && places.len() >= EARLY {
            return false;
        }
        let place = places.entry(ticket).or_insert_with(|| Arrived {
            lines: Vec::new(),
            since: Instant::now(),
            awaited: false,
        });
        if place.lines.iter().any(|(party, _)| *party == from) {
            return false;
        }
        place.lines.push((from, line));
        self.changed.notify_all();
        true
    }

    /// Waits until all of `from` have come; gives those that have, and the first that has not.
    pub fn all(
        &self,
        ticket: Id,
        from: &[PartyId],
        patience: Duration,
    ) -> Result<Vec<(PartyId, Caller)>, PartyId> {
        let until = Instant::now() + patience;
        let mut places = self.places();
        loop {
            let place = places.entry(ticket).or_insert_with(|| Arrived {
                lines: Vec::new(),
                since: Instant::now(),
                awaited: true,
            });
            place.awaited = true;
            let there = |party: &&PartyId| place.lines.iter().any(|(other, _)| other == *party);
            let absent = from.iter().find(|party| !there(party)).copied();
            let left = until.saturating_duration_since(Instant::now());
            match absent {
                Some(absent) if left.is_zero() => {
                    places.remove(&ticket);
                    return Err(absent);
                }
                Some(_) => {
                    let waited = self.changed.wait_timeout(places, left);
                    places = waited.unwrap_or_else(PoisonError::into_inner).0;
                }
                None => {
                    let arrived = places.remove(&ticket);
                    let mut lines = arrived.map_or_else(Vec::new, |arrived| arrived.lines);
                    lines.retain(|(party, _)| from.contains(party));
                    return Ok(lines);
                }
            }
        }
    }

    /// Closes connections that came `patience` ago for a session of which nobody has said anything.
    pub fn sweep(&self, patience: Duration) {
        let mut places = self.places();
        places.retain(|_, place| place.awaited || place.since.elapsed() < patience);
    }
}
