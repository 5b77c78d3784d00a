//! Answers beside those of the float model.

use std::panic;
use subrosa::{Element, Model, OnnxError, OutputPort, Reference, Reveal, Tensor};

/// What an output of a run is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// The model's own numbers.
    Values,
    /// The model's own indices.
    Indices,
    /// Indices of the largest of the model's numbers.
    Largest,
}

/// Of every output of a model, under a reveal.
pub fn answers(model_outputs: &[OutputPort], reveal: Reveal) -> Vec<Answer> {
    let answer = |port: &OutputPort| match (port.element, reveal) {
        (Element::Integer, _) => Answer::Indices,
        (Element::Float, Reveal::All) => Answer::Values,
        (Element::Float, _) => Answer::Largest,
    };
    model_outputs.iter().map(answer).collect()
}

/// How far answers are from the float model's, over any number of inferences.
#[derive(Clone, Debug, Default)]
pub struct Comparison {
    largest_error: Option<f64>,
    rows: usize,
    agreeing: usize,
    /// Why there is no float model to compare with.
    missing: Option<String>,
}

/// A figure, or why there is none.
pub type Figure<T> = Result<T, String>;

impl Comparison {
    pub fn without(error: &OnnxError) -> Self {
        Self {
            missing: Some(error.to_string()),
            ..Self::default()
        }
    }

    /// With the reference's reading of the same inputs.
    pub fn once(
        model: &Model,
        batch: usize,
        inputs: &[Tensor],
        answers: &[Answer],
        outputs: &[Tensor],
    ) -> Self {
        match quietly(|| Reference::new(model, batch)?.run(inputs)) {
            Err(error) => Self::without(&error),
            Ok(expected) => {
                let mut comparison = Self::default();
                comparison.add(answers, outputs, &expected);
                comparison
            }
        }
    }

    pub fn add(&mut self, answers: &[Answer], outputs: &[Tensor], expected: &[Tensor]) {
        for ((answer, output), expected) in answers.iter().zip(outputs).zip(expected) {
            match answer {
                Answer::Values => {
                    if output.values.len() != expected.values.len() {
                        self.missing = Some("the float model gives another shape".to_owned());
                        return;
                    }
                    let errors = output.values.iter().zip(&expected.values);
                    let errors = errors.map(|(a, b)| f64::from((a - b).abs()));
                    let largest = errors.fold(self.largest_error.unwrap_or(0.0), f64::max);
                    self.largest_error = Some(largest);
                    let extent = output.shape.last().copied().unwrap_or(1);
                    if extent > 1 {
                        let rows = output
                            .values
                            .chunks(extent)
                            .zip(expected.values.chunks(extent));
                        rows.for_each(|(a, b)| self.row(argmax(a) == argmax(b)));
                    }
                }
                Answer::Indices => {
                    let pairs = output.values.iter().zip(&expected.values);
                    pairs.for_each(|(a, b)| self.row(a == b));
                }
                Answer::Largest => {
                    let count = output.shape.last().copied().unwrap_or(1).max(1);
                    let extent = expected.shape.last().copied().unwrap_or(1).max(1);
                    let rows = output
                        .values
                        .chunks(count)
                        .zip(expected.values.chunks(extent));
                    rows.for_each(|(a, b)| {
                        self.row(a.first() == argmax(b).map(|i| i as f32).as_ref())
                    });
                }
            }
        }
    }

    fn row(&mut self, agrees: bool) {
        self.rows += 1;
        self.agreeing += usize::from(agrees);
    }

    pub fn max_abs_error(&self) -> Figure<f64> {
        match (&self.missing, self.largest_error) {
            (Some(reason), _) => Err(reason.clone()),
            (None, Some(error)) => Ok(error),
            (None, None) => Err("only indices are revealed".to_owned()),
        }
    }

    pub fn argmax_agrees(&self) -> Figure<bool> {
        self.rows().map(|(agreeing, rows)| agreeing == rows)
    }

    /// Rows whose largest is at the same place, and all rows.
    pub fn rows(&self) -> Figure<(usize, usize)> {
        match (&self.missing, self.rows) {
            (Some(reason), _) => Err(reason.clone()),
            (None, 0) => Err("no output has rows of several numbers".to_owned()),
            (None, rows) => Ok((self.agreeing, rows)),
        }
    }
}

/// Calls into the reference engine, whose panics are caught and become errors, without their noise.
pub fn quietly<T>(call: impl FnOnce() -> T) -> T {
    let hook = panic::take_hook();
    panic::set_hook(Box::new(|_| ()));
    let value = call();
    panic::set_hook(hook);
    value
}

/// Place of the largest, the first among equals.
pub fn argmax(row: &[f32]) -> Option<usize> {
    let places = row.iter().enumerate();
    places
        .reduce(|best, next| if next.1 > best.1 { next } else { best })
        .map(|(place, _)| place)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tensor(shape: &[usize], values: &[f32]) -> Tensor {
        Tensor {
            shape: shape.to_vec(),
            values: values.to_vec(),
        }
    }

    #[test]
    fn errors_and_rows_are_counted() {
        let mut values = Comparison::default();
        let expected = [tensor(&[2, 2], &[1.0, 2.0, 4.0, 3.0])];
        values.add(
            &[Answer::Values],
            &[tensor(&[2, 2], &[1.0, 2.5, 3.0, 3.5])],
            &expected,
        );
        assert_eq!(values.max_abs_error(), Ok(1.0));
        assert_eq!(values.rows(), Ok((1, 2)));
        assert_eq!(values.argmax_agrees(), Ok(false));
        let mut largest = Comparison::default();
        largest.add(
            &[Answer::Largest],
            &[tensor(&[2, 1], &[1.0, 0.0])],
            &expected,
        );
        assert_eq!(largest.argmax_agrees(), Ok(true));
        assert!(largest.max_abs_error().is_err());
    }
}
