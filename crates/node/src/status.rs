//! What a node says of itself: counts and names, nothing of inputs, answers or weights.

use crate::message::Id;
use crate::visit::Tally;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::fmt::Write;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Status {
    pub name: String,
    pub version: String,
    pub uptime_s: u64,
    /// Whether it takes no visits any more.
    pub draining: bool,
    pub connections: u32,
    /// Visits that this node leads: those that run, and those that wait.
    pub running: u32,
    pub waiting: u32,
    /// Visits that other nodes lead.
    pub guests: u32,
    pub models: Vec<ModelStatus>,
    /// Deployments that are not complete: names of models.
    pub staged: Vec<String>,
    pub peers: Vec<PeerStatus>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ModelStatus {
    pub name: String,
    pub deployment: String,
    pub protocol: String,
    /// The name of this node's seat.
    pub seat: String,
    pub batches: Vec<u32>,
    /// Clients whose keys are kept, by batch size.
    pub enrolments: u64,
    /// Inferences whose material is kept, of all clients together.
    pub pool: u64,
    pub counts: Counts,
}

/// Since the node started.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Counts {
    pub visits: u64,
    pub failures: u64,
    pub enrolments: u64,
    pub inferences: u64,
    /// Of the inferences, those with material from the pool.
    pub pooled: u64,
    /// Inferences whose material was made ahead.
    pub filled: u64,
    /// Bytes of payload that this node has sent.
    pub sent_bytes: u64,
    pub received_bytes: u64,
    /// Exchanges in which it waited.
    pub rounds: u64,
    /// Time in sessions.
    pub busy_ms: u64,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PeerStatus {
    pub name: String,
    pub address: String,
    /// Whether it answered just now; `None` where nobody asked it.
    pub reachable: Option<bool>,
}

/// Counts of each deployment.
#[derive(Default)]
pub struct Ledger(Mutex<HashMap<Id, Counts>>);

impl Ledger {
    fn all(&self) -> MutexGuard<'_, HashMap<Id, Counts>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn of(&self, deployment: Id) -> Counts {
        self.all().get(&deployment).copied().unwrap_or_default()
    }

    pub fn forget(&self, deployment: Id) {
        self.all().remove(&deployment);
    }

    pub fn add(&self, deployment: Id, tally: &Tally, time: Duration, failed: bool) {
        let mut all = self.all();
        let counts = all.entry(deployment).or_default();
        let bill = &tally.bill;
        counts.visits += 1;
        counts.failures += u64::from(failed);
        counts.enrolments += u64::from(tally.enrolled);
        counts.inferences += u64::from(tally.inferred);
        counts.pooled += u64::from(tally.pooled);
        counts.filled += u64::from(tally.filled);
        counts.received_bytes += tally.received.0;
        for cost in [&bill.setup, &bill.offline, &bill.online] {
            counts.sent_bytes += cost.bytes.0;
            counts.rounds += cost.rounds.0;
        }
        counts.busy_ms += time.as_millis() as u64;
    }
}

/// One metric: its name, what it is, its kind, and its value for each model.
type Metric = (
    &'static str,
    &'static str,
    &'static str,
    fn(&ModelStatus) -> u64,
);

const BY_MODEL: [Metric; 10] = [
    ("subrosa_visits_total", "Visits.", "counter", |m| {
        m.counts.visits
    }),
    (
        "subrosa_failures_total",
        "Visits that an error ended.",
        "counter",
        |m| m.counts.failures,
    ),
    ("subrosa_inferences_total", "Inferences.", "counter", |m| {
        m.counts.inferences
    }),
    (
        "subrosa_pooled_total",
        "Inferences with material from the pool.",
        "counter",
        |m| m.counts.pooled,
    ),
    (
        "subrosa_filled_total",
        "Inferences whose material was made ahead.",
        "counter",
        |m| m.counts.filled,
    ),
    (
        "subrosa_sent_bytes_total",
        "Payload sent in sessions.",
        "counter",
        |m| m.counts.sent_bytes,
    ),
    (
        "subrosa_received_bytes_total",
        "Payload received in sessions.",
        "counter",
        |m| m.counts.received_bytes,
    ),
    (
        "subrosa_rounds_total",
        "Exchanges in which this node waited.",
        "counter",
        |m| m.counts.rounds,
    ),
    (
        "subrosa_pool_level",
        "Inferences whose material is kept.",
        "gauge",
        |m| m.pool,
    ),
    (
        "subrosa_enrolments",
        "Clients whose keys are kept.",
        "gauge",
        |m| m.enrolments,
    ),
];

impl Status {
    /// In the text format of Prometheus, version 0.0.4.
    pub fn metrics(&self) -> String {
        let mut text = String::new();
        let whole = [
            (
                "subrosa_uptime_seconds",
                "Time since the node started.",
                self.uptime_s,
            ),
            (
                "subrosa_connections",
                "Open connections.",
                self.connections.into(),
            ),
            (
                "subrosa_sessions_running",
                "Visits that this node leads.",
                self.running.into(),
            ),
            (
                "subrosa_sessions_waiting",
                "Clients that wait for a visit.",
                self.waiting.into(),
            ),
            (
                "subrosa_sessions_guest",
                "Visits that other nodes lead.",
                self.guests.into(),
            ),
            (
                "subrosa_draining",
                "Whether no visits are taken.",
                self.draining.into(),
            ),
        ];
        for (name, help, value) in whole {
            // Writing to a string does not fail.
            let _ = writeln!(
                text,
                "# HELP {name} {help}\n# TYPE {name} gauge\n{name} {value}"
            );
        }
        for (name, help, kind, value) in BY_MODEL {
            let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} {kind}");
            for model in &self.models {
                // Names of models have no character that must be escaped.
                let _ = writeln!(text, "{name}{{model=\"{}\"}} {}", model.name, value(model));
            }
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metrics_are_as_prometheus_reads_them() {
        let status = Status {
            name: "server-0".to_owned(),
            version: "1".to_owned(),
            uptime_s: 7,
            draining: false,
            connections: 3,
            running: 1,
            waiting: 0,
            guests: 0,
            models: vec![ModelStatus {
                name: "digits".to_owned(),
                deployment: String::new(),
                protocol: "clear".to_owned(),
                seat: "server".to_owned(),
                batches: vec![1],
                enrolments: 2,
                pool: 5,
                counts: Counts {
                    inferences: 9,
                    ..Counts::default()
                },
            }],
            staged: Vec::new(),
            peers: Vec::new(),
        };
        let text = status.metrics();
        let mut last = None;
        for line in text.lines() {
            if let Some(rest) = line.strip_prefix("# TYPE ") {
                last = rest.split(' ').next().map(str::to_owned);
            } else if !line.starts_with('#') {
                let (name, value) = line.rsplit_once(' ').unwrap();
                assert_eq!(name.split('{').next(), last.as_deref());
                value.parse::<u64>().unwrap();
            }
        }
        assert!(text.contains("subrosa_inferences_total{model=\"digits\"} 9\n"));
        assert!(text.contains("subrosa_uptime_seconds 7\n"));
    }
}
