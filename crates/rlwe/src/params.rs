use std::sync::Arc;

use subrosa_ring::ntt::{MODULUS_BITS, Modulus, Ntt};
use thiserror::Error;

use crate::scaling::Fraction;

/// log2 of the largest modulus at degree 2^10, 2^11, ...: 128 bits of security with ternary secrets (Homomorphic
/// Encryption Standard, 2018, table 1).
const LARGEST: [(usize, u32); 6] = [
    (1024, 27),
    (2048, 54),
    (4096, 109),
    (8192, 218),
    (16384, 438),
    (32768, 881),
];

/// Bits of the smallest and the largest prime.
const PRIME_BITS: std::ops::RangeInclusive<u32> = 20..=MODULUS_BITS;

/// Primes of the largest set.
const MOST_PRIMES: usize = 20;

/// A degree and the widths of primes, as people write them.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ParametersLiteral {
    /// N: the polynomials are taken modulo X^N + 1.
    pub degree: usize,
    /// For each prime its width b: it is the largest below 2^b that is 1 modulo 2N and not taken yet.
    pub prime_bits: Vec<u32>,
}

/// Why a literal gives no parameters.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ParametersFault {
    #[error("expected a degree that is a power of two from {least} to 32768, found {found}")]
    Degree { least: usize, found: usize },
    #[error("expected 1 to 20 primes, found {found}")]
    Primes { found: usize },
    #[error("expected primes of 20 to 50 bits, found {found}")]
    PrimeBits { found: u32 },
    #[error("too few primes of {bits} bits are 1 modulo twice the degree")]
    NoPrime { bits: u32 },
    #[error(
        "the modulus has more than {most} bits, the most that is secure at degree {degree}: 2^{found}"
    )]
    Insecure {
        degree: usize,
        most: u32,
        /// Bits of the modulus, rounded up.
        found: u32,
    },
}

/// A degree and primes, with what computing modulo them needs. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Parameters(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    degree: usize,
    primes: Vec<u64>,
    transforms: Vec<Ntt>,
    opening: Ntt,
    fraction: Fraction,
    log_q: f64,
}

impl ParametersLiteral {
    /// Parameters with 128 bits of security for ternary secrets.
    pub fn check(self) -> Result<Parameters, ParametersFault> {
        let degree = self.degree;
        let &(_, most) =
            LARGEST
                .iter()
                .find(|(known, _)| *known == degree)
                .ok_or(ParametersFault::Degree {
                    least: 1024,
                    found: degree,
                })?;
        let parameters = self.insecure_check()?;
        if parameters.log_q() > f64::from(most) {
            return Err(ParametersFault::Insecure {
                degree,
                most,
                found: parameters.log_q().ceil() as u32,
            });
        }
        Ok(parameters)
    }

    /// Parameters of whatever security, from degree 8 on.
    pub fn insecure_check(self) -> Result<Parameters, ParametersFault> {
        let degree = self.degree;
        if !degree.is_power_of_two() || !(8..=32768).contains(&degree) {
            return Err(ParametersFault::Degree {
                least: 8,
                found: degree,
            });
        }
        if !(1..=MOST_PRIMES).contains(&self.prime_bits.len()) {
            return Err(ParametersFault::Primes {
                found: self.prime_bits.len(),
            });
        }
        let mut primes = Vec::new();
        for &bits in &self.prime_bits {
            if !PRIME_BITS.contains(&bits) {
                return Err(ParametersFault::PrimeBits { found: bits });
            }
            let prime = largest_prime(bits, degree, &primes);
            primes.push(prime.ok_or(ParametersFault::NoPrime { bits })?);
        }
        let transform = |prime: u64| Ntt::new(degree, prime);
        let transforms: Option<Vec<Ntt>> = primes.iter().copied().map(transform).collect();
        let opening = largest_prime(MODULUS_BITS, degree, &[]).and_then(transform);
        let (Some(transforms), Some(opening)) = (transforms, opening) else {
            return Err(ParametersFault::NoPrime { bits: MODULUS_BITS });
        };
        let moduli: Vec<Modulus> = transforms.iter().map(|ntt| *ntt.modulus()).collect();
        Ok(Parameters(Arc::new(Inner {
            degree,
            log_q: primes.iter().map(|p| (*p as f64).log2()).sum(),
            primes,
            transforms,
            opening,
            fraction: Fraction::new(&moduli),
        })))
    }
}

/// The largest prime below 2^bits, and above half of it, that is 1 modulo 2 `degree` and not `taken`.
fn largest_prime(bits: u32, degree: usize, taken: &[u64]) -> Option<u64> {
    let step = 2 * degree as u64;
    (1..(1 << (bits - 1)) / step)
        .map(|i| (1 << bits) - i * step + 1)
        .find(|p| !taken.contains(p) && Modulus::new(*p).is_some())
}

impl Parameters {
    /// N.
    pub fn degree(&self) -> usize {
        self.0.degree
    }

    /// The primes whose product is q, in order.
    pub fn primes(&self) -> &[u64] {
        &self.0.primes
    }

    /// log2 q.
    pub fn log_q(&self) -> f64 {
        self.0.log_q
    }

    /// One transform for each prime.
    pub(crate) fn transforms(&self) -> &[Ntt] {
        &self.0.transforms
    }

    pub(crate) fn moduli(&self) -> impl Iterator<Item = &Modulus> {
        self.0.transforms.iter().map(Ntt::modulus)
    }

    /// The transform in which answers are opened.
    pub(crate) fn opening(&self) -> &Ntt {
        &self.0.opening
    }

    pub(crate) fn fraction(&self) -> &Fraction {
        &self.0.fraction
    }
}

impl PartialEq for Parameters {
    fn eq(&self, other: &Parameters) -> bool {
        self.degree() == other.degree() && self.primes() == other.primes()
    }
}

impl Eq for Parameters {}
