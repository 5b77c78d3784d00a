//! Floor 3: ring-LWE encryption over `Z_q[X] / (X^N + 1)`, q a product of primes below 2^50.
//!
//! Plaintexts are polynomials over Z/2^t, scaled by q / 2^t and rounded coefficient by coefficient (BFV with a power of
//! two for plaintext modulus; Brakerski, eprint 2012/078; Fan, Vercauteren, eprint 2012/144).
//!
//! | module | content |
//! |---|---|
//! | [`Parameters`] | degree and primes, checked for 128-bit security |
//! | [`Poly`] | polynomials by residues; coefficients and values are two types |
//! | [`SecretKey`], [`PublicKey`] | ternary secrets, encryption of plaintexts and of zero |
//! | [`Ciphertext`] | sums of products with plain polynomials |
//! | [`Switched`], [`Hiding`] | answers that carry nothing of the weights: re-randomised, masked, modulus switched |
//! | [`collective`] | keys of several servers, of which nobody holds the secret |
//! | [`noise`] | derived bounds |
//!
//! Values of a ciphertext under a secret key travel with the seed of their uniform half. A decoded value is valid: every
//! residue is below its prime. Nothing here branches or indexes on a secret.
//!
//! ```
//! use subrosa_core::{Prg, Seed};
//! use subrosa_rlwe::{Ciphertext, Hiding, ParametersLiteral, SecretKey};
//!
//! let p = ParametersLiteral { degree: 4096, prime_bits: vec![40, 40] }.check()?;
//! let mut rng = Prg::new(&Seed::insecure_seeded(1));
//! // The client: a key pair and a query.
//! let key = SecretKey::random(&p, &mut rng);
//! let public = key.public_key(&p, &mut rng);
//! let query = key.encrypt(&p, p.scale(40, &[3, 5]), &mut rng);
//! // The owner: (3 + 5 X) (7 - 2 X), and its share of the coefficient of X.
//! let mut sum = Ciphertext::zero(&p);
//! sum.multiply_add(&p, &query.expand(&p), &p.lift(&[7, -2]).into_eval(&p));
//! let (answer, share) = sum.answer(&p, &public, 40, &[1], Hiding::full(), &mut rng);
//! // The client's share; together they are 29, up to one unit.
//! let opened = key.open(&p, 40, &answer, &[1]);
//! let message = (opened[0] + share[0]) % (1 << 40);
//! assert!((28..=30).contains(&message));
//! # Ok::<(), subrosa_rlwe::ParametersFault>(())
//! ```

mod answer;
mod ciphertext;
pub mod collective;
mod key;
pub mod noise;
mod packing;
mod params;
mod poly;
mod public;
mod sampling;
mod scaling;
mod wire;

pub use answer::{GUARD_BITS, Hiding, Switched, SwitchedLayout, answer_bits};
pub use ciphertext::{Ciphertext, Fresh};
pub use collective::{
    CollectiveKey, Contribution, DecryptionShare, KeyShare, MOST_SERVERS, PositionsLayout, Request,
    ServersFault, Smudging, SwitchShare,
};
pub use key::SecretKey;
pub use packing::{
    Answer, CollectiveQuery, CollectiveQueryLayout, Costs, Layer, Packing, Product, Query, Release,
    collective_parameters_for, parameters_for, parameters_for_all,
};
pub use params::{Parameters, ParametersFault, ParametersLiteral};
pub use poly::{Coeff, Eval, Poly};
pub use public::PublicKey;
