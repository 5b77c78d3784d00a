use super::Comparison;
use super::layout::{Block, Group};
use crate::Evaluator;
use subrosa_core::BitsLayout;
use subrosa_ring::{BitMatrix, look_up, to_planes};

/// One evaluator in the middle of a comparison.
pub struct Evaluation<'a> {
    shape: &'a Comparison,
    who: Evaluator,
    /// This evaluator's share of the correlation: `shape.rows()`.
    rows: &'a BitMatrix,
    /// Shares of G and P, most significant item first; the last P is never read.
    g: BitMatrix,
    p: BitMatrix,
    /// Share of 1 + msb(c) + msb(λ).
    sign: Vec<u64>,
}

impl<'a> Evaluation<'a> {
    /// Looks up every block's G and P. c: `lanes` elements of Z/2^bits.
    pub fn new(shape: &'a Comparison, who: Evaluator, c: &[u64], rows: &'a BitMatrix) -> Self {
        let planes = to_planes(c, 0, shape.bits);
        let mut g = BitMatrix::new(shape.blocks.len(), shape.lanes);
        let mut p = BitMatrix::new(shape.blocks.len(), shape.lanes);
        for (item, block) in shape.blocks.iter().enumerate() {
            thresholds(block, who, &planes, rows, g.row_mut(item), p.row_mut(item));
        }
        let first = who.first_mask();
        let top = planes.row(shape.bits as usize - 1);
        let dealt = rows.row(shape.top);
        let sign = top
            .iter()
            .zip(dealt)
            .map(|(c, l)| (!c & first) ^ l)
            .collect();
        Self {
            shape,
            who,
            rows,
            g,
            p,
            sign,
        }
    }

    /// This evaluator's share of what is opened at `level`.
    pub fn open(&self, level: usize) -> BitMatrix {
        let BitsLayout { planes, lanes } = self.shape.opening(level);
        let mut out = BitMatrix::new(planes, lanes);
        let mut to = 0;
        for group in &self.shape.levels[level] {
            for (source, mask) in self.opened_items(group).zip(group.masks()) {
                let row = out.row_mut(to);
                for ((o, x), m) in row.iter_mut().zip(source).zip(self.rows.row(mask)) {
                    *o = x ^ m;
                }
                to += 1;
            }
        }
        out.mask_padding();
        out
    }

    fn opened_items<'s>(&'s self, group: &'s Group) -> impl Iterator<Item = &'s [u64]> {
        let (start, last) = (group.start, group.start + group.size - 1);
        let p = (start..last).map(|i| self.p.row(i));
        let g = (start + 1..=last).map(|i| self.g.row(i));
        let tail = (!group.last.is_empty()).then(|| self.p.row(last));
        p.chain(g).chain(tail)
    }

    /// Merges the items of `level`; `opened` is the XOR of both evaluators' openings.
    pub fn merge(&mut self, level: usize, opened: &BitMatrix) {
        let groups = &self.shape.levels[level];
        let mut g = BitMatrix::new(groups.len(), self.shape.lanes);
        let mut p = BitMatrix::new(groups.len(), self.shape.lanes);
        let mut at = 0;
        for (item, group) in groups.iter().enumerate() {
            self.merge_group(group, opened, at, g.row_mut(item), p.row_mut(item));
            at += group.openings();
        }
        self.g = g;
        self.p = p;
    }

    /// With u_i = P_i + a_i and v_j = G_j + b_j opened, the product P_0 .. P_(j-1) G_j is the sum over sets S of
    /// the first j positions of prod(u_i, i not in S) (v_j a_S + a_S b_j).
    fn merge_group(
        &self,
        group: &Group,
        opened: &BitMatrix,
        at: usize,
        g: &mut [u64],
        p: &mut [u64],
    ) {
        let size = group.size;
        let first = self.who.first_mask();
        let row = |r: usize| self.rows.row(r);
        let u: Vec<&[u64]> = (0..size - 1).map(|i| opened.row(at + i)).collect();
        let v: Vec<&[u64]> = (0..size - 1)
            .map(|j| opened.row(at + size - 1 + j))
            .collect();
        let last = (!group.last.is_empty()).then(|| opened.row(at + 2 * (size - 1)));
        let lead = self.g.row(group.start);
        for w in 0..g.len() {
            // outer[S] = prod(u_i, i in S); a[S] = this evaluator's share of a_S.
            let mut outer = [u64::MAX; 8];
            let mut a = [first; 8];
            for set in 1..1usize << (size - 1) {
                let low = set.trailing_zeros() as usize;
                outer[set] = outer[set & (set - 1)] & u[low][w];
                a[set] = row(group.a[set])[w];
            }
            let term = |opened: u64, products: &[usize]| {
                let full = products.len() - 1;
                let mut sum = 0;
                for (set, product) in products.iter().enumerate() {
                    sum ^= outer[full ^ set] & ((opened & a[set]) ^ row(*product)[w]);
                }
                sum
            };
            let mut carry = lead[w];
            for (j, products) in group.ab.iter().enumerate() {
                carry ^= term(v[j][w], products);
            }
            g[w] = carry;
            if let Some(opened) = last {
                p[w] = term(opened[w], &group.last);
            }
        }
    }

    /// This evaluator's share of [d >= 0] + ρ, to be opened. One plane.
    pub fn masked_sign(&self) -> BitMatrix {
        let mut out = BitMatrix::new(1, self.shape.lanes);
        let (g, rho) = (self.g.row(0), self.rows.row(self.shape.rho));
        for (w, o) in out.row_mut(0).iter_mut().enumerate() {
            *o = self.sign[w] ^ g[w] ^ rho[w];
        }
        out.mask_padding();
        out
    }
}

impl Comparison {
    /// The plain bit ρ that masks the sign, one for each lane, from the free rows' plain values.
    pub fn rho<'m>(&self, masks: &'m BitMatrix) -> &'m [u64] {
        masks.row(self.rho)
    }
}

/// G = T_t and P = T_(t-1) + T_t, t = !c, T_v the shared thresholds, T_(-1) = 1 and T_(2^width - 1) = 0.
fn thresholds(
    block: &Block,
    who: Evaluator,
    c: &BitMatrix,
    rows: &BitMatrix,
    g: &mut [u64],
    p: &mut [u64],
) {
    let entries = (1usize << block.width) - 1;
    let table: Vec<&[u64]> = (block.first..block.first + entries)
        .map(|r| rows.row(r))
        .collect();
    let bits = block.from as usize..(block.from + block.width) as usize;
    let choose: Vec<&[u64]> = bits.map(|plane| c.row(plane)).collect();
    look_up(&table, &choose, who.first_mask(), g, p);
}
