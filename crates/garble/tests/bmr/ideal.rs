//! Ideal OTs: both sides made in one place.

use subrosa_core::{Prg, ReceiverCots, ReceiverOts, Seed, SenderCots, SenderOts};
use subrosa_garble::bmr::{Demand, Pair};
use subrosa_ring::BitMatrix;

/// For each garbler its pairs with all others.
pub fn pairs(offsets: &[u128], demand: Demand, lanes: usize, ideal: &mut Prg) -> Vec<Vec<Pair>> {
    let n = offsets.len();
    let mut ends: Vec<_> = (0..n * n).map(|_| (None, None)).collect();
    for (i, offset) in offsets.iter().enumerate() {
        for j in (0..n).filter(|j| *j != i) {
            let (sent, got) = cots(*offset, demand.cots, lanes, ideal);
            let (sent_bits, got_bits) = ots(demand.ots, lanes, ideal);
            ends[i * n + j].0 = Some((sent, sent_bits));
            ends[j * n + i].1 = Some((got, got_bits));
        }
    }
    let pair = |(sent, got)| {
        let ((sent, sent_bits), (got, got_bits)) = (Option::zip(sent, got))?;
        Some(Pair {
            sent,
            got,
            sent_bits,
            got_bits,
        })
    };
    let mut pairs: Vec<Option<Pair>> = ends.into_iter().map(pair).collect();
    let rows = pairs.chunks_mut(n);
    rows.map(|row| row.iter_mut().filter_map(Option::take).collect())
        .collect()
}

pub fn cots(
    offset: u128,
    planes: usize,
    lanes: usize,
    prg: &mut Prg,
) -> (SenderCots, ReceiverCots) {
    let zeros: Vec<u128> = blocks(prg, planes * lanes).iter().map(|q| q & !1).collect();
    let choices = prg.bits(planes, lanes);
    let receiver = ReceiverCots {
        values: chosen(&zeros, &choices, offset),
        choices,
    };
    let sender = SenderCots {
        planes,
        lanes,
        zeros,
    };
    (sender, receiver)
}

/// q or q + R.
pub fn chosen(zeros: &[u128], choices: &BitMatrix, offset: u128) -> Vec<u128> {
    let lanes = choices.lanes();
    let is_one = |i: usize| bit(choices, i / lanes, i % lanes);
    let values = zeros.iter().enumerate();
    let values = values.map(|(i, q)| if is_one(i) { q ^ offset } else { *q });
    values.collect()
}

fn ots(planes: usize, lanes: usize, prg: &mut Prg) -> (SenderOts, ReceiverOts) {
    let keys: Vec<[u128; 2]> = blocks(prg, 2 * planes * lanes).as_chunks().0.to_vec();
    let choices = prg.bits(planes, lanes);
    let chosen = keys.iter().enumerate();
    let chosen = chosen.map(|(i, pair)| pair[usize::from(bit(&choices, i / lanes, i % lanes))]);
    let receiver = ReceiverOts {
        keys: chosen.collect(),
        choices,
    };
    let sender = SenderOts {
        planes,
        lanes,
        keys,
    };
    (sender, receiver)
}

pub fn prg(seed: u64) -> Prg {
    Prg::new(&Seed::insecure_seeded(seed))
}

pub fn blocks(prg: &mut Prg, count: usize) -> Vec<u128> {
    let mut blocks = vec![0; count];
    prg.fill(bytemuck::cast_slice_mut(&mut blocks));
    blocks
}

pub fn bit(bits: &BitMatrix, plane: usize, lane: usize) -> bool {
    bits.row(plane)[lane / 64] >> (lane % 64) & 1 == 1
}
