//! The four parties.

use subrosa_core::PartyId;
use subrosa_protocol::{PartyKind, Seat};
use subrosa_share::Evaluator;

/// First evaluator: holds mask parts λ0 and masked values c.
pub const FIRST: PartyId = PartyId(0);
/// Second evaluator: holds mask parts λ2 and masked values c.
pub const SECOND: PartyId = PartyId(1);
/// Dealer: holds masks λ = λ0 + λ2; silent online.
pub const DEALER: PartyId = PartyId(2);
pub const CLIENT: PartyId = PartyId(3);

pub const SERVERS: [PartyId; 3] = [FIRST, SECOND, DEALER];

pub fn seats() -> Vec<Seat> {
    let seat = |party, name, kind| Seat { party, name, kind };
    vec![
        seat(FIRST, "server-0", PartyKind::Server),
        seat(SECOND, "server-1", PartyKind::Server),
        seat(DEALER, "server-2", PartyKind::Server),
        seat(CLIENT, "client", PartyKind::Client),
    ]
}

/// All with each other.
pub fn links() -> Vec<(PartyId, PartyId)> {
    let mut links = vec![(FIRST, SECOND), (FIRST, DEALER), (SECOND, DEALER)];
    links.extend(SERVERS.map(|server| (server, CLIENT)));
    links
}

/// The other evaluator.
pub fn other(who: Evaluator) -> PartyId {
    match who {
        Evaluator::First => SECOND,
        Evaluator::Second => FIRST,
    }
}
