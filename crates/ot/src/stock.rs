//! The order of lots, what feeds them, and the correlated OTs in stock.

use crate::extension::{Extension, Lot};
use subrosa_core::StockFault;
use subrosa_net::{LocalFault, RunError};
use zeroize::Zeroize;

/// Lots to come, and the outputs of the last one.
pub(crate) struct Lots {
    extension: Extension,
    /// Lots that have run.
    run: usize,
    /// Outputs of the last lot; the first `fed` are for the next one, those before `head` are used up.
    outputs: Vec<u128>,
    fed: usize,
    head: usize,
    /// Random OTs handed out.
    drawn: u64,
    /// Random OTs promised by [`Lots::allow`].
    allowed: u64,
}

impl Lots {
    pub(crate) fn new(extension: &Extension) -> Self {
        Self {
            extension: extension.clone(),
            run: 0,
            outputs: Vec::new(),
            fed: 0,
            head: 0,
            drawn: 0,
            allowed: 0,
        }
    }

    /// Widths of the groups in lots of SoftSpoken, each once.
    pub(crate) fn widths(&self) -> impl Iterator<Item = u32> {
        let mut widths: Vec<u32> = Vec::new();
        for lot in self.extension.lots() {
            if let Lot::SoftSpoken { k, .. } = lot
                && !widths.contains(k)
            {
                widths.push(*k);
            }
        }
        widths.into_iter()
    }

    /// `planes * lanes`, if that many are left.
    pub(crate) fn allow(&mut self, planes: usize, lanes: usize) -> Result<usize, RunError> {
        let count = planes.checked_mul(lanes).ok_or(StockFault::Exhausted)?;
        let allowed = self.allowed.checked_add(count as u64);
        let allowed = allowed.filter(|all| *all <= self.extension.total());
        self.allowed = allowed.ok_or(StockFault::Exhausted)?;
        Ok(count)
    }

    /// Up to `most` correlated OTs from the stock, and the number of the first.
    pub(crate) fn take(&mut self, most: usize) -> (u64, &[u128]) {
        let first = self.drawn;
        let from = self.head;
        self.head = self.outputs.len().min(from.saturating_add(most));
        self.drawn += (self.head - from) as u64;
        (first, &self.outputs[from..self.head])
    }

    /// The next lot's number, kind and inputs. The stock must be empty.
    pub(crate) fn next(&mut self) -> Result<(u64, Lot, Vec<u128>), RunError> {
        let lot = self
            .extension
            .lots()
            .get(self.run)
            .ok_or(LocalFault::Invariant)?;
        let after = self.extension.lots().get(self.run + 1);
        let inputs = self.outputs[..self.fed].to_vec();
        self.fed = after.map_or(0, |lot| lot.inputs()) as usize;
        self.head = self.fed;
        let number = self.run as u64;
        self.run += 1;
        Ok((number, *lot, inputs))
    }

    /// Where a lot writes all its `count` outputs, in the place of the last lot's.
    pub(crate) fn store(&mut self, count: u64) -> &mut [u128] {
        let count = count as usize;
        if let Some(rest) = self.outputs.get_mut(count..) {
            rest.zeroize();
        }
        self.outputs.resize(count, 0);
        &mut self.outputs
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.head == self.outputs.len()
    }
}

impl Drop for Lots {
    fn drop(&mut self) {
        self.outputs[..].zeroize();
    }
}
