//! Scores of an evaluation.

use super::compare::{Answer, Comparison, argmax};
use subrosa::Tensor;

/// Counts over all images.
#[derive(Default)]
pub struct Score {
    pub images: usize,
    pub right: usize,
    pub right_float: usize,
    pub right_oracle: usize,
    /// Images that are classified as by the clear reading.
    pub agreeing: usize,
    pub comparison: Comparison,
}

/// Answers of one batch, by those who give them.
pub struct Batch<'a> {
    pub labels: &'a [usize],
    pub outputs: &'a [Tensor],
    pub oracle: &'a [Tensor],
    pub float: Option<&'a [Tensor]>,
}

impl Score {
    /// `batch`: rows in each tensor; those beyond the labels are filling.
    pub fn add(&mut self, answers: &[Answer], batch: usize, given: &Batch<'_>) {
        let Some(answer) = answers.first() else {
            return;
        };
        let float_answer = match answer {
            Answer::Largest => Answer::Values,
            own => *own,
        };
        let found = classes(given.outputs, *answer, batch);
        let oracle = classes(given.oracle, *answer, batch);
        let float = given
            .float
            .map(|tensors| classes(tensors, float_answer, batch));
        for (at, label) in given.labels.iter().enumerate() {
            self.images += 1;
            self.right += usize::from(found.get(at) == Some(label));
            self.right_oracle += usize::from(oracle.get(at) == Some(label));
            self.agreeing += usize::from(found.get(at) == oracle.get(at));
            if let Some(float) = &float {
                self.right_float += usize::from(float.get(at) == Some(label));
            }
        }
        if let Some(expected) = given.float {
            let rows = given.labels.len();
            let cut = |tensors: &[Tensor]| -> Vec<Tensor> {
                tensors
                    .iter()
                    .map(|tensor| first_rows(tensor, batch, rows))
                    .collect()
            };
            self.comparison
                .add(answers, &cut(given.outputs), &cut(expected));
        }
    }

    pub fn fraction(&self, count: usize) -> f64 {
        count as f64 / self.images.max(1) as f64
    }
}

/// The class that each row of the first output names.
fn classes(outputs: &[Tensor], answer: Answer, batch: usize) -> Vec<usize> {
    let Some(first) = outputs.first() else {
        return Vec::new();
    };
    let row = (first.values.len() / batch.max(1)).max(1);
    let rows = first.values.chunks(row);
    rows.filter_map(|row| match answer {
        Answer::Values => argmax(row),
        Answer::Indices | Answer::Largest => row.first().map(|index| *index as usize),
    })
    .collect()
}

/// The first `rows` of a tensor whose first axis, or whose values, divide into `batch`.
fn first_rows(tensor: &Tensor, batch: usize, rows: usize) -> Tensor {
    let mut cut = tensor.clone();
    if tensor.values.len().is_multiple_of(batch) {
        cut.values.truncate(tensor.values.len() / batch * rows);
        if let Some(first) = cut.shape.first_mut().filter(|extent| **extent == batch) {
            *first = rows;
        }
    }
    cut
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_beyond_the_labels_do_not_count() {
        let tensor = |values: &[f32]| {
            vec![Tensor {
                shape: vec![2, 2],
                values: values.to_vec(),
            }]
        };
        let (outputs, oracle) = (tensor(&[0.0, 1.0, 1.0, 0.0]), tensor(&[1.0, 0.0, 1.0, 0.0]));
        let float = tensor(&[0.0, 1.5, 9.0, 0.0]);
        let given = Batch {
            labels: &[1],
            outputs: &outputs,
            oracle: &oracle,
            float: Some(&float),
        };
        let mut score = Score::default();
        score.add(&[Answer::Values], 2, &given);
        assert_eq!((score.images, score.right, score.right_oracle), (1, 1, 0));
        assert_eq!((score.right_float, score.agreeing), (1, 0));
        assert_eq!(score.comparison.max_abs_error(), Ok(0.5));
    }
}
