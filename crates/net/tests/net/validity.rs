//! Certificates outside of their validity, at either end.

use crate::raw::door;
use std::thread;
use std::time::Duration;
use subrosa_net::*;

const LONG: Duration = Duration::from_secs(10);
const PAST: (i32, u8, u8) = (2001, 2, 3);
const FUTURE: (i32, u8, u8) = (3001, 2, 3);

/// What the dialling side, and what the listening side says of the two certificates.
fn meet(dialling: &Identity, listening: &Identity) -> [Option<HandshakeFault>; 2] {
    let (mut door, address) = door(listening, &[dialling]);
    thread::scope(|scope| {
        let dialled =
            scope.spawn(move || Line::dial(address, dialling, listening.fingerprint(), LONG));
        let mut away = Vec::new();
        let mut lines = Vec::new();
        while lines.is_empty() && away.is_empty() {
            lines = door.admit(Duration::from_millis(50)).unwrap();
            away = door.turned_away();
        }
        let fault = dialled.join().unwrap().err().map(|fault| match fault {
            LinkFault::Handshake(fault) => fault,
            fault => panic!("{fault}"),
        });
        [fault, away.first().map(|(_, fault)| *fault)]
    })
}

#[test]
fn certificates_are_accepted_while_they_are_valid() {
    let valid = Identity::generate().unwrap();
    let until = Identity::generate_until(FUTURE).unwrap();
    let since = Identity::generate_within(PAST, FUTURE).unwrap();
    assert_eq!(meet(&until, &valid), [None, None]);
    assert_eq!(meet(&since, &until), [None, None]);
    let expired = Identity::generate_until(PAST).unwrap();
    let early = Identity::generate_within(FUTURE, (3002, 1, 1)).unwrap();
    let (saw, told) = (
        Some(HandshakeFault::Expired),
        Some(HandshakeFault::Rejected),
    );
    for invalid in [&expired, &early] {
        assert_eq!(meet(invalid, &valid), [told, saw]);
        assert_eq!(meet(&valid, invalid), [saw, told]);
    }
}

/// Who is not known learns no more than that.
#[test]
fn the_unknown_are_unknown_before_they_are_expired() {
    let [listening, known] = [0; 2].map(|_| Identity::generate().unwrap());
    let expired = Identity::generate_until(PAST).unwrap();
    let (mut door, address) = door(&listening, &[&known]);
    thread::scope(|scope| {
        scope.spawn(|| Line::dial(address, &expired, listening.fingerprint(), LONG).err());
        let mut away = Vec::new();
        while away.is_empty() {
            assert!(door.admit(Duration::from_millis(50)).unwrap().is_empty());
            away = door.turned_away();
        }
        assert_eq!(away[0].1, HandshakeFault::UnknownFingerprint);
    });
}
