//! Numbers as words of bits, least bit first, in two's complement where a sign is spoken of. The counts of AND gates
//! are those for inputs that are not constants.

use crate::builder::Builder;
use crate::circuit::Bit;

impl Builder {
    /// `value mod 2^width` as constant bits; `width` above 64 continues the sign.
    pub fn constant(&mut self, value: i64, width: usize) -> Vec<Bit> {
        let bit = |i: usize| Bit::constant(value >> i.min(63) & 1 == 1);
        (0..width).map(bit).collect()
    }

    /// `a + b mod 2^n`, n - 1 ANDs (Boyar, Peralta, Pochuev 2000: one a full adder).
    ///
    /// # Panics
    /// All functions of two words where the words differ in length.
    pub fn add(&mut self, a: &[Bit], b: &[Bit]) -> Vec<Bit> {
        self.add_with_carry(a, b, Bit::FALSE).0
    }

    /// `a + b + carry`, n ANDs: the sum and the carry out of it.
    pub fn add_with_carry(&mut self, a: &[Bit], b: &[Bit], carry: Bit) -> (Vec<Bit>, Bit) {
        assert_eq!(a.len(), b.len());
        let mut carry = carry;
        let mut sum = Vec::with_capacity(a.len());
        for (&a, &b) in a.iter().zip(b) {
            let x = self.xor(a, carry);
            let y = self.xor(b, carry);
            sum.push(self.xor(x, b));
            let both = self.and(x, y);
            carry = self.xor(carry, both);
        }
        (sum, carry)
    }

    /// `a - b mod 2^n = !(!a + b)`, n - 1 ANDs.
    pub fn sub(&mut self, a: &[Bit], b: &[Bit]) -> Vec<Bit> {
        let sum = self.add(&negated(a), b);
        negated(&sum)
    }

    /// `-a mod 2^n`, n - 2 ANDs.
    pub fn negate(&mut self, a: &[Bit]) -> Vec<Bit> {
        let zero = self.constant(0, a.len());
        self.sub(&zero, a)
    }

    /// `a < b` without sign, n ANDs: the borrow of `a - b`.
    pub fn less_than(&mut self, a: &[Bit], b: &[Bit]) -> Bit {
        self.add_with_carry(&negated(a), b, Bit::FALSE).1
    }

    /// `a < b` with sign, n ANDs.
    pub fn less_than_signed(&mut self, a: &[Bit], b: &[Bit]) -> Bit {
        self.less_than(&top_flipped(a), &top_flipped(b))
    }

    /// `a == b`, n - 1 ANDs.
    pub fn equal(&mut self, a: &[Bit], b: &[Bit]) -> Bit {
        assert_eq!(a.len(), b.len());
        let mut all = Bit::TRUE;
        for (&a, &b) in a.iter().zip(b) {
            let same = !self.xor(a, b);
            all = self.and(all, same);
        }
        all
    }

    /// The sign of `a`; no AND.
    pub fn is_negative(&self, a: &[Bit]) -> Bit {
        a.last().copied().unwrap_or(Bit::FALSE)
    }

    /// `if choice { a } else { b }`, n ANDs.
    pub fn mux(&mut self, choice: Bit, a: &[Bit], b: &[Bit]) -> Vec<Bit> {
        assert_eq!(a.len(), b.len());
        let pairs = a.iter().zip(b);
        pairs.map(|(&a, &b)| self.choose(choice, a, b)).collect()
    }

    /// `a` where `keep` is set, otherwise zero; n ANDs.
    pub fn keep_if(&mut self, keep: Bit, a: &[Bit]) -> Vec<Bit> {
        a.iter().map(|&a| self.and(keep, a)).collect()
    }

    /// `max(a, 0)`, n - 1 ANDs.
    pub fn relu(&mut self, a: &[Bit]) -> Vec<Bit> {
        let keep = !self.is_negative(a);
        self.keep_if(keep, a)
    }

    /// The larger with sign, 2n ANDs.
    pub fn max(&mut self, a: &[Bit], b: &[Bit]) -> Vec<Bit> {
        let less = self.less_than_signed(a, b);
        self.mux(less, b, a)
    }

    /// The smaller with sign, 2n ANDs.
    pub fn min(&mut self, a: &[Bit], b: &[Bit]) -> Vec<Bit> {
        let less = self.less_than_signed(a, b);
        self.mux(less, a, b)
    }

    /// `floor(a / 2^shift)` with sign, in `n - shift` bits (one at least); no AND.
    pub fn truncate(&self, a: &[Bit], shift: usize) -> Vec<Bit> {
        let from = shift.min(a.len().saturating_sub(1));
        a[from..].to_vec()
    }

    /// `a` with sign in `width` bits, or its low `width` bits where there are more; no AND.
    pub fn resize_signed(&self, a: &[Bit], width: usize) -> Vec<Bit> {
        let mut out = a.to_vec();
        out.resize(width, self.is_negative(a));
        out
    }

    /// `a` without sign in `width` bits, or its low `width` bits where there are more; no AND.
    pub fn resize(&self, a: &[Bit], width: usize) -> Vec<Bit> {
        let mut out = a.to_vec();
        out.resize(width, Bit::FALSE);
        out
    }

    /// `a` moved into `low..=high` with sign, at most 4n ANDs: constants fold.
    pub fn clip(&mut self, a: &[Bit], low: i64, high: i64) -> Vec<Bit> {
        let low = self.constant(low, a.len());
        let high = self.constant(high, a.len());
        let raised = self.max(a, &low);
        self.min(&raised, &high)
    }

    /// `table[index] mod 2^width`, zero past the end of the table. For one bit a tree of multiplexers, at most
    /// 2^(w-1) - 1 ANDs; for more the products of all sets of index bits, at most 2^w - w - 1 ANDs for any width.
    ///
    /// # Panics
    /// Where `index` has more than 24 bits, or `table` more entries than `index` can name.
    pub fn look_up(&mut self, index: &[Bit], table: &[i64], width: usize) -> Vec<Bit> {
        assert!(index.len() <= 24 && table.len() <= 1 << index.len());
        let entry = |at: usize, bit: usize| {
            table
                .get(at)
                .is_some_and(|word| word >> bit.min(63) & 1 == 1)
        };
        let size = 1 << index.len();
        if width == 1 {
            let leaves = (0..size).map(|at| Bit::constant(entry(at, 0))).collect();
            return vec![self.tree(index, leaves)];
        }
        let products = self.products(index);
        let mut outputs = Vec::with_capacity(width);
        for bit in 0..width {
            let mut coefficients: Vec<bool> = (0..size).map(|at| entry(at, bit)).collect();
            algebraic_normal_form(&mut coefficients);
            let mut sum = Bit::FALSE;
            for (&product, _) in products.iter().zip(&coefficients).filter(|(_, c)| **c) {
                sum = self.xor(sum, product);
            }
            outputs.push(sum);
        }
        outputs
    }

    fn tree(&mut self, index: &[Bit], mut leaves: Vec<Bit>) -> Bit {
        for &bit in index {
            let pairs = leaves.chunks(2);
            leaves = pairs
                .map(|pair| self.choose(bit, pair[1], pair[0]))
                .collect();
        }
        leaves[0]
    }

    /// At place `s` the product of the bits in the set `s`.
    fn products(&mut self, bits: &[Bit]) -> Vec<Bit> {
        let mut products = vec![Bit::TRUE];
        for &bit in bits {
            for at in 0..products.len() {
                products.push(self.and(products[at], bit));
            }
        }
        products
    }
}

/// Values of a function to the coefficients of its polynomial over GF(2).
fn algebraic_normal_form(values: &mut [bool]) {
    let mut step = 1;
    while step < values.len() {
        for at in (0..values.len()).filter(|at| at & step != 0) {
            values[at] ^= values[at ^ step];
        }
        step *= 2;
    }
}

fn negated(a: &[Bit]) -> Vec<Bit> {
    a.iter().map(|&bit| !bit).collect()
}

fn top_flipped(a: &[Bit]) -> Vec<Bit> {
    let mut out = a.to_vec();
    if let Some(top) = out.last_mut() {
        *top = !*top;
    }
    out
}
