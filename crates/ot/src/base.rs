//! Base OTs on ristretto255: Naor and Pinkas, "Efficient oblivious transfer protocols", SODA 2001, with random oracles.
//!
//! With `C` a point of which nobody knows the logarithm (a hash of the session's nonce), the chooser picks `a` and
//! sends `PK0 = aG` or `C - aG`; the other side sends `rG`, and its keys are hashes of `r PK0` and `r (C - PK0)`.
//! The chooser's message is a uniform point whatever it chose. Who knows both logarithms knows that of `C`, and both
//! keys of one OT need `rC` from `C` and `rG`: the Diffie-Hellman assumption, with the hash as a random oracle.
//! The two messages do not depend on each other and cross in one exchange. Keys are bound to nonce, OT and choice.

use crate::message::{Point, Points};
use curve25519_dalek::{RistrettoPoint, Scalar};
use subrosa_core::{Bytes, Nonce, PartyId, Prg, Rounds, Seed};
use subrosa_net::{Cost, RunError, Session, Turns};
use zeroize::Zeroize;

/// Base OTs of a direction.
pub(crate) const COUNT: usize = 128;

/// Chooses: of pair `i` the key at bit `i` of `choices`.
pub(crate) fn choose(
    choices: u128,
    peer: PartyId,
    turns: &mut Turns,
    s: &mut Session,
) -> Result<Vec<Seed>, RunError> {
    let nonce = s.fresh(peer)?;
    let mut prg = Prg::new(&s.seed());
    let unknown = unknown_logarithm(&nonce);
    let mut secrets = Vec::with_capacity(COUNT);
    let mut keys = Vec::with_capacity(COUNT);
    for i in 0..COUNT {
        let choice = Scalar::from((choices >> i & 1) as u8);
        let a = scalar(&mut prg);
        // aG for choice 0, C - aG for choice 1, by the same arithmetic.
        let signed = a * (Scalar::ONE - choice - choice);
        keys.push(RistrettoPoint::mul_base(&signed) + unknown * choice);
        secrets.push(a);
    }
    let out = vec![(peer, Points(keys))];
    let answer: Vec<Point> = s.exchange(turns.step(), out, &[(peer, ())])?;
    let mut shared = Vec::with_capacity(COUNT);
    for point in &answer {
        for (i, a) in secrets.iter().enumerate() {
            shared.push(key(&nonce, i, (choices >> i & 1) as u8, point.0 * a));
        }
    }
    secrets.zeroize();
    Ok(shared)
}

/// Gives: both keys of each pair.
pub(crate) fn give(
    peer: PartyId,
    turns: &mut Turns,
    s: &mut Session,
) -> Result<Vec<[Seed; 2]>, RunError> {
    let nonce = s.fresh(peer)?;
    let mut r = scalar(&mut Prg::new(&s.seed()));
    let unknown = unknown_logarithm(&nonce) * r;
    let out = vec![(peer, Point(RistrettoPoint::mul_base(&r)))];
    let chosen: Vec<Points> = s.exchange(turns.step(), out, &[(peer, COUNT)])?;
    let points = chosen.iter().flat_map(|points| &points.0);
    let pairs = points.enumerate().map(|(i, point)| {
        let first = point * r;
        [key(&nonce, i, 0, first), key(&nonce, i, 1, unknown - first)]
    });
    let pairs = pairs.collect();
    r.zeroize();
    Ok(pairs)
}

/// What [`choose`] costs; [`give`] costs [`give_cost`].
pub(crate) fn choose_cost() -> Cost {
    Cost {
        bytes: Bytes(32 * COUNT as u64),
        rounds: Rounds(1),
    }
}

pub(crate) fn give_cost() -> Cost {
    Cost {
        bytes: Bytes(32),
        rounds: Rounds(1),
    }
}

fn unknown_logarithm(nonce: &Nonce) -> RistrettoPoint {
    let mut uniform = [0; 64];
    let mut hasher = blake3::Hasher::new_derive_key("subrosa 2026 base ot point");
    hasher.update(nonce);
    hasher.finalize_xof().fill(&mut uniform);
    RistrettoPoint::from_uniform_bytes(&uniform)
}

fn scalar(prg: &mut Prg) -> Scalar {
    let mut wide = [0; 64];
    prg.fill(&mut wide);
    let scalar = Scalar::from_bytes_mod_order_wide(&wide);
    wide.zeroize();
    scalar
}

fn key(nonce: &Nonce, at: usize, choice: u8, mut shared: RistrettoPoint) -> Seed {
    let mut hasher = blake3::Hasher::new_derive_key("subrosa 2026 base ot key");
    hasher.update(nonce);
    hasher.update(&(at as u64).to_le_bytes());
    hasher.update(&[choice]);
    hasher.update(shared.compress().as_bytes());
    shared.zeroize();
    Seed::from_bytes(*hasher.finalize().as_bytes())
}
