//! Transforms against the schoolbook product and against values computed at the points.

use proptest::prelude::*;
use subrosa_ring::ntt::{Kernel, Modulus, Ntt};

const KERNELS: [Kernel; 3] = [Kernel::Portable, Kernel::Avx2, Kernel::Ifma];

/// The largest primes below 2^bits that are 1 modulo 2 `degree`.
fn primes(bits: u32, degree: usize) -> impl Iterator<Item = u64> {
    let step = 2 * degree as u64;
    (1..)
        .map(move |i| (1 << bits) - i * step + 1)
        .take_while(|p| *p > 1)
        .filter(|p| Modulus::new(*p).is_some())
}

/// Every kernel that this CPU has.
fn each_kernel(degree: usize, prime: u64) -> Vec<Ntt> {
    KERNELS
        .into_iter()
        .filter_map(|kernel| {
            let ntt = Ntt::with(kernel, degree, prime).unwrap();
            if ntt.kernel() != kernel {
                println!("{kernel:?} is not tested here at degree {degree}");
            }
            (ntt.kernel() == kernel).then_some(ntt)
        })
        .collect()
}

fn residues(seed: u64, prime: u64, count: usize) -> Vec<u64> {
    (1..=count as u64)
        .map(|i| (i.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ seed).wrapping_mul(0xbf58_476d_1ce4_e5b9))
        .map(|x| (x ^ x >> 29) % prime)
        .collect()
}

fn multiply(prime: u64, a: u64, b: u64) -> u64 {
    (u128::from(a) * u128::from(b) % u128::from(prime)) as u64
}

fn schoolbook(prime: u64, a: &[u64], b: &[u64]) -> Vec<u64> {
    let n = a.len();
    let mut product = vec![0; n];
    for (i, &a) in a.iter().enumerate() {
        for (j, &b) in b.iter().enumerate() {
            let term = multiply(prime, a, b);
            let term = if i + j < n {
                term
            } else {
                (prime - term) % prime
            };
            product[(i + j) % n] = (product[(i + j) % n] + term) % prime;
        }
    }
    product
}

#[test]
fn products_are_schoolbook_products() {
    for degree in [2, 4, 16, 64, 128, 256, 1024] {
        for bits in [20, 30, 40, 49, 50] {
            let Some(prime) = primes(bits, degree).next() else {
                continue;
            };
            let (a, b) = (residues(1, prime, degree), residues(2, prime, degree));
            let expected = schoolbook(prime, &a, &b);
            for ntt in each_kernel(degree, prime) {
                let (mut x, mut y) = (a.clone(), b.clone());
                ntt.forward(&mut x);
                ntt.forward(&mut y);
                let mut product = vec![0; degree];
                ntt.multiply_add(&mut product, &[(&x, &y)]);
                ntt.inverse(&mut product);
                assert_eq!(product, expected, "{:?} {degree} {prime}", ntt.kernel());
            }
        }
    }
}

#[test]
fn values_are_those_at_the_powers_of_the_root() {
    for degree in [8, 64, 256] {
        let prime = primes(50, degree).next().unwrap();
        let modulus = Modulus::new(prime).unwrap();
        let psi = modulus.root(degree).unwrap();
        let a = residues(3, prime, degree);
        let expected: Vec<u64> = (0..degree)
            .map(|i| {
                let reversed = i.reverse_bits() >> (usize::BITS - degree.trailing_zeros());
                let point = modulus.pow(psi, 2 * reversed as u64 + 1);
                let horner = |value, &a: &u64| (multiply(prime, value, point) + a) % prime;
                a.iter().rev().fold(0, horner)
            })
            .collect();
        for ntt in each_kernel(degree, prime) {
            let mut values = a.clone();
            ntt.forward(&mut values);
            assert_eq!(values, expected, "{:?}", ntt.kernel());
        }
    }
}

#[test]
fn extremes_stay_exact() {
    for degree in [1024, 2048, 4096, 8192, 16384, 32768] {
        for prime in primes(50, degree).take(2) {
            let patterns: [Vec<u64>; 4] = [
                vec![prime - 1; degree],
                vec![prime / 2; degree],
                (0..degree as u64).map(|i| i % 2 * (prime - 1)).collect(),
                residues(4, prime, degree),
            ];
            let portable = Ntt::with(Kernel::Portable, degree, prime).unwrap();
            for pattern in patterns {
                let (mut forward, mut inverse) = (pattern.clone(), pattern.clone());
                portable.forward(&mut forward);
                portable.inverse(&mut inverse);
                assert!(forward.iter().chain(&inverse).all(|v| *v < prime));
                for ntt in each_kernel(degree, prime) {
                    let mut values = pattern.clone();
                    ntt.forward(&mut values);
                    assert!(values == forward, "{:?} {degree}", ntt.kernel());
                    ntt.inverse(&mut values);
                    assert!(values == pattern, "{:?} {degree}", ntt.kernel());
                    ntt.inverse(&mut values);
                    assert!(values == inverse, "{:?} {degree}", ntt.kernel());
                }
            }
        }
    }
}

#[test]
fn the_root_is_the_agreed_one() {
    let known = [
        (8, 17, 3),
        (4096, 1099511480321, 669014438329),
        (8192, 1125899906826241, 971709613313032),
    ];
    for (degree, prime, root) in known {
        assert_eq!(Modulus::new(prime).unwrap().root(degree), Some(root));
    }
}

#[test]
fn what_is_no_transform_is_refused() {
    for (degree, prime) in [
        (0, 97),
        (1, 97),
        (3, 97),
        (64, 97),
        (16, 96),
        (16, 65 * 97),
        (16, (1 << 61) - 1),
        (16, 3_215_031_751),
    ] {
        assert!(Ntt::new(degree, prime).is_none(), "{degree} {prime}");
    }
    assert!(Ntt::new(16, 97).is_some());
}

proptest! {
    #[test]
    fn sums_of_products_are_exact(
        count in 0usize..40,
        len in 0usize..70,
        bits in 20u32..=50,
        seed in any::<u64>(),
        extreme in any::<bool>(),
    ) {
        let prime = primes(bits, 64).next().unwrap();
        let draw = |seed| {
            if extreme { vec![prime - 1; len] } else { residues(seed, prime, len) }
        };
        let factors: Vec<_> =
            (0..count as u64).map(|i| (draw(seed ^ i), draw(seed ^ i << 32 ^ 1))).collect();
        let products: Vec<_> = factors.iter().map(|(x, w)| (&x[..], &w[..])).collect();
        let start = draw(!seed);
        let expected: Vec<u64> = (0..len)
            .map(|at| {
                let add = |sum, (x, w): &(&[u64], &[u64])| (sum + multiply(prime, x[at], w[at])) % prime;
                products.iter().fold(start[at], add)
            })
            .collect();
        for ntt in each_kernel(64, prime) {
            let mut sums = start.clone();
            ntt.multiply_add(&mut sums, &products);
            prop_assert_eq!(&sums, &expected, "{:?}", ntt.kernel());
        }
    }

    #[test]
    fn scalars_are_exact(bits in 20u32..=50, x in any::<u128>(), a in any::<i64>(), b in any::<i64>()) {
        let prime = primes(bits, 8).next().unwrap();
        let modulus = Modulus::new(prime).unwrap();
        let wide = x % (u128::from(prime) << 63);
        prop_assert_eq!(u128::from(modulus.reduce(wide)), wide % u128::from(prime));
        let of = |a: i64| i128::from(a).rem_euclid(i128::from(prime));
        let (ra, rb) = (modulus.residue(a), modulus.residue(b));
        prop_assert_eq!(i128::from(ra), of(a));
        prop_assert_eq!(i128::from(modulus.add(ra, rb)), (of(a) + of(b)) % i128::from(prime));
        prop_assert_eq!(
            i128::from(modulus.sub(ra, rb)),
            (of(a) - of(b)).rem_euclid(i128::from(prime))
        );
        let centred = modulus.centred(ra);
        prop_assert!(2 * centred.unsigned_abs() < prime);
        prop_assert_eq!(modulus.residue(centred), ra);
        if ra != 0 {
            prop_assert_eq!(modulus.mul(ra, modulus.inverse(ra)), 1);
        }
    }
}
