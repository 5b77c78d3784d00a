//! Messages between sessions, and sessions between messages.

use crate::mesh::P;
use crate::raw::{Raw, door, pair};
use std::net::TcpListener;
use std::thread::{self, sleep};
use std::time::{Duration, Instant};
use subrosa_core::{PartyId, Words, WordsLayout};
use subrosa_net::*;

const LONG: Duration = Duration::from_secs(10);
const SHORT: Duration = Duration::from_millis(200);

fn receive(line: &mut Line) -> Result<Vec<u8>, LineFault> {
    line.receive(1 << 24, LONG, LONG)
}

#[test]
fn messages_of_any_length_come_whole_and_in_order() {
    let [mut one, mut other] = pair();
    let lengths = [0, 1, 4, 5, 1 << 18, (1 << 18) + 1, 5_000_000];
    let message = |length: usize| -> Vec<u8> { (0..length).map(|at| at as u8).collect() };
    thread::scope(|scope| {
        scope.spawn(|| {
            for length in lengths {
                one.send(&message(length), LONG).unwrap();
            }
            assert_eq!(receive(&mut one).unwrap(), b"all of them");
        });
        for length in lengths {
            assert!(receive(&mut other).unwrap() == message(length));
        }
        other.send(b"all of them", LONG).unwrap();
    });
}

#[test]
fn both_ends_know_the_other() {
    let [zero, one, two] = [0; 3].map(|_| Identity::generate().unwrap());
    let (mut door, address) = door(&zero, &[&one]);
    thread::scope(|scope| {
        let dialled = scope.spawn(|| {
            let unknown = Line::dial(address, &two, zero.fingerprint(), LONG);
            let rejected = LinkFault::Handshake(HandshakeFault::Rejected);
            assert_eq!(unknown.err(), Some(rejected));
            let wrong = Line::dial(address, &one, two.fingerprint(), LONG);
            let wrong_print = LinkFault::Handshake(HandshakeFault::UnknownFingerprint);
            assert_eq!(wrong.err(), Some(wrong_print));
            Line::dial(address, &one, zero.fingerprint(), LONG).unwrap()
        });
        let admitted = door.admit(LONG).unwrap();
        assert_eq!(dialled.join().unwrap().peer(), zero.fingerprint());
        assert_eq!(admitted.len(), 1);
        assert_eq!(admitted[0].peer(), one.fingerprint());
    });
}

#[test]
fn a_peer_that_is_not_there_is_tried_once() {
    let identity = Identity::generate().unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let dial = |timeout| Line::dial(address, &identity, identity.fingerprint(), timeout).err();
    assert_eq!(dial(SHORT), Some(LinkFault::TimedOut { after_ms: 200 }));
    drop(listener);
    let start = Instant::now();
    assert_eq!(dial(LONG), Some(LinkFault::Refused));
    assert!(start.elapsed() < LONG / 2);
}

#[test]
fn silence_before_a_message_harms_no_line() {
    let [mut one, mut other] = pair();
    assert_eq!(one.receive(9, SHORT, LONG), Err(LineFault::TimedOut));
    assert_eq!(
        one.receive(9, Duration::ZERO, LONG),
        Err(LineFault::TimedOut)
    );
    other.send(b"at last", LONG).unwrap();
    assert_eq!(receive(&mut one).unwrap(), b"at last");
}

/// A byte now and then, each in a record of its own.
#[test]
fn a_slow_message_runs_into_its_deadline() {
    let (mut line, mut raw) = Raw::pair();
    thread::scope(|scope| {
        scope.spawn(|| {
            raw.send(&[0x4d, 0, 1, 0, 0]);
            for byte in 0..10 {
                sleep(Duration::from_millis(100));
                raw.send(&[byte]);
            }
        });
        let start = Instant::now();
        let end = line.receive(256, LONG, 2 * SHORT);
        assert_eq!(end, Err(LineFault::TimedOut));
        assert!(start.elapsed() < 4 * SHORT);
        assert_eq!(receive(&mut line), Err(LineFault::TimedOut));
    });
}

#[test]
fn what_is_no_message_is_told_apart() {
    let cases = [
        (
            vec![0x4d, 101, 0, 0, 0],
            LineFault::Oversized {
                limit: 100,
                found: 101,
            },
        ),
        (
            vec![0x4d, 255, 255, 255, 255],
            LineFault::Oversized {
                limit: 100,
                found: u32::MAX.into(),
            },
        ),
        (vec![0x4d, 100, 0], LineFault::TimedOut),
        (b"GET / HTTP/1.1\r\n\r\n".to_vec(), LineFault::Tampered),
        (vec![0x53; 29], LineFault::Tampered),
        // A notice, of a session that was never there.
        (frame(4, 1), LineFault::Tampered),
        (frame(3, 0), LineFault::Closed),
        (frame(2, 0), LineFault::Tampered),
    ];
    for (bytes, fault) in cases {
        let (mut line, mut raw) = Raw::pair();
        raw.send(&bytes);
        assert_eq!(line.receive(100, LONG, SHORT), Err(fault));
        assert_eq!(receive(&mut line), Err(fault));
        let links = Links::of(P[0], Network::LOOPBACK, vec![(P[1], line)]);
        assert_eq!(links.err(), Some(LocalFault::UnknownPeer(P[1])));
    }
    // Notices are passed over, but not for ever.
    let (mut line, mut raw) = Raw::pair();
    raw.send(&frame(4, 0));
    raw.send(&[0x4d, 1, 0, 0, 0, 7]);
    assert_eq!(receive(&mut line).unwrap(), [7]);
}

/// A frame of one byte outside any session.
fn frame(kind: u8, sequence: u8) -> Vec<u8> {
    let mut bytes = vec![0; HEADER_LEN + 1];
    bytes[..3].copy_from_slice(&[0x53, 1, kind]);
    bytes[12] = sequence;
    bytes[16] = 1;
    bytes
}

#[test]
fn a_line_is_closed_from_another_thread() {
    let [mut one, mut other] = pair();
    let closer = one.closer();
    thread::scope(|scope| {
        let waiting = scope.spawn(|| receive(&mut one));
        sleep(SHORT);
        closer.clone().close();
        assert_eq!(waiting.join().unwrap(), Err(LineFault::Closed));
        assert_eq!(receive(&mut other), Err(LineFault::Closed));
        assert!(!other.rested());
    });
    drop(one);
    closer.close();
}

#[test]
fn only_what_is_open_and_silent_rests() {
    let [mut one, mut other] = pair();
    assert!(one.rested() && other.rested());
    other.send(b"unasked", LONG).unwrap();
    sleep(SHORT);
    assert!(!one.rested());
    assert_eq!(receive(&mut one).unwrap(), b"unasked");
    assert!(one.rested());
    drop(other);
    sleep(SHORT);
    assert!(!one.rested());
}

/// A peer that takes nothing more, but has said why.
#[test]
fn what_was_said_before_the_end_is_heard() {
    let [mut one, mut other] = pair();
    other.send(b"too long", LONG).unwrap();
    drop(other);
    let end = one.send(&vec![0; 64 << 20], LONG);
    assert_eq!(end, Err(LineFault::Closed));
    assert_eq!(receive(&mut one).unwrap(), b"too long");
    assert_eq!(receive(&mut one), Err(LineFault::Closed));
    assert_eq!(one.send(b"more", LONG), Err(LineFault::Closed));
    // Nobody takes it.
    let [mut one, _other] = pair();
    let end = one.send(&vec![0; 64 << 20], SHORT);
    assert_eq!(end, Err(LineFault::TimedOut));
}

/// One message each way; who is not late has to wait, and says so once its own message is under way.
fn exchange(me: PartyId, line: Line, seed: Option<u64>, late: bool) -> Result<Line, RunError> {
    let peer = PartyId(1 - me.0);
    let links = Links::of(me, Network::LOOPBACK, vec![(peer, line)])?;
    let terms = SessionTerms {
        fingerprints: vec![(peer, [0; 32])],
        untold: Vec::new(),
        timeout: 4 * SHORT,
        insecure_seed: seed,
    };
    let mut session = Session::open(links, terms)?;
    let layout = WordsLayout { count: 9, bits: 8 };
    let words = Words {
        bits: 8,
        values: vec![5; 9],
    };
    if late {
        sleep(3 * SHORT);
        session.send(Step(1), peer, words)?;
        assert_eq!(
            session.receive::<Words>(Step(2), peer, layout)?.values,
            [5; 9]
        );
    } else {
        session.send(Step(2), peer, words)?;
        session.receive::<Words>(Step(1), peer, layout)?;
    }
    let mut lines = session.close().into_lines();
    assert_eq!((lines.len(), lines[0].0), (1, peer));
    Ok(lines.remove(0).1)
}

/// The numbers of the parties change, notices are left behind, and messages come while the other end is not done.
#[test]
fn sessions_run_between_messages() {
    let [one, other] = pair();
    let ends = [(one, false), (other, true)];
    thread::scope(|scope| {
        for (mut line, late) in ends {
            scope.spawn(move || {
                for turn in 0..3 {
                    let me = PartyId(u8::from(late) ^ (turn & 1));
                    line = exchange(me, line, None, late).unwrap();
                    line.send(&[turn; 70_000], LONG).unwrap();
                    assert!(receive(&mut line).unwrap() == [turn; 70_000]);
                }
                line
            });
        }
    });
}

/// P0 draws the same nonce in both of its sessions.
#[test]
fn a_nonce_is_not_used_twice_on_a_line() {
    let [one, other] = pair();
    thread::scope(|scope| {
        scope.spawn(move || {
            let line = exchange(P[0], one, Some(3), false).unwrap();
            assert!(exchange(P[0], line, Some(3), false).is_err());
        });
        let line = exchange(P[1], other, None, true).unwrap();
        let end = exchange(P[1], line, None, true).err();
        let misdeed = Misdeed::RepeatedNonce;
        assert_eq!(
            end,
            Some(RunError::Peer {
                peer: P[0],
                misdeed
            })
        );
    });
}

#[test]
fn a_session_that_failed_at_the_other_end_closes_the_line() {
    let [one, other] = pair();
    let ends = [(P[0], one), (P[1], other)];
    let open = |(me, line): (PartyId, Line)| {
        let peer = PartyId(1 - me.0);
        let links = Links::of(me, Network::LOOPBACK, vec![(peer, line)]).unwrap();
        let terms = SessionTerms {
            fingerprints: vec![(peer, [0; 32])],
            untold: Vec::new(),
            timeout: LONG,
            insecure_seed: None,
        };
        Session::open(links, terms).unwrap()
    };
    let [done, failed] = thread::scope(|scope| {
        ends.map(|end| scope.spawn(|| open(end)))
            .map(|thread| thread.join().unwrap())
    });
    let (_, mut line) = done.close().into_lines().pop().unwrap();
    failed.fail(&LocalFault::Invariant.into());
    assert_eq!(receive(&mut line), Err(LineFault::Closed));
    assert!(!line.rested());
}

#[test]
fn a_line_belongs_to_one_other_party() {
    let [one, other] = pair();
    let twice = Links::of(P[2], Network::LOOPBACK, vec![(P[0], one), (P[0], other)]);
    assert_eq!(twice.err(), Some(LocalFault::DuplicatePeer(P[0])));
    let [one, other] = pair();
    let own = Links::of(P[0], Network::LOOPBACK, vec![(P[0], one)]);
    assert_eq!(own.err(), Some(LocalFault::DuplicatePeer(P[0])));
    let links = Links::of(P[2], Network::LOOPBACK, vec![(P[1], other)]).unwrap();
    assert_eq!((links.me(), links.peers()), (P[2], vec![P[1]]));
    let mut memory = memory_mesh(&P[..2], &[(P[0], P[1])], Network::LOOPBACK);
    assert!(memory.remove(&P[0]).unwrap().into_lines().is_empty());
}

#[test]
fn a_line_in_the_middle_of_a_message_is_no_link() {
    let (mut line, mut raw) = Raw::pair();
    raw.send(&[0x4d, 9]);
    sleep(SHORT);
    assert!(!line.rested());
    let links = Links::of(P[0], Network::LOOPBACK, vec![(P[1], line)]);
    assert_eq!(links.err(), Some(LocalFault::UnknownPeer(P[1])));
}
