//! Two parties, each in a thread of its own, over memory.
#![allow(dead_code)]

use std::time::Duration;
use subrosa_core::{PartyId, ReceiverOts, SenderOts};
use subrosa_net::*;
use subrosa_ot::{ReceiverKeys, SenderKeys};

pub const SENDER: PartyId = PartyId(0);
pub const RECEIVER: PartyId = PartyId(1);

pub type End<T> = Result<T, RunError>;

pub fn terms(peer: PartyId, seed: Option<u64>) -> SessionTerms {
    SessionTerms {
        fingerprints: vec![(peer, [7; 32])],
        untold: Vec::new(),
        timeout: Duration::from_secs(20),
        insecure_seed: seed,
    }
}

/// Runs both ends in one session each and gives their results.
pub fn run<A: Send, B: Send>(
    seed: Option<u64>,
    sender: impl FnOnce(&mut Session, &mut Turns) -> End<A> + Send,
    receiver: impl FnOnce(&mut Session, &mut Turns) -> End<B> + Send,
) -> (End<A>, End<B>) {
    let mut mesh = memory_mesh(
        &[SENDER, RECEIVER],
        &[(SENDER, RECEIVER)],
        Network::LOOPBACK,
    );
    let first = mesh.remove(&SENDER).unwrap();
    let second = mesh.remove(&RECEIVER).unwrap();
    std::thread::scope(|scope| {
        let first = scope.spawn(move || end(first, RECEIVER, seed, sender));
        let second = scope.spawn(move || end(second, SENDER, seed, receiver));
        (first.join().unwrap(), second.join().unwrap())
    })
}

fn end<T>(
    links: Links,
    peer: PartyId,
    seed: Option<u64>,
    body: impl FnOnce(&mut Session, &mut Turns) -> End<T>,
) -> End<T> {
    let mut session = Session::open(links, terms(peer, seed))?;
    let done = body(&mut session, &mut Turns::default());
    match &done {
        Ok(_) => drop(session.close()),
        Err(error) => session.fail(error),
    }
    done
}

pub fn keys() -> (SenderKeys, ReceiverKeys) {
    let (sender, receiver) = run(
        None,
        |s, turns| SenderKeys::setup(RECEIVER, turns, s),
        |s, turns| ReceiverKeys::setup(SENDER, turns, s),
    );
    (sender.unwrap(), receiver.unwrap())
}

pub fn choice(ots: &ReceiverOts, plane: usize, lane: usize) -> usize {
    (ots.choices.row(plane)[lane / 64] >> (lane % 64) & 1) as usize
}

/// Each key of the receiver is the one that its choice bit picks.
pub fn check(sender: &SenderOts, receiver: &ReceiverOts) {
    let (planes, lanes) = (sender.planes, sender.lanes);
    assert_eq!(
        (planes, lanes),
        (receiver.choices.planes(), receiver.choices.lanes())
    );
    assert_eq!(
        (planes * lanes, planes * lanes),
        (sender.keys.len(), receiver.keys.len())
    );
    for plane in 0..planes {
        let pairs = sender.plane(plane).iter().zip(receiver.plane(plane));
        for (lane, (pair, key)) in pairs.enumerate() {
            let choice = choice(receiver, plane, lane);
            assert_eq!(pair[choice], *key, "plane {plane} lane {lane}");
            assert_ne!(pair[1 - choice], *key);
        }
    }
    let mut padding = receiver.choices.clone();
    padding.mask_padding();
    assert_eq!(padding, receiver.choices);
}
