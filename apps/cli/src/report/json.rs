//! What scripts read.

use crate::fault::Fault;
use serde::Serialize;
use subrosa::{Bill, Cost};

/// One JSON object on standard output.
pub fn print_json<T: Serialize>(value: &T) -> Result<(), Fault> {
    let text = serde_json::to_string_pretty(value).map_err(|error| Fault::Output {
        path: "standard output".into(),
        error: error.into(),
    })?;
    super::print(&(text + "\n"))
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct CostJson {
    /// Of payload.
    pub bytes: u64,
    pub rounds: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct BillJson {
    pub setup: CostJson,
    pub offline: CostJson,
    pub online: CostJson,
}

impl From<Cost> for CostJson {
    fn from(cost: Cost) -> Self {
        Self {
            bytes: cost.bytes.0,
            rounds: cost.rounds.0,
        }
    }
}

impl From<&Bill> for BillJson {
    fn from(bill: &Bill) -> Self {
        Self {
            setup: bill.setup.into(),
            offline: bill.offline.into(),
            online: bill.online.into(),
        }
    }
}
