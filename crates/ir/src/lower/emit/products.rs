//! Nodes that multiply: layers, means and public factors.

use super::{Bound, Emitter, Source};
use crate::encode::unit;
use crate::lower::layer::WeightBits;
use crate::{FixedOp, FloatNode, Gain, Linear, LowerError, Rescale, Window, WireId};

/// Significant bits of a public factor.
const FACTOR_BITS: u32 = 15;
const LEAST_FACTOR_BITS: u32 = 8;

impl Emitter<'_> {
    pub(super) fn linear(
        &mut self,
        node: &FloatNode,
        linear: &Linear,
        gain: &Gain,
        x: WireId,
    ) -> Result<WireId, LowerError> {
        let value_frac = self.get(x).frac;
        let bits = WeightBits::of(gain);
        let room = self
            .limits
            .room(node.output, value_frac as i32 + bits.wanted);
        let mut weight_frac = bits.wanted.min(room - value_frac as i32);
        let (size, error) = (self.bound(x), self.errors[x.0 as usize]);
        let bound = loop {
            let Some(frac) = u32::try_from(weight_frac)
                .ok()
                .filter(|_| weight_frac >= bits.least)
            else {
                return Err(self.limits.too_wide(node.output));
            };
            let w = unit(frac);
            let rounding = 0.5 * gain.terms as f64 * size + 1.0;
            let largest = gain.sum * w * size + rounding + gain.bias * w * unit(value_frac);
            let error = gain.sum * w * error + rounding;
            let bound = self.choose(node.output, value_frac + frac, largest, error, &[x]);
            if bound.value < self.limits.limit() {
                break bound;
            }
            weight_frac -= 1;
        };
        let weight_frac = weight_frac as u32;
        let lost = (bits.wanted as u32 - weight_frac) + (self.frac.saturating_sub(value_frac));
        self.shortage = self.shortage.max(lost);
        let op = FixedOp::Linear {
            linear: linear.clone(),
            weight_frac,
        };
        self.push(
            Source {
                node,
                part: Some("product"),
            },
            op,
            vec![x],
            value_frac + weight_frac,
            bound,
        )
    }

    /// Sum over the window, then the product with the reciprocals of what it is divided by.
    pub(super) fn average(
        &mut self,
        node: &FloatNode,
        window: &Window,
        include_pad: bool,
        x: WireId,
    ) -> Result<WireId, LowerError> {
        let divisors = window.divisors(include_pad);
        let most = divisors.iter().copied().max().unwrap_or(1) as f64;
        let wire = self.get(x);
        let sum = Bound {
            value: self.bound(x) * most,
            proven: wire.proven,
            error: self.errors[x.0 as usize] * most,
        };
        let source = Source {
            node,
            part: Some("sum"),
        };
        let frac = wire.frac;
        let sum = self.push(source, FixedOp::SumPool(*window), vec![x], frac, sum)?;
        let reciprocals: Vec<f64> = divisors.iter().map(|d| 1.0 / *d as f64).collect();
        self.scale(node, sum, &reciprocals, "mean")
    }

    /// Product with public numbers, repeated over the wire.
    pub(super) fn scale(
        &mut self,
        node: &FloatNode,
        x: WireId,
        by: &[f64],
        part: &'static str,
    ) -> Result<WireId, LowerError> {
        let largest = by.iter().fold(0.0f64, |m, v| m.max(v.abs()));
        let frac = self.get(x).frac;
        let mut bits = FACTOR_BITS;
        loop {
            let rescale = factors(by, largest, bits);
            let factor = rescale
                .by
                .iter()
                .map(|v| v.unsigned_abs())
                .max()
                .unwrap_or(0) as f64;
            let value = self.bound(x) * factor;
            let error = self.errors[x.0 as usize] * factor + 0.5 * self.bound(x);
            let total = frac + rescale.frac;
            let bound = self.choose(node.output, total, value, error, &[x]);
            if bound.value < self.limits.limit() {
                return self.push(
                    Source {
                        node,
                        part: Some(part),
                    },
                    FixedOp::Scale(rescale),
                    vec![x],
                    total,
                    bound,
                );
            }
            bits -= 1;
            if bits < LEAST_FACTOR_BITS {
                return Err(self.limits.too_wide(node.output));
            }
        }
    }
}

/// Integers of at most `bits` bits that stand for `by`, with no more fraction bits than they need.
fn factors(by: &[f64], largest: f64, bits: u32) -> Rescale {
    if largest == 0.0 {
        return Rescale {
            by: vec![0],
            frac: 0,
        };
    }
    let size = largest.log2().floor() as i32 + 1;
    let mut frac = (bits as i32 - size).clamp(0, 40) as u32;
    let round = |frac: u32| {
        by.iter()
            .map(|v| (v * unit(frac)).round() as i64)
            .collect::<Vec<_>>()
    };
    let mut rounded = round(frac);
    while frac > 0 && rounded.iter().all(|v| v % 2 == 0) {
        rounded.iter_mut().for_each(|v| *v /= 2);
        frac -= 1;
    }
    Rescale { by: rounded, frac }
}
