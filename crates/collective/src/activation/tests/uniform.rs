//! What passes between the servers is uniform, whatever is computed.

use super::{GARBLINGS, keys, kinds, masked, seeded, serve, together};
use crate::activation::Shape;
use std::sync::{Arc, Mutex};
use subrosa_core::PartyId;
use subrosa_net::{HEADER_LEN, Tap, is_data};

/// Payloads of all data frames.
#[derive(Default)]
struct Payloads(Mutex<Vec<(PartyId, PartyId, Vec<u8>)>>);

impl Tap for Payloads {
    fn frame(&self, from: PartyId, to: PartyId, _: u64, bytes: Vec<u8>) -> Vec<Vec<u8>> {
        if is_data(&bytes) {
            let payload = bytes[HEADER_LEN..].to_vec();
            self.0.lock().unwrap().push((from, to, payload));
        }
        vec![bytes]
    }
}

/// Within six and a half standard deviations of a fair coin.
fn is_fair(ones: usize, of: usize) -> bool {
    (ones as f64 - of as f64 / 2.0).abs() < 3.25 * (of as f64).sqrt()
}

#[test]
fn every_bit_of_every_label_and_row_is_a_fair_coin() {
    let (lanes, remotes) = (1024, 2);
    for kind in kinds(5, 5) {
        let shape = Shape { lanes, kind };
        for garbling in GARBLINGS {
            let columns = vec![vec![-3; lanes]; shape.public_planes() / shape.width()];
            let inputs = masked(&shape, &columns, remotes, &mut seeded(2));
            let (keys, tap) = (keys(remotes), Arc::new(Payloads::default()));
            let ends = together(remotes, Some(tap.clone()), |servers, s| {
                serve(&shape, garbling, &inputs, &keys, servers, s)
            });
            assert!(ends.iter().all(Result::is_ok));
            for (from, to, payload) in &*tap.0.lock().unwrap() {
                let blocks = payload.as_chunks::<16>().0;
                for bit in 0..128 {
                    let set = blocks.iter().filter(|b| b[bit / 8] >> (bit % 8) & 1 == 1);
                    let ones = set.count();
                    assert!(
                        is_fair(ones, blocks.len()),
                        "{garbling:?} {from} {to} {bit}: {ones} of {}",
                        blocks.len()
                    );
                }
            }
        }
    }
}
