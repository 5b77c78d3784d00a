use crate::fault::VaultFault;
use argon2::{Algorithm, Argon2, Error, Params, Version};
use std::io::ErrorKind;
use subrosa_core::Seed;
use zeroize::Zeroizing;

const KIBIBYTES: u32 = 64 << 10;
const PASSES: u32 = 3;
const LANES: u32 = 1;

/// The key that a passphrase stands for: Argon2id of RFC 9106, version 19, with 64 MiB, three passes and one lane (the
/// second recommendation of its section 4, but for the lanes).
///
/// It fails only where the memory is not there, or with a passphrase of 4 GiB.
pub fn stretch(passphrase: &[u8], salt: &[u8; 16]) -> Result<Seed, VaultFault> {
    let mut key = Zeroizing::new([0; 32]);
    Params::new(KIBIBYTES, PASSES, LANES, Some(key.len()))
        .map(|params| Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
        .and_then(|argon2| argon2.hash_password_into(passphrase, salt, &mut *key))
        .map_err(|error| match error {
            Error::OutOfMemory => VaultFault::Io(ErrorKind::OutOfMemory),
            _ => VaultFault::Io(ErrorKind::InvalidInput),
        })?;
    Ok(Seed::from_bytes(*key))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Computed by OpenSSL.
    #[test]
    fn a_passphrase_gives_the_key_that_others_compute() {
        let salt = std::array::from_fn(|i| i as u8);
        let key = stretch(b"correct horse battery staple", &salt).unwrap();
        let hex = blake3::Hash::from_bytes(*key.reveal()).to_hex();
        let known = "0d1a3c6523c8f06e4e0af9c515aa5b5448cfebd6838f2d52c3d8b6ef8ddc3c2e";
        assert_eq!(hex.as_str(), known);
    }
}
