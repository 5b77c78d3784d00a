//! Links between threads of one process, with an optional tap on every frame.

use crate::error::{LinkFault, Misdeed};
use crate::inbound::{Inbound, Stop};
use crate::link::{Link, Links, Pipe};
use crate::network::{Network, now};
use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use subrosa_core::PartyId;

/// Bytes in flight on one direction before its sender has to wait, as a socket's buffers have it.
const IN_FLIGHT: usize = 4 << 20;

/// Sees every frame between two parties and decides what arrives: to record transcripts, or to make faults.
pub trait Tap: Send + Sync {
    /// `bytes`: header and payload of frame `index` of this direction, of whatever kind (see
    /// [`is_data`](crate::is_data)). What is returned is delivered instead.
    fn frame(&self, from: PartyId, to: PartyId, index: u64, bytes: Vec<u8>) -> Vec<Vec<u8>>;

    /// `from` has closed its end.
    fn closed(&self, from: PartyId, to: PartyId) {
        let _ = (from, to);
    }
}

/// Links in memory for each of `parties`, one for each of `pairs`.
///
/// Pairs of unlisted parties, of a party with itself, and repeated pairs are left out.
pub fn memory_mesh(
    parties: &[PartyId],
    pairs: &[(PartyId, PartyId)],
    network: Network,
) -> BTreeMap<PartyId, Links> {
    mesh(parties, pairs, network, None)
}

/// [`memory_mesh`] with a tap on every frame.
pub fn memory_mesh_tapped(
    parties: &[PartyId],
    pairs: &[(PartyId, PartyId)],
    network: Network,
    tap: Arc<dyn Tap>,
) -> BTreeMap<PartyId, Links> {
    mesh(parties, pairs, network, Some(tap))
}

fn mesh(
    parties: &[PartyId],
    pairs: &[(PartyId, PartyId)],
    network: Network,
    tap: Option<Arc<dyn Tap>>,
) -> BTreeMap<PartyId, Links> {
    let boxes: BTreeMap<PartyId, Arc<Mailbox>> = parties
        .iter()
        .map(|party| (*party, Arc::default()))
        .collect();
    let mut meshes: BTreeMap<PartyId, Links> = boxes
        .iter()
        .map(|(party, mailbox)| (*party, Links::memory(*party, network, mailbox.clone())))
        .collect();
    let ends = pairs
        .iter()
        .flat_map(|&(one, other)| [(one, other), (other, one)]);
    for (me, peer) in ends {
        if me == peer {
            continue;
        }
        let (Some(mine), Some(theirs)) = (boxes.get(&me), boxes.get(&peer)) else {
            continue;
        };
        let pipe = MemoryPipe {
            me,
            peer,
            mine: mine.clone(),
            theirs: theirs.clone(),
            backlog: VecDeque::new(),
            sent: 0,
            tap: tap.clone(),
        };
        if let Some(links) = meshes.get_mut(&me) {
            links.add(Link::new(peer, Pipe::Memory(pipe), network));
        }
    }
    meshes
}

#[derive(Default)]
struct Queue {
    frames: VecDeque<Vec<u8>>,
    bytes: usize,
    sender_gone: bool,
    receiver_gone: bool,
}

#[derive(Default)]
struct Slots {
    queues: BTreeMap<PartyId, Queue>,
    /// Counts whatever may let the owner go on.
    events: u64,
}

/// Everything that reaches one party.
#[derive(Default)]
pub(crate) struct Mailbox {
    slots: Mutex<Slots>,
    changed: Condvar,
}

impl Mailbox {
    fn lock(&self) -> MutexGuard<'_, Slots> {
        self.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change<T>(&self, change: impl FnOnce(&mut Slots) -> T) -> T {
        let mut slots = self.lock();
        slots.events += 1;
        let value = change(&mut slots);
        drop(slots);
        self.changed.notify_one();
        value
    }

    pub fn events(&self) -> u64 {
        self.lock().events
    }

    /// Returns when more than `seen` events have happened, or at `until`.
    pub fn wait(&self, seen: u64, until: u64) {
        let mut slots = self.lock();
        while slots.events == seen {
            let left = until.saturating_sub(now());
            if left == 0 {
                return;
            }
            let waited = self.changed.wait_timeout(slots, Duration::from_nanos(left));
            slots = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

pub(crate) struct MemoryPipe {
    me: PartyId,
    peer: PartyId,
    mine: Arc<Mailbox>,
    theirs: Arc<Mailbox>,
    backlog: VecDeque<Vec<u8>>,
    sent: u64,
    tap: Option<Arc<dyn Tap>>,
}

impl MemoryPipe {
    pub fn offer(&mut self, frame: &[u8]) {
        let frame = frame.to_vec();
        match &self.tap {
            None => self.backlog.push_back(frame),
            Some(tap) => {
                let delivered = tap.frame(self.me, self.peer, self.sent, frame);
                self.backlog.extend(delivered);
            }
        }
        self.sent += 1;
    }

    /// Whether nothing is left to hand over.
    pub fn flush(&mut self) -> Result<bool, LinkFault> {
        if self.backlog.is_empty() {
            return Ok(true);
        }
        let (me, backlog) = (self.me, &mut self.backlog);
        let open = self.theirs.change(|slots| {
            let queue = slots.queues.entry(me).or_default();
            while !queue.receiver_gone && queue.bytes < IN_FLIGHT {
                let Some(frame) = backlog.pop_front() else {
                    break;
                };
                queue.bytes += frame.len();
                queue.frames.push_back(frame);
            }
            !queue.receiver_gone
        });
        if open {
            Ok(self.backlog.is_empty())
        } else {
            Err(LinkFault::Closed)
        }
    }

    /// Feeds what has come until nothing is due any more.
    pub fn pull(&mut self, inbound: &mut Inbound) -> Result<(), Stop> {
        while inbound.is_active() {
            let mut slots = self.mine.lock();
            let queue = slots.queues.entry(self.peer).or_default();
            let Some(frame) = queue.frames.pop_front() else {
                let gone = queue.sender_gone;
                return if gone {
                    Err(LinkFault::Closed.into())
                } else {
                    Ok(())
                };
            };
            let was_full = queue.bytes >= IN_FLIGHT;
            queue.bytes -= frame.len();
            drop(slots);
            if was_full {
                self.theirs.change(|_| ());
            }
            let taken = inbound.accept(&frame)?;
            if !inbound.between_frames() {
                return Err(Misdeed::Truncated.into());
            }
            if taken < frame.len() {
                return Err(Misdeed::WrongLength {
                    expected: taken as u64,
                    found: frame.len() as u64,
                }
                .into());
            }
        }
        Ok(())
    }
}

impl Drop for MemoryPipe {
    fn drop(&mut self) {
        if let Some(tap) = &self.tap {
            tap.closed(self.me, self.peer);
        }
        let (me, peer) = (self.me, self.peer);
        self.theirs
            .change(|slots| slots.queues.entry(me).or_default().sender_gone = true);
        self.mine.change(|slots| {
            let queue = slots.queues.entry(peer).or_default();
            queue.receiver_gone = true;
            queue.frames.clear();
        });
        self.theirs.change(|_| ());
    }
}
