//! A server's part of the model, as the model's owner makes it: a file for each server.
//!
//! ```text
//! offset  0  magic    "subrosa seco"
//!        12  version  u8
//!        13  party    u8
//!        14  plan     32 bytes: the hash of the party's view
//!        46  at the gateway the weights of the front half, then the share of those behind it; packed, modulo 2^ring
//! ```

use crate::face::Face;
use crate::view::{GatewayView, RemoteView};
use subrosa_collective::{Scheme, Servers, Shares};
use subrosa_core::{Malformed, PartyId, Wire, Words, WordsLayout};
use subrosa_hybrid::Encoded;
use subrosa_ir::volume;
use subrosa_net::{PartFault, RunError};
use subrosa_protocol::{Fingerprint, Plan, fingerprint_of};
use subrosa_ring::mask;

const MAGIC: &[u8; 12] = b"subrosa seco";
const VERSION: u8 = 1;
const HEADER: usize = 46;

/// What the gateway holds of the model.
pub struct GatewayPart {
    /// None where there is no front half.
    pub front: Option<Encoded>,
    pub share: Shares,
}

/// Weights of the front half, as they are in the file.
fn clear(face: &Face) -> Vec<WordsLayout> {
    let graph = face.asks();
    let layouts = graph.weight_layouts().into_iter();
    let layout = |weight: subrosa_ir::WeightLayout| WordsLayout {
        count: volume(&weight.shape),
        bits: graph.ring,
    };
    layouts.map(layout).collect()
}

fn plan_of(view: &impl Plan) -> Fingerprint {
    fingerprint_of(crate::CARD.name, &[&b"part"[..], &view.encode()].concat())
}

fn header(party: PartyId, view: &impl Plan) -> Vec<u8> {
    let mut bytes = MAGIC.to_vec();
    bytes.extend([VERSION, party.0]);
    bytes.extend(plan_of(view));
    bytes
}

/// `front`: weights of the front half in two's complement.
pub fn of_gateway(view: &GatewayView, front: &[Vec<u64>], share: &Shares) -> Vec<u8> {
    let mut bytes = header(crate::parties::GATEWAY, view);
    for (layout, values) in clear(&view.face).iter().zip(front) {
        let values = values.iter().map(|w| w & mask(layout.bits));
        let words = Words {
            bits: layout.bits,
            values: values.collect(),
        };
        words.encode(&mut bytes);
    }
    share.encode(&mut bytes);
    bytes
}

pub fn of_remote(view: &RemoteView, share: &Shares) -> Vec<u8> {
    let mut bytes = header(view.me(), view);
    share.encode(&mut bytes);
    bytes
}

/// [`PartFault`] where the bytes are another party's, of another plan, or none.
pub fn to_gateway(view: &GatewayView, bytes: &[u8]) -> Result<GatewayPart, RunError> {
    let layout = (clear(&view.face), share(&view.hidden, &view.servers));
    let (weights, share) = body::<(Vec<Words>, Shares)>(view, &view.servers, layout, bytes)?;
    let front = match view.face.hybrid() {
        None => None,
        Some(scheme) => {
            let values = weights.into_iter().map(|words| words.values);
            Some(Encoded::new(scheme, values.collect())?)
        }
    };
    Ok(GatewayPart { front, share })
}

/// [`PartFault`] where the bytes are another party's, of another plan, or none.
pub fn to_remote(view: &RemoteView, bytes: &[u8]) -> Result<Shares, RunError> {
    let layout = share(&view.hidden, &view.servers);
    body(view, &view.servers, layout, bytes)
}

fn share(hidden: &Scheme, servers: &Servers) -> Vec<WordsLayout> {
    hidden.shares(servers.me)
}

fn body<T: Wire>(
    view: &impl Plan,
    servers: &Servers,
    layout: T::Layout,
    bytes: &[u8],
) -> Result<T, RunError> {
    let fault = |fault: PartFault| RunError::Local(fault.into());
    let (head, body) = bytes
        .split_first_chunk::<HEADER>()
        .ok_or(fault(PartFault::Foreign))?;
    let (kind, rest) = head.split_at(MAGIC.len() + 1);
    if kind != [&MAGIC[..], &[VERSION]].concat() {
        return Err(fault(PartFault::Foreign));
    }
    let expected = servers.party(servers.me).ok_or(fault(PartFault::Plan))?;
    let (party, plan) = rest.split_at(1);
    let found = PartyId(party[0]);
    if expected != found {
        return Err(fault(PartFault::Party { expected, found }));
    }
    if plan != plan_of(view) {
        return Err(fault(PartFault::Plan));
    }
    T::decode(&layout, body).map_err(|malformed| {
        fault(match malformed {
            Malformed::Length { .. } => PartFault::Length {
                expected: HEADER as u64 + T::size(&layout).0,
                found: bytes.len() as u64,
            },
            _ => PartFault::Value,
        })
    })
}
