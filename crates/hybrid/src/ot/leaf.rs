//! One block of a comparison by a 1-of-16 OT whose offline part is done, 64 lanes in a word.
//!
//! The receiver holds v, known online; the sender holds w, known offline. Tables: greater(v) = [v > w] and equal(v) = [v = w],
//! each plus a bit that stays the sender's share. Four random OTs with choice bits d give the sender sixteen pads for each table, of which
//! the receiver knows number d: pad(u) sums over i the bit u of key u_i of OT i. Different pads take different bits of the keys, so
//! the fifteen that the receiver lacks are uniform to it. Online it sends v + d, and the sender
//! answers with entry(u) + pad(u + v + d) for all u.

use super::rows::{and, not, xor};
use subrosa_ring::{BitMatrix, to_planes, xor_into};

/// Rows of one table of the block: "greater", then "equal" where there is one.
pub type Rows = Vec<Vec<u64>>;

/// Row u of 2^n: all ones where the bits spell u.
pub fn one_hot(bits: &[&[u64]]) -> Rows {
    let Some(words) = bits.first().map(|row| row.len()) else {
        return Vec::new();
    };
    let mut rows = vec![vec![u64::MAX; words]];
    for bit in bits {
        let clear = not(bit);
        let low: Rows = rows.iter().map(|row| and(row, &clear)).collect();
        let high = rows.iter().map(|row| and(row, bit));
        rows = low.into_iter().chain(high).collect();
    }
    rows
}

/// The sender's tables: [v > w] + greater for each v, then [v = w] + equal for each v, if `equal` is there.
pub fn tables(w: &[&[u64]], greater: &[u64], equal: Option<&[u64]>) -> Rows {
    let same = one_hot(w);
    let mut above = greater.to_vec();
    let mut rows = Vec::with_capacity(2 * same.len());
    for row in &same {
        rows.push(above.clone());
        xor_into(&mut above, row);
    }
    if let Some(equal) = equal {
        rows.extend(same.iter().map(|row| xor(row, equal)));
    }
    rows
}

/// Planes of the low 32 bits of keys.
fn planes(keys: impl Iterator<Item = u128>) -> BitMatrix {
    let low: Vec<u64> = keys.map(|key| u64::from(key as u32)).collect();
    to_planes(&low, 0, 32)
}

/// Place of a pad's bit in a key.
fn place(table: usize, entry: usize) -> usize {
    16 * table + entry
}

/// The sender's pads in the order of [`tables`]. keys: of the block's OTs, lowest bit first.
pub fn all_pads(keys: &[&[[u128; 2]]], tables: usize) -> Rows {
    let keys: Vec<[BitMatrix; 2]> = keys
        .iter()
        .map(|ot| [0, 1].map(|choice| planes(ot.iter().map(|pair| pair[choice]))))
        .collect();
    let words = keys.first().map_or(0, |ot| ot[0].words_per_plane());
    let mut rows = Vec::with_capacity(tables << keys.len());
    for table in 0..tables {
        for entry in 0..1usize << keys.len() {
            let mut pad = vec![0; words];
            for (bit, ot) in keys.iter().enumerate() {
                xor_into(&mut pad, ot[entry >> bit & 1].row(place(table, entry)));
            }
            rows.push(pad);
        }
    }
    rows
}

/// The receiver's pad of each table. d: its choice bits; keys: what it received.
pub fn chosen_pads(d: &[&[u64]], keys: &[&[u128]], tables: usize) -> Rows {
    let mut sum: Option<BitMatrix> = None;
    for ot in keys {
        let planes = planes(ot.iter().copied());
        match &mut sum {
            Some(sum) => xor_into(sum.words_mut(), planes.words()),
            None => sum = Some(planes),
        }
    }
    let hot = one_hot(d);
    let Some(sum) = sum else { return Vec::new() };
    let pad = |table| {
        let mut pad = vec![0; sum.words_per_plane()];
        for (entry, here) in hot.iter().enumerate() {
            xor_into(&mut pad, &and(here, sum.row(place(table, entry))));
        }
        pad
    };
    (0..tables).map(pad).collect()
}

/// entry(u) + pad(u + shift) for all u of one table.
pub fn answer(entries: &[&[u64]], pads: &[&[u64]], shift: &[&[u64]]) -> Rows {
    let mut rows: Rows = pads.iter().map(|row| row.to_vec()).collect();
    for (bit, shift) in shift.iter().enumerate() {
        for low in 0..rows.len() {
            let high = low | 1 << bit;
            if high != low {
                let (head, tail) = rows.split_at_mut(high);
                for ((a, b), s) in head[low].iter_mut().zip(&mut tail[0]).zip(*shift) {
                    let swap = (*a ^ *b) & s;
                    *a ^= swap;
                    *b ^= swap;
                }
            }
        }
    }
    for (row, entry) in rows.iter_mut().zip(entries) {
        xor_into(row, entry);
    }
    rows
}

/// Entry v of one table.
pub fn pick(rows: &[&[u64]], v: &[&[u64]]) -> Vec<u64> {
    let mut rows: Rows = rows.iter().map(|row| row.to_vec()).collect();
    for bit in v.iter().rev() {
        let upper = rows.split_off(rows.len() / 2);
        for (row, upper) in rows.iter_mut().zip(&upper) {
            for ((low, high), choose) in row.iter_mut().zip(upper).zip(*bit) {
                *low ^= (*low ^ high) & choose;
            }
        }
    }
    rows.into_iter().next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use subrosa_core::{Prg, Seed};

    fn slices(rows: &[Vec<u64>]) -> Vec<&[u64]> {
        rows.iter().map(Vec::as_slice).collect()
    }

    #[test]
    fn the_receiver_gets_its_entry_and_no_other() {
        for bits in 1..=4usize {
            let lanes = 200;
            let mut prg = Prg::new(&Seed::insecure_seeded(bits as u64));
            let draw = |prg: &mut Prg| prg.words(bits as u32, lanes);
            let (v, w, d) = (draw(&mut prg), draw(&mut prg), draw(&mut prg));
            let shares = prg.bits(2, lanes);
            let pairs: Vec<Vec<[u128; 2]>> = (0..bits)
                .map(|_| {
                    let low = prg.words(64, 2 * lanes);
                    low.chunks(2).map(|k| [k[0].into(), k[1].into()]).collect()
                })
                .collect();
            let chosen: Vec<Vec<u128>> = pairs
                .iter()
                .enumerate()
                .map(|(i, ot)| {
                    let pick = |(pair, d): (&[u128; 2], &u64)| pair[(d >> i & 1) as usize];
                    ot.iter().zip(&d).map(pick).collect()
                })
                .collect();
            let rows = |x: &[u64]| {
                let m = to_planes(x, 0, bits as u32);
                (0..bits).map(|i| m.row(i).to_vec()).collect::<Rows>()
            };
            let (vr, wr, dr) = (rows(&v), rows(&w), rows(&d));
            let entries = tables(&slices(&wr), shares.row(0), Some(shares.row(1)));
            let keys: Vec<&[[u128; 2]]> = pairs.iter().map(Vec::as_slice).collect();
            let pads = all_pads(&keys, 2);
            let got: Vec<&[u128]> = chosen.iter().map(Vec::as_slice).collect();
            let own = chosen_pads(&slices(&dr), &got, 2);
            let shift: Rows = vr.iter().zip(&dr).map(|(v, d)| xor(v, d)).collect();
            let half = 1 << bits;
            for table in 0..2 {
                let range = table * half..(table + 1) * half;
                let message = answer(
                    &slices(&entries[range.clone()]),
                    &slices(&pads[range.clone()]),
                    &slices(&shift),
                );
                let mut bit = pick(&slices(&message), &slices(&vr));
                xor_into(&mut bit, &own[table]);
                xor_into(&mut bit, shares.row(table));
                for lane in 0..lanes {
                    let want = [v[lane] > w[lane], v[lane] == w[lane]][table];
                    assert_eq!(bit[lane / 64] >> (lane % 64) & 1 == 1, want);
                }
                for (u, row) in message.iter().enumerate() {
                    let pads = &pads[range.clone()];
                    for lane in 0..lanes {
                        let at = |row: &Vec<u64>| row[lane / 64] >> (lane % 64) & 1;
                        let pad = at(&pads[u ^ (v[lane] ^ d[lane]) as usize]);
                        assert_eq!(at(row), at(&entries[range.start + u]) ^ pad);
                    }
                }
            }
        }
    }
}
