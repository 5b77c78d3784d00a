//! The client's part in each way to run a model, beside two-party.

use crate::parties::Measured;
use crate::report::{self, Chart, Table};
use serde::Serialize;
use std::time::Duration;
use subrosa::PartyKind;

/// What one client does for one inference.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Client {
    /// From the beginning of the offline phase to its last message.
    pub offline_s: f64,
    /// From the input in its hand to its last message: what it takes part in.
    pub online_s: f64,
    /// To the answer in its hand.
    pub waiting_s: f64,
    /// Sent and received.
    pub offline_bytes: u64,
    pub online_bytes: u64,
    pub peak_rss_bytes: u64,
}

/// One way to run a model: the protocol, how it computes activations, where it is cut.
pub struct Way<'a> {
    pub name: String,
    pub client: &'a Client,
}

const HEAD: [&str; 6] = [
    "online part",
    "waits",
    "offline part",
    "online bytes",
    "off bytes",
    "memory",
];

impl Client {
    pub fn of(measured: &Measured) -> Option<Self> {
        let mut parties = measured.parties.iter();
        let client = parties.find(|party| party.seat.kind == PartyKind::Client)?;
        let bill = &client.bill;
        Some(Self {
            offline_s: client.offline.time.as_secs_f64(),
            online_s: client.online.time.as_secs_f64(),
            waiting_s: measured.online.as_secs_f64(),
            offline_bytes: bill.offline.bytes.0 + client.offline.received.0,
            online_bytes: bill.online.bytes.0 + client.online.received.0,
            peak_rss_bytes: client.peak_rss_bytes,
        })
    }

    /// Of the first five columns.
    fn figures(&self) -> [f64; 5] {
        [
            self.online_s,
            self.waiting_s,
            self.offline_s,
            self.online_bytes as f64,
            self.offline_bytes as f64,
        ]
    }

    /// How many times as much the other one has of each.
    fn times(&self, other: &Self) -> Vec<f64> {
        let pairs = other.figures().into_iter().zip(self.figures());
        pairs.map(|(other, own)| other / own.max(1e-9)).collect()
    }
}

/// The first way is what the others are compared with.
pub fn table(ways: &[Way<'_>]) -> String {
    let [first, others @ ..] = ways else {
        return String::new();
    };
    let mut table = Table::with_head(&[&["client"], &HEAD[..]].concat(), 1);
    for way in ways {
        let client = way.client;
        let times = [client.online_s, client.waiting_s, client.offline_s];
        let mut row = vec![way.name.clone()];
        row.extend(times.map(|s| report::seconds(Duration::from_secs_f64(s))));
        let bytes = [
            client.online_bytes,
            client.offline_bytes,
            client.peak_rss_bytes,
        ];
        row.extend(bytes.map(report::bytes));
        table.row(row);
    }
    for way in others {
        let mut row = vec![format!("{} less", way.name)];
        let ratios = way.client.times(first.client);
        row.extend(ratios.iter().map(|ratio| format!("{ratio:.1}x")));
        row.push(String::new());
        table.row(row);
    }
    table.render("  ")
}

/// How many times less of each the other ways take from the client than the first one does.
pub fn chart(title: &str, ways: &[Way<'_>]) -> Option<String> {
    let [first, others @ ..] = ways else {
        return None;
    };
    if others.is_empty() {
        return None;
    }
    let groups = others
        .iter()
        .map(|way| (way.name.clone(), way.client.times(first.client)));
    let title = format!(
        "{title}: the client's part, how many times less than {}",
        first.name
    );
    let chart = Chart {
        title: &title,
        series: &HEAD[..5],
        groups: &groups.collect::<Vec<_>>(),
    };
    Some(chart.svg())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ratios_are_of_the_first_way() {
        let of = |scale: f64| Client {
            offline_s: 2.0 * scale,
            online_s: scale,
            waiting_s: 3.0,
            offline_bytes: (4000.0 * scale) as u64,
            online_bytes: (1000.0 * scale) as u64,
            peak_rss_bytes: 50_000_000,
        };
        let (first, second) = (of(1.0), of(0.1));
        let ways = [("two-party (gc)", &first), ("seco, at relu_2", &second)];
        let ways = ways.map(|(name, client)| Way {
            name: name.to_owned(),
            client,
        });
        let text = table(&ways);
        let last: Vec<&str> = text.lines().last().unwrap().split_whitespace().collect();
        assert_eq!(
            last[4..],
            ["10.0x", "1.0x", "10.0x", "10.0x", "10.0x"],
            "{text}"
        );
        assert!(
            text.lines().all(|line| line.chars().count() <= 98),
            "{text}"
        );
        assert!(chart("net", &ways).unwrap().contains("seco, at relu_2"));
        assert!(chart("net", &ways[..1]).is_none());
    }
}
