//! What one party sends and where it waits, by phase.

use serde::{Deserialize, Serialize};
use std::iter::Sum;
use std::ops::{Add, AddAssign};
use subrosa_core::{Bytes, Rounds};

/// The part of the work that an exchange belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Phase {
    Setup,
    Offline,
    Online,
}

/// Payload bytes that a party sends, and exchanges in which it waits for a frame.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cost {
    pub bytes: Bytes,
    pub rounds: Rounds,
}

impl Add for Cost {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self {
            bytes: self.bytes + other.bytes,
            rounds: self.rounds + other.rounds,
        }
    }
}

impl AddAssign for Cost {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl Sum for Cost {
    fn sum<I: Iterator<Item = Self>>(costs: I) -> Self {
        costs.fold(Self::default(), Add::add)
    }
}

/// One party's cost of each phase. Headers, openings, notices and aborts are not on it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bill {
    pub setup: Cost,
    pub offline: Cost,
    pub online: Cost,
}

impl Bill {
    pub fn get(&self, phase: Phase) -> &Cost {
        match phase {
            Phase::Setup => &self.setup,
            Phase::Offline => &self.offline,
            Phase::Online => &self.online,
        }
    }

    pub fn get_mut(&mut self, phase: Phase) -> &mut Cost {
        match phase {
            Phase::Setup => &mut self.setup,
            Phase::Offline => &mut self.offline,
            Phase::Online => &mut self.online,
        }
    }

    /// Books one exchange: what it sends in all, and one round if it `waits` for anybody.
    pub fn exchange(&mut self, phase: Phase, bytes_sent: Bytes, waits: bool) {
        *self.get_mut(phase) += Cost {
            bytes: bytes_sent,
            rounds: Rounds(u64::from(waits)),
        };
    }
}

impl Add for Bill {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self {
            setup: self.setup + other.setup,
            offline: self.offline + other.offline,
            online: self.online + other.online,
        }
    }
}

impl AddAssign for Bill {
    fn add_assign(&mut self, other: Self) {
        self.setup += other.setup;
        self.offline += other.offline;
        self.online += other.online;
    }
}

impl Sum for Bill {
    fn sum<I: Iterator<Item = Self>>(bills: I) -> Self {
        bills.fold(Self::default(), Add::add)
    }
}
