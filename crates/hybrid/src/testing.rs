//! What the tests of both readings share.

use subrosa_core::{Prg, ReceiverOts, Seed, SenderOts, Wire};

/// Random OTs from one generator that knows both sides.
pub fn ots(planes: usize, lanes: usize, prg: &mut Prg) -> (SenderOts, ReceiverOts) {
    let words = prg.words(64, 4 * planes * lanes);
    let wide = |at: usize| u128::from(words[at]) << 64 | u128::from(words[at + 1]);
    let keys: Vec<[u128; 2]> = (0..planes * lanes)
        .map(|i| [wide(4 * i), wide(4 * i + 2)])
        .collect();
    let choices = prg.bits(planes, lanes);
    let chosen = keys.iter().enumerate().map(|(i, pair)| {
        let lane = i % lanes.max(1);
        pair[(choices.row(i / lanes)[lane / 64] >> (lane % 64) & 1) as usize]
    });
    let receiver = ReceiverOts {
        keys: chosen.collect(),
        choices,
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

pub fn coded<T: Wire>(value: &T, layout: &T::Layout) -> T {
    let mut bytes = Vec::new();
    value.encode(&mut bytes);
    assert_eq!(bytes.len() as u64, T::size(layout).0);
    T::decode(layout, &bytes).unwrap()
}

/// Boundaries and random values of absolute value below 2^(bits - 2).
pub fn samples(bits: u32, count: usize, seed: u64) -> Vec<i64> {
    let top = 1i64 << (bits - 2);
    let mut values = vec![
        0,
        1,
        -1,
        top - 1,
        -top,
        1 - top,
        2.min(top - 1),
        top / 2,
        -top / 2,
    ];
    let drawn = Prg::new(&Seed::insecure_seeded(seed)).words(bits - 1, count - values.len());
    values.extend(drawn.iter().map(|v| *v as i64 - top));
    values
}
