//! What one party needs of a divided model, as a file.

use crate::{Error, Planned};
use serde::{Deserialize, Serialize};
use subrosa_core::{PartyId, Seed};
use subrosa_ir::Weights;
use subrosa_net::LocalFault;
use subrosa_protocol::Holding;
use thiserror::Error;

const MAGIC: &[u8; 16] = b"subrosa part v1\n";
const CHECKSUM: usize = 32;

/// A party's view of a plan and its part of the model. A server's holds secrets; it is of no use without all others.
#[derive(Clone, Serialize, Deserialize)]
pub struct PartFile {
    pub protocol: String,
    /// Which division of a model this is a part of: parts of two divisions do not fit together.
    pub division: [u8; 16],
    pub party: PartyId,
    /// The party's name, as in `gateway`.
    pub name: String,
    pub view: Vec<u8>,
    pub holding: Holding,
}

/// Why bytes are no part of a divided model.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum PartFault {
    #[error("not a part of a divided model, or one of another version")]
    Foreign,
    #[error("damaged: its checksum is wrong")]
    Damaged,
    #[error("it does not read back")]
    Malformed,
}

impl PartFile {
    /// The parts of all parties, in the order of the seats, drawn afresh.
    pub fn divide(planned: &Planned, weights: &Weights) -> Result<Vec<Self>, Error> {
        let holdings = planned.holdings(weights)?;
        let mark = Seed::random().map_err(|_| LocalFault::Randomness)?;
        let mut division = [0; 16];
        division.copy_from_slice(&mark.reveal()[..16]);
        let parties = planned.parties().iter().zip(holdings);
        let part = |(party, holding): (&crate::PartyPrice, Holding)| Self {
            protocol: planned.protocol.name().to_owned(),
            division,
            party: party.seat.party,
            name: party.seat.name.to_owned(),
            view: party.view.clone(),
            holding,
        };
        Ok(parties.map(part).collect())
    }

    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = MAGIC.to_vec();
        // Only a length that the format cannot hold fails, and a slice in memory has none.
        bytes.extend(postcard::to_allocvec(self).unwrap_or_default());
        let checksum = blake3::hash(&bytes);
        bytes.extend_from_slice(checksum.as_bytes());
        bytes
    }

    pub fn parse(bytes: &[u8]) -> Result<Self, PartFault> {
        let body = bytes.strip_prefix(MAGIC).ok_or(PartFault::Foreign)?;
        let (body, checksum) = body
            .split_last_chunk::<CHECKSUM>()
            .ok_or(PartFault::Damaged)?;
        if blake3::hash(&bytes[..MAGIC.len() + body.len()]) != blake3::Hash::from(*checksum) {
            return Err(PartFault::Damaged);
        }
        postcard::from_bytes(body).map_err(|_| PartFault::Malformed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_read_back_or_are_refused() {
        let part = PartFile {
            protocol: "seco".to_owned(),
            division: [9; 16],
            party: PartyId(2),
            name: "remote-1".to_owned(),
            view: vec![1, 2, 3],
            holding: Holding::Part(vec![7; 100]),
        };
        let bytes = part.encode();
        let back = PartFile::parse(&bytes).unwrap();
        assert_eq!((back.party, back.view), (part.party, part.view));
        assert_eq!(back.division, part.division);
        assert_eq!(back.holding.part().unwrap(), [7; 100]);
        let fault = |bytes: &[u8]| PartFile::parse(bytes).err();
        assert_eq!(fault(&bytes[1..]), Some(PartFault::Foreign));
        for cut in [16, 20, bytes.len() - 1] {
            assert_eq!(fault(&bytes[..cut]), Some(PartFault::Damaged), "{cut}");
        }
        for at in 16..bytes.len() {
            let mut changed = bytes.clone();
            changed[at] ^= 1;
            assert_eq!(fault(&changed), Some(PartFault::Damaged), "{at}");
        }
    }
}
