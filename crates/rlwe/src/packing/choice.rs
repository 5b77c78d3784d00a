//! The smallest parameters for layers.

use super::{Layer, Product};
use crate::noise::Noise;
use crate::{MOST_SERVERS, Parameters, ParametersFault, ParametersLiteral, Smudging, noise};

/// Degrees that are tried, with log2 of the largest secure modulus.
const DEGREES: [(usize, u32); 3] = [(2048, 54), (4096, 109), (8192, 218)];

/// Outputs of which, all together, one fails with a chance of at most 2^-40.
const OUTPUTS: f64 = (1u64 << 24) as f64;

/// Two primes of the smallest width.
const NARROWEST: u32 = 40;

const WIDEST_PRIME: u32 = 50;

/// The smallest degree, and for it the smallest modulus of two or more primes of nearly equal width, with which every
/// output of a layer over Z/2^plain_bits with weights |w| < 2^weight_bits is off by at most one unit, and by how much
/// says nothing of the weights ([`noise::hides`]). `taps` is
/// [`l1_taps`](crate::Packing::l1_taps). For [`dropping`](Layer::dropping) layers `plain_bits` are the bits that
/// are kept.
///
/// # Errors
/// [`ParametersFault::Insecure`] where the modulus would be too large for degree 8192.
pub fn parameters_for(
    plain_bits: u32,
    weight_bits: u32,
    taps: usize,
) -> Result<ParametersLiteral, ParametersFault> {
    smallest(|p| opens(p, plain_bits, weight_bits, taps as f64, taps as f64))
}

/// [`parameters_for`] the layers of a network, each (product, plain_bits, dropped) as in [`Layer::dropping`]: every
/// output of every layer is off by at most one unit, with each product packed as these parameters have it.
///
/// # Errors
/// As [`parameters_for`].
///
/// # Panics
/// As [`Layer::dropping`].
pub fn parameters_for_all(
    layers: &[(Product, u32, u32)],
    weight_bits: u32,
) -> Result<ParametersLiteral, ParametersFault> {
    smallest(|p| {
        layers.iter().all(|(product, plain_bits, dropped)| {
            let layer = Layer::dropping(product, p, *plain_bits, *dropped);
            let packing = layer.packing();
            let (depth, taps) = (packing.depth() as f64, packing.l1_taps() as f64);
            opens(p, plain_bits - dropped, weight_bits, depth, taps)
        })
    })
}

/// How what is under a collective key is opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Release {
    /// As shares, with [`SecretKey::mask`](crate::SecretKey::mask).
    Masked,
    /// As a message, with [`SecretKey::smudge`](crate::SecretKey::smudge), of so many coefficients under one key.
    Smudged { coefficients: u64 },
}

impl Release {
    /// What hides the noise of a layer's contributions; `None` where masks do.
    pub fn smudging(&self, p: &Parameters, plain_bits: u32, taps: usize) -> Option<Smudging> {
        match *self {
            Release::Masked => None,
            Release::Smudged { coefficients } => Some(Smudging::of(
                of_shares(p, plain_bits, taps),
                coefficients as f64,
            )),
        }
    }
}

/// The smallest parameters, as [`parameters_for`] has them, for layers over Z/2^plain_bits whose input and weights are
/// shared among up to 9 servers: each server encrypts a share of the input and contributes the product with its
/// share of the weights, uniform in Z/2^plain_bits; for an opening at a server or at a user.
///
/// # Errors
/// As [`parameters_for`].
pub fn collective_parameters_for(
    plain_bits: u32,
    taps: usize,
    release: Release,
) -> Result<ParametersLiteral, ParametersFault> {
    smallest(|p| {
        let noise = of_shares(p, plain_bits, taps);
        match release.smudging(p, plain_bits, taps) {
            None => noise::decrypts(p, plain_bits, noise, OUTPUTS),
            Some(smudging) => smudging.decrypts(p, plain_bits, MOST_SERVERS, noise, OUTPUTS),
        }
    })
}

fn of_shares(p: &Parameters, plain_bits: u32, taps: usize) -> Noise {
    let largest = (f64::from(plain_bits) - 1.0).exp2();
    let sum = Noise::of_contributions(p, MOST_SERVERS, taps as f64 * largest);
    sum.switched_to_user(p, MOST_SERVERS)
}

/// Of the weights that meet in an opened coefficient `taps` multiply errors, but only `depth` multiply inputs, and with
/// them what scaling rounds off. So `depth` gives the sum of weights, where the largest noise of so many weights
/// is above what the noise of `taps` weights exceeds with a chance of 2^-64. From 2 sqrt(taps) weights on it is.
fn opens(p: &Parameters, bits: u32, weight_bits: u32, depth: f64, taps: f64) -> bool {
    let largest = f64::from(weight_bits).exp2();
    let l1 = depth.max(2.0 * taps.sqrt()).min(taps);
    let (l1, l2) = (l1 * largest, taps.sqrt() * largest);
    noise::opens(p, bits, l1, l2, OUTPUTS) && noise::hides(p, bits, l1, l2, OUTPUTS)
}

fn smallest(holds: impl Fn(&Parameters) -> bool) -> Result<ParametersLiteral, ParametersFault> {
    let holds = |degree, bits| literal(degree, bits).check().is_ok_and(|p| holds(&p));
    for (degree, most) in DEGREES {
        if !holds(degree, most) {
            continue;
        }
        let (mut least, mut enough) = (NARROWEST, most);
        while least < enough {
            let middle = least.midpoint(enough);
            if holds(degree, middle) {
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
