use subrosa_core::{Bytes, Malformed, Prg, Wire};
use thiserror::Error;

use crate::wire::{decode_residues, encode_residues, residues_size};
use crate::{Ciphertext, Coeff, Eval, Parameters, Poly, PublicKey, SecretKey};

/// Servers that parameters allow for.
pub const MOST_SERVERS: usize = 9;

/// A number of servers that no collective key has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("expected 2 to 9 servers, found {found}")]
pub struct ServersFault {
    pub found: usize,
}

/// -p1 s_i + e_i: what a server publishes of its secret.
#[derive(Clone)]
pub struct KeyShare {
    parameters: Parameters,
    p0: Poly<Eval>,
}

impl SecretKey {
    /// This server's share of the key whose p1 comes from the seed that all agreed on. [MTBH20] EncKeyGen. Once for each
    /// seed: of two shares with the same p1 the difference is one of errors, and the mean of many is -p1 s_i.
    pub fn key_share(&self, p: &Parameters, common: &[u8; 32], rng: &mut Prg) -> KeyShare {
        KeyShare {
            parameters: p.clone(),
            p0: self.sample_at(p, p.lift(&[]), common, rng),
        }
    }
}

/// The public key of all servers together: only all of them decrypt.
#[derive(Clone)]
pub struct CollectiveKey(PublicKey);

impl CollectiveKey {
    /// The sum of the shares of all servers, made with the same seed. [MTBH20] EncKeyGen.
    ///
    /// # Errors
    /// Where there are not 2 to 9.
    pub fn new(
        p: &Parameters,
        common: [u8; 32],
        shares: &[KeyShare],
    ) -> Result<CollectiveKey, ServersFault> {
        let found = shares.len();
        if !(2..=MOST_SERVERS).contains(&found) {
            return Err(ServersFault { found });
        }
        let mut p0 = p.zero_eval();
        for share in shares {
            p0.add(p, &share.p0);
        }
        Ok(CollectiveKey(PublicKey::new(p, p0, common)))
    }

    pub fn public(&self) -> &PublicKey {
        &self.0
    }

    /// An encryption of m as [`Parameters::scale`] scales it.
    pub fn encrypt(&self, p: &Parameters, scaled: Poly<Coeff>, rng: &mut Prg) -> Ciphertext {
        self.0.encrypt(p, scaled, rng)
    }
}

impl Wire for KeyShare {
    type Layout = Parameters;
    fn size(p: &Parameters) -> Bytes {
        residues_size(p, p.degree())
    }
    fn encode(&self, out: &mut Vec<u8>) {
        encode_residues(&self.parameters, self.p0.limbs(), out);
    }
    fn decode(p: &Parameters, bytes: &[u8]) -> Result<Self, Malformed> {
        Ok(KeyShare {
            parameters: p.clone(),
            p0: Poly::from_limbs(decode_residues(p, p.degree(), bytes)?),
        })
    }
}

impl Wire for CollectiveKey {
    type Layout = Parameters;
    fn size(p: &Parameters) -> Bytes {
        PublicKey::size(p)
    }
    fn encode(&self, out: &mut Vec<u8>) {
        self.0.encode(out);
    }
    fn decode(p: &Parameters, bytes: &[u8]) -> Result<Self, Malformed> {
        PublicKey::decode(p, bytes).map(CollectiveKey)
    }
}
