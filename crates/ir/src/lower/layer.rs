//! Precision of one layer: fraction bits of its weight and of the wire that it reads.

use crate::{Gain, LowerError, RangedGraph, TooWide, WireId};

/// Fraction bits of a weight beside which rounding does not show.
const WEIGHT_FRAC: i32 = 16;
const MAX_WEIGHT_FRAC: i32 = 24;
/// Significant bits that the largest weight keeps at least.
const LEAST_WEIGHT_BITS: i32 = 8;
/// Fraction bits that a value keeps at least.
const LEAST_FRAC: i32 = 4;

/// Samples that happen to leave a wire near zero say little of it.
const LEAST_SEEN: f64 = 0.0625;

/// Fraction bits between which a weight's are chosen.
#[derive(Clone, Copy, Debug)]
pub(super) struct WeightBits {
    pub wanted: i32,
    pub least: i32,
}

impl WeightBits {
    pub fn of(gain: &Gain) -> Self {
        if gain.largest == 0.0 {
            return Self {
                wanted: WEIGHT_FRAC,
                least: 0,
            };
        }
        let size = gain.largest.log2();
        let wanted = (WEIGHT_FRAC - size.ceil() as i32).clamp(WEIGHT_FRAC, MAX_WEIGHT_FRAC);
        Self {
            wanted,
            least: (LEAST_WEIGHT_BITS - size.floor() as i32).clamp(0, wanted),
        }
    }

    /// Divides `room` between value and weight: `(value, weight)` fraction bits, the value's at most `value`.
    pub fn divide(self, value: i32, room: i32) -> Option<(i32, i32)> {
        let mut deficit = (value + self.wanted - room).max(0);
        let soft = deficit.min(4).min(self.wanted - self.least);
        deficit -= soft;
        let weight = (self.wanted - soft - deficit / 2).max(self.least);
        let value = value.min(room - weight);
        (value >= LEAST_FRAC).then_some((value, weight))
    }
}

/// What a lowering knows of ranges, in one place.
#[derive(Clone, Copy)]
pub(super) struct Limits<'a> {
    pub ranged: &'a RangedGraph,
    pub ring: u32,
    /// Bits of precision that a proof is worth.
    pub worth: i32,
}

impl<'a> Limits<'a> {
    /// Bounds lie below 2^(ring - 2).
    pub fn limit(&self) -> f64 {
        f64::from(self.ring - 2).exp2()
    }

    /// Times the largest value seen.
    fn headroom(&self) -> f64 {
        if self.ring < 64 { 8.0 } else { 1024.0 }
    }

    pub fn proven(&self, wire: WireId) -> f64 {
        self.ranged.proven[wire.0 as usize].magnitude()
    }

    /// Largest value seen, times the headroom.
    pub fn calibrated(&self, wire: WireId) -> f64 {
        self.ranged.calibrated[wire.0 as usize].max(LEAST_SEEN) * self.headroom()
    }

    /// Fraction bits that leave the wire below the limit: by proof where that gives all but a few of `wanted`.
    pub fn room(&self, wire: WireId, wanted: i32) -> i32 {
        let proven = self.fraction(self.proven(wire));
        if proven >= wanted - self.worth {
            return proven;
        }
        proven.max(self.fraction(self.calibrated(wire)))
    }

    /// Largest f with `magnitude * 2^f` below the limit, rounding errors left room.
    pub fn fraction(&self, magnitude: f64) -> i32 {
        let bits = (self.limit() / magnitude).log2() - 1e-3;
        if bits.is_nan() {
            i32::MIN
        } else {
            bits.floor().clamp(-4096.0, 62.0) as i32
        }
    }

    pub fn too_wide(&self, wire: WireId) -> LowerError {
        let proven = self.ranged.proven[wire.0 as usize];
        LowerError::TooWide(Box::new(TooWide {
            wire: self.ranged.graph.wire(wire).name.clone(),
            low: proven.low,
            high: proven.high,
            calibrated: self.ranged.calibrated[wire.0 as usize],
            ring: self.ring,
            fits: None,
        }))
    }
}
