//! Steps without the peer that make other OTs of random ones, with corrections that the caller sends.
//!
//! | | receiver sends first | sender sends | source |
//! |---|---|---|---|
//! | chosen: the receiver's bit picks of the sender's two messages | [`flips`] | [`send_chosen`] | Beaver, Crypto 1995 |
//! | correlated: `x` and `x + c δ` in Z/2^bits, `c` the random choice | | [`send_correlated`] | Asharov et al., CCS 2013 |
//! | one of 2^m: all pads against the one at a random index | | | Naor, Pinkas, STOC 1999 |
//!
//! Every function takes its OTs by value or leaves one use of them to its counterpart: keys mask once.

use crate::cipher::Cipher;
use crate::tree::mask;
use subrosa_core::{ReceiverOts, SenderOts};
use subrosa_ring::BitMatrix;

/// What the receiver tells the sender: where its `wanted` bits differ from the random choices. Uniform.
///
/// # Panics
/// Where the shapes differ.
pub fn flips(ots: &ReceiverOts, wanted: &BitMatrix) -> BitMatrix {
    let (planes, lanes) = shape(wanted);
    assert_eq!((planes, lanes), shape(&ots.choices));
    let words = wanted.words().iter().zip(ots.choices.words());
    BitMatrix::from_words(planes, lanes, words.map(|(a, b)| a ^ b).collect())
}

/// Both messages of each OT, plane by plane, masked for the receiver.
///
/// # Panics
/// Where the shapes differ.
pub fn send_chosen(ots: SenderOts, flips: &BitMatrix, messages: &[[u128; 2]]) -> Vec<[u128; 2]> {
    assert_eq!((ots.planes, ots.lanes), shape(flips));
    assert_eq!(ots.keys.len(), messages.len());
    let pairs = ots.keys.iter().zip(messages).zip(bits(flips));
    let masked = pairs.map(|((keys, messages), flip)| {
        let crossed = (keys[0] ^ keys[1]) & mask(flip);
        [
            messages[0] ^ keys[0] ^ crossed,
            messages[1] ^ keys[1] ^ crossed,
        ]
    });
    masked.collect()
}

/// Of each pair that [`send_chosen`] made the message that `wanted` picks.
///
/// # Panics
/// Where the shapes differ.
pub fn receive_chosen(ots: ReceiverOts, wanted: &BitMatrix, masked: &[[u128; 2]]) -> Vec<u128> {
    assert_eq!(shape(&ots.choices), shape(wanted));
    assert_eq!(ots.keys.len(), masked.len());
    let pairs = ots.keys.iter().zip(masked).zip(bits(wanted));
    let messages =
        pairs.map(|((key, pair), wanted)| key ^ pair[0] ^ (pair[0] ^ pair[1]) & mask(wanted));
    messages.collect()
}

/// For each OT a random `x` in Z/2^bits, and the correction that gives the receiver `x + c difference`.
///
/// # Panics
/// Where the shapes differ, or `bits` is not 1 to 64.
pub fn send_correlated(ots: SenderOts, bits: u32, differences: &[u64]) -> (Vec<u64>, Vec<u64>) {
    assert!((1..=64).contains(&bits));
    assert_eq!(ots.keys.len(), differences.len());
    let keep = subrosa_ring::mask(bits);
    let pairs = ots.keys.iter().zip(differences);
    let made = pairs.map(|(keys, difference)| {
        let (x, other) = (keys[0] as u64, keys[1] as u64);
        (
            x & keep,
            x.wrapping_add(*difference).wrapping_sub(other) & keep,
        )
    });
    made.unzip()
}

/// `x + c difference` for each OT, with the random choice `c`.
///
/// # Panics
/// Where the shapes differ, or `bits` is not 1 to 64.
pub fn receive_correlated(ots: &ReceiverOts, bits: u32, corrections: &[u64]) -> Vec<u64> {
    assert!((1..=64).contains(&bits));
    assert_eq!(ots.keys.len(), corrections.len());
    let keep = subrosa_ring::mask(bits);
    let all = ots
        .keys
        .iter()
        .zip(corrections)
        .zip(self::bits(&ots.choices));
    let made = all.map(|((key, correction), choice)| {
        (*key as u64).wrapping_add(correction & mask(choice) as u64) & keep
    });
    made.collect()
}

/// Of `m` planes: for each lane the `2^m` pads of one OT of one of `2^m`, lane by lane. Pad `x` is the sum over the planes `j`
/// of AES at `x` under the key at bit `j` of `x`.
pub fn send_one_of_many(ots: SenderOts) -> Vec<u128> {
    let count = 1 << ots.planes;
    let indices: Vec<u128> = (0..count as u128).collect();
    let mut pads = vec![0; ots.lanes * count];
    let mut drawn = [vec![0; count], vec![0; count]];
    for (lane, pads) in pads.chunks_mut(count).enumerate() {
        for plane in 0..ots.planes {
            for (key, drawn) in ots.keys[plane * ots.lanes + lane].iter().zip(&mut drawn) {
                Cipher::new(*key).encrypt_to(&indices, drawn);
            }
            for (x, pad) in pads.iter_mut().enumerate() {
                *pad ^= drawn[x >> plane & 1][x];
            }
        }
    }
    pads
}

/// For each lane the random index, its bits the choices of the planes, and the pad there.
pub fn receive_one_of_many(ots: ReceiverOts) -> (Vec<u64>, Vec<u128>) {
    let (planes, lanes) = shape(&ots.choices);
    let mut indices = vec![0; lanes];
    for plane in 0..planes {
        let row = ots.choices.row(plane);
        for (lane, index) in indices.iter_mut().enumerate() {
            *index |= (row[lane / 64] >> (lane % 64) & 1) << plane;
        }
    }
    let mut pads = vec![0; lanes];
    for plane in 0..planes {
        for ((pad, key), index) in pads.iter_mut().zip(ots.plane(plane)).zip(&indices) {
            let mut drawn = [0];
            Cipher::new(*key).encrypt_to(&[u128::from(*index)], &mut drawn);
            *pad ^= drawn[0];
        }
    }
    (indices, pads)
}

fn shape(matrix: &BitMatrix) -> (usize, usize) {
    (matrix.planes(), matrix.lanes())
}

/// The bits of all planes, in order.
fn bits(matrix: &BitMatrix) -> impl Iterator<Item = u128> + '_ {
    (0..matrix.planes()).flat_map(|plane| {
        let row = matrix.row(plane);
        (0..matrix.lanes()).map(move |lane| u128::from(row[lane / 64] >> (lane % 64) & 1))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use subrosa_core::{Prg, Seed};

    fn blocks(prg: &mut Prg, count: usize) -> Vec<u128> {
        let mut blocks = vec![0; count];
        prg.fill(bytemuck::cast_slice_mut(&mut blocks));
        blocks
    }

    fn random(planes: usize, lanes: usize, prg: &mut Prg) -> (SenderOts, ReceiverOts) {
        let keys = blocks(prg, 2 * planes * lanes);
        let keys: Vec<[u128; 2]> = keys.as_chunks().0.to_vec();
        let choices = prg.bits(planes, lanes);
        let chosen = keys
            .iter()
            .zip(bits(&choices))
            .map(|(pair, bit)| pair[bit as usize]);
        let chosen = chosen.collect();
        let receiver = ReceiverOts {
            choices,
            keys: chosen,
        };
        (
            SenderOts {
                planes,
                lanes,
                keys,
            },
            receiver,
        )
    }

    #[test]
    fn the_wanted_message_comes_and_the_other_stays_masked() {
        let mut prg = Prg::new(&Seed::insecure_seeded(1));
        let (planes, lanes) = (3, 77);
        let (sender, receiver) = random(planes, lanes, &mut prg);
        let wanted = prg.bits(planes, lanes);
        let messages: Vec<[u128; 2]> = blocks(&mut prg, 2 * planes * lanes).as_chunks().0.to_vec();
        let flips = flips(&receiver, &wanted);
        let masked = send_chosen(sender, &flips, &messages);
        let keys = receiver.keys.clone();
        let received = receive_chosen(receiver, &wanted, &masked);
        for (i, bit) in bits(&wanted).enumerate() {
            let bit = bit as usize;
            assert_eq!(received[i], messages[i][bit]);
            assert_ne!(masked[i][1 - bit] ^ keys[i], messages[i][1 - bit]);
        }
    }

    #[test]
    fn correlated_values_differ_by_the_chosen_difference() {
        let mut prg = Prg::new(&Seed::insecure_seeded(2));
        for bits in [1, 7, 40, 64] {
            let (sender, receiver) = random(2, 90, &mut prg);
            let differences = prg.words(bits, 180);
            let (x, corrections) = send_correlated(sender, bits, &differences);
            let y = receive_correlated(&receiver, bits, &corrections);
            let choices: Vec<u128> = super::bits(&receiver.choices).collect();
            assert!(choices.contains(&0) && choices.contains(&1));
            for i in 0..180 {
                let sum = x[i].wrapping_add(choices[i] as u64 * differences[i]);
                assert_eq!(y[i], sum & subrosa_ring::mask(bits));
                assert!(corrections[i] <= subrosa_ring::mask(bits));
            }
        }
    }

    #[test]
    fn one_pad_of_many_is_known() {
        let mut prg = Prg::new(&Seed::insecure_seeded(3));
        for m in [1, 2, 4] {
            let (sender, receiver) = random(m, 50, &mut prg);
            let pads = send_one_of_many(sender);
            let (indices, known) = receive_one_of_many(receiver);
            assert_eq!(pads.len(), 50 << m);
            for (lane, pads) in pads.chunks(1 << m).enumerate() {
                for (x, pad) in pads.iter().enumerate() {
                    assert_eq!(*pad == known[lane], x as u64 == indices[lane]);
                }
            }
            let most = (1 << m) - 1;
            assert!(indices.iter().all(|i| *i <= most) && indices.contains(&most));
        }
    }
}
