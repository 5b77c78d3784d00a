//! What a store and a vault are sealed under.

use super::fault::KeyFault;
use super::private::{of_key, read, write};
use crate::fault::Fault;
use std::path::Path;
use subrosa::{Secret, Seed};
use subrosa_node::config::KeySource;

const VARIABLE: &str = "SUBROSA_PASSPHRASE";
const EXPECTED: &str = "64 hexadecimal digits, as `subrosa keygen --store` writes them";

/// The key itself, or what it is stretched from.
pub enum StoreSecret {
    Key(Seed),
    Passphrase(Secret<Vec<u8>>),
}

/// A new key into a file that must not exist yet.
pub fn write_store_key(path: &Path) -> Result<(), Fault> {
    let key = Seed::random().map_err(|_| of_key(path)(KeyFault::Randomness))?;
    write(path, encode(&key).reveal())
}

/// `file` is the one that names the source, for what is said if there is none.
pub fn load_store_secret(source: &KeySource, file: &Path) -> Result<StoreSecret, Fault> {
    match source {
        KeySource::File(path) => {
            let key = read(path).and_then(|file| decode(file.reveal()));
            key.map(StoreSecret::Key).map_err(of_key(path))
        }
        KeySource::Passphrase(path) => {
            let phrase = read(path).and_then(|file| first_line(file.reveal()));
            phrase.map(StoreSecret::Passphrase).map_err(of_key(path))
        }
        KeySource::Asked => {
            let variable = VARIABLE;
            let given = std::env::var_os(variable).ok_or(KeyFault::NoPassphrase { variable });
            let given = given.map(|given| Secret::new(given.into_encoded_bytes()));
            let phrase = given.and_then(|given| first_line(given.reveal()));
            phrase.map(StoreSecret::Passphrase).map_err(of_key(file))
        }
    }
}

fn first_line(text: &[u8]) -> Result<Secret<Vec<u8>>, KeyFault> {
    let line = text.split(|byte| *byte == b'\n').next().unwrap_or_default();
    match line.strip_suffix(b"\r").unwrap_or(line) {
        [] => Err(KeyFault::EmptyPassphrase),
        line => Ok(Secret::new(line.to_vec())),
    }
}

/// 64 hexadecimal digits and the end of a line. No digit decides where the program goes.
fn encode(key: &Seed) -> Secret<Vec<u8>> {
    let digit = |four: u8| four + b'0' + (b'a' - b'0' - 10) * ((four + 6) >> 4);
    let mut text = Vec::with_capacity(2 * key.reveal().len() + 1);
    for byte in key.reveal() {
        text.extend([digit(byte >> 4), digit(byte & 15)]);
    }
    text.push(b'\n');
    Secret::new(text)
}

/// Lower-case digits, and spaces or ends of lines after them. Whether all are digits is what alone shows in time.
fn decode(text: &[u8]) -> Result<Seed, KeyFault> {
    let digits = text.trim_ascii_end();
    let mut bytes = [0; 32];
    if digits.len() != 2 * bytes.len() {
        return Err(KeyFault::Form { expected: EXPECTED });
    }
    let mut wrong = 0;
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        for digit in pair {
            let (four, bad) = value(*digit);
            *byte = (*byte << 4) | four;
            wrong |= bad;
        }
    }
    let key = Seed::from_bytes(bytes);
    match wrong {
        0 => Ok(key),
        _ => Err(KeyFault::Form { expected: EXPECTED }),
    }
}

/// What a digit stands for, and all ones if it is none.
fn value(digit: u8) -> (u8, u8) {
    let within = |low: u8, high: u8| {
        let (digit, low, high) = (i16::from(digit), i16::from(low), i16::from(high));
        !(((digit - low) | (high - digit)) >> 8) as u8
    };
    let (figure, letter) = (within(b'0', b'9'), within(b'a', b'f'));
    let four = (digit.wrapping_sub(b'0') & figure) | (digit.wrapping_sub(b'a' - 10) & letter);
    (four, !(figure | letter))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_digits_and_no_others() {
        for byte in 0..=u8::MAX {
            let (four, bad) = value(byte);
            let found = (bad == 0).then_some(u32::from(four));
            let lower = !byte.is_ascii_uppercase();
            let expected = char::from(byte).to_digit(16).filter(|_| lower);
            assert_eq!(found, expected, "{byte}");
        }
    }

    #[test]
    fn keys_are_read_back() {
        let bytes = std::array::from_fn(|at| (at * 37) as u8);
        let text = encode(&Seed::from_bytes(bytes));
        let text = text.reveal();
        assert!(text.starts_with(b"00254a6f94b9de") && text.len() == 65);
        assert_eq!(decode(text).unwrap().reveal(), &bytes);
        assert_eq!(decode(&text[..64]).unwrap().reveal(), &bytes);
        for wrong in [
            &b""[..],
            &text[..63],
            &text[1..],
            &[text.as_slice(), b"0"].concat(),
        ] {
            assert!(matches!(decode(wrong), Err(KeyFault::Form { .. })));
        }
        let mut letter = text.clone();
        letter[5] = b'g';
        assert!(decode(&letter).is_err());
    }

    #[test]
    fn passphrases_are_first_lines() {
        let line = |text: &[u8]| first_line(text).ok().map(|line| line.reveal().clone());
        assert_eq!(line(b"open sesame\r\nmore"), Some(b"open sesame".to_vec()));
        assert_eq!(line(b" a "), Some(b" a ".to_vec()));
        assert_eq!(line(b"\nmore"), None);
        assert_eq!(line(b""), None);
    }
}
