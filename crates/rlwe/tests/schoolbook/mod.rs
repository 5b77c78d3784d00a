//! What the tests compute by hand.
#![allow(dead_code)]

/// x mod 2^bits.
pub fn masked(x: u128, bits: u32) -> u64 {
    (x & ((1 << bits) - 1)) as u64
}

/// `count` elements of Z/2^bits.
pub fn words(seed: u64, count: usize, bits: u32) -> Vec<u64> {
    let word = |i: u64| {
        let x = (i ^ seed << 40).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let x = (x ^ x >> 31).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        masked(u128::from(x ^ x >> 29), bits)
    };
    (1..=count as u64).map(word).collect()
}

/// `count` weights in -largest..=largest.
pub fn small_weights(seed: u64, count: usize, largest: i64) -> Vec<i64> {
    let width = 2 * largest as u64 + 1;
    words(seed, count, 64)
        .into_iter()
        .map(|x| (x % width) as i64 - largest)
        .collect()
}

/// m w modulo X^N + 1 and 2^64.
pub fn negacyclic(m: &[u64], w: &[i64]) -> Vec<u64> {
    let n = m.len();
    let mut product = vec![0u64; n];
    for (j, &w) in w.iter().enumerate().filter(|(_, w)| **w != 0) {
        for (i, &m) in m.iter().enumerate() {
            let term = m.wrapping_mul(w as u64);
            if i + j < n {
                product[i + j] = product[i + j].wrapping_add(term);
            } else {
                product[i + j - n] = product[i + j - n].wrapping_sub(term);
            }
        }
    }
    product
}

/// Largest distance of the empirical distributions, times sqrt(n / 2) (Kolmogorov, Smirnov): above 2 with a chance of
/// 7 in 10000 for equal ones.
pub fn distance<T: Ord + Copy>(mut a: Vec<T>, mut b: Vec<T>) -> f64 {
    a.sort_unstable();
    b.sort_unstable();
    let below = |sorted: &[T], x: T| sorted.partition_point(|y| *y <= x) as f64;
    let gaps = a
        .iter()
        .chain(&b)
        .map(|x| (below(&a, *x) - below(&b, *x)).abs());
    let n = a.len() as f64;
    gaps.fold(0.0, f64::max) / n * (n / 2.0).sqrt()
}
