//! The AVX-512 arithmetic with plain words for vectors, held equal to the portable kernel on every CPU.

use super::ifma::{Wide, Words, encode};
use super::{Kernel, Ntt, passes, table::Table};

impl Wide for [u64; 8] {
    unsafe fn load(from: *const u64) -> Self {
        // SAFETY: the caller's.
        unsafe { from.cast::<Self>().read_unaligned() }
    }
    unsafe fn store(self, to: *mut u64) {
        // SAFETY: the caller's.
        unsafe { to.cast::<Self>().write_unaligned(self) }
    }
    unsafe fn splat(x: u64) -> Self {
        [x; 8]
    }
    unsafe fn add(self, other: Self) -> Self {
        each(|i| self[i].wrapping_add(other[i]))
    }
    unsafe fn sub(self, other: Self) -> Self {
        each(|i| self[i].wrapping_sub(other[i]))
    }
    unsafe fn min(self, other: Self) -> Self {
        each(|i| self[i].min(other[i]))
    }
    unsafe fn and(self, other: Self) -> Self {
        each(|i| self[i] & other[i])
    }
    unsafe fn above(self) -> Self {
        self.map(|x| x >> 52)
    }
    unsafe fn add_low(self, a: Self, b: Self) -> Self {
        each(|i| self[i].wrapping_add(product(a[i], b[i]) as u64 & LOW))
    }
    unsafe fn add_high(self, a: Self, b: Self) -> Self {
        each(|i| self[i].wrapping_add((product(a[i], b[i]) >> 52) as u64))
    }
    unsafe fn even(self, other: Self) -> Self {
        each(|i| [self, other][i % 2][i / 2 * 2])
    }
    unsafe fn odd(self, other: Self) -> Self {
        each(|i| [self, other][i % 2][i / 2 * 2 + 1])
    }
    unsafe fn even_pairs(self, other: Self) -> Self {
        each(|i| [self, other][i / 4][i % 4 / 2 * 4 + i % 2])
    }
    unsafe fn odd_pairs(self, other: Self) -> Self {
        each(|i| [self, other][i / 4][i % 4 / 2 * 4 + 2 + i % 2])
    }
}

const LOW: u64 = (1 << 52) - 1;

fn each(word: impl Fn(usize) -> u64) -> [u64; 8] {
    std::array::from_fn(word)
}

fn product(a: u64, b: u64) -> u128 {
    u128::from(a & LOW) * u128::from(b & LOW)
}

#[test]
fn eight_words_give_the_portable_residues() {
    for (degree, prime) in [
        (256, 7681),
        (512, 1_125_899_906_826_241),
        (8192, 1_125_899_906_826_241),
    ] {
        let portable = Ntt::with(Kernel::Portable, degree, prime).unwrap();
        let modulus = *portable.modulus();
        let root = modulus.root(degree).unwrap();
        let table = Table::new(&modulus, root, degree, 8, |w| encode(&modulus, w));
        let residues = |seed: u64| -> Vec<u64> {
            let residue = |i: u64| (i ^ seed).wrapping_mul(0x9e37_79b9_7f4a_7c15) % prime;
            (0..degree as u64).map(residue).collect()
        };
        for values in [residues(1), vec![prime - 1; degree]] {
            // SAFETY: plain words need no instructions, and lengths fit.
            let (words, mut forward, mut inverse) = (
                unsafe { Words::<[u64; 8]>::new(&modulus) },
                values.clone(),
                values.clone(),
            );
            // SAFETY: likewise.
            unsafe {
                passes::forward(words, &table, &mut forward);
                passes::inverse(words, &table, &mut inverse);
            }
            let mut expected = values.clone();
            portable.forward(&mut expected);
            assert_eq!(forward, expected);
            expected.clone_from(&values);
            portable.inverse(&mut expected);
            assert_eq!(inverse, expected);
            for count in [0, 1, 14, 15, 40] {
                let factors: Vec<_> = (0..count)
                    .map(|i| (residues(i + 2), vec![prime - 1; degree]))
                    .collect();
                let products: Vec<_> = factors.iter().map(|(x, w)| (&x[..], &w[..])).collect();
                let (mut sums, mut expected) = (values.clone(), values.clone());
                // SAFETY: likewise.
                let done = unsafe { passes::multiply_add(words, &mut sums, &products) };
                assert_eq!(done, degree);
                portable.multiply_add(&mut expected, &products);
                assert_eq!(sums, expected);
            }
        }
    }
}
