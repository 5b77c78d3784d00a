//! How a session opens: each end states who it is, what plan it has, and adds freshness.

use crate::error::Misdeed;
use subrosa_core::{Bytes, Malformed, Nonce, PartyId, Wire};

/// The first message on each link of a session. The protocol's version stands in its frame's header.
#[derive(Clone)]
pub(crate) struct Opening {
    pub party: PartyId,
    pub nonce: Nonce,
    pub fingerprint: [u8; 32],
}

impl Wire for Opening {
    type Layout = ();
    fn size((): &()) -> Bytes {
        Bytes(65)
    }
    fn encode(&self, out: &mut Vec<u8>) {
        out.push(self.party.0);
        out.extend_from_slice(&self.nonce);
        out.extend_from_slice(&self.fingerprint);
    }
    fn decode((): &(), bytes: &[u8]) -> Result<Self, Malformed> {
        let (party, (nonce, fingerprint)) =
            <(Byte, (Block, Block))>::decode(&((), ((), ())), bytes)?;
        Ok(Self {
            party: PartyId(party.0[0]),
            nonce: nonce.0,
            fingerprint: fingerprint.0,
        })
    }
}

type Byte = Fixed<1>;
type Block = Fixed<32>;

struct Fixed<const N: usize>([u8; N]);

impl<const N: usize> Wire for Fixed<N> {
    type Layout = ();
    fn size((): &()) -> Bytes {
        Bytes(N as u64)
    }
    fn encode(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.0);
    }
    fn decode((): &(), bytes: &[u8]) -> Result<Self, Malformed> {
        let found = bytes.len() as u64;
        let exact = bytes.try_into();
        exact.map(Self).map_err(|_| Malformed::Length {
            expected: N as u64,
            found,
        })
    }
}

impl Opening {
    /// Holds the peer's opening `theirs` against this end's own and what is expected of the peer.
    pub fn check(
        &self,
        theirs: &Self,
        peer: PartyId,
        last_nonce: Option<Nonce>,
    ) -> Result<(), Misdeed> {
        if theirs.party != peer {
            return Err(Misdeed::WrongIdentity {
                expected: peer,
                found: theirs.party,
            });
        }
        if theirs.fingerprint != self.fingerprint {
            return Err(Misdeed::Fingerprint);
        }
        if theirs.nonce == self.nonce || last_nonce == Some(theirs.nonce) {
            return Err(Misdeed::RepeatedNonce);
        }
        Ok(())
    }

    /// Equal at both ends, and fresh if either nonce is.
    pub fn pair_id(&self, theirs: &Self) -> Nonce {
        let (first, second) = if self.party < theirs.party {
            (self, theirs)
        } else {
            (theirs, self)
        };
        let mut both = Vec::with_capacity(130);
        first.encode(&mut both);
        second.encode(&mut both);
        blake3::derive_key("subrosa 2026 session of a pair", &both)
    }
}
