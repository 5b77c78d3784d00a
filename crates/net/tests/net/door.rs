//! Whoever knocks: known peers come in, all others are turned away and keep nobody out.

use crate::raw::door;
use crate::tls::tls_1_2_hello;
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
    let (mut door, _) = door(&identity, &[&identity]);
    assert!(door.admit(Duration::ZERO).unwrap().is_empty());
    let start = Instant::now();
    assert!(door.admit(Duration::from_millis(200)).unwrap().is_empty());
    assert!(start.elapsed() >= Duration::from_millis(200));
    assert!(door.turned_away().is_empty());
}

/// Writes until the other end takes no more, and returns how much that was.
fn pour(mut stream: &TcpStream, chunk: &[u8], most: usize) -> usize {
    let mut poured = 0;
    while poured < most {
        match stream.write(chunk) {
            Ok(count @ 1..) => poured += count,
            _ => break,
        }
    }
    poured
}

#[test]
fn whatever_is_no_handshake_is_turned_away() {
    let [zero, one] = [0; 2].map(|_| Identity::generate().unwrap());
    let (mut door, address) = door(&zero, &[&one]);
    let record = |head: [u8; 9]| [&head[..], &[0; 1 << 14]].concat();
    let cases = [
        tls_1_2_hello(),
        b"GET / HTTP/1.1\r\n\r\n".to_vec(),
        vec![0xa5; 1 << 16],
        vec![0; 1 << 16],
        // A record that is too long.
        record([0x16, 3, 1, 0xff, 0xff, 1, 0, 0xff, 0xfb]),
        // A client hello of 16 MB, cut into records.
        record([0x16, 3, 1, 0x40, 4, 1, 0xff, 0xff, 0xff]),
        // A server's hello.
        record([0x16, 3, 1, 0x40, 4, 2, 0, 0x40, 0]),
    ];
    for bytes in cases {
        let stranger = TcpStream::connect(address).unwrap();
        let from = stranger.local_addr().unwrap();
        thread::scope(|scope| {
            let poured = scope.spawn(|| pour(&stranger, &bytes, 1 << 30));
            let known = scope.spawn(|| Line::dial(address, &one, zero.fingerprint(), LONG));
            let admitted = door.admit(LONG).unwrap();
            assert_eq!(admitted.len(), 1);
            assert!(known.join().unwrap().is_ok());
            let mut away = door.turned_away();
            while away.is_empty() {
                assert!(door.admit(Duration::from_millis(20)).unwrap().is_empty());
                away = door.turned_away();
            }
            assert_eq!(away, [(Some(from), HandshakeFault::Tls)]);
            // What fits into the buffers of two sockets, and what is thrown away at the end.
            assert!(poured.join().unwrap() < 64 << 20);
        });
    }
}

#[test]
fn who_is_known_can_change() {
    let [zero, one] = [0; 2].map(|_| Identity::generate().unwrap());
    let (mut door, address) = door(&zero, &[]);
    let mut knock = |known: Option<&Identity>| {
        if let Some(known) = known {
            door.know(&zero, [known.fingerprint()].into()).unwrap();
        }
        thread::scope(|scope| {
            let dialled = scope.spawn(|| Line::dial(address, &one, zero.fingerprint(), LONG));
            let mut admitted = 0;
            while admitted == 0 && !dialled.is_finished() {
                admitted += door.admit(Duration::from_millis(20)).unwrap().len();
            }
            (admitted, dialled.join().unwrap().is_ok())
        })
    };
    assert_eq!(knock(None), (0, false));
    assert_eq!(knock(Some(&one)), (1, true));
    assert_eq!(knock(Some(&zero)), (0, false));
}

/// Set in a process of its own that can open few files.
const FEW_FILES: &str = "SUBROSA_TEST_FEW_FILES";

#[test]
fn a_system_without_room_is_waited_for() {
    if std::env::var_os(FEW_FILES).is_some() {
        return with_few_files();
    }
    let this = std::env::current_exe().unwrap();
    let ended = std::process::Command::new("sh")
        .args([
            "-c",
            "ulimit -n 64; exec \"$0\" --exact door::a_system_without_room_is_waited_for",
        ])
        .arg(this)
        .env(FEW_FILES, "1")
        .output()
        .unwrap();
    assert!(ended.status.success(), "{ended:?}");
}

fn with_few_files() {
    let [zero, one] = [0; 2].map(|_| Identity::generate().unwrap());
    let (mut door, address) = door(&zero, &[&one]);
    let mut files = Vec::new();
    while let Ok(stream) = TcpStream::connect(address) {
        files.push(stream);
    }
    // Those accepted before are dropped to make room, one by one.
    for _ in 0..3 {
        assert!(door.admit(Duration::from_millis(100)).unwrap().is_empty());
    }
    assert!(files.len() > 32);
    files.clear();
    thread::scope(|scope| {
        let dialled = scope.spawn(|| Line::dial(address, &one, zero.fingerprint(), LONG));
        assert_eq!(door.admit(LONG).unwrap().len(), 1);
        assert!(dialled.join().unwrap().is_ok());
    });
}
