//! The smallest parameters for a layer.

use crate::{Parameters, ParametersFault, ParametersLiteral, noise};

/// Degrees that are tried, with log2 of the largest secure modulus.
const DEGREES: [(usize, u32); 3] = [(2048, 54), (4096, 109), (8192, 218)];

/// Outputs of which, all together, one fails with a chance of at most 2^-40.
const OUTPUTS: f64 = (1u64 << 24) as f64;

/// Two primes of the smallest width.
const NARROWEST: u32 = 40;

const WIDEST_PRIME: u32 = 50;

/// The smallest degree, and for it the smallest modulus of two or more primes of nearly equal width, with which every
/// output of a layer over Z/2^plain_bits with weights |w| < 2^weight_bits is off by at most one unit. `taps` is
/// [`l1_taps`](crate::Packing::l1_taps). For [`dropping`](crate::Layer::dropping) layers `plain_bits` are the bits that are kept.
///
/// # Errors
/// [`ParametersFault::Insecure`] where the modulus would be too large for degree 8192.
pub fn parameters_for(
    plain_bits: u32,
    weight_bits: u32,
    taps: usize,
) -> Result<ParametersLiteral, ParametersFault> {
    let largest = f64::from(weight_bits).exp2();
    let (l1, l2) = (taps as f64 * largest, (taps as f64).sqrt() * largest);
    let opens = |p: &Parameters| noise::opens(p, plain_bits, l1, l2, OUTPUTS);
    let opens = |degree, bits| literal(degree, bits).check().is_ok_and(|p| opens(&p));
    for (degree, most) in DEGREES {
        if !opens(degree, most) {
            continue;
        }
        let (mut least, mut enough) = (NARROWEST, most);
        while least < enough {
            let middle = least.midpoint(enough);
            if opens(degree, middle) {
                enough = middle;
            } else {
                least = middle + 1;
            }
        }
        return Ok(literal(degree, enough));
    }
    let [.., (degree, most)] = DEGREES;
    Err(ParametersFault::Insecure {
        degree,
        most,
        found: most + 1,
    })
}

/// As few primes as hold `bits` bits, the wider ones first.
fn literal(degree: usize, bits: u32) -> ParametersLiteral {
    let count = bits.div_ceil(WIDEST_PRIME).max(2);
    let width = |i| bits / count + u32::from(i < bits % count);
    ParametersLiteral {
        degree,
        prime_bits: (0..count).map(width).collect(),
    }
}
