//! A seed sealed to the user, which only the gateway sees pass by.

use aws_lc_rs::kem::{Ciphertext, DecapsulationKey, EncapsulationKey, ML_KEM_768};
use subrosa_core::{Bytes, Malformed, Seed, Wire};
use subrosa_net::{LocalFault, RunError};

/// Lengths of ML-KEM-768: FIPS 203, table 3.
const KEY: usize = 1184;
const CIPHERTEXT: usize = 1088;
/// The modulus of its coefficients, each in twelve bits of all but the last 32 bytes of a key.
const MODULUS: u16 = 3329;
const COEFFICIENTS: usize = 1152;

/// The user's key pair.
pub struct SecretKey(DecapsulationKey);

/// The user's key, under which servers seal seeds.
#[derive(Debug)]
pub struct PublicKey(Vec<u8>);

/// A seed under a [`PublicKey`].
#[derive(Debug)]
pub struct Sealed {
    ciphertext: Vec<u8>,
    /// The seed, masked by the shared secret.
    masked: [u8; 32],
}

impl SecretKey {
    /// From the operating system's randomness.
    pub fn random() -> Result<(Self, PublicKey), RunError> {
        let failed = |_| LocalFault::Randomness;
        let secret = DecapsulationKey::generate(&ML_KEM_768).map_err(failed)?;
        let public = secret.encapsulation_key().map_err(failed)?;
        let bytes = public.key_bytes().map_err(failed)?;
        let public = PublicKey(bytes.as_ref().to_vec());
        Ok((Self(secret), public))
    }

    /// Of something that was not sealed to this key it is some seed.
    pub fn open(&self, sealed: &Sealed) -> Result<Seed, RunError> {
        let ciphertext = Ciphertext::from(sealed.ciphertext.as_slice());
        let secret = self.0.decapsulate(ciphertext);
        let secret = secret.map_err(|_| LocalFault::Invariant)?;
        pad(&sealed.masked, &sealed.ciphertext, secret.as_ref())
    }
}

impl PublicKey {
    pub fn seal(&self, seed: &Seed) -> Result<Sealed, RunError> {
        let failed = |_| LocalFault::Randomness;
        let key = EncapsulationKey::new(&ML_KEM_768, &self.0);
        let key = key.map_err(|_| LocalFault::Invariant)?;
        let (ciphertext, secret) = key.encapsulate().map_err(failed)?;
        let ciphertext = ciphertext.as_ref().to_vec();
        let masked = *pad(seed.reveal(), &ciphertext, secret.as_ref())?.reveal();
        Ok(Sealed { ciphertext, masked })
    }
}

/// XOR with a key of the shared secret and the ciphertext.
fn pad(seed: &[u8; 32], ciphertext: &[u8], secret: &[u8]) -> Result<Seed, RunError> {
    let secret: [u8; 32] = secret.try_into().map_err(|_| LocalFault::Invariant)?;
    let pad = Seed::from_bytes(secret).derive("seco sealed seed", ciphertext);
    let mut bytes = *pad.reveal();
    bytes
        .iter_mut()
        .zip(seed)
        .for_each(|(pad, seed)| *pad ^= seed);
    Ok(Seed::from_bytes(bytes))
}

/// A decoded key has passed the check of its coefficients: FIPS 203, section 7.2.
impl Wire for PublicKey {
    type Layout = ();

    fn size((): &()) -> Bytes {
        Bytes(KEY as u64)
    }

    fn encode(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.0);
    }

    fn decode((): &(), bytes: &[u8]) -> Result<Self, Malformed> {
        length(bytes, KEY)?;
        for three in bytes[..COEFFICIENTS].chunks_exact(3) {
            let [low, middle, high] = [three[0], three[1], three[2]].map(u16::from);
            let pair = [low | (middle & 15) << 8, middle >> 4 | high << 4];
            if pair.iter().any(|coefficient| *coefficient >= MODULUS) {
                return Err(Malformed::Range);
            }
        }
        Ok(Self(bytes.to_vec()))
    }
}

impl Wire for Sealed {
    type Layout = ();

    fn size((): &()) -> Bytes {
        Bytes(CIPHERTEXT as u64 + 32)
    }

    fn encode(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.ciphertext);
        out.extend_from_slice(&self.masked);
    }

    fn decode((): &(), bytes: &[u8]) -> Result<Self, Malformed> {
        length(bytes, CIPHERTEXT + 32)?;
        let (ciphertext, masked) = bytes.split_at(CIPHERTEXT);
        Ok(Self {
            ciphertext: ciphertext.to_vec(),
            masked: masked.try_into().map_err(|_| Malformed::Encoding)?,
        })
    }
}

fn length(bytes: &[u8], expected: usize) -> Result<(), Malformed> {
    let found = bytes.len() as u64;
    let expected = expected as u64;
    match expected == found {
        true => Ok(()),
        false => Err(Malformed::Length { expected, found }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn coded<T: Wire<Layout = ()>>(value: &T) -> Vec<u8> {
        let mut bytes = Vec::new();
        value.encode(&mut bytes);
        assert_eq!(Bytes(bytes.len() as u64), T::size(&()));
        assert!(T::decode(&(), &bytes[1..]).is_err());
        bytes
    }

    #[test]
    fn the_user_alone_opens_what_is_sealed_to_it() {
        let (secret, public) = SecretKey::random().unwrap();
        let (other, _) = SecretKey::random().unwrap();
        let public = PublicKey::decode(&(), &coded(&public)).unwrap();
        let seed = Seed::insecure_seeded(4);
        let [one, two] = [(); 2].map(|()| coded(&public.seal(&seed).unwrap()));
        assert!(one.chunks(32).zip(two.chunks(32)).all(|(a, b)| a != b));
        let sealed = Sealed::decode(&(), &one).unwrap();
        assert_eq!(secret.open(&sealed).unwrap().reveal(), seed.reveal());
        assert_ne!(other.open(&sealed).unwrap().reveal(), seed.reveal());
    }

    #[test]
    fn a_key_with_a_coefficient_beyond_the_modulus_is_refused() {
        let (_, public) = SecretKey::random().unwrap();
        let mut bytes = coded(&public);
        for (at, byte) in [(1, 0x0f), (1151, 0xff)] {
            let before = bytes[at];
            bytes[at] |= byte;
            let found = PublicKey::decode(&(), &bytes).map(|_| ());
            assert_eq!(found, Err(Malformed::Range));
            bytes[at] = before;
        }
        assert!(PublicKey::decode(&(), &bytes).is_ok());
    }
}
