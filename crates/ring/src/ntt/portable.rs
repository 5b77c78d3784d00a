//! Plain Rust: Harvey's lazy butterflies (arXiv 1205.2926) with Shoup's products at 64 bits.

use super::modulus::Modulus;
use super::table::{Table, Twiddles};

/// a w mod p in [0, 2p), for any a and `quotient` = floor(2^64 w / p).
#[inline(always)]
fn product(prime: u64, a: u64, w: u64, quotient: u64) -> u64 {
    let q = ((u128::from(a) * u128::from(quotient)) >> 64) as u64;
    a.wrapping_mul(w).wrapping_sub(q.wrapping_mul(prime))
}

/// The constant w as the table keeps it, with Shoup's quotient.
pub(super) fn encode(modulus: &Modulus, w: u64) -> (u64, u64) {
    (
        w,
        ((u128::from(w) << 64) / u128::from(modulus.prime())) as u64,
    )
}

/// x or x - bound, for x < 2 bound.
#[inline(always)]
fn below(x: u64, bound: u64) -> u64 {
    x.min(x.wrapping_sub(bound))
}

pub(super) fn forward(modulus: &Modulus, table: &Table, values: &mut [u64]) {
    let prime = modulus.prime();
    let mut half = values.len() / 2;
    let mut blocks = 1;
    while half > 0 {
        for (block, (w, quotient)) in level(values, half, &table.forward, blocks) {
            let (low, high) = block.split_at_mut(half);
            for (x, y) in low.iter_mut().zip(high) {
                let sum = below(*x, 2 * prime);
                let turned = product(prime, *y, w, quotient);
                *x = sum + turned;
                *y = sum + 2 * prime - turned;
            }
        }
        half /= 2;
        blocks *= 2;
    }
    for value in values {
        *value = below(below(*value, 2 * prime), prime);
    }
}

pub(super) fn inverse(modulus: &Modulus, table: &Table, values: &mut [u64]) {
    let prime = modulus.prime();
    let mut half = 1;
    let mut blocks = values.len() / 2;
    while blocks > 0 {
        for (block, (w, quotient)) in level(values, half, &table.inverse, blocks) {
            let (low, high) = block.split_at_mut(half);
            for (x, y) in low.iter_mut().zip(high) {
                let (a, b) = (*x, *y);
                *x = below(a + b, 2 * prime);
                *y = product(prime, a + 2 * prime - b, w, quotient);
            }
        }
        half *= 2;
        blocks /= 2;
    }
    // The last level's twiddle carries 1 / N; the sums get it here.
    let (w, quotient) = table.scale;
    let half = values.len() / 2;
    let (low, high) = values.split_at_mut(half);
    for value in low {
        *value = below(product(prime, *value, w, quotient), prime);
    }
    for value in high {
        *value = below(*value, prime);
    }
}

/// The blocks of 2 `half` values of a level, each with its twiddle.
fn level<'a>(
    values: &'a mut [u64],
    half: usize,
    twiddles: &'a Twiddles,
    blocks: usize,
) -> impl Iterator<Item = (&'a mut [u64], (u64, u64))> {
    let range = blocks..2 * blocks;
    let values_of = twiddles.values[range.clone()].iter();
    let quotients = twiddles.quotients[range].iter();
    values
        .chunks_exact_mut(2 * half)
        .zip(values_of.copied().zip(quotients.copied()))
}

/// Products of residues that `reduce` takes in one sum, beside a residue.
const LAZY: usize = 1 << 12;

/// The sums from `start` on.
pub(super) fn multiply_add(
    modulus: &Modulus,
    sums: &mut [u64],
    products: &[(&[u64], &[u64])],
    start: usize,
) {
    for products in products.chunks(LAZY) {
        for (at, sum) in sums.iter_mut().enumerate().skip(start) {
            let mut wide = u128::from(*sum);
            for (x, w) in products {
                wide += u128::from(x[at]) * u128::from(w[at]);
            }
            *sum = modulus.reduce(wide);
        }
    }
}
