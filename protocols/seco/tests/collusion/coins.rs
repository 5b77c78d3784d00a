//! Whether bits are fair coins.

use std::collections::BTreeMap;

/// The chance that one call of [`Coins::fair`] is wrong about fair coins: at most 2^-30, so that a thousand calls together stay below
/// 10^-6.
const LN_ALARM: f64 = -30.0 * std::f64::consts::LN_2;

/// Of many coins how often each was thrown and came up one.
#[derive(Default)]
pub struct Coins(BTreeMap<(usize, u32, u32), [u64; 2]>);

impl Coins {
    /// Every bit of a value, and the sum of every two that are neighbours or lie at both ends. `column`: values of one column have
    /// the same coins.
    pub fn throw(&mut self, column: usize, value: u64, bits: u32) {
        for at in 0..bits {
            let bit = value >> at & 1;
            self.one(column, at, at, bit);
            let next = (at + 1) % bits;
            if next != at {
                self.one(column, at, next, bit ^ (value >> next & 1));
            }
        }
    }

    fn one(&mut self, column: usize, at: u32, next: u32, bit: u64) {
        let [ones, thrown] = self.0.entry((column, at, next)).or_default();
        *ones += bit;
        *thrown += 1;
    }

    /// By Hoeffding, of n throws of a fair coin the ones are n/2 + t or more off with chance 2 exp(-2 t^2 / n) at most; the bound is
    /// shared among all coins.
    pub fn fair(&self) -> bool {
        assert!(!self.0.is_empty());
        let coins = self.0.len() as f64;
        self.0.values().all(|[ones, thrown]| {
            let n = *thrown as f64;
            assert!(n >= 150.0, "too few throws: {n}");
            let far = *ones as f64 - n / 2.0;
            (2.0 * coins).ln() - 2.0 * far * far / n > LN_ALARM
        })
    }
}
