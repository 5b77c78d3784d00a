//! Who a party is: a key, and a self-signed certificate that its peers know by fingerprint.

use crate::error::LocalFault;
use serde::{Deserialize, Serialize};
use std::collections::HashSet;
use std::fmt;
use std::str::FromStr;
use subrosa_core::{Malformed, Secret};

/// BLAKE3 of a certificate's DER encoding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Fingerprint(pub [u8; 32]);

impl Fingerprint {
    pub fn of(certificate: &[u8]) -> Self {
        Self(*blake3::hash(certificate).as_bytes())
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl FromStr for Fingerprint {
    type Err = Malformed;
    /// Parses 64 hexadecimal digits.
    fn from_str(text: &str) -> Result<Self, Malformed> {
        let digits = text.as_bytes();
        if digits.len() != 64 {
            return Err(Malformed::Length {
                expected: 64,
                found: digits.len() as u64,
            });
        }
        let mut bytes = [0; 32];
        for (byte, pair) in bytes.iter_mut().zip(digits.chunks(2)) {
            for digit in pair {
                let digit = char::from(*digit).to_digit(16).ok_or(Malformed::Encoding)?;
                *byte = *byte << 4 | digit as u8;
            }
        }
        Ok(Self(bytes))
    }
}

/// A party's own key and certificate.
pub struct Identity {
    certificate: Vec<u8>,
    key: Secret<Vec<u8>>,
}

impl Identity {
    /// A new ECDSA P-256 key with a self-signed certificate.
    pub fn generate() -> Result<Self, LocalFault> {
        let made = rcgen::generate_simple_self_signed([crate::tls::NAME.to_owned()]);
        let made = made.map_err(|_| LocalFault::Identity)?;
        Ok(Self {
            certificate: made.cert.der().to_vec(),
            key: Secret::new(made.signing_key.serialize_der()),
        })
    }

    /// From a certificate and its PKCS #8 key, both in DER. They must belong together.
    pub fn from_der(certificate: Vec<u8>, key: Secret<Vec<u8>>) -> Result<Self, LocalFault> {
        let identity = Self { certificate, key };
        crate::tls::server(&identity, HashSet::new())?;
        Ok(identity)
    }

    /// The certificate, and its PKCS #8 key, in DER: to hand this identity to a party's own process.
    pub fn to_der(&self) -> (&[u8], &Secret<Vec<u8>>) {
        (&self.certificate, &self.key)
    }

    pub fn fingerprint(&self) -> Fingerprint {
        Fingerprint::of(&self.certificate)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identities_survive_and_mismatched_keys_are_refused() {
        let (one, other) = (Identity::generate().unwrap(), Identity::generate().unwrap());
        let (certificate, key) = one.to_der();
        let key = || Secret::new(key.reveal().clone());
        let again = Identity::from_der(certificate.to_vec(), key()).unwrap();
        assert_eq!(again.fingerprint(), one.fingerprint());
        assert_ne!(other.fingerprint(), one.fingerprint());
        let mixed = Identity::from_der(other.to_der().0.to_vec(), key());
        assert_eq!(mixed.err(), Some(LocalFault::Identity));
        assert!(Identity::from_der(vec![1], key()).is_err());
    }

    #[test]
    fn fingerprints_are_written_in_hexadecimal() {
        let print = Fingerprint::of(b"certificate");
        assert_eq!(print.to_string().parse(), Ok(print));
        assert_eq!(
            "0".parse::<Fingerprint>(),
            Err(Malformed::Length {
                expected: 64,
                found: 1
            })
        );
        assert_eq!(
            "g".repeat(64).parse::<Fingerprint>(),
            Err(Malformed::Encoding)
        );
    }
}
