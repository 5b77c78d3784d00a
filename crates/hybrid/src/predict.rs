//! How long an inference is reckoned to take: only to choose between readings.

use crate::price::Side;
use crate::scheme::{Reading, Scheme};
use std::time::Duration;
use subrosa_net::Network;

/// In nanoseconds, by `cargo bench` on two Zen 3 cores: 15.5 million silent OTs a second for both parties; 21.6 million
/// gates garbled and 32 million evaluated on one core.
const EACH_OT: u64 = 65;
const EACH_GATE: u64 = 77;

impl Scheme {
    /// Whole inference with nothing made ahead, without the products that both readings have.
    pub fn predicted(&self, network: &Network) -> Duration {
        let mut work = 0;
        for shape in self.shapes() {
            let each = match self.reading {
                Reading::Ot => EACH_OT * shape.client_ots() as u64,
                Reading::Gc => {
                    EACH_GATE * shape.gates() as u64 + EACH_OT * shape.label_ots() as u64
                }
            };
            work += each * shape.lanes as u64;
        }
        let sent = |side| {
            let bill = self.bill(side);
            bill.offline + bill.online
        };
        let (client, owner) = (sent(Side::Client), sent(Side::Owner));
        let bytes = client.bytes + owner.bytes;
        let rounds = client.rounds.0.max(owner.rounds.0);
        let travel = network.transfer(bytes);
        let waits = network
            .round_trip
            .saturating_mul(rounds.min(1 << 20) as u32);
        Duration::from_nanos(work) + travel + waits
    }
}
