//! Other nodes, and idle connections to them.

use crate::config::KnownNode;
use crate::message::Refusal;
use crate::talk::{TalkFault, call};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use subrosa::{Fingerprint, Identity};
use subrosa_net::Line;

/// Connections to one peer that are kept while nobody uses them.
const IDLE: usize = 16;
/// Time for a connection.
const DIAL: Duration = Duration::from_secs(10);

pub struct Peers {
    identity: Arc<Identity>,
    known: HashMap<Fingerprint, KnownNode>,
    idle: Mutex<HashMap<Fingerprint, Vec<Line>>>,
}

impl Peers {
    pub fn new(identity: Arc<Identity>, known: Vec<KnownNode>) -> Self {
        let known = known.into_iter().map(|peer| (peer.fingerprint, peer));
        Self {
            identity,
            known: known.collect(),
            idle: Mutex::default(),
        }
    }

    fn idle(&self) -> MutexGuard<'_, HashMap<Fingerprint, Vec<Line>>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn knows(&self, peer: &Fingerprint) -> bool {
        self.known.contains_key(peer)
    }

    pub fn all(&self) -> impl Iterator<Item = &KnownNode> {
        self.known.values()
    }

    /// A connection that has done `first`: an idle one, if one of them is still good, or a new one.
    pub fn connect<T>(
        &self,
        peer: Fingerprint,
        first: impl Fn(&mut Line) -> Result<T, TalkFault>,
    ) -> Result<(Line, T), TalkFault> {
        while let Some(mut line) = self.rested(peer) {
            match first(&mut line) {
                Ok(value) => return Ok((line, value)),
                Err(TalkFault::Line(_)) => {}
                Err(fault) => {
                    self.give_back(line);
                    return Err(fault);
                }
            }
        }
        let known = self.known.get(&peer);
        let known = known.ok_or(TalkFault::Refused(Refusal::UnknownPeer(peer)))?;
        let (mut line, _) = call(known.address.as_str(), &self.identity, peer, DIAL)?;
        match first(&mut line) {
            Ok(value) => Ok((line, value)),
            Err(fault) => {
                if matches!(fault, TalkFault::Refused(_)) {
                    self.give_back(line);
                }
                Err(fault)
            }
        }
    }

    fn rested(&self, peer: Fingerprint) -> Option<Line> {
        loop {
            let mut line = self.idle().get_mut(&peer)?.pop()?;
            if line.rested() {
                return Some(line);
            }
        }
    }

    /// Keeps a connection that this node has dialled for the next use.
    pub fn give_back(&self, line: Line) {
        let mut idle = self.idle();
        let lines = idle.entry(line.peer()).or_default();
        if lines.len() < IDLE {
            lines.push(line);
        }
    }

    /// Closes what is not good any more.
    pub fn sweep(&self) {
        self.idle()
            .values_mut()
            .for_each(|lines| lines.retain_mut(Line::rested));
    }

    pub fn close(&self) {
        self.idle().clear();
    }
}
