//! The tree over block results, on XOR shares, with products from triples ([Beaver 1991]) that were made offline.

use super::rows::{Reader, Writer, and};
use super::tree::Tree;
use subrosa_net::{LocalFault, RunError};
use subrosa_ring::{BitMatrix, and_xor_into, xor_into};

/// One side's shares of the results (greater, equal) of all blocks, lowest first, and then of fewer and fewer.
pub struct Merger {
    lanes: usize,
    greater: Vec<Vec<u64>>,
    /// `None` for the lowest.
    equal: Vec<Option<Vec<u64>>>,
    /// The side that adds the product of what is opened.
    adds: bool,
}

/// One side's shares of a merge's triple: a, then (b, ab) for "greater" and, above the lowest merge, for "equal".
struct Triple<'a> {
    a: &'a [u64],
    b: Vec<&'a [u64]>,
    ab: Vec<&'a [u64]>,
}

impl<'a> Triple<'a> {
    fn read(at: usize, rows: &mut Reader<'a>) -> Result<Self, RunError> {
        let count = 1 + usize::from(Tree::has_equal(at));
        Ok(Self {
            a: rows.take()?,
            b: rows.take_many(count)?,
            ab: rows.take_many(count)?,
        })
    }
}

impl Merger {
    pub fn new(lanes: usize, adds: bool) -> Self {
        Self {
            lanes,
            greater: Vec::new(),
            equal: Vec::new(),
            adds,
        }
    }

    /// The next higher block.
    pub fn push(&mut self, greater: Vec<u64>, equal: Option<Vec<u64>>) {
        self.greater.push(greater);
        self.equal.push(equal);
    }

    /// What this side opens for one level, by a second reader of the triples that [`Merger::close`] reads.
    pub fn open(&self, rows: &mut Reader<'_>) -> Result<BitMatrix, RunError> {
        let mut out = Writer::new(self.lanes);
        for at in 0..self.greater.len() / 2 {
            let triple = Triple::read(at, rows)?;
            let factors = self.factors(at)?;
            let masks = std::iter::once(triple.a).chain(triple.b.iter().copied());
            for (factor, mask) in factors.iter().zip(masks) {
                let mut row = factor.to_vec();
                xor_into(&mut row, mask);
                out.put(&row);
            }
        }
        Ok(out.finish())
    }

    /// The common factor, then the others.
    fn factors(&self, at: usize) -> Result<Vec<&[u64]>, RunError> {
        let upper = self.equal.get(2 * at + 1).and_then(Option::as_deref);
        let mut factors = vec![upper.ok_or(LocalFault::Invariant)?];
        factors.push(&self.greater[2 * at]);
        factors.extend(self.equal[2 * at].as_deref());
        Ok(factors)
    }

    /// Merges neighbours by what both sides opened together.
    pub fn close(&mut self, opened: &BitMatrix, rows: &mut Reader<'_>) -> Result<(), RunError> {
        let mut opened = Reader::new(opened);
        let nodes = self.greater.len();
        let mut greater = Vec::with_capacity(nodes.div_ceil(2));
        let mut equal = Vec::with_capacity(nodes.div_ceil(2));
        for at in 0..nodes / 2 {
            let triple = Triple::read(at, rows)?;
            let e = opened.take()?;
            let mut products = Vec::with_capacity(2);
            for (b, ab) in triple.b.iter().zip(&triple.ab) {
                let g = opened.take()?;
                let mut product = ab.to_vec();
                and_xor_into(&mut product, e, b);
                and_xor_into(&mut product, g, triple.a);
                if self.adds {
                    xor_into(&mut product, &and(e, g));
                }
                products.push(product);
            }
            let mut products = products.into_iter();
            let mut sum = products.next().ok_or(LocalFault::Invariant)?;
            xor_into(&mut sum, &self.greater[2 * at + 1]);
            greater.push(sum);
            equal.push(products.next());
        }
        if nodes % 2 == 1 {
            greater.extend(self.greater.pop());
            equal.extend(self.equal.pop());
        }
        (self.greater, self.equal) = (greater, equal);
        Ok(())
    }

    /// The share of the whole comparison, once one result is left.
    pub fn finish(mut self) -> Result<Vec<u64>, RunError> {
        Ok(self.greater.pop().ok_or(LocalFault::Invariant)?)
    }
}
