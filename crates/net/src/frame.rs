//! The frame: what every message is cut into.
//!
//! ```text
//! offset  0  magic     u8   0x53
//!         1  version   u8
//!         2  kind      u8   1 opening, 2 data, 3 abort, 4 notice
//!         3  zero      u8
//!         4  session   u32  first bytes of the pair id; 0 before it is known
//!         8  step      u32  step of the plan; 0 except in data
//!        12  sequence  u32  number of the frame in its direction of the link
//!        16  length    u32  of the payload that follows
//!        20  sent      u64  CLOCK_MONOTONIC in nanoseconds on a shaped network, otherwise 0
//! ```
//!
//! All numbers are little-endian. A message of n bytes is cut into ceil(n / 256 KiB) frames, at least one, all
//! but the last full.

use crate::error::Misdeed;

/// Length of a frame's header.
pub const HEADER_LEN: usize = 28;
/// The longest payload of one frame.
pub const MAX_PAYLOAD: usize = 256 * 1024;

/// First byte of a frame.
pub(crate) const MAGIC: u8 = 0x53;
pub(crate) const VERSION: u8 = 1;

/// Names a step of the plan. Both ends of a message must be in the same one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step(pub u32);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Opening,
    Data,
    /// The sender's session has failed; the payload is the culprit's number.
    Abort,
    /// The sender waits, too; the payload is the number of the party that it waits for, or its own once it goes on.
    Notice,
}

/// Whether a frame, as a tap sees it, carries a part of a protocol's message. What else passes by, openings,
/// notices and aborts, is not billed, and how much of it there is depends on time.
pub fn is_data(frame: &[u8]) -> bool {
    let header = frame.first_chunk().map(Header::parse);
    header.is_some_and(|header| header.is_ok_and(|header| header.kind == Kind::Data))
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Header {
    pub kind: Kind,
    pub session: u32,
    pub step: u32,
    pub sequence: u32,
    pub length: u32,
    pub sent: u64,
}

impl Header {
    pub fn to_bytes(self) -> [u8; HEADER_LEN] {
        let mut bytes = [0; HEADER_LEN];
        bytes[0] = MAGIC;
        bytes[1] = VERSION;
        bytes[2] = match self.kind {
            Kind::Opening => 1,
            Kind::Data => 2,
            Kind::Abort => 3,
            Kind::Notice => 4,
        };
        for (at, number) in [
            (4, self.session),
            (8, self.step),
            (12, self.sequence),
            (16, self.length),
        ] {
            bytes[at..at + 4].copy_from_slice(&number.to_le_bytes());
        }
        bytes[20..].copy_from_slice(&self.sent.to_le_bytes());
        bytes
    }

    pub fn parse(bytes: &[u8; HEADER_LEN]) -> Result<Self, Misdeed> {
        let [magic, version, kind, zero, ..] = *bytes;
        if magic != MAGIC || zero != 0 {
            return Err(Misdeed::BadHeader);
        }
        if version != VERSION {
            return Err(Misdeed::Version {
                expected: VERSION,
                found: version,
            });
        }
        let kind = match kind {
            1 => Kind::Opening,
            2 => Kind::Data,
            3 => Kind::Abort,
            4 => Kind::Notice,
            _ => return Err(Misdeed::BadHeader),
        };
        let number = |at: usize| {
            u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
        };
        let header = Self {
            kind,
            session: number(4),
            step: number(8),
            sequence: number(12),
            length: number(16),
            sent: u64::from(number(20)) | u64::from(number(24)) << 32,
        };
        if header.length as usize > MAX_PAYLOAD {
            return Err(Misdeed::Oversized {
                limit: MAX_PAYLOAD as u64,
                found: header.length.into(),
            });
        }
        Ok(header)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn header_survives_and_its_faults_are_told_apart() {
        let header = Header {
            kind: Kind::Data,
            session: 0xdead_beef,
            step: 7,
            sequence: u32::MAX,
            length: MAX_PAYLOAD as u32,
            sent: 1 << 60 | 5,
        };
        let good = header.to_bytes();
        assert_eq!(Header::parse(&good).unwrap().to_bytes(), good);
        let with = |at: usize, byte: u8| {
            let mut bytes = good;
            bytes[at] = byte;
            Header::parse(&bytes).unwrap_err()
        };
        assert!(is_data(&good) && !is_data(&good[1..]) && !is_data(&[0; 50]));
        assert_eq!(with(0, 0), Misdeed::BadHeader);
        assert_eq!(
            with(1, 9),
            Misdeed::Version {
                expected: VERSION,
                found: 9
            }
        );
        assert_eq!(with(2, 5), Misdeed::BadHeader);
        assert_eq!(with(3, 1), Misdeed::BadHeader);
        assert!(matches!(with(16, 1), Misdeed::Oversized { .. }));
    }
}
