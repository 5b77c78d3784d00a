//! Base OTs and the keys that are kept of them.

use crate::pair::*;
use subrosa_core::{Bytes, Malformed, Wire};
use subrosa_net::{Phase, RunError};
use subrosa_ot::*;

fn encoded(value: &impl Wire) -> Vec<u8> {
    let mut out = Vec::new();
    value.encode(&mut out);
    out
}

#[test]
fn setup_costs_one_exchange_and_keys_match() {
    let (sender, receiver) = run(
        None,
        |s, turns| {
            Ok((
                SenderKeys::setup(RECEIVER, turns, s)?,
                s.bill().get(Phase::Setup).to_owned(),
            ))
        },
        |s, turns| {
            Ok((
                ReceiverKeys::setup(SENDER, turns, s)?,
                s.bill().get(Phase::Setup).to_owned(),
            ))
        },
    );
    let ((sender, sender_cost), (receiver, receiver_cost)) = (sender.unwrap(), receiver.unwrap());
    assert_eq!(sender_cost, SenderKeys::setup_cost());
    assert_eq!(receiver_cost, ReceiverKeys::setup_cost());
    let (sender, receiver) = (encoded(&sender), encoded(&receiver));
    let (offset, chosen) = sender.split_at(16);
    for (i, (chosen, pair)) in chosen.chunks(32).zip(receiver.chunks(64)).enumerate() {
        let on = offset[i / 8] >> (i % 8) & 1 == 1;
        let (known, missing) = if on {
            pair.split_at(32)
        } else {
            (&pair[32..], &pair[..32])
        };
        assert_eq!(chosen, known);
        assert_ne!(chosen, missing);
    }
}

#[test]
fn keys_go_to_disk_and_back() {
    let (sender, receiver) = keys();
    let (sender, receiver) = (encoded(&sender), encoded(&receiver));
    assert_eq!(SenderKeys::size(&()), Bytes(sender.len() as u64));
    assert_eq!(ReceiverKeys::size(&()), Bytes(receiver.len() as u64));
    assert_eq!(encoded(&SenderKeys::decode(&(), &sender).unwrap()), sender);
    assert_eq!(
        encoded(&ReceiverKeys::decode(&(), &receiver).unwrap()),
        receiver
    );
    let cut = SenderKeys::decode(&(), &sender[1..]).err();
    assert!(matches!(cut, Some(Malformed::Length { .. })));
    let cut = ReceiverKeys::decode(&(), &receiver[1..]).err();
    assert!(matches!(cut, Some(Malformed::Length { .. })));
    let mut even = sender;
    even[0] &= !1;
    assert!(matches!(
        SenderKeys::decode(&(), &even).err(),
        Some(Malformed::Range)
    ));
}

#[test]
fn every_setup_has_keys_of_its_own() -> Result<(), RunError> {
    let (first, second) = (encoded(&keys().0), encoded(&keys().0));
    assert!(first.chunks(16).zip(second.chunks(16)).all(|(a, b)| a != b));
    Ok(())
}
