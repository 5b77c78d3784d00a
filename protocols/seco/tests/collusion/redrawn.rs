//! What a server draws and does not keep, drawn again from the randomness of its session: masks of products before truncation.

use crate::decode::{Masked, Seen};
use crate::record::Stage;
use subrosa_collective::{Keys, Step};
use subrosa_core::{Prg, Seed, Wire};
use subrosa_ring::mask;
use subrosa_seco::GATEWAY;

/// A server begins no more streams than these in a session.
const STREAMS: u64 = 64;

/// The first step, a product: y - λ_y, and λ_y^j of each server. All servers hold weights.
pub fn first_product(seen: &Seen<'_>, insecure_seed: u64) -> Masked {
    let Step::Linear(product) = &seen.scheme.steps[0] else {
        panic!("the first step is a product");
    };
    let (layer, layout) = (&product.layer, product.out);
    let remotes = seen.scheme.remotes;
    let keys = |place: usize| -> &Keys { &seen.record.remotes[place].keys.hidden };
    // The collective key is the same at all.
    let public = &keys(0).public;
    let told = |from: usize, to: usize| {
        let (from, to) = (seen.party(from), seen.party(to));
        seen.messages(Stage::Offline(seen.number), from, to)
    };

    // A stream is the right one where what it encrypts is what was sent: a share, or by the gateway the sum.
    let (mut streams, mut queries) = (Vec::new(), Vec::new());
    for (place, lambda) in seen.input().shares.iter().enumerate() {
        let is_gateway = seen.party(place) == GATEWAY;
        let sent = match is_gateway {
            true => told(place, 0),
            false => told(place, remotes),
        };
        let root = Seed::insecure_seeded(insecure_seed).derive("party", &[seen.party(place).0]);
        let begun = (1..STREAMS).find_map(|number| {
            let mut prg = Prg::new(&root.derive("local", &number.to_le_bytes()));
            let mut query = layer.encrypt_collective(public, lambda, 1, &mut prg);
            if is_gateway {
                queries.iter().for_each(|other| query.add(other));
            }
            let mut bytes = Vec::new();
            query.encode(&mut bytes);
            sent.contains(&bytes).then_some((prg, query))
        });
        let (prg, query) = begun.unwrap();
        streams.push(prg);
        queries.push(query);
    }

    let moves = product.offline(remotes, seen.scheme.servers());
    let weights = vec![0; seen.scheme.weights()[0].count];
    let mut shares = Vec::new();
    for (place, mut prg) in streams.into_iter().enumerate() {
        let s = prg.words(layout.bits, layout.count);
        layer.contribute(public, &queries[remotes], &weights, &s, 1, &mut prg);
        if place < remotes {
            let length = moves[3].0[0].bytes.0 as usize;
            let mut requests = told(remotes, place).iter().filter(|m| m.len() == length);
            let requests: Vec<_> =
                Wire::decode(&layer.request_layout(), requests.next().unwrap()).unwrap();
            layer.mask(&keys(place).secret, requests.as_slice(), 1, &mut prg);
        }
        shares.push(prg.words(layout.bits, layout.count));
    }

    let (bits, said) = seen.product(0);
    let mut c = vec![0u64; layout.count];
    for [said, _] in &said {
        let pairs = c.iter_mut().zip(said);
        pairs.for_each(|(c, share)| *c = c.wrapping_add(*share) & mask(bits));
    }
    Masked {
        bits,
        public: vec![c; said.len()],
        shares,
        xor: false,
    }
}
