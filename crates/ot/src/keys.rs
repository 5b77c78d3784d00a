//! What is kept after setup: the base OTs. Read-only; every session draws its streams from them under a fresh nonce.

use crate::base;
use crate::message::check;
use subrosa_core::{Bytes, Malformed, PartyId, Prg, Secret, Seed, Wire};
use subrosa_net::{Cost, RunError, Session, Turns};

/// The sender of random OTs: its offset, and of each base pair one key.
pub struct SenderKeys {
    /// Bit 0 is set: it marks the choice bit in every correlated OT, so 127 bits are secret.
    pub(crate) offset: Secret<u128>,
    /// Of pair `i` the key at the complement of bit `i` of `offset`.
    pub(crate) seeds: Vec<Seed>,
}

/// The receiver of random OTs: both keys of each base pair.
pub struct ReceiverKeys {
    pub(crate) seeds: Vec<[Seed; 2]>,
}

impl SenderKeys {
    /// 128 base OTs, in which this party chooses. One exchange.
    pub fn setup(peer: PartyId, turns: &mut Turns, s: &mut Session) -> Result<Self, RunError> {
        let offset = random_offset(s);
        Self::setup_with(&offset, peer, turns, s)
    }

    /// [`SenderKeys::setup`] with an offset that is the same towards several peers; bit 0 is set in any case.
    pub fn setup_with(
        offset: &Secret<u128>,
        peer: PartyId,
        turns: &mut Turns,
        s: &mut Session,
    ) -> Result<Self, RunError> {
        let offset = *offset.reveal() | 1;
        let seeds = base::choose(!offset, peer, turns, s)?;
        let offset = Secret::new(offset);
        Ok(Self { offset, seeds })
    }

    pub fn setup_cost() -> Cost {
        base::choose_cost()
    }

    /// What it differs in from `offset`, in constant time: 0 where it is that.
    pub fn differs_from(&self, offset: &Secret<u128>) -> Secret<u128> {
        Secret::new(self.offset.reveal() ^ offset.reveal())
    }
}

impl ReceiverKeys {
    /// 128 base OTs, in which this party gives. One exchange.
    pub fn setup(peer: PartyId, turns: &mut Turns, s: &mut Session) -> Result<Self, RunError> {
        let seeds = base::give(peer, turns, s)?;
        Ok(Self { seeds })
    }

    pub fn setup_cost() -> Cost {
        base::give_cost()
    }
}

/// A fresh offset of correlated OTs.
pub fn random_offset(s: &mut Session) -> Secret<u128> {
    let mut bytes = [0; 16];
    Prg::new(&s.seed()).fill(&mut bytes);
    Secret::new(u128::from_le_bytes(bytes) | 1)
}

const SEED: usize = 32;

/// For the disk, not for the peer.
impl Wire for SenderKeys {
    type Layout = ();
    fn size((): &()) -> Bytes {
        Bytes((16 + SEED * base::COUNT) as u64)
    }
    fn encode(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.offset.reveal().to_le_bytes());
        for seed in &self.seeds {
            seed.encode(out);
        }
    }
    fn decode((): &(), bytes: &[u8]) -> Result<Self, Malformed> {
        check(bytes, Self::size(&()).0)?;
        let (offset, seeds) = bytes.split_first_chunk().ok_or(Malformed::Range)?;
        let offset = u128::from_le_bytes(*offset);
        if offset & 1 == 0 {
            return Err(Malformed::Range);
        }
        let seeds = seeds.chunks(SEED).map(|seed| Seed::decode(&(), seed));
        Ok(Self {
            offset: Secret::new(offset),
            seeds: seeds.collect::<Result<_, _>>()?,
        })
    }
}

/// For the disk, not for the peer.
impl Wire for ReceiverKeys {
    type Layout = ();
    fn size((): &()) -> Bytes {
        Bytes((2 * SEED * base::COUNT) as u64)
    }
    fn encode(&self, out: &mut Vec<u8>) {
        for [first, second] in &self.seeds {
            first.encode(out);
            second.encode(out);
        }
    }
    fn decode((): &(), bytes: &[u8]) -> Result<Self, Malformed> {
        check(bytes, Self::size(&()).0)?;
        let pairs = bytes.chunks(2 * SEED).map(|pair| {
            let (first, second) = pair.split_at(SEED);
            Ok([Seed::decode(&(), first)?, Seed::decode(&(), second)?])
        });
        let seeds = pairs.collect::<Result<_, Malformed>>()?;
        Ok(Self { seeds })
    }
}
