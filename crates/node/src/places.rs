//! Connections that are open, all together and of each peer.

use crate::config::NodeConfig;
use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use subrosa::Fingerprint;
use subrosa_net::{Closer, Line};

/// Connections of one client or owner at a time. Peers may have all there are.
const OF_ONE: usize = 8;

struct Taken {
    next: u64,
    open: HashMap<u64, (Fingerprint, Closer)>,
    closed: bool,
}

pub struct Places {
    most: usize,
    peers: HashSet<Fingerprint>,
    taken: Mutex<Taken>,
}

/// A connection that somebody else has made, with its place among all.
pub struct Caller {
    pub line: Line,
    pub place: Place,
}

/// Given back when it is dropped.
pub struct Place {
    places: Arc<Places>,
    number: u64,
}

impl Places {
    pub fn new(most: usize, config: &NodeConfig) -> Arc<Self> {
        Arc::new(Self {
            most,
            peers: config.peers.iter().map(|peer| peer.fingerprint).collect(),
            taken: Mutex::new(Taken {
                next: 0,
                open: HashMap::new(),
                closed: false,
            }),
        })
    }

    fn lock(&self) -> MutexGuard<'_, Taken> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a place for `line`, or says who got none.
    pub fn enter(self: Arc<Self>, line: Line) -> Result<Caller, Fingerprint> {
        let who = line.peer();
        let mut taken = self.lock();
        let others = taken.open.values().filter(|(other, _)| *other == who);
        let own = match self.peers.contains(&who) {
            true => self.most,
            false => self.most.min(OF_ONE),
        };
        if taken.closed || taken.open.len() >= self.most || others.count() >= own {
            return Err(who);
        }
        let number = taken.next;
        taken.next += 1;
        taken.open.insert(number, (who, line.closer()));
        drop(taken);
        let place = Place {
            places: self,
            number,
        };
        Ok(Caller { line, place })
    }

    pub fn taken(&self) -> u32 {
        self.lock().open.len() as u32
    }

    /// Closes all, and takes no more.
    pub fn close(&self) {
        let mut taken = self.lock();
        taken.closed = true;
        taken.open.values().for_each(|(_, closer)| closer.close());
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.places.lock().open.remove(&self.number);
    }
}
