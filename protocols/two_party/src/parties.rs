//! The two parties.

use subrosa_core::PartyId;
use subrosa_protocol::{PartyKind, Seat};

/// Brings the weights and computes.
pub const VENDOR: PartyId = PartyId(0);
/// Brings the input and receives the answer.
pub const CLIENT: PartyId = PartyId(1);

pub fn seats() -> Vec<Seat> {
    vec![
        Seat {
            party: VENDOR,
            name: "vendor",
            kind: PartyKind::Vendor,
        },
        Seat {
            party: CLIENT,
            name: "client",
            kind: PartyKind::Client,
        },
    ]
}

pub fn links() -> Vec<(PartyId, PartyId)> {
    vec![(VENDOR, CLIENT)]
}
