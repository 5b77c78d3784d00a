use subrosa_core::{Bytes, Malformed, Prg, Wire};

use super::CollectiveKey;
use crate::answer::{add_residues, at_positions};
use crate::wire::{decode_residues, encode_residues, residues_size};
use crate::{Ciphertext, Eval, Parameters, Poly};

/// A ciphertext as it leaves its maker for a collective decryption: re-randomised at the full modulus, c1 whole, c0 at
/// the positions to be opened only.
#[derive(Clone)]
pub struct Contribution {
    parameters: Parameters,
    /// [primes, positions].
    pub(super) c0: Vec<u64>,
    pub(super) c1: Poly<Eval>,
}

/// What servers need for their decryption shares: c1.
#[derive(Clone)]
pub struct Request {
    parameters: Parameters,
    pub(super) c1: Poly<Eval>,
}

/// Shape of what has an element of Z_q for each opened position.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PositionsLayout {
    pub parameters: Parameters,
    pub positions: usize,
}

impl Ciphertext {
    /// Adds an encryption of zero under the collective key and keeps c0 at `positions`: what is left says nothing of
    /// the weights in it to all but one of the servers.
    ///
    /// # Panics
    /// Where a position is beyond the degree.
    pub fn contribute(
        mut self,
        p: &Parameters,
        key: &CollectiveKey,
        positions: &[usize],
        rng: &mut Prg,
    ) -> Contribution {
        self.add(p, &key.public().encrypt_zero(p, rng));
        self.insecure_contribute(p, positions)
    }

    /// [`Ciphertext::contribute`] without re-randomisation: c1 divided by that of the input gives the weights.
    pub fn insecure_contribute(self, p: &Parameters, positions: &[usize]) -> Contribution {
        Contribution {
            parameters: p.clone(),
            c0: at_positions(p, &self.c0.into_coeff(p), positions),
            c1: self.c1,
        }
    }
}

impl Contribution {
    /// `self` + `other`, of the same positions.
    ///
    /// # Panics
    /// Where their numbers of positions differ.
    pub fn add(&mut self, p: &Parameters, other: &Contribution) {
        assert_eq!(self.c0.len(), other.c0.len());
        add_residues(p, &mut self.c0, &other.c0);
        self.c1.add(p, &other.c1);
    }

    /// What the servers need to open this sum.
    pub fn request(&self) -> Request {
        Request {
            parameters: self.parameters.clone(),
            c1: self.c1.clone(),
        }
    }
}

/// c1, then c0.
impl Wire for Contribution {
    type Layout = PositionsLayout;
    fn size(layout: &PositionsLayout) -> Bytes {
        Request::size(&layout.parameters) + residues_size(&layout.parameters, layout.positions)
    }
    fn encode(&self, out: &mut Vec<u8>) {
        encode_residues(&self.parameters, self.c1.limbs(), out);
        encode_residues(&self.parameters, &self.c0, out);
    }
    fn decode(layout: &PositionsLayout, bytes: &[u8]) -> Result<Self, Malformed> {
        let p = &layout.parameters;
        let at = Request::size(p).0 as usize;
        let length = Malformed::Length {
            expected: Self::size(layout).0,
            found: bytes.len() as u64,
        };
        let (c1, c0) = bytes.split_at_checked(at).ok_or(length)?;
        Ok(Contribution {
            parameters: p.clone(),
            c1: Request::decode(p, c1)?.c1,
            c0: decode_residues(p, layout.positions, c0)?,
        })
    }
}

impl Wire for Request {
    type Layout = Parameters;
    fn size(p: &Parameters) -> Bytes {
        residues_size(p, p.degree())
    }
    fn encode(&self, out: &mut Vec<u8>) {
        encode_residues(&self.parameters, self.c1.limbs(), out);
    }
    fn decode(p: &Parameters, bytes: &[u8]) -> Result<Self, Malformed> {
        Ok(Request {
            parameters: p.clone(),
            c1: Poly::from_limbs(decode_residues(p, p.degree(), bytes)?),
        })
    }
}
