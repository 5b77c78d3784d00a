//! The receiver's end of a direction.

use crate::extension::{Extension, Lot};
use crate::hash::OtHash;
use crate::keys::ReceiverKeys;
use crate::message::Corrections;
use crate::silent;
use crate::softspoken::{ReceiverStreams, low_half};
use crate::stock::Lots;
use subrosa_core::{Nonce, PartyId, ReceiverCots, ReceiverOts, Seed};
use subrosa_net::{RunError, Session, Turns};
use subrosa_ring::BitMatrix;
use zeroize::Zeroize;

/// One session's random OTs in one direction, drawn one after another. Not `Clone`.
///
/// ```compile_fail
/// fn twice(receiver: subrosa_ot::Receiver) { drop(receiver.clone()); }
/// ```
pub struct Receiver {
    peer: PartyId,
    nonce: Nonce,
    hash: OtHash,
    streams: Vec<(u32, ReceiverStreams)>,
    lots: Lots,
}

impl Receiver {
    /// Both ends open their directions in one order. Sends nothing.
    pub fn new(
        keys: &ReceiverKeys,
        extension: &Extension,
        peer: PartyId,
        s: &mut Session,
    ) -> Result<Self, RunError> {
        let nonce = s.fresh(peer)?;
        let lots = Lots::new(extension);
        let streams = lots
            .widths()
            .map(|k| (k, ReceiverStreams::new(&keys.seeds, &nonce, k)));
        Ok(Self {
            peer,
            nonce,
            hash: OtHash::new(low_half(&Seed::from_bytes(nonce).derive("ot hash", b""))),
            streams: streams.collect(),
            lots,
        })
    }

    /// The next `planes * lanes` random OTs, plane by plane. Runs whole lots with the peer where the stock is short; both
    /// ends draw the same shapes in the same order.
    ///
    /// # Errors
    /// [`subrosa_core::StockFault::Exhausted`] where more is drawn than [`Extension::total`]; nothing is drawn then.
    pub fn draw(
        &mut self,
        planes: usize,
        lanes: usize,
        turns: &mut Turns,
        s: &mut Session,
    ) -> Result<ReceiverOts, RunError> {
        let count = self.lots.allow(planes, lanes)?;
        let mut keys = Vec::with_capacity(count);
        let mut choices = BitMatrix::new(planes, lanes);
        while keys.len() < count {
            if self.lots.is_empty() {
                self.run(turns, s)?;
            }
            let (first, t) = self.lots.take(count - keys.len());
            choose(t, keys.len(), &mut choices);
            self.hash.singles(first, t, &mut keys);
        }
        Ok(ReceiverOts { choices, keys })
    }

    /// The next `planes * lanes` correlated OTs as they are, instead of random ones. Where [`Receiver::draw`] hashes, the
    /// offset stays in these: they are for who needs one and the same in all, as garbling does.
    ///
    /// # Errors
    /// As [`Receiver::draw`].
    pub fn draw_correlated(
        &mut self,
        planes: usize,
        lanes: usize,
        turns: &mut Turns,
        s: &mut Session,
    ) -> Result<ReceiverCots, RunError> {
        let count = self.lots.allow(planes, lanes)?;
        let mut values = Vec::with_capacity(count);
        let mut choices = BitMatrix::new(planes, lanes);
        while values.len() < count {
            if self.lots.is_empty() {
                self.run(turns, s)?;
            }
            let (_, t) = self.lots.take(count - values.len());
            choose(t, values.len(), &mut choices);
            values.extend_from_slice(t);
        }
        Ok(ReceiverCots { choices, values })
    }

    fn run(&mut self, turns: &mut Turns, s: &mut Session) -> Result<(), RunError> {
        let (number, lot, mut inputs) = self.lots.next()?;
        let step = turns.step();
        match lot {
            Lot::SoftSpoken { count, k } => {
                let streams = self.streams.iter_mut().filter(|(width, _)| *width == k);
                for (_, streams) in streams {
                    let message = streams.extend(self.lots.store(count));
                    s.send(step, self.peer, Corrections(message))?;
                }
            }
            Lot::Silent(size) => {
                let lot = silent::Lot::new(size, &self.nonce, number);
                let outputs = self.lots.store(size.outputs());
                lot.code(&inputs, outputs);
                let message: Corrections = s.receive(step, self.peer, size.message_len())?;
                lot.receive(&inputs, &message.0, outputs);
            }
        }
        inputs[..].zeroize();
        Ok(())
    }
}

/// Bit 0 of each block of `t` to the places from `first` on, counted plane by plane.
fn choose(t: &[u128], first: usize, choices: &mut BitMatrix) {
    let lanes = choices.lanes();
    let mut rest = t;
    let mut at = first;
    while !rest.is_empty() {
        let (plane, lane) = (at / lanes, at % lanes);
        let taken = rest.len().min(64 - lane % 64).min(lanes - lane);
        let (blocks, others) = rest.split_at(taken);
        let bits = blocks
            .iter()
            .zip(0..)
            .fold(0, |bits, (block, bit)| bits | (*block as u64 & 1) << bit);
        choices.row_mut(plane)[lane / 64] |= bits << (lane % 64);
        rest = others;
        at += taken;
    }
}
