//! How a comparison of two numbers, one at each party, is cut into blocks and merged again.
//!
//! [CrypTFlow2], section 3.1: v > w is decided for blocks of four bits by a 1-of-16 OT each, and neighbouring results
//! (greater, equal) are merged in a tree. The lowest block needs no "equal".

/// Bits of a whole block.
const BLOCK: usize = 4;

/// Comparison of two numbers of `bits` bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tree {
    pub bits: usize,
}

impl Tree {
    pub fn blocks(&self) -> usize {
        self.bits.div_ceil(BLOCK)
    }

    /// Bits of a block; the lowest, number 0, takes what is left over.
    pub fn width(&self, block: usize) -> usize {
        if block == 0 {
            self.bits - BLOCK * (self.blocks() - 1)
        } else {
            BLOCK
        }
    }

    /// Entries of a block's table for "greater", and for "equal" where the block has one.
    pub fn entries(&self, block: usize) -> (usize, usize) {
        let entries = 1 << self.width(block);
        (entries, if block == 0 { 0 } else { entries })
    }

    /// Bits of all tables of one lane.
    pub fn table_bits(&self) -> usize {
        let both = |block| {
            let (greater, equal) = self.entries(block);
            greater + equal
        };
        (0..self.blocks()).map(both).sum()
    }

    /// Results before each level of merging: neighbours 2 i and 2 i + 1 become i, an odd last one stays.
    pub fn levels(&self) -> impl Iterator<Item = usize> {
        std::iter::successors(Some(self.blocks()), |nodes| Some(nodes.div_ceil(2)))
            .take_while(|nodes| *nodes > 1)
    }

    /// Whether merge `at` of a level makes an "equal", too.
    pub fn has_equal(at: usize) -> bool {
        at > 0
    }

    /// Products of a level, and its merges: each has one factor "equal of the upper" in common.
    pub fn products(nodes: usize) -> (usize, usize) {
        let merges = nodes / 2;
        (2 * merges - 1, merges)
    }

    /// Bits that each side opens for a level: one for each merge, one for each product.
    pub fn opened(nodes: usize) -> usize {
        let (products, merges) = Self::products(nodes);
        products + merges
    }

    /// All products and all merges.
    pub fn all_products(&self) -> (usize, usize) {
        self.levels()
            .map(Self::products)
            .fold((0, 0), |sum, one| (sum.0 + one.0, sum.1 + one.1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn twenty_seven_bits_are_seven_blocks() {
        let tree = Tree { bits: 27 };
        assert_eq!(tree.blocks(), 7);
        assert_eq!(tree.width(0), 3);
        assert_eq!((0..7).map(|b| tree.width(b)).sum::<usize>(), 27);
        assert_eq!(tree.table_bits(), 8 + 6 * 32);
        assert_eq!(tree.levels().collect::<Vec<_>>(), [7, 4, 2]);
        assert_eq!(tree.all_products(), (5 + 3 + 1, 3 + 2 + 1));
        assert_eq!(Tree { bits: 3 }.levels().count(), 0);
    }
}
