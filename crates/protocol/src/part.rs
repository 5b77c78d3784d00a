//! A party's part of a divided model, as the model's owner makes it.
//!
//! ```text
//! offset  0  magic    "subrosa held"
//!        12  version  u8
//!        13  party    u8
//!        14  plan     32 bytes: the hash of the party's view
//!        46  the body, of a layout that follows from the view
//! ```

use crate::{Fingerprint, Plan, Protocol, fingerprint_of};
use subrosa_core::{Malformed, PartyId, Wire};
use subrosa_net::PartFault;

const MAGIC: &[u8; 12] = b"subrosa held";
const VERSION: u8 = 1;
const HEADER: usize = 46;

/// The part of `party`, which sees the plan as `view`.
pub fn encode_part<P: Protocol>(party: PartyId, view: &impl Plan, body: &impl Wire) -> Vec<u8> {
    let mut bytes = MAGIC.to_vec();
    bytes.extend([VERSION, party.0]);
    bytes.extend(hash::<P>(view));
    body.encode(&mut bytes);
    bytes
}

/// The body of a part. [`PartFault`] where the bytes are another party's, of another plan, or none.
pub fn decode_part<P: Protocol, T: Wire>(
    party: PartyId,
    view: &impl Plan,
    layout: &T::Layout,
    bytes: &[u8],
) -> Result<T, PartFault> {
    let (head, body) = bytes
        .split_first_chunk::<HEADER>()
        .ok_or(PartFault::Foreign)?;
    let (kind, rest) = head.split_at(MAGIC.len() + 1);
    if kind != [&MAGIC[..], &[VERSION]].concat() {
        return Err(PartFault::Foreign);
    }
    let (found, plan) = rest.split_at(1);
    if found != [party.0] {
        return Err(PartFault::Party {
            expected: party,
            found: PartyId(found[0]),
        });
    }
    if plan != hash::<P>(view) {
        return Err(PartFault::Plan);
    }
    T::decode(layout, body).map_err(|malformed| match malformed {
        Malformed::Length { .. } => PartFault::Length {
            expected: HEADER as u64 + T::size(layout).0,
            found: bytes.len() as u64,
        },
        _ => PartFault::Value,
    })
}

fn hash<P: Protocol>(view: &impl Plan) -> Fingerprint {
    fingerprint_of(P::CARD.name, &[&b"part"[..], &view.encode()].concat())
}
