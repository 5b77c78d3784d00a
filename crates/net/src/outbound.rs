//! One direction of a link, on the sending side: a message is encoded once and cut into frames in place.

use crate::frame::{HEADER_LEN, Header, Kind, MAX_PAYLOAD, Step};
use crate::network::now;
use subrosa_core::Wire;

/// Buffers above this size are given back after use.
const KEPT: usize = 16 << 20;

pub(crate) struct Outbound {
    /// Room for one header, then the payload.
    buffer: Vec<u8>,
    /// Offset of the next frame's payload; `None` when the message is through.
    at: Option<usize>,
    kind: Kind,
    step: u32,
    pub session: u32,
    sequence: u32,
    stamped: bool,
}

impl Outbound {
    pub fn new(stamped: bool) -> Self {
        Self {
            buffer: Vec::new(),
            at: None,
            kind: Kind::Data,
            step: 0,
            session: 0,
            sequence: 0,
            stamped,
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

    /// Starts a message and returns the length of its payload.
    pub fn begin<S: Wire>(&mut self, kind: Kind, step: Step, message: &S) -> usize {
        self.buffer.clear();
        self.buffer.resize(HEADER_LEN, 0);
        message.encode(&mut self.buffer);
        self.at = Some(0);
        self.kind = kind;
        self.step = step.0;
        self.buffer.len() - HEADER_LEN
    }

    pub fn is_active(&self) -> bool {
        self.at.is_some()
    }

    /// The next frame of the message. Its header overwrites the end of the frame before it, which is gone.
    pub fn next(&mut self) -> Option<&[u8]> {
        let at = self.at?;
        let left = self.buffer.len().checked_sub(HEADER_LEN + at)?;
        let length = left.min(MAX_PAYLOAD);
        self.at = (left > length).then_some(at + length);
        let header = self.header(self.kind, self.step, length);
        let frame = self.buffer.get_mut(at..at + HEADER_LEN + length)?;
        frame.split_at_mut(HEADER_LEN).0.copy_from_slice(&header);
        Some(frame)
    }

    /// A frame outside any message.
    pub fn control(&mut self, kind: Kind, payload: u8) -> [u8; HEADER_LEN + 1] {
        let mut frame = [payload; HEADER_LEN + 1];
        frame[..HEADER_LEN].copy_from_slice(&self.header(kind, 0, 1));
        frame
    }

    /// Gives a large buffer back, once all of its frames have been sent.
    pub fn finish(&mut self) {
        if self.buffer.capacity() > KEPT {
            self.buffer = Vec::new();
        }
    }

    fn header(&mut self, kind: Kind, step: u32, length: usize) -> [u8; HEADER_LEN] {
        let sequence = self.sequence;
        self.sequence = sequence.wrapping_add(1);
        let header = Header {
            kind,
            session: self.session,
            step,
            sequence,
            length: length as u32,
            sent: if self.stamped { now() } else { 0 },
        };
        header.to_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use subrosa_core::Words;

    #[test]
    fn frames_carry_the_whole_message_in_order() {
        for count in [0, 1, MAX_PAYLOAD / 8, MAX_PAYLOAD / 8 + 1, MAX_PAYLOAD / 2] {
            let words = Words {
                bits: 64,
                values: (0..count as u64).collect(),
            };
            let mut outbound = Outbound::new(false);
            let length = outbound.begin(Kind::Data, Step(3), &words);
            assert_eq!(length, 8 * count);
            let (mut payload, mut frames) = (Vec::new(), 0);
            while let Some(frame) = outbound.next() {
                let (head, body) = frame.split_at(HEADER_LEN);
                let header = Header::parse(head.try_into().unwrap()).unwrap();
                assert_eq!(
                    (header.sequence, header.length as usize),
                    (frames, body.len())
                );
                payload.extend_from_slice(body);
                frames += 1;
            }
            let mut whole = Vec::new();
            words.encode(&mut whole);
            assert_eq!(payload, whole);
            assert_eq!(frames as usize, length.div_ceil(MAX_PAYLOAD).max(1));
        }
    }
}
