//! Numbers and paragraphs for people.

use std::time::Duration;

/// Three significant digits and a unit.
pub fn seconds(time: Duration) -> String {
    let seconds = time.as_secs_f64();
    match seconds {
        s if s < 1e-3 => format!("{} us", digits(s * 1e6)),
        s if s < 1.0 => format!("{} ms", digits(s * 1e3)),
        s => format!("{} s", digits(s)),
    }
}

/// Bytes with a decimal unit: 1 kB is 1000 bytes.
pub fn bytes(count: u64) -> String {
    match count {
        0..1_000 => format!("{count} B"),
        1_000..1_000_000 => format!("{} kB", digits(count as f64 / 1e3)),
        1_000_000..1_000_000_000 => format!("{} MB", digits(count as f64 / 1e6)),
        _ => format!("{} GB", digits(count as f64 / 1e9)),
    }
}

/// Thousands set apart.
pub fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A few digits, with a power of ten where it is large.
pub fn number(value: f64) -> String {
    if value.abs() >= 1e5 {
        format!("{value:.2e}")
    } else {
        format!("{value:.4}")
    }
}

pub fn shape(shape: &[usize]) -> String {
    let extents: Vec<String> = shape.iter().map(usize::to_string).collect();
    format!("[{}]", extents.join(", "))
}

/// Lines of at most 80 characters.
pub fn wrap(text: &str, indent: &str) -> String {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.chars().count() <= 80 => {
                *line += " ";
                *line += word;
            }
            _ => lines.push(format!("{indent}{word}")),
        }
    }
    lines.join("\n")
}

fn digits(value: f64) -> String {
    match value {
        v if v >= 99.95 => format!("{v:.0}"),
        v if v >= 9.995 => format!("{v:.1}"),
        v => format!("{v:.2}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_digits() {
        assert_eq!(seconds(Duration::from_micros(1234)), "1.23 ms");
        assert_eq!(seconds(Duration::from_millis(123_456)), "123 s");
        assert_eq!(seconds(Duration::from_nanos(12_340)), "12.3 us");
        assert_eq!(bytes(999), "999 B");
        assert_eq!(bytes(1_330_000), "1.33 MB");
        assert_eq!(count(1_234_567), "1,234,567");
        assert_eq!(count(12), "12");
    }
}
