//! Products of a shared bit with a masked value, and lifts into a wider ring.
//!
//! The bit is s = e + ρ mod 2: e is opened to the evaluators, ρ is the dealer's. A value x of Z/2^n with
//! -2^(n-2) <= x < 2^(n-2) in masked form x = c + λ mod 2^n is, over the integers,
//! x = A + μ + t 2^n b, where c' = c + 2^(n-2) mod 2^n, t is its top bit, A = c' - t 2^n - 2^(n-2), μ is λ read as a
//! signed number and b = [μ < 0]. ([DEK19], section 5, after Catrina and de Hoogh; ours in this form.)
//! Everything but A and t is the dealer's, so s x is a sum of dealt terms with public coefficients:
//!
//! | e | s x |
//! |---|---|
//! | 0 | ρ A + ρ μ + t 2^n ρ b |
//! | 1 | (1 - ρ) A + (1 - ρ) μ + t 2^n (1 - ρ) b |
//!
//! The new mask absorbs ρ μ: it is ρ μ - p0 - p1 with p0, p1 two streams, so ρ μ is never dealt.

use crate::Evaluator;
use subrosa_ring::{mask, sign_extend};

/// Widths of a product s x or a lift: from Z/2^narrow into Z/2^wide, `narrow <= wide`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lift {
    pub narrow: u32,
    pub wide: u32,
}

impl Lift {
    /// Width at which b times 2^narrow is dealt: none if the rings are equal.
    pub fn wrap_bits(&self) -> u32 {
        self.wide - self.narrow
    }

    /// (A, t) of c, A in Z/2^64: x = A + μ + t 2^narrow b.
    pub fn public(&self, c: u64) -> (u64, u64) {
        let quarter = 1u64 << (self.narrow - 2);
        let shifted = c.wrapping_add(quarter) & mask(self.narrow);
        let t = shifted >> (self.narrow - 1);
        (
            (sign_extend(shifted, self.narrow) as u64).wrapping_sub(quarter),
            t,
        )
    }

    fn wrap(&self, t: u64, b: u64) -> u64 {
        if self.wrap_bits() == 0 {
            0
        } else {
            (t * b) << self.narrow
        }
    }

    /// (μ, b) of a mask.
    pub fn signed(&self, lambda: u64) -> (u64, u64) {
        let mu = sign_extend(lambda & mask(self.narrow), self.narrow);
        (mu as u64, u64::from(mu < 0))
    }
}

/// Columns that the dealer shares additively for a product s x, beside the pads.
pub struct ProductDeal {
    /// In Z/2^wide.
    pub rho: Vec<u64>,
    /// (1 - 2ρ) μ in Z/2^wide.
    pub turned: Vec<u64>,
    /// ρ b and (1 - ρ) b in Z/2^wrap_bits; empty if there is no wrap.
    pub wrap: [Vec<u64>; 2],
    /// The new mask ρ μ - p0 - p1.
    pub mask: Vec<u64>,
}

/// lambda: the mask of x; rho: 0 or 1; pads: p0 + p1.
pub fn deal_product(lift: Lift, lambda: &[u64], rho: &[u64], pads: &[u64]) -> ProductDeal {
    let wide = mask(lift.wide);
    let count = lambda.len();
    let mut deal = ProductDeal {
        rho: rho.to_vec(),
        turned: Vec::with_capacity(count),
        wrap: [Vec::new(), Vec::new()],
        mask: Vec::with_capacity(count),
    };
    for ((l, r), pad) in lambda.iter().zip(rho).zip(pads) {
        let (mu, b) = lift.signed(*l);
        let chosen = mu & r.wrapping_neg();
        deal.turned
            .push(mu.wrapping_sub(chosen.wrapping_mul(2)) & wide);
        deal.mask.push(chosen.wrapping_sub(*pad) & wide);
        if lift.wrap_bits() > 0 {
            deal.wrap[0].push(b & r);
            deal.wrap[1].push(b & !r);
        }
    }
    deal
}

/// An evaluator's share of a [`ProductDeal`], pads included.
pub struct ProductShare<'a> {
    pub rho: &'a [u64],
    pub turned: &'a [u64],
    pub wrap: [&'a [u64]; 2],
    pub pad: &'a [u64],
}

/// This evaluator's summand of the new c = s x - mask. c: masked form of x in Z/2^narrow; e: the opened bits,
/// 64 in a word.
pub fn product(
    lift: Lift,
    who: Evaluator,
    c: &[u64],
    e: &[u64],
    share: &ProductShare<'_>,
) -> Vec<u64> {
    let first = who.first_mask();
    let mut out = Vec::with_capacity(c.len());
    for (start, word, end) in lanes(e, c.len()) {
        let columns = c[start..end].iter().zip(&share.rho[start..end]);
        let columns = columns
            .zip(&share.turned[start..end])
            .zip(&share.pad[start..end]);
        for (bit, (((c, rho), turned), pad)) in columns.enumerate() {
            let pick = (word >> bit & 1).wrapping_neg();
            let (a, _) = lift.public(*c);
            let sum = coefficient(*rho, pick, first).wrapping_mul(a);
            out.push(sum.wrapping_add(*pad).wrapping_add(turned & pick));
        }
        if lift.wrap_bits() > 0 {
            let wraps = share.wrap[0][start..end]
                .iter()
                .zip(&share.wrap[1][start..end]);
            for (bit, ((sum, c), (zero, one))) in out[start..end]
                .iter_mut()
                .zip(&c[start..end])
                .zip(wraps)
                .enumerate()
            {
                let pick = (word >> bit & 1).wrapping_neg();
                let (_, t) = lift.public(*c);
                *sum = sum.wrapping_add(lift.wrap(t, zero ^ (pick & (zero ^ one))));
            }
        }
    }
    subrosa_ring::mask_into(&mut out, lift.wide);
    out
}

/// Share of ρ where the bit is 0, of 1 - ρ where `pick` is all ones.
fn coefficient(rho: u64, pick: u64, first: u64) -> u64 {
    (rho ^ pick)
        .wrapping_sub(pick)
        .wrapping_add(first & pick & 1)
}

/// (first lane, word, end lane) for each word of a row of bits.
fn lanes(row: &[u64], count: usize) -> impl Iterator<Item = (usize, u64, usize)> {
    row.iter()
        .enumerate()
        .map(move |(w, word)| (64 * w, *word, count.min(64 * w + 64)))
}

/// The lift alone: the dealer shares b in Z/2^wrap_bits; the new mask is μ - p0 - p1.
/// Returns (b, mask).
pub fn deal_lift(lift: Lift, lambda: &[u64], pads: &[u64]) -> (Vec<u64>, Vec<u64>) {
    let wide = mask(lift.wide);
    lambda
        .iter()
        .zip(pads)
        .map(|(l, pad)| {
            let (mu, b) = lift.signed(*l);
            (b, mu.wrapping_sub(*pad) & wide)
        })
        .unzip()
}

/// This evaluator's summand of the lifted c. wrap: its share of b.
pub fn lift(lift: Lift, who: Evaluator, c: &[u64], wrap: &[u64], pad: &[u64]) -> Vec<u64> {
    let wide = mask(lift.wide);
    let first = who.first_mask();
    c.iter()
        .zip(wrap)
        .zip(pad)
        .map(|((c, b), pad)| {
            let (a, t) = lift.public(*c);
            (a & first)
                .wrapping_add(lift.wrap(t, *b))
                .wrapping_add(*pad)
                & wide
        })
        .collect()
}

/// Choice between two masked values of one ring: y2 + s (y1 - y2), no lift.
///
/// The dealer shares ρ and (1 - 2ρ) λ_d, d = y1 - y2; the new mask is λ_y2 + ρ λ_d - p0 - p1.
/// Returns ((1 - 2ρ) λ_d, mask).
pub fn deal_choice(
    bits: u32,
    lambda1: &[u64],
    lambda2: &[u64],
    rho: &[u64],
    pads: &[u64],
) -> (Vec<u64>, Vec<u64>) {
    let keep = mask(bits);
    (0..rho.len())
        .map(|i| {
            let d = lambda1[i].wrapping_sub(lambda2[i]);
            let chosen = d & rho[i].wrapping_neg();
            let turned = d.wrapping_sub(chosen.wrapping_mul(2)) & keep;
            (
                turned,
                lambda2[i].wrapping_add(chosen).wrapping_sub(pads[i]) & keep,
            )
        })
        .unzip()
}

/// An evaluator's share of the correlation of a choice.
pub struct ChoiceShare<'a> {
    pub rho: &'a [u64],
    pub turned: &'a [u64],
    pub pad: &'a [u64],
}

/// This evaluator's summand of the chosen value's c; e as in [`product`].
pub fn choice(
    bits: u32,
    who: Evaluator,
    c1: &[u64],
    c2: &[u64],
    e: &[u64],
    share: &ChoiceShare<'_>,
) -> Vec<u64> {
    let first = who.first_mask();
    let mut out = Vec::with_capacity(c1.len());
    for (start, word, end) in lanes(e, c1.len()) {
        let values = c1[start..end].iter().zip(&c2[start..end]);
        let shares = share.rho[start..end].iter().zip(&share.turned[start..end]);
        let columns = values.zip(shares).zip(&share.pad[start..end]);
        for (bit, (((c1, c2), (rho, turned)), pad)) in columns.enumerate() {
            let pick = (word >> bit & 1).wrapping_neg();
            let sum = coefficient(*rho, pick, first).wrapping_mul(c1.wrapping_sub(*c2));
            out.push(
                sum.wrapping_add(c2 & first)
                    .wrapping_add(*pad)
                    .wrapping_add(turned & pick),
            );
        }
    }
    subrosa_ring::mask_into(&mut out, bits);
    out
}

#[cfg(test)]
mod tests;
