//! Single values.

use super::fault::Problem;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;
use subrosa_core::Malformed;
use subrosa_net::Fingerprint;
use toml::de::DeValue;

/// How much of a wrong value is shown.
const SHOWN: usize = 60;

/// Text of a file as a fault shows it: one line, of no great length, without control characters.
pub fn clip(text: &str) -> String {
    let printable = |c: char| if c.is_control() { ' ' } else { c };
    let mut shown: String = text.chars().take(SHOWN).map(printable).collect();
    if text.chars().nth(SHOWN).is_some() {
        shown.push_str("...");
    }
    shown
}

/// A value that is not as it should be.
pub fn form(expected: &'static str, found: &str) -> Problem {
    Problem::Form {
        expected,
        found: format!("\"{}\"", clip(found)),
    }
}

pub fn text<'v>(value: &'v DeValue<'_>) -> Result<&'v str, Problem> {
    value.as_str().ok_or_else(|| other("a string", value))
}

pub fn flag(value: &DeValue<'_>) -> Result<bool, Problem> {
    value.as_bool().ok_or_else(|| other("true or false", value))
}

/// A whole number from `low` to `high`.
pub fn whole(low: u64, high: u64) -> impl Fn(&DeValue<'_>) -> Result<u64, Problem> {
    move |value| {
        let Some(digits) = value.as_integer() else {
            return Err(other("a whole number", value));
        };
        match u64::from_str_radix(digits.as_str(), digits.radix()) {
            Ok(number) if (low..=high).contains(&number) => Ok(number),
            _ => Err(Problem::Range {
                low,
                high,
                found: clip(&digits.to_string()),
            }),
        }
    }
}

pub fn path(value: &DeValue<'_>) -> Result<PathBuf, Problem> {
    match text(value)? {
        "" => Err(form("a path", "")),
        path => Ok(path.into()),
    }
}

/// An address of this machine and a port. Port 0 has the system choose.
pub fn socket(value: &DeValue<'_>) -> Result<SocketAddr, Problem> {
    let found = text(value)?;
    found
        .parse()
        .map_err(|_| form("an IP address and a port, as 0.0.0.0:7460", found))
}

pub fn fingerprint(value: &DeValue<'_>) -> Result<Fingerprint, Problem> {
    let found = text(value)?;
    found.parse().map_err(|malformed| Problem::Form {
        expected: "64 hexadecimal digits",
        found: match malformed {
            Malformed::Length { .. } => found.chars().count().to_string(),
            _ => format!("\"{}\"", clip(found)),
        },
    })
}

/// A time with its unit, from `low` to `high`, which `expected` says.
pub fn time(
    low: Duration,
    high: Duration,
    expected: &'static str,
) -> impl Fn(&DeValue<'_>) -> Result<Duration, Problem> {
    move |value| {
        let found = text(value)?;
        let time = amount(found).and_then(|(number, unit)| match unit {
            "ms" => Some(Duration::from_millis(number)),
            "s" => Some(Duration::from_secs(number)),
            "m" => number.checked_mul(60).map(Duration::from_secs),
            "h" => number.checked_mul(3600).map(Duration::from_secs),
            _ => None,
        });
        time.filter(|time| (low..=high).contains(time))
            .ok_or_else(|| form(expected, found))
    }
}

/// Bytes with their unit, from `low` to `high`, which `expected` says.
pub fn bytes(
    low: u64,
    high: u64,
    expected: &'static str,
) -> impl Fn(&DeValue<'_>) -> Result<u64, Problem> {
    move |value| {
        let found = text(value)?;
        let bytes = amount(found).and_then(|(number, unit)| {
            let unit: u64 = match unit {
                "kB" => 1_000,
                "MB" => 1_000_000,
                "GB" => 1_000_000_000,
                "KiB" => 1 << 10,
                "MiB" => 1 << 20,
                "GiB" => 1 << 30,
                _ => return None,
            };
            number.checked_mul(unit)
        });
        bytes
            .filter(|bytes| (low..=high).contains(bytes))
            .ok_or_else(|| form(expected, found))
    }
}

/// Digits and the unit after them, with a space between or none.
fn amount(text: &str) -> Option<(u64, &str)> {
    let end = text.find(|c: char| !c.is_ascii_digit())?;
    let (number, unit) = text.split_at_checked(end)?;
    let number = number.parse().ok()?;
    Some((number, unit.strip_prefix(' ').unwrap_or(unit)))
}

pub fn other(expected: &'static str, found: &DeValue<'_>) -> Problem {
    Problem::Form {
        expected,
        found: found.type_str().to_owned(),
    }
}
