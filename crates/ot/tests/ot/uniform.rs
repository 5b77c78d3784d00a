//! What travels in an extension is uniform bytes, and fresh in every session.

use crate::faults::Raw;
use crate::pair::*;
use subrosa_ot::*;

/// The receiver's message for one lot of SoftSpoken, with the same keys each time.
fn corrections(keys: &ReceiverKeys, extension: &Extension) -> Vec<u8> {
    let length = extension.receiver_cost().bytes.0 as usize;
    let (message, _) = run(
        None,
        |s, turns| {
            s.fresh(RECEIVER)?;
            let message: Raw = s.receive(turns.step(), RECEIVER, length)?;
            Ok(message.0)
        },
        |s, turns| {
            let mut ots = Receiver::new(keys, extension, SENDER, s)?;
            ots.draw(1, 1, turns, s).map(drop)
        },
    );
    message.unwrap()
}

/// Chi-square over 255 degrees of freedom: mean 255, deviation 23.
fn check_uniform(bytes: &[u8]) {
    let mut counts = [0u32; 256];
    bytes
        .iter()
        .for_each(|byte| counts[usize::from(*byte)] += 1);
    let expected = bytes.len() as f64 / 256.0;
    let chi: f64 = counts
        .iter()
        .map(|count| (f64::from(*count) - expected).powi(2) / expected)
        .sum();
    assert!(
        (140.0..420.0).contains(&chi),
        "{chi} of {} bytes",
        bytes.len()
    );
}

#[test]
fn corrections_are_uniform_and_never_the_same() {
    let (_, receiver) = keys();
    for k in [2, 5, 8] {
        let extension = Extension::insist(100_000, Method::SoftSpoken { k });
        let (first, second) = (
            corrections(&receiver, &extension),
            corrections(&receiver, &extension),
        );
        let sum: Vec<u8> = first.iter().zip(&second).map(|(a, b)| a ^ b).collect();
        // Two groups of one message, one against the other.
        let half = first.len() / 2;
        let groups: Vec<u8> = first[..half]
            .iter()
            .zip(&first[half..])
            .map(|(a, b)| a ^ b)
            .collect();
        for bytes in [&first, &second, &sum, &groups] {
            check_uniform(bytes);
        }
    }
}

/// The sender's message of a silent lot, of which the receiver knows a block for each level.
#[test]
fn silent_messages_are_uniform() {
    let (sender, receiver) = keys();
    let extension = Extension::insist(1, Method::Silent(SilentSize::Small));
    let (feed, length) = (
        extension.receiver_cost().bytes.0,
        extension.sender_cost().bytes.0,
    );
    let corrections = {
        let feed_alone =
            Extension::insist(SilentSize::Small.inputs(), Method::SoftSpoken { k: 10 });
        assert_eq!(feed_alone.receiver_cost().bytes.0, feed);
        corrections(&receiver, &feed_alone)
    };
    let (_, message) = run(
        None,
        |s, turns| {
            let mut ots = Sender::new(&sender, &extension, RECEIVER, s)?;
            ots.draw(1, 1, turns, s).map(drop)
        },
        |s, turns| {
            s.fresh(SENDER)?;
            s.send(turns.step(), SENDER, Raw(corrections))?;
            let message: Raw = s.receive(turns.step(), SENDER, length as usize)?;
            Ok(message.0)
        },
    );
    check_uniform(&message.unwrap());
}
