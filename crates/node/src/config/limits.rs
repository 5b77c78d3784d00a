//! What a node spends on others.

use super::fault::ConfigFault;
use super::section::Section;
use super::value::{bytes, time, whole};
use std::time::Duration;

pub const KEYS: &[&str] = &[
    "sessions",
    "guests",
    "queue",
    "connections",
    "model_bytes",
    "timeout",
    "idle",
    "threads",
];

/// The table `[limits]`, of which all may be left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// `sessions`, 1 to 1024 \[4\]: visits at a time that this node leads.
    pub sessions: usize,
    /// `guests`, 1 to 4096 \[16\]: visits at a time that another node leads.
    pub guests: usize,
    /// `queue`, 0 to 65536 \[64\]: clients that wait for a visit; those beyond are told that the node is busy.
    pub queue: usize,
    /// `connections`, 1 to 65536 \[256\]: open at a time, all peers and clients together.
    pub connections: usize,
    /// `model_bytes`, 1 KiB to 1024 GiB \["1 GiB"\]: one deployment's part at this node.
    pub model_bytes: u64,
    /// `timeout`, 100ms to 1h \["30s"\]: the longest silence of a peer in a session.
    pub timeout: Duration,
    /// `idle`, 1s to 24h \["5m"\]: the longest silence of a connection between sessions.
    pub idle: Duration,
    /// `threads`, 1 to 1024 \[2\]: cores for this party of one session.
    pub threads: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            sessions: 4,
            guests: 16,
            queue: 64,
            connections: 256,
            model_bytes: 1 << 30,
            timeout: DEFAULT_TIMEOUT,
            idle: Duration::from_secs(300),
            threads: 2,
        }
    }
}

/// The longest silence of a peer in a session where a file says nothing.
pub const DEFAULT_TIMEOUT: Duration = Duration::from_secs(30);

impl Limits {
    pub(super) fn read(mut table: Section) -> Result<Self, ConfigFault> {
        let base = Self::default();
        let mut count = |key: &str, low: u64, high: u64, default: usize| {
            let number = table.optional(key, whole(low, high))?;
            Ok(number.map_or(default, |number| number as usize))
        };
        Ok(Self {
            sessions: count("sessions", 1, 1024, base.sessions)?,
            guests: count("guests", 1, 4096, base.guests)?,
            queue: count("queue", 0, 65_536, base.queue)?,
            connections: count("connections", 1, 65_536, base.connections)?,
            threads: count("threads", 1, 1024, base.threads)?,
            model_bytes: table
                .optional(
                    "model_bytes",
                    bytes(1 << 10, 1 << 40, "1 KiB to 1024 GiB, as \"512 MiB\""),
                )?
                .unwrap_or(base.model_bytes),
            timeout: timeout(&mut table)?.unwrap_or(base.timeout),
            idle: table
                .optional(
                    "idle",
                    time(
                        Duration::from_secs(1),
                        Duration::from_secs(86_400),
                        "1s to 24h, as \"5m\"",
                    ),
                )?
                .unwrap_or(base.idle),
        })
    }
}

/// `timeout`, 100ms to 1h.
pub fn timeout(table: &mut Section) -> Result<Option<Duration>, ConfigFault> {
    let (low, high) = (Duration::from_millis(100), Duration::from_secs(3600));
    table.optional("timeout", time(low, high, "100ms to 1h, as \"30s\""))
}
