//! One direction of a link, on the receiving side: a stream of bytes becomes the message that is due.

use crate::error::{LinkFault, Misdeed, RunError};
use crate::frame::{HEADER_LEN, Header, Kind, MAX_PAYLOAD, Step};
use crate::network::{Network, Shaper};
use subrosa_core::PartyId;

/// Buffers above this size are given back after use.
const KEPT: usize = 16 << 20;

/// Why nothing more comes from a peer.
#[derive(Debug, PartialEq)]
pub(crate) enum Stop {
    Link(LinkFault),
    Misdeed(Misdeed),
    Abort(PartyId),
}

impl Stop {
    pub fn blame(self, peer: PartyId) -> RunError {
        match self {
            Self::Link(fault) => RunError::Link { peer, fault },
            Self::Misdeed(misdeed) => RunError::Peer { peer, misdeed },
            Self::Abort(culprit) => RunError::Aborted { by: peer, culprit },
        }
    }
}

impl From<LinkFault> for Stop {
    fn from(fault: LinkFault) -> Self {
        Self::Link(fault)
    }
}

impl From<Misdeed> for Stop {
    fn from(misdeed: Misdeed) -> Self {
        Self::Misdeed(misdeed)
    }
}

/// The message that this party expects.
struct Due {
    kind: Kind,
    step: u32,
    total: usize,
}

pub(crate) struct Inbound {
    due: Option<Due>,
    message: Vec<u8>,
    /// When the message is here by the shaped network's clock.
    ready_at: u64,
    head: [u8; HEADER_LEN],
    head_len: usize,
    frame: Option<(Kind, usize)>,
    control: u8,
    sequence: u32,
    pub session: u32,
    shaper: Shaper,
    peer: PartyId,
    waits_for: Option<PartyId>,
    /// Counts frames that show the peer to go on.
    pub progress: u64,
}

impl Inbound {
    pub fn new(peer: PartyId, network: Network) -> Self {
        Self {
            due: None,
            message: Vec::new(),
            ready_at: 0,
            head: [0; HEADER_LEN],
            head_len: 0,
            frame: None,
            control: 0,
            sequence: 0,
            session: 0,
            shaper: Shaper::new(network),
            peer,
            waits_for: None,
            progress: 0,
        }
    }

    /// Number of the next frame.
    pub fn sequence(&self) -> u32 {
        self.sequence
    }

    /// Goes on with a stream whose next frame has this number.
    pub fn resume(&mut self, sequence: u32) {
        self.sequence = sequence;
    }

    /// Expects a message of `total` bytes.
    pub fn expect(&mut self, kind: Kind, step: Step, total: usize) {
        self.message.clear();
        self.message.reserve_exact(total);
        self.due = Some(Due {
            kind,
            step: step.0,
            total,
        });
        self.ready_at = 0;
    }

    /// Whether a message is due and not wholly received.
    pub fn is_active(&self) -> bool {
        self.due.is_some()
    }

    /// The payload of the last whole message.
    pub fn message(&self) -> &[u8] {
        &self.message
    }

    pub fn ready_at(&self) -> u64 {
        self.ready_at
    }

    /// Gives a large buffer back, once its message has been decoded.
    pub fn finish(&mut self) {
        if self.message.capacity() > KEPT {
            self.message = Vec::new();
        }
    }

    /// Whom the peer waits for by its last notice, if it has not gone on since.
    pub fn waits_for(&self) -> Option<PartyId> {
        self.waits_for
    }

    /// Whether the stream stands between two frames.
    pub fn between_frames(&self) -> bool {
        self.frame.is_none() && self.head_len == 0
    }

    /// Takes bytes of the stream up to the end of the message that is due, and says how many.
    pub fn accept(&mut self, bytes: &[u8]) -> Result<usize, Stop> {
        let mut rest = bytes;
        loop {
            if let Some((kind, left)) = self.frame {
                let (now, later) = rest.split_at(left.min(rest.len()));
                rest = later;
                match kind {
                    Kind::Opening | Kind::Data => self.message.extend_from_slice(now),
                    Kind::Abort | Kind::Notice => {
                        self.control = now.first().copied().unwrap_or(self.control);
                    }
                }
                if now.len() < left {
                    self.frame = Some((kind, left - now.len()));
                    break;
                }
                self.frame = None;
                self.end_frame(kind)?;
                if !self.is_active() {
                    break;
                }
            } else {
                let wanted = HEADER_LEN - self.head_len;
                let (now, later) = rest.split_at(wanted.min(rest.len()));
                rest = later;
                self.head[self.head_len..self.head_len + now.len()].copy_from_slice(now);
                self.head_len += now.len();
                if now.len() < wanted {
                    break;
                }
                self.head_len = 0;
                let header = Header::parse(&self.head)?;
                self.frame = Some((header.kind, self.begin_frame(&header)?));
            }
        }
        Ok(bytes.len() - rest.len())
    }

    fn begin_frame(&mut self, header: &Header) -> Result<usize, Misdeed> {
        if header.sequence != self.sequence {
            return Err(Misdeed::WrongSequence {
                expected: self.sequence,
                found: header.sequence,
            });
        }
        self.sequence = self.sequence.wrapping_add(1);
        let expected = match header.kind {
            Kind::Abort | Kind::Notice => 1,
            kind => match &self.due {
                Some(due) if due.kind == kind => {
                    if kind == Kind::Data && header.session != self.session {
                        return Err(Misdeed::WrongSession);
                    }
                    if header.step != due.step {
                        return Err(Misdeed::WrongStep {
                            expected: due.step,
                            found: header.step,
                        });
                    }
                    (due.total - self.message.len()).min(MAX_PAYLOAD)
                }
                _ => return Err(Misdeed::OutOfTurn),
            },
        };
        let found = header.length as usize;
        if found != expected {
            return Err(Misdeed::WrongLength {
                expected: expected as u64,
                found: found as u64,
            });
        }
        if self.due.as_ref().is_some_and(|due| due.kind == header.kind) {
            self.ready_at = self
                .shaper
                .arrival(header.sent, (HEADER_LEN + found) as u64);
        }
        Ok(found)
    }

    fn end_frame(&mut self, kind: Kind) -> Result<(), Stop> {
        match kind {
            Kind::Abort => return Err(Stop::Abort(PartyId(self.control))),
            Kind::Notice => {
                let named = PartyId(self.control);
                self.waits_for = (named != self.peer).then_some(named);
                self.progress += u64::from(named == self.peer);
            }
            Kind::Opening | Kind::Data => {
                self.waits_for = None;
                self.progress += 1;
                if self
                    .due
                    .as_ref()
                    .is_some_and(|due| due.total == self.message.len())
                {
                    self.due = None;
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outbound::Outbound;
    use subrosa_core::Words;

    fn frames(count: u64) -> (Outbound, Vec<Vec<u8>>) {
        let mut outbound = Outbound::new(false);
        outbound.begin(
            Kind::Data,
            Step(4),
            &Words {
                bits: 64,
                values: (0..count).collect(),
            },
        );
        let mut frames = Vec::new();
        while let Some(frame) = outbound.next() {
            frames.push(frame.to_vec());
        }
        (outbound, frames)
    }

    fn inbound(bytes: usize) -> Inbound {
        let mut inbound = Inbound::new(PartyId(0), Network::LOOPBACK);
        inbound.expect(Kind::Data, Step(4), bytes);
        inbound
    }

    #[test]
    fn any_cut_of_the_stream_gives_the_same_message() {
        let count = MAX_PAYLOAD as u64 / 8 + 9;
        let (mut outbound, frames) = frames(count);
        let mut stream = frames.concat();
        let end = stream.len();
        stream.extend(outbound.control(Kind::Notice, 2));
        for cut in [1, 27, 28, 29, 16_384, 1 << 20] {
            let mut inbound = inbound(8 * count as usize);
            let mut taken = 0;
            while inbound.is_active() {
                let upto = (taken + cut).min(stream.len());
                taken += inbound.accept(&stream[taken..upto]).unwrap();
            }
            assert_eq!(taken, end);
            assert!(inbound.between_frames());
            assert_eq!(inbound.message().len(), 8 * count as usize);
            let last = inbound.message().last_chunk::<8>().unwrap();
            assert_eq!(u64::from_le_bytes(*last), count - 1);
        }
    }

    #[test]
    fn controls_come_through_between_frames() {
        let (mut outbound, sent) = frames(4);
        let mut inbound = inbound(64);
        inbound.expect(Kind::Data, Step(4), 32);
        inbound.sequence = 1;
        let notice = outbound.control(Kind::Notice, 2);
        inbound.accept(&notice).unwrap();
        assert_eq!(inbound.waits_for(), Some(PartyId(2)));
        inbound.accept(&outbound.control(Kind::Notice, 0)).unwrap();
        assert_eq!((inbound.waits_for(), inbound.progress), (None, 1));
        let abort = outbound.control(Kind::Abort, 1);
        assert_eq!(inbound.accept(&abort), Err(Stop::Abort(PartyId(1))));
        assert_eq!(sent.len(), 1);
    }

    #[test]
    fn frames_that_are_not_due_are_refused() {
        let (_, sent) = frames(4);
        let refusal = |mut inbound: Inbound| inbound.accept(&sent[0]).unwrap_err();
        let misdeed = |misdeed| Stop::Misdeed(misdeed);
        let length = Misdeed::WrongLength {
            expected: 40,
            found: 32,
        };
        assert_eq!(refusal(inbound(40)), misdeed(length));
        let mut other = inbound(32);
        other.session = 1;
        assert_eq!(refusal(other), misdeed(Misdeed::WrongSession));
        let mut other = inbound(32);
        other.sequence = 1;
        let sequence = Misdeed::WrongSequence {
            expected: 1,
            found: 0,
        };
        assert_eq!(refusal(other), misdeed(sequence));
        let mut other = inbound(32);
        other.expect(Kind::Data, Step(5), 32);
        let step = Misdeed::WrongStep {
            expected: 5,
            found: 4,
        };
        assert_eq!(refusal(other), misdeed(step));
        let mut other = inbound(32);
        other.expect(Kind::Opening, Step(0), 32);
        assert_eq!(refusal(other), misdeed(Misdeed::OutOfTurn));
    }

    /// Bytes of a cheap generator, some of them made to look like a header.
    #[test]
    fn no_bytes_make_it_panic_or_take_more_than_is_due() {
        let mut state = 1u64;
        let mut random = move || {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            (state >> 33) as usize
        };
        let good = Header {
            kind: Kind::Data,
            session: 0,
            step: 4,
            sequence: 0,
            length: 32,
            sent: 0,
        };
        for _ in 0..100_000 {
            let mut bytes = [&good.to_bytes()[..], &[7; 32]].concat();
            for _ in 0..random() % 4 {
                let at = random() % bytes.len();
                bytes[at] = random() as u8;
            }
            bytes.truncate(random() % (bytes.len() + 1));
            let mut inbound = inbound(32);
            let mut rest = &bytes[..];
            while let Ok(taken @ 1..) = inbound.accept(rest) {
                rest = &rest[taken..];
            }
            assert!(inbound.message().len() <= 32);
        }
    }
}
