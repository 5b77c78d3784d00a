//! Bit rows of one piece, written and read in one order.

use subrosa_net::{LocalFault, RunError};
use subrosa_ring::BitMatrix;

/// Collects rows of `lanes` bits.
pub struct Writer {
    lanes: usize,
    words: Vec<u64>,
}

impl Writer {
    pub fn new(lanes: usize) -> Self {
        Self {
            lanes,
            words: Vec::new(),
        }
    }

    pub fn put(&mut self, row: &[u64]) {
        debug_assert_eq!(row.len(), self.lanes.div_ceil(64));
        self.words.extend_from_slice(row);
    }

    pub fn finish(self) -> BitMatrix {
        let planes = self.words.len() / self.lanes.div_ceil(64).max(1);
        let mut matrix = BitMatrix::from_words(planes, self.lanes, self.words);
        matrix.mask_padding();
        matrix
    }
}

/// Hands rows out in order.
#[derive(Clone)]
pub struct Reader<'a> {
    rows: &'a BitMatrix,
    at: usize,
}

impl<'a> Reader<'a> {
    pub fn new(rows: &'a BitMatrix) -> Self {
        Self { rows, at: 0 }
    }

    pub fn take(&mut self) -> Result<&'a [u64], RunError> {
        if self.at >= self.rows.planes() {
            return Err(LocalFault::Invariant.into());
        }
        self.at += 1;
        Ok(self.rows.row(self.at - 1))
    }

    pub fn take_many(&mut self, count: usize) -> Result<Vec<&'a [u64]>, RunError> {
        (0..count).map(|_| self.take()).collect()
    }
}

pub fn xor(a: &[u64], b: &[u64]) -> Vec<u64> {
    a.iter().zip(b).map(|(a, b)| a ^ b).collect()
}

pub fn and(a: &[u64], b: &[u64]) -> Vec<u64> {
    a.iter().zip(b).map(|(a, b)| a & b).collect()
}

pub fn not(a: &[u64]) -> Vec<u64> {
    a.iter().map(|a| !a).collect()
}
