//! What visits cost, and what they must cost.

use crate::fault::Fault;
use subrosa::{Bill, Bytes, Cost, Rounds};
use subrosa_node::Tally;

/// What visits did and cost, beside what that must cost.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Spent {
    pub bill: Bill,
    pub price: Bill,
    pub received: Bytes,
    pub setups: u64,
    pub inferences: u64,
    /// Of the inferences, those with material from the pool.
    pub pooled: u64,
    /// Inferences whose material was made ahead.
    pub filled: u64,
}

impl Spent {
    /// Adds one visit. `price`: of one setup, one offline phase and one inference.
    pub fn add(&mut self, price: &Bill, visit: &Tally) {
        let [setups, filled, inferences, pooled] = [
            u64::from(visit.enrolled),
            u64::from(visit.filled),
            u64::from(visit.inferred),
            u64::from(visit.pooled),
        ];
        let times = |cost: Cost, count: u64| Cost {
            bytes: Bytes(cost.bytes.0 * count),
            rounds: Rounds(cost.rounds.0 * count),
        };
        self.price += Bill {
            setup: times(price.setup, setups),
            // An inference without material from the pool makes its own.
            offline: times(price.offline, filled + inferences - pooled),
            online: times(price.online, inferences),
        };
        self.bill += visit.bill.clone();
        self.received += visit.received;
        self.setups += setups;
        self.inferences += inferences;
        self.pooled += pooled;
        self.filled += filled;
    }

    pub fn is_as_reckoned(&self) -> bool {
        self.bill == self.price
    }

    /// Refuses a bill that is not the price.
    pub fn check(&self) -> Result<(), Fault> {
        match self.is_as_reckoned() {
            true => Ok(()),
            false => {
                let said = format!("{:?}, reckoned {:?}", self.bill, self.price);
                Err(Fault::Overcharged(said))
            }
        }
    }

    /// Of payload, in all phases.
    pub fn sent(&self) -> u64 {
        let bill = &self.bill;
        (bill.setup.bytes + bill.offline.bytes + bill.online.bytes).0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cost(bytes: u64, rounds: u64) -> Cost {
        Cost {
            bytes: Bytes(bytes),
            rounds: Rounds(rounds),
        }
    }

    #[test]
    fn prices_are_multiplied() {
        let price = Bill {
            setup: cost(1, 2),
            offline: cost(10, 3),
            online: cost(100, 4),
        };
        let visit = Tally {
            bill: Bill {
                setup: cost(1, 2),
                offline: cost(40, 12),
                online: cost(500, 20),
            },
            enrolled: true,
            filled: 2,
            inferred: 5,
            pooled: 3,
            ..Tally::default()
        };
        let mut spent = Spent::default();
        spent.add(&price, &visit);
        assert!(spent.is_as_reckoned() && spent.check().is_ok());
        assert_eq!(spent.sent(), 541);
        let more = Tally {
            bill: Bill {
                online: cost(101, 4),
                ..Bill::default()
            },
            inferred: 1,
            pooled: 1,
            ..Tally::default()
        };
        spent.add(&price, &more);
        assert!(matches!(spent.check(), Err(Fault::Overcharged(_))));
    }
}
