//! What each party sends and waits for. Steps of the two halves are priced where they are written.

use crate::face::Face;
use crate::parties::SLOTS;
use crate::seal::{PublicKey, Sealed};
use subrosa_collective::{Scheme, Servers};
use subrosa_core::{Bytes, Rounds, Seed, Wire, Words, WordsLayout};
use subrosa_hybrid::Side;
use subrosa_net::{Bill, Cost};

fn cost(bytes: u64, rounds: u64) -> Cost {
    Cost {
        bytes: Bytes(bytes),
        rounds: Rounds(rounds),
    }
}

fn words(layouts: &[WordsLayout]) -> u64 {
    Vec::<Words>::size(&layouts.to_vec()).0
}

fn nonce() -> u64 {
    Seed::size(&()).0
}

fn key() -> u64 {
    PublicKey::size(&()).0
}

fn sealed() -> u64 {
    Sealed::size(&()).0
}

/// Setup: its key, then the sealed seeds. Offline: its nonce, then those of all slots, then δ. Online: the answer takes the place of
/// the front half's outputs.
pub fn user(face: &Face) -> Bill {
    let setup = cost(key(), 1);
    let offline = cost(nonce(), 1);
    match face.hybrid() {
        None => Bill {
            setup,
            offline,
            online: cost(words(&face.transition), 1),
        },
        Some(scheme) => {
            let mut bill = scheme.bill(Side::Client);
            bill.setup += setup;
            bill.offline += offline + cost(words(&face.transition), 0);
            bill
        }
    }
}

/// What the gateway sends to the user: seeds, nonces, the answer, and what the front half asks.
pub fn to_user(face: &Face) -> Bill {
    let mut bill = Bill::default();
    bill.setup += cost(SLOTS as u64 * sealed(), 0);
    bill.offline += cost(SLOTS as u64 * nonce(), 0);
    bill.online += cost(words(&face.outputs), 0);
    if let Some(scheme) = face.hybrid() {
        let mut front = scheme.bill(Side::Owner);
        // The outputs of the front half stay.
        let sent = front.online.bytes.0;
        front.online.bytes = Bytes(sent.saturating_sub(words(&scheme.outputs)));
        bill += front;
    }
    bill
}

/// Relays keys, seeds and nonces; opens c to the remotes, gathers what turns masked outputs into masked answers.
pub fn gateway(face: &Face, hidden: &Scheme, servers: &Servers) -> Bill {
    let remotes = servers.remotes() as u64;
    let mut bill = hidden.bill(servers) + to_user(face);
    // The user's key, the remotes' seeds.
    bill.setup += cost(remotes * key(), 2);
    // The user's nonce, those of the remotes, their masks of the outputs; δ of a front half.
    bill.offline += cost(remotes * nonce(), 3);
    bill.online += cost(remotes * words(&hidden.inputs), 0);
    match face.hybrid() {
        None => bill.online += cost(0, 1),
        Some(_) => bill.offline += cost(0, 1),
    }
    bill
}

pub fn remote(hidden: &Scheme, servers: &Servers) -> Bill {
    let mut bill = hidden.bill(servers);
    bill.setup += cost(sealed(), 1);
    bill.offline += cost(nonce() + words(&hidden.outputs), 1);
    bill.online += cost(0, 1);
    bill
}
