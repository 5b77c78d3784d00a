//! A key and its certificate, as two sections of PEM (RFC 7468) in one file.

use super::fault::KeyFault;
use super::private::{of_key, read, write};
use crate::fault::Fault;
use pem_rfc7468::{LineEnding, decode_vec, encode_string};
use std::path::Path;
use subrosa::{Identity, Secret};

const CERTIFICATE: &str = "CERTIFICATE";
const KEY: &str = "PRIVATE KEY";
const BEGIN: &[u8] = b"-----BEGIN ";
const EXPECTED: &str = "a certificate and its PKCS #8 key in PEM, as `subrosa keygen` writes them";

/// Into a file that must not exist yet.
pub fn write_identity(path: &Path, identity: &Identity) -> Result<(), Fault> {
    let (certificate, key) = identity.to_der();
    let fault = |_| of_key(path)(KeyFault::Certificate);
    let certificate = encode_string(CERTIFICATE, LineEnding::LF, certificate).map_err(fault)?;
    let key = encode_string(KEY, LineEnding::LF, key.reveal()).map_err(fault)?;
    let key = Secret::new(key);
    let mut file = Vec::with_capacity(certificate.len() + key.reveal().len());
    file.extend_from_slice(certificate.as_bytes());
    file.extend_from_slice(key.reveal().as_bytes());
    write(path, Secret::new(file).reveal())
}

pub fn load_identity(path: &Path) -> Result<Identity, Fault> {
    let identity = read(path).and_then(|file| parse(file.reveal()));
    identity.map_err(of_key(path))
}

fn parse(file: &[u8]) -> Result<Identity, KeyFault> {
    let form = KeyFault::Form { expected: EXPECTED };
    let begins = |text: &[u8]| text.windows(BEGIN.len()).position(|part| part == BEGIN);
    let second = begins(file).and_then(|first| {
        let after = first + BEGIN.len();
        Some(after + begins(file.get(after..)?)?)
    });
    let Some((certificate, key)) = second.and_then(|second| file.split_at_checked(second)) else {
        return Err(form);
    };
    let (Ok((label, certificate)), Ok((key_label, key))) =
        (decode_vec(certificate), decode_vec(key))
    else {
        return Err(form);
    };
    let key = Secret::new(key);
    match label == CERTIFICATE && key_label == KEY {
        true => Identity::from_der(certificate, key).map_err(|_| KeyFault::Mismatch),
        false => Err(form),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identities_are_read_back_and_others_refused() {
        let pem = |identity: &Identity| {
            let (certificate, key) = identity.to_der();
            let certificate = encode_string(CERTIFICATE, LineEnding::LF, certificate).unwrap();
            let key = encode_string(KEY, LineEnding::LF, key.reveal()).unwrap();
            (certificate, key)
        };
        let one = Identity::generate().unwrap();
        let (certificate, key) = pem(&one);
        let read = |file: String| parse(file.as_bytes());
        let again = read(format!("{certificate}{key}")).unwrap();
        assert_eq!(again.fingerprint(), one.fingerprint());
        let crlf = format!("a note\r\n{certificate}{key}").replace('\n', "\r\n");
        assert!(read(crlf).is_ok());
        let other = pem(&Identity::generate().unwrap()).1;
        let mixed = read(format!("{certificate}{other}"));
        assert!(matches!(mixed, Err(KeyFault::Mismatch)));
        let short = &key[..key.len() / 2];
        for wrong in [
            String::new(),
            certificate.clone(),
            key.clone(),
            format!("{key}{certificate}"),
            format!("{certificate}{certificate}"),
            format!("{certificate}{short}"),
            format!("{certificate}{key}{key}"),
        ] {
            assert!(matches!(read(wrong), Err(KeyFault::Form { .. })));
        }
    }
}
