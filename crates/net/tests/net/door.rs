//! Whoever knocks: known peers come in, all others are turned away and keep nobody out.

use crate::raw::door;
use std::io::Write;
use std::net::TcpStream;
use std::thread;
use std::time::{Duration, Instant};
use subrosa_net::*;

const LONG: Duration = Duration::from_secs(10);

#[test]
fn the_silent_keep_nobody_out() {
    let [zero, one] = [0; 2].map(|_| Identity::generate().unwrap());
    let (mut door, address) = door(&zero, &[&one]);
    thread::scope(|scope| {
        let dialled = scope.spawn(|| {
            let silent: Vec<_> = (0..300)
                .map(|_| TcpStream::connect(address).unwrap())
                .collect();
            let start = Instant::now();
            let line = Line::dial(address, &one, zero.fingerprint(), LONG).unwrap();
            assert!(start.elapsed() < Duration::from_secs(2));
            drop(silent);
            line
        });
        let admitted = door.admit(LONG).unwrap();
        assert_eq!(admitted.len(), 1);
        assert_eq!(dialled.join().unwrap().peer(), zero.fingerprint());
    });
    let away = door.turned_away();
    assert!(away.len() >= 300 - 128);
    assert!(
        away.iter()
            .all(|(_, fault)| *fault == HandshakeFault::Unfinished)
    );
    assert!(door.turned_away().is_empty());
}

#[test]
fn nobody_comes() {
    let identity = Identity::generate().unwrap();
    let (mut door, address) = door(&identity, &[&identity]);
    assert!(door.admit(Duration::ZERO).unwrap().is_empty());
    let start = Instant::now();
    assert!(door.admit(Duration::from_millis(200)).unwrap().is_empty());
    assert!(start.elapsed() >= Duration::from_millis(200));
    let mut stranger = TcpStream::connect(address).unwrap();
    stranger.write_all(b"GET / HTTP/1.1\r\n\r\n").unwrap();
    let from = stranger.local_addr().unwrap();
    assert!(door.admit(Duration::from_millis(200)).unwrap().is_empty());
    assert_eq!(door.turned_away(), [(Some(from), HandshakeFault::Tls)]);
}
