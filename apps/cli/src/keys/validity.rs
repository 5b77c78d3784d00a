//! From when and until when a certificate holds, read from its DER (RFC 5280, section 4.1).

use super::date::Date;

const INTEGER: u8 = 0x02;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;
const SEQUENCE: u8 = 0x30;
const VERSION: u8 = 0xa0;

/// Up to the beginning of the second day, in UTC, where this program made the certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Validity {
    pub from: Date,
    pub until: Date,
}

impl Validity {
    pub fn of(certificate: &[u8]) -> Option<Self> {
        let (certificate, _) = element(certificate, SEQUENCE)?;
        let (fields, _) = element(certificate, SEQUENCE)?;
        let fields = element(fields, VERSION).map_or(fields, |(_, rest)| rest);
        let (_, fields) = element(fields, INTEGER)?;
        let (_, fields) = element(fields, SEQUENCE)?;
        let (_, fields) = element(fields, SEQUENCE)?;
        let (times, _) = element(fields, SEQUENCE)?;
        let (from, times) = time(times)?;
        let (until, _) = time(times)?;
        Some(Self { from, until })
    }
}

/// What is in the first element, which must have this tag, and what comes after it.
fn element(bytes: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    let (found, bytes) = bytes.split_first()?;
    let (first, bytes) = bytes.split_first()?;
    let (length, bytes) = match first {
        0..=0x7f => (usize::from(*first), bytes),
        0x81..=0x84 => {
            let (length, bytes) = bytes.split_at_checked(usize::from(first & 0x7f))?;
            let length = length
                .iter()
                .fold(0, |sum, byte| (sum << 8) | usize::from(*byte));
            (length, bytes)
        }
        _ => return None,
    };
    (*found == tag).then(|| bytes.split_at_checked(length))?
}

fn time(bytes: &[u8]) -> Option<(Date, &[u8])> {
    let (text, century, rest) = match (element(bytes, UTC_TIME), element(bytes, GENERALIZED_TIME)) {
        (Some((text, rest)), _) => (text, None, rest),
        (_, Some((text, rest))) => {
            let (century, text) = text.split_at_checked(2)?;
            (text, Some(two_digits(century)?), rest)
        }
        _ => return None,
    };
    let year = i32::from(two_digits(text.get(..2)?)?);
    // Years of two digits are those from 1950 to 2049.
    let century = century.map_or(if year < 50 { 20 } else { 19 }, i32::from);
    let date = Date {
        year: century * 100 + year,
        month: two_digits(text.get(2..4)?)?,
        day: two_digits(text.get(4..6)?)?,
    };
    Some((date, rest))
}

fn two_digits(text: &[u8]) -> Option<u8> {
    std::str::from_utf8(text).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use subrosa::Identity;

    #[test]
    fn certificates_of_this_program() {
        let identity = Identity::generate().unwrap();
        let certificate = identity.to_der().0;
        let validity = Validity::of(certificate).unwrap();
        assert!(validity.from < validity.until);
        for end in 0..100 {
            assert_eq!(Validity::of(&certificate[..end]), None);
        }
    }

    #[test]
    fn both_forms_of_time() {
        let read = |tag: u8, text: &str| {
            let bytes = [&[tag, text.len() as u8], text.as_bytes()].concat();
            time(&bytes).map(|(date, _)| date.to_string())
        };
        let date = |text: &str| Some(text.to_owned());
        assert_eq!(read(UTC_TIME, "491231235959Z"), date("2049-12-31"));
        assert_eq!(read(UTC_TIME, "500101000000Z"), date("1950-01-01"));
        assert_eq!(
            read(GENERALIZED_TIME, "40960101000000Z"),
            date("4096-01-01")
        );
        assert_eq!(read(UTC_TIME, "4a1231235959Z"), None);
        assert_eq!(read(UTC_TIME, "4912"), None);
        assert_eq!(read(INTEGER, "491231235959Z"), None);
    }
}
