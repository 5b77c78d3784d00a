//! Declared ranges of inputs.

use serde::Serialize;
use thiserror::Error;

/// Where a range comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum RangeSource {
    /// `--input-range`.
    Declared,
    /// The file's own smallest and largest value, rounded out to powers of two.
    File,
    /// What bytes of images become.
    Preprocessing,
    /// Nothing said otherwise.
    Assumed,
}

#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum RangeFault {
    #[error("--input-range {text}: expected LO:HI or NAME=LO:HI with finite LO < HI")]
    Form { text: String },
    #[error("--input-range: the model has no input '{found}', expected {expected}")]
    UnknownInput { found: String, expected: String },
}

/// `NAME=rest` where NAME is one of `names`, or the text as it is.
pub fn split_name<'a>(text: &'a str, names: &[String]) -> (Option<usize>, &'a str) {
    let named = text.split_once('=').and_then(|(name, rest)| {
        let at = names.iter().position(|known| known == name)?;
        Some((Some(at), rest))
    });
    named.unwrap_or((None, text))
}

/// The ranges that the options give, one place for each input. One without a name is for all that have none.
pub fn declared_ranges(
    options: &[String],
    names: &[String],
) -> Result<Vec<Option<[f32; 2]>>, RangeFault> {
    let mut ranges = vec![None; names.len()];
    let mut rest = None;
    for text in options {
        let (place, bounds) = split_name(text, names);
        if let (None, Some((name, _))) = (place, bounds.split_once('=')) {
            let (found, expected) = (name.to_owned(), names.join(", "));
            return Err(RangeFault::UnknownInput { found, expected });
        }
        let range = parse(bounds).ok_or_else(|| RangeFault::Form { text: text.clone() })?;
        match place {
            Some(at) => ranges[at] = Some(range),
            None => rest = Some(range),
        }
    }
    Ok(ranges.into_iter().map(|range| range.or(rest)).collect())
}

fn parse(text: &str) -> Option<[f32; 2]> {
    let (low, high) = text.split_once(':')?;
    let (low, high) = (
        low.trim().parse::<f32>().ok()?,
        high.trim().parse::<f32>().ok()?,
    );
    (low.is_finite() && high.is_finite() && low < high).then_some([low, high])
}

/// The least range between zero or powers of two that holds all values.
pub fn round_out(values: &[f32]) -> [f32; 2] {
    let low = values.iter().copied().fold(0.0, f32::min);
    let high = values.iter().copied().fold(0.0, f32::max);
    match [0.0 - power(-low), power(high)] {
        [0.0, 0.0] => [0.0, 1.0],
        range => range,
    }
}

/// The least power of two that is not below a positive number, 0 for others.
fn power(value: f32) -> f32 {
    if value <= 0.0 {
        return 0.0;
    }
    let mut exponent = value.log2().ceil();
    if exponent.exp2() < value {
        exponent += 1.0;
    }
    exponent.exp2().min(f32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_rounded_out() {
        for (values, range) in [
            (vec![0.1, 0.9], [0.0, 1.0]),
            (vec![0.0, 255.0], [0.0, 256.0]),
            (vec![-0.3, 0.25], [-0.5, 0.25]),
            (vec![-3.0, -1.0], [-4.0, 0.0]),
            (vec![0.0], [0.0, 1.0]),
            (vec![4.0], [0.0, 4.0]),
        ] {
            assert_eq!(round_out(&values), range, "{values:?}");
        }
        assert!(round_out(&[1.0])[0].is_sign_positive());
        assert!(round_out(&[f32::MAX])[1].is_finite());
    }

    #[test]
    fn options_name_inputs() {
        let names = ["a".to_owned(), "b:0".to_owned()];
        let options = |texts: &[&str]| texts.iter().map(|t| (*t).to_owned()).collect::<Vec<_>>();
        let both = declared_ranges(&options(&["-1:1", "b:0=0:4"]), &names).unwrap();
        assert_eq!(both, [Some([-1.0, 1.0]), Some([0.0, 4.0])]);
        assert_eq!(declared_ranges(&[], &names).unwrap(), [None, None]);
        for wrong in ["1:1", "2:1", "x:1", "0:inf", "1", "c=0:1"] {
            assert!(
                declared_ranges(&options(&[wrong]), &names).is_err(),
                "{wrong}"
            );
        }
    }
}
