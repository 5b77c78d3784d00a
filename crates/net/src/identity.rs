//! Who a party is: a key, and a self-signed certificate that its peers know by fingerprint.

use crate::error::LocalFault;
use crate::tls;
use rcgen::{CertificateParams, KeyPair};
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

/// The first day that a certificate can name.
const FIRST: (i32, u8, u8) = (1975, 1, 1);

/// A party's own key and certificate.
pub struct Identity {
    certificate: Vec<u8>,
    key: Secret<Vec<u8>>,
}

impl Identity {
    /// A new ECDSA P-256 key with a self-signed certificate that is valid for ever.
    pub fn generate() -> Result<Self, LocalFault> {
        Self::made(certificate()?)
    }

    /// [`Identity::generate`] with a certificate that is valid up to the beginning, in UTC, of the day `not_after`:
    /// year, month, day. [`LocalFault::Identity`] if there is no such day.
    pub fn generate_until(not_after: (i32, u8, u8)) -> Result<Self, LocalFault> {
        Self::generate_within(FIRST, not_after)
    }

    /// [`Identity::generate_until`] with a certificate that is valid from the beginning of the day `not_before` on.
    pub fn generate_within(
        not_before: (i32, u8, u8),
        not_after: (i32, u8, u8),
    ) -> Result<Self, LocalFault> {
        if !(is_day(not_before) && is_day(not_after) && not_before < not_after) {
            return Err(LocalFault::Identity);
        }
        let mut certificate = certificate()?;
        let (year, month, day) = not_before;
        certificate.not_before = rcgen::date_time_ymd(year, month, day);
        let (year, month, day) = not_after;
        certificate.not_after = rcgen::date_time_ymd(year, month, day);
        Self::made(certificate)
    }

    fn made(certificate: CertificateParams) -> Result<Self, LocalFault> {
        let key = KeyPair::generate().map_err(|_| LocalFault::Identity)?;
        let signed = certificate.self_signed(&key);
        Ok(Self {
            certificate: signed.map_err(|_| LocalFault::Identity)?.der().to_vec(),
            key: Secret::new(key.serialize_der()),
        })
    }

    /// From a certificate and its PKCS #8 key, both in DER. They must belong together, and the certificate must be
    /// one that peers accept while it is valid: signed by itself, not for an authority, and for both ends of TLS.
    pub fn from_der(certificate: Vec<u8>, key: Secret<Vec<u8>>) -> Result<Self, LocalFault> {
        if !tls::is_usable(&certificate) {
            return Err(LocalFault::Identity);
        }
        let identity = Self { certificate, key };
        tls::server(&identity, HashSet::new())?;
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

fn certificate() -> Result<CertificateParams, LocalFault> {
    CertificateParams::new([tls::NAME.to_owned()]).map_err(|_| LocalFault::Identity)
}

/// Whether this is a day that a certificate can name.
fn is_day((year, month, day): (i32, u8, u8)) -> bool {
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let days = match month {
        2 if leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => 0,
    };
    (FIRST.0..=9999).contains(&year) && (1..=days).contains(&day)
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
    fn days_are_checked() {
        let good = [(1975, 1, 1), (2028, 2, 29), (2000, 2, 29), (9999, 12, 31)];
        assert!(good.into_iter().all(is_day));
        let bad = [
            (1974, 12, 31),
            (10_000, 1, 1),
            (2027, 2, 29),
            (2100, 2, 29),
            (2027, 0, 1),
            (2027, 13, 1),
            (2027, 4, 31),
            (2027, 4, 0),
        ];
        for day in bad {
            assert!(!is_day(day));
            let end = Identity::generate_until(day);
            assert_eq!(end.err(), Some(LocalFault::Identity));
        }
        let turned = Identity::generate_within((2030, 1, 2), (2030, 1, 1));
        assert_eq!(turned.err(), Some(LocalFault::Identity));
        assert!(Identity::generate_until((2060, 1, 1)).is_ok());
    }

    #[test]
    fn certificates_that_no_peer_accepts_are_refused() {
        let remade = |change: fn(&mut CertificateParams)| {
            let mut params = certificate().unwrap();
            change(&mut params);
            let identity = Identity::made(params).unwrap();
            Identity::from_der(identity.certificate, identity.key)
        };
        assert!(remade(|_| ()).is_ok());
        // What is not valid now may be later.
        assert!(remade(|params| params.not_before = params.not_after).is_ok());
        let authority = remade(|params| {
            params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        });
        assert_eq!(authority.err(), Some(LocalFault::Identity));
        let one_end = remade(|params| {
            params.extended_key_usages = vec![rcgen::ExtendedKeyUsagePurpose::ClientAuth];
        });
        assert_eq!(one_end.err(), Some(LocalFault::Identity));
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
