//! A peer that sends something else is named, and a caller that draws too much is refused.

use crate::pair::*;
use subrosa_core::{Bytes, Malformed, PartyId, StockFault, Wire};
use subrosa_net::*;
use subrosa_ot::*;

/// Bytes as they are.
pub struct Raw(pub Vec<u8>);

impl Wire for Raw {
    type Layout = usize;
    fn size(length: &usize) -> Bytes {
        Bytes(*length as u64)
    }
    fn encode(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.0);
    }
    fn decode(_: &usize, bytes: &[u8]) -> Result<Self, Malformed> {
        Ok(Self(bytes.to_vec()))
    }
}

fn is_fault_of<T>(end: End<T>, culprit: PartyId, expected: impl Fn(&Misdeed) -> bool) {
    match end.err() {
        Some(RunError::Peer { peer, misdeed }) => {
            assert_eq!(peer, culprit);
            assert!(expected(&misdeed), "{misdeed}");
        }
        other => panic!("expected a misdeed of {culprit}, found {other:?}"),
    }
}

/// Sends `bytes` and takes `awaited` ones.
fn sends(
    bytes: Vec<u8>,
    awaited: usize,
    peer: PartyId,
) -> impl FnOnce(&mut Session, &mut Turns) -> End<()> + Send {
    move |s, turns| {
        let _: Vec<Raw> = s.exchange(turns.step(), vec![(peer, Raw(bytes))], &[(peer, awaited)])?;
        Ok(())
    }
}

#[test]
fn points_that_are_none_are_refused() {
    let bad = |misdeed: &Misdeed| matches!(misdeed, Misdeed::Malformed(Malformed::Encoding));
    let zero = |misdeed: &Misdeed| matches!(misdeed, Misdeed::Malformed(Malformed::Range));
    let (sender, _) = run(
        None,
        |s, turns| SenderKeys::setup(RECEIVER, turns, s).map(drop),
        sends(vec![0xff; 32], 32 * 128, SENDER),
    );
    is_fault_of(sender, RECEIVER, bad);
    let (sender, _) = run(
        None,
        |s, turns| SenderKeys::setup(RECEIVER, turns, s).map(drop),
        sends(vec![0; 32], 32 * 128, SENDER),
    );
    is_fault_of(sender, RECEIVER, zero);
    let mut points = vec![0; 32 * 128];
    let basepoint = [
        0xe2, 0xf2, 0xae, 0x0a, 0x6a, 0xbc, 0x4e, 0x71, 0xa8, 0x84, 0xa9, 0x61, 0xc5, 0x00, 0x51,
        0x5f, 0x58, 0xe3, 0x0b, 0x6a, 0xa5, 0x82, 0xdd, 0x8d, 0xb6, 0xa6, 0x59, 0x45, 0xe0, 0x8d,
        0x2d, 0x76,
    ];
    points
        .chunks_mut(32)
        .for_each(|point| point.copy_from_slice(&basepoint));
    points[32 * 127] ^= 1;
    let (_, receiver) = run(None, sends(points, 32, RECEIVER), |s, turns| {
        ReceiverKeys::setup(SENDER, turns, s).map(drop)
    });
    is_fault_of(receiver, SENDER, bad);
}

#[test]
fn messages_of_another_length_are_refused() {
    let (sender, receiver) = keys();
    let extension = Extension::insist(1000, Method::Silent(SilentSize::Small));
    let length = extension.receiver_cost().bytes.0 as usize;
    for length in [length - 1, length + 1] {
        let (end, _) = run(
            None,
            |s, turns| {
                let mut ots = Sender::new(&sender, &extension, RECEIVER, s)?;
                ots.draw(1, 1, turns, s).map(drop)
            },
            |s, turns| s.send(turns.step(), SENDER, Raw(vec![1; length])),
        );
        is_fault_of(end, RECEIVER, |misdeed| {
            matches!(misdeed, Misdeed::WrongLength { .. })
        });
    }
    let length = extension.sender_cost().bytes.0 as usize;
    let (_, end) = run(
        None,
        |s, turns| {
            let feed = length_of_feed(&extension);
            let _: Raw = s.receive(turns.step(), RECEIVER, feed)?;
            s.send(turns.step(), RECEIVER, Raw(vec![1; length - 1]))
        },
        |s, turns| {
            let mut ots = Receiver::new(&receiver, &extension, SENDER, s)?;
            ots.draw(1, 1, turns, s).map(drop)
        },
    );
    is_fault_of(end, SENDER, |misdeed| {
        matches!(misdeed, Misdeed::WrongLength { .. })
    });
}

fn length_of_feed(extension: &Extension) -> usize {
    extension.receiver_cost().bytes.0 as usize
}

#[test]
fn no_more_than_the_total_is_drawn() {
    let (sender, receiver) = keys();
    let extension = Extension::insist(200, Method::SoftSpoken { k: 2 });
    assert_eq!(extension.total(), 256);
    let exhausted = RunError::Local(LocalFault::Stock(StockFault::Exhausted));
    let (first, second) = run(
        None,
        |s, turns| {
            let mut ots = Sender::new(&sender, &extension, RECEIVER, s)?;
            for shape in [(1, 257), (usize::MAX, 2)] {
                assert_eq!(
                    ots.draw(shape.0, shape.1, turns, s).err(),
                    Some(exhausted.clone())
                );
            }
            let all = ots.draw(16, 16, turns, s)?;
            assert_eq!(ots.draw(1, 1, turns, s).err(), Some(exhausted.clone()));
            Ok(all)
        },
        |s, turns| {
            let mut ots = Receiver::new(&receiver, &extension, SENDER, s)?;
            assert_eq!(ots.draw(1, 257, turns, s).err(), Some(exhausted.clone()));
            let all = ots.draw(16, 16, turns, s)?;
            assert_eq!(ots.draw(1, 1, turns, s).err(), Some(exhausted.clone()));
            Ok(all)
        },
    );
    check(&first.unwrap(), &second.unwrap());
}
