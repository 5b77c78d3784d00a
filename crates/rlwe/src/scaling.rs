//! Exact scaling between Z/2^bits and Z_q.
//!
//! No integer modulo q is ever put together. Up, round(q m / 2^b) = (q m + 2^(b-1) - r) / 2^b with r = q m + 2^(b-1) mod
//! 2^b; modulo a prime p of q the term q m vanishes and the rest is one product with 2^-b. Down, x / q mod 1 is
//! sum_i y_i / p_i mod 1 with y_i = x (q / p_i)^-1 mod p_i, here as a binary fraction of W words.
//!
//! The fraction is short by less than e = k 2^50 / 2^(64 W), k primes. Rounding it to b bits is wrong only where x / q
//! lies within e above a boundary (2 j + 1) / 2^(b+1). It never lies on one, since q is odd, so it is 1 / (2^(b+1) q)
//! away at least: with 64 W >= log2 q + b + 51 + log2 k rounding is exact for every x.

use subrosa_ring::mask;
use subrosa_ring::ntt::Modulus;

/// Widest word to which one scales down.
pub(crate) const WIDEST: u32 = 72;

/// out = round(q m / 2^bits) modulo one prime of q, half up; `q` modulo 2^bits. The rest of `out` is zero.
pub(crate) fn scale_into(modulus: &Modulus, q: u64, bits: u32, m: &[u64], out: &mut [u64]) {
    let half = 1u64 << (bits - 1);
    let inverse = modulus.inverse(modulus.reduce(1u128 << bits));
    let half_inverse = modulus.mul(modulus.reduce(u128::from(half)), inverse);
    for (out, m) in out.iter_mut().zip(m) {
        let rest = q.wrapping_mul(*m).wrapping_add(half) & mask(bits);
        // A product below 2^63 p needs no reduction before.
        let rest = if bits == 64 {
            modulus.reduce(u128::from(rest))
        } else {
            rest
        };
        *out = modulus.sub(half_inverse, modulus.mul(rest, inverse));
    }
}

/// x / q mod 1 as a binary fraction.
#[derive(Debug)]
pub(crate) struct Fraction {
    /// log2 q + 51 + log2 k, rounded up.
    needed: u32,
    limbs: Vec<Limb>,
}

/// Numbers of words that fractions have.
const WORDS: [usize; 6] = [2, 3, 4, 8, 16, MOST_WORDS];
const MOST_WORDS: usize = 20;

#[derive(Debug)]
struct Limb {
    modulus: Modulus,
    /// (q / p)^-1 mod p.
    inverse: u64,
    /// floor(2^(64 W) / p), low word first, for the largest W; its last words are those of a smaller one.
    reciprocal: Vec<u64>,
}

impl Fraction {
    pub fn new(moduli: &[Modulus]) -> Fraction {
        let log_q: u32 = moduli.iter().map(Modulus::bits).sum();
        let count = moduli.len() as u32;
        let limb = |modulus: &Modulus| {
            let others = moduli.iter().filter(|other| *other != modulus);
            let rest = others.fold(1, |product, other| {
                modulus.mul(product, modulus.reduce(u128::from(other.prime())))
            });
            Limb {
                modulus: *modulus,
                inverse: modulus.inverse(rest),
                reciprocal: reciprocal(modulus.prime(), MOST_WORDS),
            }
        };
        Fraction {
            needed: log_q + 51 + count.next_power_of_two().trailing_zeros(),
            limbs: moduli.iter().map(limb).collect(),
        }
    }

    /// round(2^bits x / q) mod 2^bits for each of `count` elements `x`, [primes, count], 1 <= bits <= 72.
    pub fn round(&self, bits: u32, count: usize, x: &[u64]) -> Vec<u128> {
        assert!(x.len() == count * self.limbs.len() && (1..=WIDEST).contains(&bits));
        match self.words(bits) {
            2 => self.round_in::<2>(bits, count, x),
            3 => self.round_in::<3>(bits, count, x),
            4 => self.round_in::<4>(bits, count, x),
            8 => self.round_in::<8>(bits, count, x),
            16 => self.round_in::<16>(bits, count, x),
            _ => self.round_in::<MOST_WORDS>(bits, count, x),
        }
    }

    /// W.
    fn words(&self, bits: u32) -> usize {
        let enough = |words: &usize| 64 * *words as u32 >= self.needed + bits;
        WORDS.into_iter().find(enough).unwrap_or(MOST_WORDS)
    }

    fn round_in<const W: usize>(&self, bits: u32, count: usize, x: &[u64]) -> Vec<u128> {
        let mut sums = vec![[0u64; W]; count];
        for (limb, x) in self.limbs.iter().zip(x.chunks_exact(count.max(1))) {
            let mut reciprocal = [0; W];
            reciprocal.copy_from_slice(&limb.reciprocal[MOST_WORDS - W..]);
            for (sum, x) in sums.iter_mut().zip(x) {
                multiply_add(sum, limb.modulus.mul(*x, limb.inverse), &reciprocal);
            }
        }
        let round = |sum: [u64; W]| {
            let top = u128::from(sum[W - 1]) << 64 | u128::from(sum[W - 2]);
            // Adding half a unit carries into the last place kept if the next bit is one.
            let kept = (top >> (128 - bits)) + (top >> (127 - bits) & 1);
            kept & ((1 << bits) - 1)
        };
        sums.into_iter().map(round).collect()
    }
}

/// sum += y `factor` modulo 2^(64 W).
#[inline(always)]
fn multiply_add<const W: usize>(sum: &mut [u64; W], y: u64, factor: &[u64; W]) {
    let mut carry = 0;
    for (sum, factor) in sum.iter_mut().zip(factor) {
        let wide = u128::from(y) * u128::from(*factor) + u128::from(*sum) + carry;
        *sum = wide as u64;
        carry = wide >> 64;
    }
}

/// floor(2^(64 words) / prime), low word first, by long division.
fn reciprocal(prime: u64, words: usize) -> Vec<u64> {
    let mut rest = 1u128;
    let mut quotient: Vec<u64> = (0..words)
        .map(|_| {
            let wide = rest << 64;
            rest = wide % u128::from(prime);
            (wide / u128::from(prime)) as u64
        })
        .collect();
    quotient.reverse();
    quotient
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use subrosa_ring::ntt::Modulus;

    const PRIMES: [u64; 2] = [1_125_899_906_826_241, 1_099_511_480_321];

    fn moduli() -> Vec<Modulus> {
        PRIMES.iter().map(|p| Modulus::new(*p).unwrap()).collect()
    }

    fn q() -> u128 {
        PRIMES.iter().map(|p| u128::from(*p)).product()
    }

    /// round(2^bits x / q) mod 2^bits, bit by bit.
    fn rounded(x: u128, bits: u32) -> u128 {
        let (mut rest, mut quotient) = (x, 0u128);
        for _ in 0..bits {
            rest *= 2;
            let bit = u128::from(rest >= q());
            rest -= bit * q();
            quotient = 2 * quotient + bit;
        }
        (quotient + u128::from(2 * rest >= q())) & ((1 << bits) - 1)
    }

    fn check_down(x: u128, bits: u32) {
        let residues: Vec<u64> = PRIMES.iter().map(|p| (x % u128::from(*p)) as u64).collect();
        let mut fraction = Fraction::new(&moduli());
        let least = fraction.words(bits);
        assert!(least == 3 || least == 4);
        for words in WORDS.into_iter().filter(|words| *words >= least) {
            fraction.needed = 64 * words as u32 - bits;
            assert_eq!(fraction.words(bits), words);
            let found = fraction.round(bits, 1, &residues);
            assert_eq!(found, [rounded(x, bits)], "{x} {bits}");
        }
    }

    #[test]
    fn down_is_exact_beside_every_kind_of_boundary() {
        for bits in [1, 8, 32, 48, 64, 72] {
            for x in [0, 1, q() / 2, q() / 2 + 1, q() - 1] {
                check_down(x, bits);
            }
            // The boundaries (2 j + 1) q / 2^(bits + 1) for j = 0 and for the last.
            let step = q() >> (bits + 1);
            for x in [step, step + 1, q() - step - 1, q() - step] {
                check_down(x, bits);
            }
        }
    }

    proptest! {
        #[test]
        fn down_is_exact(x in any::<u128>(), bits in 1u32..=72) {
            check_down(x % q(), bits);
        }

        #[test]
        fn up_is_exact(m in any::<u64>(), bits in 1u32..=64) {
            let m = m & mask(bits);
            // q m in two halves, to stay within 128 bits.
            let (high, low) = ((q() >> 64) * u128::from(m), (q() & u128::from(u64::MAX)) * u128::from(m));
            let modulo = |p: u64| {
                // floor((q m + 2^(bits - 1)) / 2^bits), by the parts above and below 2^64.
                let low = low + (1 << (bits - 1));
                let high = high + (low >> 64);
                let low = low & u128::from(u64::MAX);
                let p = u128::from(p);
                let shifted = (1u128 << (64 - bits)) % p;
                ((high % p) * shifted % p + (low >> bits) % p) % p
            };
            for modulus in moduli() {
                let mut out = [0, 9];
                let q = PRIMES.iter().fold(1u64, |q, p| q.wrapping_mul(*p)) & mask(bits);
                scale_into(&modulus, q, bits, &[m], &mut out);
                prop_assert_eq!(out, [modulo(modulus.prime()) as u64, 9]);
            }
        }
    }
}
