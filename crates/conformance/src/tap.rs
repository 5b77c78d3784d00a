//! What passes between the parties: recorded, and changed where a test asks for it.

use crate::run::{Stage, stage};
use std::collections::BTreeMap;
use std::panic::resume_unwind;
use std::sync::{Arc, Mutex, PoisonError};
use subrosa_core::PartyId;
use subrosa_net::{HEADER_LEN, Tap, is_data};

/// A data frame as its sender sent it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    pub from: PartyId,
    pub to: PartyId,
    /// What its sender was at.
    pub stage: Stage,
    /// How many data frames its direction has carried before it.
    pub index: usize,
    /// How many data frames its sender has sent before it.
    pub turn: usize,
    pub bytes: Vec<u8>,
}

impl Frame {
    pub fn payload(&self) -> &[u8] {
        self.bytes.get(HEADER_LEN..).unwrap_or_default()
    }
}

/// Offsets of the fields of a frame's header.
pub(crate) const KIND: usize = 2;
pub(crate) const SESSION: usize = 4;
pub(crate) const STEP: usize = 8;
pub(crate) const SEQUENCE: usize = 12;
pub(crate) const LENGTH: usize = 16;

/// A number of a header.
pub(crate) fn number(bytes: &[u8], at: usize) -> u32 {
    let field = bytes.get(at..at + 4).and_then(|b| b.try_into().ok());
    u32::from_le_bytes(field.unwrap_or_default())
}

/// One data frame of one direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Target {
    pub from: PartyId,
    pub to: PartyId,
    pub index: usize,
}

impl From<&Frame> for Target {
    fn from(frame: &Frame) -> Self {
        Self {
            from: frame.from,
            to: frame.to,
            index: frame.index,
        }
    }
}

/// What goes wrong.
pub(crate) enum Fault {
    None,
    /// What is delivered in place of one frame, given it and the frames of its direction before it.
    Change(Target, Change),
    /// The sender's process ends instead of sending this frame.
    Kill(Target),
    /// Nothing that the sender sends arrives any more, from this frame on.
    Silence(Target),
}

pub(crate) type Change = Arc<dyn Fn(&[u8], &[Vec<u8>]) -> Vec<Vec<u8>> + Send + Sync>;

/// The payload with which a killed party's thread unwinds.
pub(crate) struct Killed;

#[derive(Default)]
struct State {
    frames: Vec<Frame>,
    counts: BTreeMap<(PartyId, PartyId), usize>,
    turns: BTreeMap<PartyId, usize>,
    gone: Option<PartyId>,
}

/// A tap that records and makes one fault.
pub(crate) struct Recorder {
    state: Mutex<State>,
    fault: Fault,
}

impl Recorder {
    pub fn new(fault: Fault) -> Self {
        Self {
            state: Mutex::default(),
            fault,
        }
    }

    /// All data frames, by direction, in the order in which they were sent.
    pub fn frames(&self) -> Vec<Frame> {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let mut frames = state.frames.clone();
        frames.sort_by_key(|f| (f.from, f.to, f.index));
        frames
    }
}

impl Tap for Recorder {
    fn frame(&self, from: PartyId, to: PartyId, _: u64, bytes: Vec<u8>) -> Vec<Vec<u8>> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.gone == Some(from) {
            return Vec::new();
        }
        if !is_data(&bytes) {
            return vec![bytes];
        }
        let count = state.counts.entry((from, to)).or_default();
        let index = *count;
        *count += 1;
        let here = Target { from, to, index };
        match &self.fault {
            Fault::Kill(target) if *target == here => {
                state.gone = Some(from);
                drop(state);
                resume_unwind(Box::new(Killed));
            }
            Fault::Silence(target) if *target == here => {
                state.gone = Some(from);
                return Vec::new();
            }
            _ => {}
        }
        let turn = *state
            .turns
            .entry(from)
            .and_modify(|turn| *turn += 1)
            .or_default();
        let delivered = match &self.fault {
            Fault::Change(target, change) if *target == here => {
                let same = state.frames.iter().filter(|f| (f.from, f.to) == (from, to));
                let before: Vec<Vec<u8>> = same.map(|f| f.bytes.clone()).collect();
                change(&bytes, &before)
            }
            _ => vec![bytes.clone()],
        };
        state.frames.push(Frame {
            from,
            to,
            stage: stage(),
            index,
            turn,
            bytes,
        });
        delivered
    }
}
