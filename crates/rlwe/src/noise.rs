//! Derived bounds on noise.
//!
//! A variable X is sub-Gaussian with variance proxy v where E exp(tX) <= exp(t^2 v / 2) for every t. Proxies of
//! independent variables add, c X has c^2 v, and P(|X| > B) <= 2 exp(-B^2 / 2v) (Chernoff). The variables here are
//! strictly so, their proxy is their variance:
//!
//! - an error coefficient is 42 halves of fair signs: v = 42 / 4 = 21/2, and |X| <= 21;
//! - a ternary coefficient: 1/3 + 2/3 cosh t <= exp(t^2 / 3), term by term; v = 2/3;
//! - a rounding error uniform in [-1/2, 1/2]: v = 1/12.
//!
//! Then, coefficient by coefficient, with s the secret, e the error of the public key and h the number of coefficients
//! of s that are not zero:
//!
//! 1. Fresh: the error, and at most 1/2 for the rounding of q m / 2^t.
//! 2. A sum of products x_i w_i, of the x_i independent: the error of one coefficient is sum_j e_j w_j over all the
//!    weights, each once, so v = 21/2 sum w^2; the rounding adds at most 1/2 sum |w|. What q m / 2^t times w is beyond
//!    2^t is a multiple of q.
//! 3. Re-randomised: adds u e + e0 + e1 s, so v grows by 2/3 |e|^2 + 21/2 + 21/2 h. Bernstein's inequality with
//!    e_j^2 <= 441, Var(e_j^2) = 2 (21/2)^2 - 21/4 = 215.25, and Hoeffding's give |e|^2 and h but for one key in 2^63:
//!    |e|^2 <= 21/2 N + sqrt(430.5 N L) + 294 L and h <= 2/3 N + sqrt(N L / 2), L = 64 ln 2.
//! 4. Switched from q to 2^b: everything times 2^b / q; the rounding of c0 adds at most 1/2, that of c1 adds v = h / 12,
//!    for a c1 that is pseudorandom, as a re-randomised one is.
//! 5. Under the key of n servers, e and s are sums of n independent ones, with coefficients of proxies v = 21/2 n and
//!    2/3 n. The sum of squares of N independent variables of proxy v is above v (N + 2 sqrt(N L) + 2 L) with a
//!    chance of at most exp(-L) (Hsu, Kakade, Zhang, 2012, theorem 2.1), which replaces the bounds of step 3.
//! 6. The coefficients of u e + e0 + e1 s are dependent. A weighted sum of dependent variables of proxy v has the proxy
//!    v (sum |w|)^2 (Hoelder), whatever the weights: so shares of weights, of up to half of the plaintext's range, are
//!    allowed for by their number alone.
//!
//! An answer's words have 8 bits below the plaintext. Where the noise there is below 2^8, rounding what is masked and
//! the mask apart gives the message up to one unit: round(R + d) - round(R) is in {-1, 0, 1} for |d| < 1.

use crate::Parameters;
use crate::answer::{GUARD_BITS, answer_bits};
use crate::sampling::COINS;

/// -log2 of the chance that some coefficient of a message fails, at most.
pub const FAILURE_BITS: f64 = 40.0;

/// -log2 of the chance that |e|^2 or h of a key is larger than step 3 says, each.
const KEY_BITS: f64 = 64.0;

const ERROR_VARIANCE: f64 = COINS as f64 / 2.0;

/// The noise of one coefficient: a part of at most `shift`, and a sub-Gaussian part.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Noise {
    shift: f64,
    /// Variance proxy of the sub-Gaussian part.
    variance: f64,
    /// What all of it together never exceeds.
    worst: f64,
}

impl Noise {
    /// Of a fresh ciphertext under the secret key.
    pub fn fresh() -> Noise {
        Noise::of_products(1.0, 1.0)
    }

    /// Of a sum of products of fresh ciphertexts with weights: `l1` = sum |w|, `l2` = sqrt(sum w^2) over all weights that
    /// meet in a coefficient. Where only `l1` is known, `l2` = `l1` is safe.
    pub fn of_products(l1: f64, l2: f64) -> Noise {
        Noise {
            shift: l1 / 2.0,
            variance: ERROR_VARIANCE * l2 * l2,
            worst: (f64::from(COINS) + 0.5) * l1,
        }
    }

    /// After the addition of an encryption of zero under the public key.
    pub fn rerandomised(self, p: &Parameters) -> Noise {
        self.rerandomised_by(p, 1)
    }

    /// After the addition of an encryption of zero under the collective key of `servers` servers.
    pub fn rerandomised_by(self, p: &Parameters, servers: usize) -> Noise {
        self.plus(zero_of(p, servers))
    }

    /// Of an encryption under the collective key of `servers` servers.
    pub fn collective(p: &Parameters, servers: usize) -> Noise {
        let mut noise = zero_of(p, servers);
        noise.shift += 0.5;
        noise.worst += 0.5;
        noise
    }

    /// Of contributions to a collective decryption, summed: each of `servers` servers encrypts its part of the input,
    /// multiplies the sum by weights of its own with sum |w| <= `l1`, subtracts a mask and re-randomises (step 6).
    pub fn of_contributions(p: &Parameters, servers: usize, l1: f64) -> Noise {
        let count = servers as f64;
        let inputs = Noise::collective(p, servers).repeated(count);
        let masks = Noise::collective(p, servers).repeated(count);
        inputs.times(count * l1).plus(masks)
    }

    /// After a switch to a user's key by `servers` servers, but for what hides it.
    pub fn switched_to_user(self, p: &Parameters, servers: usize) -> Noise {
        self.plus(zero_of(p, 1).repeated(servers as f64))
    }

    /// Of a sum with what is independent of it.
    pub fn plus(self, other: Noise) -> Noise {
        Noise {
            shift: self.shift + other.shift,
            variance: self.variance + other.variance,
            worst: self.worst + other.worst,
        }
    }

    /// Of a sum of `count` independent ones.
    fn repeated(self, count: f64) -> Noise {
        Noise {
            shift: self.shift * count,
            variance: self.variance * count,
            worst: self.worst * count,
        }
    }

    /// Of a product with any weights of sum |w| <= `l1`, whether coefficients are independent or not.
    pub fn times(self, l1: f64) -> Noise {
        Noise {
            shift: self.shift * l1,
            variance: self.variance * l1 * l1,
            worst: self.worst * l1,
        }
    }

    /// With `count` terms of at most `largest` each.
    pub(crate) fn with_terms(self, count: usize, largest: f64) -> Noise {
        Noise {
            shift: self.shift + count as f64 * largest,
            worst: self.worst + count as f64 * largest,
            ..self
        }
    }

    /// After the switch to 2^bits, in units of the last place.
    pub fn switched(self, p: &Parameters, bits: u32) -> Noise {
        let factor = (f64::from(bits) - p.log_q()).exp2();
        let h = secret_weight(p.degree() as f64);
        Noise {
            shift: self.shift * factor + 0.5,
            variance: self.variance * factor * factor + h / 12.0,
            worst: self.worst * factor + (p.degree() as f64 + 1.0) / 2.0,
        }
    }

    /// What a coefficient's noise exceeds with a chance of less than 2^-`failure_bits`.
    pub fn bound(&self, failure_bits: f64) -> f64 {
        let tail = (2.0 * self.variance * (failure_bits + 1.0) * std::f64::consts::LN_2).sqrt();
        self.worst.min(self.shift + tail)
    }

    /// The deviation of the sub-Gaussian part, at most.
    pub fn deviation(&self) -> f64 {
        self.variance.sqrt()
    }
}

/// Steps 3 and 5: of an encryption of zero under the key of so many.
fn zero_of(p: &Parameters, servers: usize) -> Noise {
    let (n, count) = (p.degree() as f64, servers as f64);
    let (errors, secrets) = match servers {
        1 => (error_norm(n), secret_weight(n)),
        _ => (
            square_norm(n, count * ERROR_VARIANCE),
            square_norm(n, count * 2.0 / 3.0),
        ),
    };
    Noise {
        shift: 0.0,
        variance: 2.0 / 3.0 * errors + ERROR_VARIANCE * (1.0 + secrets),
        worst: f64::from(COINS) * (2.0 * count * n + 1.0),
    }
}

/// Step 3: sum of e_j^2.
fn error_norm(n: f64) -> f64 {
    let l = KEY_BITS * std::f64::consts::LN_2;
    let most = f64::from(COINS * COINS) * n;
    most.min(ERROR_VARIANCE * n + (430.5 * n * l).sqrt() + 294.0 * l)
}

/// Step 3: coefficients of the secret that are not zero.
fn secret_weight(n: f64) -> f64 {
    let l = KEY_BITS * std::f64::consts::LN_2;
    n.min(2.0 / 3.0 * n + (n * l / 2.0).sqrt())
}

/// Step 5: sum of the squares of `n` variables of this proxy.
fn square_norm(n: f64, proxy: f64) -> f64 {
    let l = KEY_BITS * std::f64::consts::LN_2;
    proxy * (n + 2.0 * (n * l).sqrt() + 2.0 * l)
}

/// The noise of an answer to a sum of products, in units of 2^-8 of the plaintext.
pub fn of_answer(p: &Parameters, plain_bits: u32, l1: f64, l2: f64) -> Noise {
    Noise::of_products(l1, l2)
        .rerandomised(p)
        .switched(p, answer_bits(plain_bits))
}

/// Whether, but for a chance of 2^-40 over `coefficients` opened ones, every opened value with its share is the message
/// up to one unit.
pub fn opens(p: &Parameters, plain_bits: u32, l1: f64, l2: f64, coefficients: f64) -> bool {
    let failure_bits = FAILURE_BITS + coefficients.max(1.0).log2();
    of_answer(p, plain_bits, l1, l2).bound(failure_bits) < f64::from(1 << GUARD_BITS)
}

/// Whether the errors of opened values say nothing of the weights. Opened and share differ from the message by
/// e = round(R + d) - round(R), R uniform, d the noise in units of 2^-8. The part of d that weights make, the client's own
/// errors times the weights, changes e with a chance of at most its size over 2^8: here 2^-40 for each coefficient, but for
/// a chance of 2^-40 that the part is larger than its bound. What is left of e comes from the switch alone.
pub fn hides(p: &Parameters, plain_bits: u32, l1: f64, l2: f64, coefficients: f64) -> bool {
    let failure_bits = FAILURE_BITS + coefficients.max(1.0).log2();
    let part = Noise::of_products(l1, l2).bound(failure_bits).log2();
    part + f64::from(answer_bits(plain_bits)) - p.log_q() <= f64::from(GUARD_BITS) - FAILURE_BITS
}

/// Whether [`crate::SecretKey::decrypt`] gives the messages of `coefficients` coefficients, but for a chance of 2^-40.
pub fn decrypts(p: &Parameters, plain_bits: u32, noise: Noise, coefficients: f64) -> bool {
    let failure_bits = FAILURE_BITS + coefficients.max(1.0).log2();
    // The message's own rounding of q m / 2^t is part of the noise.
    noise.bound(failure_bits).log2() < p.log_q() - f64::from(plain_bits) - 1.0
}
