use subrosa_core::{Bytes, Malformed, Prg, Wire};
use subrosa_ring::mask;
use zeroize::Zeroizing;

use super::{Contribution, PositionsLayout, Request};
use crate::answer::{add_residues, at_positions};
use crate::noise::{FAILURE_BITS, Noise};
use crate::sampling::{uniform_residues, wide_residues};
use crate::wire::{decode_residues, encode_residues, residues_size};
use crate::{Parameters, SecretKey};

/// c1 s_i at the opened positions, masked ([`SecretKey::mask`]) or smudged ([`SecretKey::smudge`]).
#[derive(Clone)]
pub struct DecryptionShare {
    parameters: Parameters,
    /// [primes, positions].
    h: Vec<u64>,
}

/// The width of what hides noise in a share: uniform in -2^(bits - 1)..2^(bits - 1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Smudging {
    bits: u32,
}

impl Smudging {
    /// Log2 of the statistical distance, negated, over all opened coefficients.
    pub const SECURITY_BITS: f64 = 40.0;

    /// 2^(40 + log2 C) times the bound of `noise`, for C `coefficients` opened under one key: a shift by the noise moves
    /// all of them together by a statistical distance of 2^-40.
    pub fn of(noise: Noise, coefficients: f64) -> Smudging {
        let log = coefficients.max(1.0).log2();
        let bound = noise.bound(FAILURE_BITS + log).max(1.0);
        Smudging {
            bits: (Self::SECURITY_BITS + log + bound.log2()).ceil() as u32,
        }
    }

    pub fn bits(&self) -> u32 {
        self.bits
    }

    /// Whether, with shares of `servers` servers, a sum with `noise` still decrypts exactly.
    pub fn decrypts(
        &self,
        p: &Parameters,
        plain_bits: u32,
        servers: usize,
        noise: Noise,
        coefficients: f64,
    ) -> bool {
        let largest = (f64::from(self.bits) - 1.0).exp2();
        let smudged = noise.with_terms(servers, largest);
        crate::noise::decrypts(p, plain_bits, smudged, coefficients)
    }
}

impl SecretKey {
    /// c1 s_i + rho with rho uniform in Z_q at each position, so a uniform value, and this server's share of the message,
    /// -round(2^t rho / q) mod 2^t, t = `plain_bits`. [MTBH20] Enc2Share, with the mask uniform below the plaintext too.
    ///
    /// # Panics
    /// Where `plain_bits` is not in 1..=64 or a position is beyond the degree.
    pub fn mask(
        &self,
        p: &Parameters,
        plain_bits: u32,
        request: &Request,
        positions: &[usize],
        rng: &mut Prg,
    ) -> (DecryptionShare, Vec<u64>) {
        let (rho, share) = draw_mask(p, plain_bits, positions.len(), rng);
        (self.hidden(p, request, positions, &rho), share)
    }

    /// c1 s_i + e with e uniform in the range of `smudging`: a share of a message that its receiver may read.
    ///
    /// # Panics
    /// Where a position is beyond the degree.
    pub fn smudge(
        &self,
        p: &Parameters,
        request: &Request,
        positions: &[usize],
        smudging: Smudging,
        rng: &mut Prg,
    ) -> DecryptionShare {
        let e = wide_residues(p, rng, smudging.bits, positions.len());
        self.hidden(p, request, positions, &e)
    }

    /// c1 s_i alone: the receiver solves for s_i, and reads the noise.
    pub fn insecure_share(
        &self,
        p: &Parameters,
        request: &Request,
        positions: &[usize],
    ) -> DecryptionShare {
        let nothing = vec![0; p.primes().len() * positions.len()];
        self.hidden(p, request, positions, &nothing)
    }

    fn hidden(
        &self,
        p: &Parameters,
        request: &Request,
        positions: &[usize],
        by: &[u64],
    ) -> DecryptionShare {
        let mut bare = Zeroizing::new(at_positions(p, &self.times(p, &request.c1), positions));
        add_residues(p, &mut bare, by);
        DecryptionShare {
            parameters: p.clone(),
            h: std::mem::take(&mut *bare),
        }
    }

    /// c0 + c1 s, of which this server adds its own part and the others sent theirs, rounded to Z/2^plain_bits at
    /// `positions`.
    ///
    /// Of smudged shares this is the message. Of masked ones it is this server's share: with those of k others it
    /// is the message, off by at most (k + 1) / 2 rounded down, where the noise is below its bound
    /// ([`crate::noise::decrypts`]): every share rounds once.
    ///
    /// # Panics
    /// Where `plain_bits` is not in 1..=64, the sum or a share has another number of positions, or a position is beyond
    /// the degree.
    pub fn combine(
        &self,
        p: &Parameters,
        plain_bits: u32,
        sum: &Contribution,
        positions: &[usize],
        shares: &[DecryptionShare],
    ) -> Vec<u64> {
        assert!((1..=64).contains(&plain_bits));
        let wide = self.combine_unrounded(p, plain_bits, sum, positions, shares);
        wide.into_iter().map(|x| x as u64).collect()
    }

    /// [`SecretKey::combine`] in Z/2^bits for bits up to 72: what lies below the plaintext too.
    ///
    /// # Panics
    /// As [`SecretKey::combine`].
    pub fn combine_unrounded(
        &self,
        p: &Parameters,
        bits: u32,
        sum: &Contribution,
        positions: &[usize],
        shares: &[DecryptionShare],
    ) -> Vec<u128> {
        let own = self.times(p, &sum.c1);
        let mut phase = Zeroizing::new(at_positions(p, &own, positions));
        for term in std::iter::once(&sum.c0).chain(shares.iter().map(|share| &share.h)) {
            assert_eq!(term.len(), phase.len(), "all are of the same positions");
            add_residues(p, &mut phase, term);
        }
        p.fraction().round(bits, positions.len(), &phase)
    }
}

/// rho uniform in Z_q, [primes, count], and -round(2^t rho / q) mod 2^t, t = `plain_bits`.
pub(super) fn draw_mask(
    p: &Parameters,
    plain_bits: u32,
    count: usize,
    rng: &mut Prg,
) -> (Zeroizing<Vec<u64>>, Vec<u64>) {
    assert!((1..=64).contains(&plain_bits));
    let rho = Zeroizing::new(uniform_residues(p, rng, count));
    let rounded = Zeroizing::new(p.fraction().round(plain_bits, count, &rho));
    let share = |x: &u128| (*x as u64).wrapping_neg() & mask(plain_bits);
    let share = rounded.iter().map(share).collect();
    (rho, share)
}

impl Wire for DecryptionShare {
    type Layout = PositionsLayout;
    fn size(layout: &PositionsLayout) -> Bytes {
        residues_size(&layout.parameters, layout.positions)
    }
    fn encode(&self, out: &mut Vec<u8>) {
        encode_residues(&self.parameters, &self.h, out);
    }
    fn decode(layout: &PositionsLayout, bytes: &[u8]) -> Result<Self, Malformed> {
        Ok(DecryptionShare {
            parameters: layout.parameters.clone(),
            h: decode_residues(&layout.parameters, layout.positions, bytes)?,
        })
    }
}
