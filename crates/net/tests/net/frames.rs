//! Whatever arrives instead of a frame: each is told apart, and blamed on its sender.

use crate::mesh::{P, run, terms};
use std::sync::Arc;
use subrosa_core::{BitsLayout, Malformed, PartyId, Words, WordsLayout};
use subrosa_net::*;
use subrosa_ring::BitMatrix;

/// Replaces the first data frame from P0 to P1.
struct Replace<F>(F);

impl<F: Fn(Vec<u8>) -> Vec<Vec<u8>> + Send + Sync> Tap for Replace<F> {
    fn frame(&self, from: PartyId, _: PartyId, index: u64, bytes: Vec<u8>) -> Vec<Vec<u8>> {
        if from == P[0] && index == 1 {
            (self.0)(bytes)
        } else {
            vec![bytes]
        }
    }
}

const LAYOUT: WordsLayout = WordsLayout { count: 5, bits: 48 };

/// What P1 makes of two messages from P0, of which the first is replaced.
fn received(
    replace: impl Fn(Vec<u8>) -> Vec<Vec<u8>> + Send + Sync + 'static,
) -> Result<(), RunError> {
    let pair = [P[0], P[1]];
    let mesh = memory_mesh_tapped(
        &pair,
        &[(P[0], P[1])],
        Network::LOOPBACK,
        Arc::new(Replace(replace)),
    );
    let ends = run(mesh, |me, links| {
        let mut terms = terms(me, 300);
        terms.fingerprints.retain(|(peer, _)| pair.contains(peer));
        let mut session = Session::open(links, terms)?;
        for step in 1..3 {
            let words = Words {
                bits: 48,
                values: vec![1 << 47 | step; 5],
            };
            if me == P[0] {
                session.send(Step(step as u32), P[1], words)?;
            } else {
                assert_eq!(
                    session.receive::<Words>(Step(step as u32), P[0], LAYOUT)?,
                    words
                );
            }
        }
        Ok(())
    });
    ends.into_iter().nth(1).unwrap()
}

fn with(at: usize, byte: u8) -> impl Fn(Vec<u8>) -> Vec<Vec<u8>> + Send + Sync {
    move |mut frame| {
        frame[at] ^= byte;
        vec![frame]
    }
}

#[test]
fn every_fault_of_a_frame_has_its_name() {
    assert_eq!(received(|frame| vec![frame]), Ok(()));
    let misdeed = |end: Result<(), RunError>| match end {
        Err(RunError::Peer { peer, misdeed }) => {
            assert_eq!(peer, P[0]);
            misdeed
        }
        other => panic!("{other:?}"),
    };
    let cases: [(Misdeed, Result<(), RunError>); 14] = [
        (Misdeed::BadHeader, received(with(0, 1))),
        (
            Misdeed::Version {
                expected: 1,
                found: 3,
            },
            received(with(1, 2)),
        ),
        (Misdeed::BadHeader, received(with(2, 0x80))),
        (Misdeed::OutOfTurn, received(with(2, 3))),
        (Misdeed::BadHeader, received(with(3, 1))),
        (Misdeed::WrongSession, received(with(4, 1))),
        (
            Misdeed::WrongStep {
                expected: 1,
                found: 3,
            },
            received(with(8, 2)),
        ),
        (
            Misdeed::WrongSequence {
                expected: 1,
                found: 5,
            },
            received(with(12, 4)),
        ),
        (
            Misdeed::WrongLength {
                expected: 30,
                found: 31,
            },
            received(with(16, 1)),
        ),
        (
            Misdeed::Oversized {
                limit: 1 << 18,
                found: 1 << 25 | 30,
            },
            received(with(19, 2)),
        ),
        (
            Misdeed::Truncated,
            received(|frame| vec![frame[..frame.len() - 1].to_vec()]),
        ),
        (
            Misdeed::Truncated,
            received(|frame| vec![frame[..10].to_vec()]),
        ),
        (
            Misdeed::WrongSequence {
                expected: 2,
                found: 1,
            },
            received(|frame| vec![frame.clone(), frame]),
        ),
        (
            Misdeed::WrongLength {
                expected: 58,
                found: 59,
            },
            received(|frame| vec![[frame, vec![0]].concat()]),
        ),
    ];
    for (expected, end) in cases {
        assert_eq!(misdeed(end), expected);
    }
    let garbage = received(|frame| vec![vec![0xa5; frame.len()]]);
    assert_eq!(misdeed(garbage), Misdeed::BadHeader);
}

#[test]
fn a_frame_that_is_lost_is_missed() {
    let expected = Misdeed::WrongSequence {
        expected: 1,
        found: 2,
    };
    assert_eq!(
        received(|_| Vec::new()),
        Err(RunError::Peer {
            peer: P[0],
            misdeed: expected
        })
    );
}

#[test]
fn a_value_outside_its_range_is_malformed() {
    let replace = Replace(|mut frame: Vec<u8>| {
        *frame.last_mut().unwrap() |= 0x80;
        vec![frame]
    });
    let pair = [P[0], P[1]];
    let mesh = memory_mesh_tapped(&pair, &[(P[1], P[0])], Network::LOOPBACK, Arc::new(replace));
    let ends = run(mesh, |me, links| {
        let mut terms = terms(me, 300);
        terms.fingerprints.retain(|(peer, _)| pair.contains(peer));
        let mut session = Session::open(links, terms)?;
        if me == P[0] {
            return session.send(Step(0), P[1], BitMatrix::new(3, 5));
        }
        let layout = BitsLayout {
            planes: 3,
            lanes: 5,
        };
        session
            .receive::<BitMatrix>(Step(0), P[0], layout)
            .map(|_| ())
    });
    let misdeed = Misdeed::Malformed(Malformed::Padding);
    assert_eq!(
        ends[1],
        Err(RunError::Peer {
            peer: P[0],
            misdeed
        })
    );
}

#[test]
fn a_tap_sees_headers_of_the_stated_length() {
    let end = received(|frame| {
        assert_eq!(frame.len(), HEADER_LEN + 30);
        vec![frame]
    });
    assert_eq!(end, Ok(()));
}
