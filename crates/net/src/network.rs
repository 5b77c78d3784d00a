//! The network that a link imitates: a rate for each directed pair, and a delay.

use rustix::time::{ClockId, clock_gettime};
use std::fmt;
use std::str::FromStr;
use std::time::Duration;
use subrosa_core::Bytes;
use thiserror::Error;

/// Rate of each directed pair of parties, and round trip time. Half of the latter is added each way.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Network {
    /// `None`: as fast as the machine.
    pub bits_per_second: Option<u64>,
    pub round_trip: Duration,
}

impl Network {
    /// Nothing is added.
    pub const LOOPBACK: Self = Self {
        bits_per_second: None,
        round_trip: Duration::ZERO,
    };
    /// 1 Gbit/s, 1 ms.
    pub const LAN: Self = Self {
        bits_per_second: Some(1_000_000_000),
        round_trip: Duration::from_millis(1),
    };
    /// 100 Mbit/s, 40 ms.
    pub const WAN: Self = Self {
        bits_per_second: Some(100_000_000),
        round_trip: Duration::from_millis(40),
    };

    pub(crate) fn is_shaped(&self) -> bool {
        *self != Self::LOOPBACK
    }

    /// How long one directed pair takes to send so much.
    pub fn transfer(&self, bytes: Bytes) -> Duration {
        Duration::from_nanos(self.transfer_nanos(bytes.0))
    }

    fn transfer_nanos(&self, bytes: u64) -> u64 {
        match self.bits_per_second {
            None => 0,
            Some(rate) => {
                let nanos = u128::from(bytes) * 8 * 1_000_000_000 / u128::from(rate.max(1));
                u64::try_from(nanos).unwrap_or(u64::MAX)
            }
        }
    }
}

const NAMED: [(&str, Network); 3] = [
    ("loopback", Network::LOOPBACK),
    ("lan", Network::LAN),
    ("wan", Network::WAN),
];

/// The name is none of `loopback`, `lan`, `wan`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("expected loopback, lan or wan")]
pub struct UnknownNetwork;

impl FromStr for Network {
    type Err = UnknownNetwork;
    fn from_str(name: &str) -> Result<Self, UnknownNetwork> {
        let found = NAMED.iter().find(|(known, _)| *known == name);
        found.map(|(_, network)| *network).ok_or(UnknownNetwork)
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some((name, _)) = NAMED.iter().find(|(_, network)| network == self) {
            return f.write_str(name);
        }
        match self.bits_per_second {
            Some(rate) => write!(f, "{rate} bit/s, {:?}", self.round_trip),
            None => write!(f, "{:?}", self.round_trip),
        }
    }
}

/// Nanoseconds of CLOCK_MONOTONIC, which processes on one machine share.
pub(crate) fn now() -> u64 {
    let time = clock_gettime(ClockId::Monotonic);
    (time.tv_sec as u64)
        .wrapping_mul(1_000_000_000)
        .wrapping_add(time.tv_nsec as u64)
}

/// The time of [`now`] when `timeout` will be over.
pub(crate) fn deadline(timeout: Duration) -> u64 {
    now().saturating_add(u64::try_from(timeout.as_nanos()).unwrap_or(u64::MAX))
}

/// The receiving end of one shaped direction.
pub(crate) struct Shaper {
    network: Network,
    /// When the last bit of what has been sent so far has left the sender.
    free: u64,
}

impl Shaper {
    pub fn new(network: Network) -> Self {
        Self { network, free: 0 }
    }

    /// When a frame that was sent at `sent` is wholly here. A time in the future counts as now.
    pub fn arrival(&mut self, sent: u64, bytes: u64) -> u64 {
        if !self.network.is_shaped() {
            return 0;
        }
        let start = self.free.max(sent.min(now()));
        self.free = start.saturating_add(self.network.transfer_nanos(bytes));
        self.free
            .saturating_add(self.network.round_trip.as_nanos() as u64 / 2)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_go_both_ways() {
        for (name, network) in NAMED {
            assert_eq!(name.parse(), Ok(network));
            assert_eq!(network.to_string(), name);
        }
        assert_eq!("moon".parse::<Network>(), Err(UnknownNetwork));
    }

    #[test]
    fn frames_queue_behind_each_other() {
        let mut shaper = Shaper::new(Network::WAN);
        let sent = now();
        let one = shaper.arrival(sent, 125_000);
        assert_eq!(one, sent + 10_000_000 + 20_000_000);
        assert_eq!(shaper.arrival(sent, 125_000), one + 10_000_000);
        let future = shaper.arrival(u64::MAX, 0);
        assert!(future <= now() + 40_000_000);
    }
}
