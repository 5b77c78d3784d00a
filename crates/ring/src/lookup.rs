//! Look-ups in tables of bits, lane by lane: the same multiplexer for every lane, without an index or a branch.

use crate::Simd;
use crate::simd::compiled_for_each;

/// Words of 64 lanes side by side.
const WIDE: usize = 8;

/// Rows of a table over four choosing bits.
const ENTRIES: usize = 16;

/// Looks up thresholds. With n = `choose.len()` <= 4 bits, t = the number that the complements of `choose` (least
/// significant first) spell in a lane, and T_v = `table[v]` for v < 2^n - 1, T_(2^n - 1) = 0, T_(-1) = `least`:
/// `upper` = T_t and `equal` = T_(t-1) xor T_t. All rows have the same number of words.
///
/// # Panics
/// Where the rows' lengths or numbers do not fit.
pub fn look_up(
    table: &[&[u64]],
    choose: &[&[u64]],
    least: u64,
    upper: &mut [u64],
    equal: &mut [u64],
) {
    look_up_with(Simd::best(), table, choose, least, upper, equal);
}

/// [`look_up`] by the kernels of `simd`.
pub fn look_up_with(
    simd: Simd,
    table: &[&[u64]],
    choose: &[&[u64]],
    least: u64,
    upper: &mut [u64],
    equal: &mut [u64],
) {
    assert!((1..=4).contains(&choose.len()) && table.len() + 1 == 1 << choose.len());
    let words = upper.len();
    assert!(equal.len() == words && table.iter().chain(choose).all(|row| row.len() == words));
    multiplex(simd, table, choose, least, upper, equal);
}

compiled_for_each!(
    multiplex,
    multiplex_words,
    (table: &[&[u64]], choose: &[&[u64]], least: u64, upper: &mut [u64], equal: &mut [u64])
);

#[inline(always)]
fn multiplex_words(
    table: &[&[u64]],
    choose: &[&[u64]],
    least: u64,
    upper: &mut [u64],
    equal: &mut [u64],
) {
    let whole = upper.len() / WIDE * WIDE;
    for at in (0..whole).step_by(WIDE) {
        let (t, e) = block(table, choose, least, at, load);
        upper[at..at + WIDE].copy_from_slice(&t);
        equal[at..at + WIDE].copy_from_slice(&e);
    }
    for at in whole..upper.len() {
        let ([t], [e]) = block(table, choose, least, at, |row, at| [row[at]]);
        upper[at] = t;
        equal[at] = e;
    }
}

#[inline(always)]
fn load(row: &[u64], at: usize) -> [u64; WIDE] {
    let mut words = [0; WIDE];
    words.copy_from_slice(&row[at..at + WIDE]);
    words
}

/// Halves the table once for each choosing bit.
#[inline(always)]
fn block<const W: usize>(
    table: &[&[u64]],
    choose: &[&[u64]],
    least: u64,
    at: usize,
    load: impl Fn(&[u64], usize) -> [u64; W],
) -> ([u64; W], [u64; W]) {
    let mut upper = [[0; W]; ENTRIES];
    let mut equal = [[0; W]; ENTRIES];
    let mut below = [least; W];
    for (v, row) in table.iter().enumerate() {
        upper[v] = load(row, at);
        equal[v] = zip(below, upper[v], |b, u| b ^ u);
        below = upper[v];
    }
    equal[table.len()] = below;
    let mut half = ENTRIES / 2;
    while half > table.len() {
        half /= 2;
    }
    for bit in choose {
        let bit = load(bit, at);
        for v in 0..half {
            upper[v] = pick(bit, upper[2 * v], upper[2 * v + 1]);
            equal[v] = pick(bit, equal[2 * v], equal[2 * v + 1]);
        }
        half /= 2;
    }
    (upper[0], equal[0])
}

/// `low` where the bit is set, `high` where it is not.
#[inline(always)]
fn pick<const W: usize>(bit: [u64; W], low: [u64; W], high: [u64; W]) -> [u64; W] {
    zip(
        high,
        zip(bit, zip(low, high, |l, h| l ^ h), |b, x| b & x),
        |h, x| h ^ x,
    )
}

#[inline(always)]
fn zip<const W: usize>(mut x: [u64; W], y: [u64; W], f: impl Fn(u64, u64) -> u64) -> [u64; W] {
    for (x, y) in x.iter_mut().zip(y) {
        *x = f(*x, y);
    }
    x
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn every_family_looks_up_what_an_index_would(
            bits in 1usize..=4,
            words in 0usize..20,
            least in prop::bool::ANY,
            seed in any::<u64>(),
        ) {
            let mut state = seed;
            let mut row = || -> Vec<u64> {
                (0..words).map(|_| {
                    state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
                    state ^ (state >> 29)
                }).collect()
            };
            let table: Vec<Vec<u64>> = (1..1 << bits).map(|_| row()).collect();
            let choose: Vec<Vec<u64>> = (0..bits).map(|_| row()).collect();
            let least = if least { u64::MAX } else { 0 };
            let rows = |m: &'_ [Vec<u64>]| -> Vec<Vec<u64>> { m.to_vec() };
            let (table, choose) = (rows(&table), rows(&choose));
            let table_rows: Vec<&[u64]> = table.iter().map(Vec::as_slice).collect();
            let choose_rows: Vec<&[u64]> = choose.iter().map(Vec::as_slice).collect();
            for simd in Simd::available() {
                let (mut upper, mut equal) = (vec![0; words], vec![0; words]);
                look_up_with(simd, &table_rows, &choose_rows, least, &mut upper, &mut equal);
                for lane in 0..64 * words {
                    let bit = |row: &[u64]| row[lane / 64] >> (lane % 64) & 1;
                    let t = (0..bits).fold(0, |t, b| t | ((1 - bit(&choose[b])) << b)) as usize;
                    let entry = |v: usize| table.get(v).map_or(0, |row| bit(row));
                    let below = if t == 0 { least & 1 } else { entry(t - 1) };
                    prop_assert_eq!(bit(&upper), entry(t));
                    prop_assert_eq!(bit(&equal), below ^ entry(t));
                }
            }
        }
    }
}
