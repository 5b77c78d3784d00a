//! Messages among the servers of one phase.

use crate::servers::{Place, Servers};
use std::sync::Arc;
use subrosa_core::{PartyId, Wire};
use subrosa_net::{LocalFault, RunError, Session, Turns};

/// All servers count the moves of a phase alike, whether they send and receive in one or not.
pub struct Mesh<'a> {
    pub servers: &'a Servers,
    pub s: &'a mut Session,
    turns: Turns,
}

impl<'a> Mesh<'a> {
    pub fn new(servers: &'a Servers, s: &'a mut Session) -> Self {
        let turns = Turns::default();
        Self { servers, s, turns }
    }

    /// One move: sends `out` and receives `from`, whose messages come in that order. One exchange if `from` is not empty, and
    /// nothing at all where both are.
    pub fn exchange<S: Wire, R: Wire>(
        &mut self,
        out: Vec<(Place, S)>,
        from: &[(Place, R::Layout)],
    ) -> Result<Vec<R>, RunError> {
        let step = self.turns.step();
        if out.is_empty() && from.is_empty() {
            return Ok(Vec::new());
        }
        let mut sent = Vec::with_capacity(out.len());
        for (place, message) in out {
            sent.push((self.party(place)?, message));
        }
        let mut awaited = Vec::with_capacity(from.len());
        for (place, layout) in from {
            awaited.push((self.party(*place)?, layout.clone()));
        }
        self.s.exchange(step, sent, &awaited)
    }

    /// One move in which every server tells all others the same; theirs in order of place.
    pub fn tell_all<T: Wire + Sync>(
        &mut self,
        mine: &Arc<T>,
        layout: &T::Layout,
    ) -> Result<Vec<T>, RunError> {
        let out = self.servers.others().map(|at| (at, mine.clone()));
        let from: Vec<_> = self
            .servers
            .others()
            .map(|at| (at, layout.clone()))
            .collect();
        self.exchange(out.collect(), &from)
    }

    fn party(&self, place: Place) -> Result<PartyId, RunError> {
        let found = self.servers.party(place);
        Ok(found.ok_or(LocalFault::Invariant)?)
    }
}
