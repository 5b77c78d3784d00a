//! Linear systems.

use subrosa_ring::mask;

/// Gaussian elimination over Z/2^bits, equation by equation: those that add no unit to the pivots are left out.
pub struct Modular {
    unknowns: usize,
    bits: u32,
    /// By pivot: coefficients, of which that of the pivot is 1, and right sides.
    rows: Vec<Option<(Vec<u64>, Vec<u64>)>>,
}

impl Modular {
    pub fn new(unknowns: usize, bits: u32) -> Self {
        Self {
            unknowns,
            bits,
            rows: vec![None; unknowns],
        }
    }

    /// One equation with several right sides -> the unknowns, each with one value for each right side, where this was the last that
    /// was missing; the system is then empty again.
    pub fn add(&mut self, coefficients: &[u64], right: &[u64]) -> Option<Vec<Vec<u64>>> {
        let mut row = (coefficients.to_vec(), right.to_vec());
        for (pivot, known) in self.rows.iter().enumerate() {
            if let Some(known) = known {
                let factor = row.0[pivot];
                reduce(&mut row, known, factor, self.bits);
            }
        }
        let pivot = row.0.iter().position(|coefficient| coefficient & 1 == 1)?;
        let inverse = inverse(row.0[pivot]);
        for value in row.0.iter_mut().chain(&mut row.1) {
            *value = value.wrapping_mul(inverse) & mask(self.bits);
        }
        for known in self.rows.iter_mut().flatten() {
            let factor = known.0[pivot];
            reduce(known, &row, factor, self.bits);
        }
        self.rows[pivot] = Some(row);
        if self.rows.iter().any(Option::is_none) {
            return None;
        }
        let solved = std::mem::replace(&mut self.rows, vec![None; self.unknowns]);
        Some(
            solved
                .into_iter()
                .flatten()
                .map(|(_, right)| right)
                .collect(),
        )
    }
}

fn reduce(row: &mut (Vec<u64>, Vec<u64>), by: &(Vec<u64>, Vec<u64>), factor: u64, bits: u32) {
    let to = row.0.iter_mut().chain(&mut row.1);
    for (value, by) in to.zip(by.0.iter().chain(&by.1)) {
        *value = value.wrapping_sub(factor.wrapping_mul(*by)) & mask(bits);
    }
}

/// Of an odd number modulo 2^64, by Newton's iteration.
fn inverse(odd: u64) -> u64 {
    let step = |x: u64, _| x.wrapping_mul(2u64.wrapping_sub(odd.wrapping_mul(x)));
    (0..6).fold(odd, step)
}

/// The coefficients of y = x w + constant that fit best, without the constant. x: row by row.
pub fn least_squares(x: &[Vec<f64>], y: &[f64]) -> Vec<f64> {
    let unknowns = x[0].len();
    let rows = x.len() as f64;
    let mean = |values: &mut dyn Iterator<Item = f64>| values.sum::<f64>() / rows;
    let centre: Vec<f64> = (0..unknowns)
        .map(|at| mean(&mut x.iter().map(|x| x[at])))
        .collect();
    let height = mean(&mut y.iter().copied());
    let mut system = vec![vec![0.0; unknowns + 1]; unknowns];
    for (x, y) in x.iter().zip(y) {
        let x: Vec<f64> = x
            .iter()
            .zip(&centre)
            .map(|(x, centre)| x - centre)
            .collect();
        for (row, at) in system.iter_mut().zip(&x) {
            for (sum, other) in row.iter_mut().zip(x.iter().chain([&(y - height)])) {
                *sum += at * other;
            }
        }
    }
    // Positive definite: no pivot is zero.
    for pivot in 0..unknowns {
        let row = system[pivot].clone();
        for (at, other) in system.iter_mut().enumerate().filter(|(at, _)| *at != pivot) {
            let factor = other[pivot] / row[pivot];
            assert!(factor.is_finite(), "equation {at}");
            let pairs = other.iter_mut().zip(&row);
            pairs.for_each(|(value, by)| *value -= factor * by);
        }
    }
    let pairs = system.iter().enumerate();
    pairs
        .map(|(pivot, row)| row[unknowns] / row[pivot])
        .collect()
}
