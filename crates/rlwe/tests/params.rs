//! What is weak or impossible is refused, and what is chosen is known.

use subrosa_rlwe::{Parameters, ParametersFault, ParametersLiteral};

fn literal(degree: usize, prime_bits: &[u32]) -> ParametersLiteral {
    let prime_bits = prime_bits.to_vec();
    ParametersLiteral { degree, prime_bits }
}

fn fault(result: Result<Parameters, ParametersFault>) -> Option<ParametersFault> {
    result.err()
}

#[test]
fn the_standards_sets_are_accepted_and_one_bit_more_is_not() {
    for (degree, within, beyond) in [
        (1024, vec![27], vec![28]),
        (2048, vec![27, 27], vec![27, 28]),
        (4096, vec![36, 36, 37], vec![36, 37, 37]),
        (8192, vec![50, 50, 50, 48, 20], vec![50, 50, 50, 49, 20]),
        (16384, vec![50; 8], vec![49; 9]),
        (32768, vec![50; 17], vec![50; 18]),
    ] {
        let p = literal(degree, &within).check().unwrap();
        assert_eq!((p.degree(), p.primes().len()), (degree, within.len()));
        for (prime, bits) in p.primes().iter().zip(&within) {
            assert_eq!((prime % (2 * degree as u64), prime >> (bits - 1)), (1, 1));
        }
        let bits: u32 = within.iter().sum();
        assert!(p.log_q() < f64::from(bits) && p.log_q() > f64::from(bits) - 0.1);
        let refused = fault(literal(degree, &beyond).check());
        let sum = beyond.iter().sum();
        assert!(
            matches!(refused, Some(ParametersFault::Insecure { found, .. }) if found == sum),
            "{degree} {refused:?}"
        );
        assert!(literal(degree, &beyond).insecure_check().is_ok());
    }
}

#[test]
fn what_cannot_be_is_refused() {
    for degree in [0, 1, 512, 1000, 3000, 65536, usize::MAX] {
        assert_eq!(
            fault(literal(degree, &[20]).check()),
            Some(ParametersFault::Degree {
                least: 1024,
                found: degree
            })
        );
    }
    for degree in [0, 4, 12, 65536, usize::MAX] {
        assert_eq!(
            fault(literal(degree, &[20]).insecure_check()),
            Some(ParametersFault::Degree {
                least: 8,
                found: degree
            })
        );
    }
    for bits in [0, 1, 19, 51, 64, u32::MAX] {
        assert_eq!(
            fault(literal(1024, &[bits]).check()),
            Some(ParametersFault::PrimeBits { found: bits })
        );
    }
    for count in [0, 21] {
        assert_eq!(
            fault(literal(1024, &vec![27; count]).check()),
            Some(ParametersFault::Primes { found: count })
        );
    }
    assert_eq!(
        fault(literal(32768, &[20; 20]).check()),
        Some(ParametersFault::NoPrime { bits: 20 })
    );
}

#[test]
fn the_primes_are_the_largest() {
    let p = literal(4096, &[40, 40]).check().unwrap();
    assert_eq!(p.primes(), [1_099_511_480_321, 1_099_511_390_209]);
    let p = literal(1024, &[27]).check().unwrap();
    assert_eq!(p.primes(), [134_215_681]);
}
