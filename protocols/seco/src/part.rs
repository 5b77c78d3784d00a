//! A server's part of the model, as the model's owner makes it: at the gateway the weights of the front half, then the share of those
//! behind it; packed, modulo 2^ring.

use crate::Seco;
use crate::face::Face;
use crate::parties::GATEWAY;
use crate::view::{GatewayView, RemoteView};
use subrosa_collective::{Scheme, Servers, Shares};
use subrosa_core::{Words, WordsLayout};
use subrosa_hybrid::Encoded;
use subrosa_ir::volume;
use subrosa_net::{LocalFault, RunError};
use subrosa_protocol::{decode_part, encode_part};
use subrosa_ring::mask;

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

/// `front`: weights of the front half in two's complement.
pub fn of_gateway(view: &GatewayView, front: &[Vec<u64>], share: Shares) -> Vec<u8> {
    let words = |(layout, values): (&WordsLayout, &Vec<u64>)| Words {
        bits: layout.bits,
        values: values.iter().map(|w| w & mask(layout.bits)).collect(),
    };
    let front: Vec<Words> = clear(&view.face).iter().zip(front).map(words).collect();
    encode_part::<Seco>(GATEWAY, view, &(front, share))
}

pub fn of_remote(view: &RemoteView, share: &Shares) -> Vec<u8> {
    encode_part::<Seco>(view.me(), view, share)
}

/// [`PartFault`](subrosa_net::PartFault) where the bytes are another party's, of another plan, or none.
pub fn to_gateway(view: &GatewayView, bytes: &[u8]) -> Result<GatewayPart, RunError> {
    let layout = (clear(&view.face), share(&view.hidden, &view.servers));
    let (weights, share) = decode_part::<Seco, (Vec<Words>, Shares)>(GATEWAY, view, &layout, bytes)
        .map_err(LocalFault::from)?;
    let front = match view.face.hybrid() {
        None => None,
        Some(scheme) => {
            let values = weights.into_iter().map(|words| words.values);
            Some(Encoded::new(scheme, values.collect())?)
        }
    };
    Ok(GatewayPart { front, share })
}

/// [`PartFault`](subrosa_net::PartFault) where the bytes are another party's, of another plan, or none.
pub fn to_remote(view: &RemoteView, bytes: &[u8]) -> Result<Shares, RunError> {
    let layout = share(&view.hidden, &view.servers);
    let share = decode_part::<Seco, _>(view.me(), view, &layout, bytes);
    Ok(share.map_err(LocalFault::from)?)
}

fn share(hidden: &Scheme, servers: &Servers) -> Vec<WordsLayout> {
    hidden.shares(servers.me)
}
