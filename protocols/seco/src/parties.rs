//! The parties: a user, a gateway, and two to eight remotes.

use subrosa_collective::{Place, Servers};
use subrosa_core::PartyId;
use subrosa_protocol::{PartyKind, Seat};

/// Brings the input and receives the answer. Knows the gateway alone.
pub const USER: PartyId = PartyId(0);
/// Holds the front half of the model; the last of the servers.
pub const GATEWAY: PartyId = PartyId(1);

/// Slots of seeds that the user gets from servers: as many as there are servers at most.
pub const SLOTS: usize = 9;

const NAMES: [&str; 8] = [
    "remote-0", "remote-1", "remote-2", "remote-3", "remote-4", "remote-5", "remote-6", "remote-7",
];

pub const fn remote(number: usize) -> PartyId {
    PartyId(GATEWAY.0 + 1 + number as u8)
}

/// The remotes in order.
pub fn remotes(count: usize) -> impl Iterator<Item = PartyId> {
    (0..count).map(remote)
}

pub fn seats(count: usize) -> Vec<Seat> {
    let seat = |party, name, kind| Seat { party, name, kind };
    let mut seats = vec![
        seat(USER, "user", PartyKind::Client),
        seat(GATEWAY, "gateway", PartyKind::Server),
    ];
    let behind = remotes(count).zip(NAMES);
    seats.extend(behind.map(|(party, name)| seat(party, name, PartyKind::Server)));
    seats
}

/// The user with the gateway, all servers among each other.
pub fn links(count: usize) -> Vec<(PartyId, PartyId)> {
    let mut links = vec![(USER, GATEWAY)];
    let servers: Vec<PartyId> = [GATEWAY].into_iter().chain(remotes(count)).collect();
    for (at, one) in servers.iter().enumerate() {
        links.extend(servers[at + 1..].iter().map(|other| (*one, *other)));
    }
    links
}

/// The servers as the one at a place sees them: remotes in order, then the gateway.
pub fn servers_at(count: usize, place: usize) -> Servers {
    Servers {
        me: Place(place),
        parties: remotes(count).chain([GATEWAY]).collect(),
    }
}

/// The servers as `me` sees them; `None` where it is none of them.
pub fn servers(count: usize, me: PartyId) -> Option<Servers> {
    let mut servers = servers_at(count, 0);
    servers.me = Place(servers.parties.iter().position(|party| *party == me)?);
    Some(servers)
}
