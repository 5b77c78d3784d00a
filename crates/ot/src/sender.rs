//! The sender's end of a direction.

use crate::extension::{Extension, Lot};
use crate::hash::OtHash;
use crate::keys::SenderKeys;
use crate::message::Corrections;
use crate::silent;
use crate::softspoken::{SenderStreams, low_half};
use crate::stock::Lots;
use subrosa_core::{Nonce, PartyId, Secret, Seed, SenderCots, SenderOts};
use subrosa_net::{RunError, Session, Turns};
use zeroize::Zeroize;

/// One session's random OTs in one direction, drawn one after another. Not `Clone`.
///
/// ```compile_fail
/// fn twice(sender: subrosa_ot::Sender) { drop(sender.clone()); }
/// ```
pub struct Sender {
    peer: PartyId,
    nonce: Nonce,
    offset: Secret<u128>,
    hash: OtHash,
    streams: Vec<(u32, SenderStreams)>,
    lots: Lots,
}

impl Sender {
    /// Both ends open their directions in one order. Sends nothing.
    pub fn new(
        keys: &SenderKeys,
        extension: &Extension,
        peer: PartyId,
        s: &mut Session,
    ) -> Result<Self, RunError> {
        let nonce = s.fresh(peer)?;
        let lots = Lots::new(extension);
        let streams = lots
            .widths()
            .map(|k| (k, SenderStreams::new(&keys.seeds, &nonce, k)));
        Ok(Self {
            peer,
            nonce,
            offset: Secret::new(*keys.offset.reveal()),
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
    ) -> Result<SenderOts, RunError> {
        let count = self.lots.allow(planes, lanes)?;
        let mut keys = Vec::with_capacity(count);
        while keys.len() < count {
            if self.lots.is_empty() {
                self.run(turns, s)?;
            }
            let (first, q) = self.lots.take(count - keys.len());
            self.hash.pairs(first, q, *self.offset.reveal(), &mut keys);
        }
        Ok(SenderOts {
            planes,
            lanes,
            keys,
        })
    }

    /// The next `planes * lanes` correlated OTs as they are, instead of random ones; see
    /// [`Receiver::draw_correlated`](crate::Receiver::draw_correlated).
    ///
    /// # Errors
    /// As [`Sender::draw`].
    pub fn draw_correlated(
        &mut self,
        planes: usize,
        lanes: usize,
        turns: &mut Turns,
        s: &mut Session,
    ) -> Result<SenderCots, RunError> {
        let count = self.lots.allow(planes, lanes)?;
        let mut zeros = Vec::with_capacity(count);
        while zeros.len() < count {
            if self.lots.is_empty() {
                self.run(turns, s)?;
            }
            let (_, q) = self.lots.take(count - zeros.len());
            zeros.extend_from_slice(q);
        }
        Ok(SenderCots {
            planes,
            lanes,
            zeros,
        })
    }

    /// The offset of all OTs of this direction; bit 0 is set.
    pub fn offset(&self) -> &Secret<u128> {
        &self.offset
    }

    fn run(&mut self, turns: &mut Turns, s: &mut Session) -> Result<(), RunError> {
        let (number, lot, mut inputs) = self.lots.next()?;
        let (offset, step) = (*self.offset.reveal(), turns.step());
        match lot {
            Lot::SoftSpoken { count, k } => {
                let streams = self.streams.iter_mut().filter(|(width, _)| *width == k);
                for (_, streams) in streams {
                    let length = streams.message_len(count as usize);
                    let message: Corrections = s.receive(step, self.peer, length)?;
                    let q = self.lots.store(count);
                    streams.extend(offset, &message.0, q);
                }
            }
            Lot::Silent(size) => {
                let lot = silent::Lot::new(size, &self.nonce, number);
                let outputs = self.lots.store(size.outputs());
                let message = lot.send(&inputs, offset, outputs);
                s.send(step, self.peer, Corrections(message))?;
                lot.add_code(&inputs, outputs);
            }
        }
        inputs[..].zeroize();
        Ok(())
    }
}
