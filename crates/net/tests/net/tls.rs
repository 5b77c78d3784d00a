//! Connections that must not come about, and bytes changed under way.

use crate::mesh::P;
use rustls::crypto::SupportedKxGroup;
use rustls::crypto::aws_lc_rs::{default_provider, kx_group};
use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;
use std::time::Duration;
use subrosa_core::{PartyId, Words, WordsLayout};
use subrosa_net::*;

const TIMEOUT: Duration = Duration::from_millis(1500);

fn listen() -> (Endpoint, SocketAddr) {
    let endpoint = Endpoint::bind("127.0.0.1:0").unwrap();
    let address = endpoint.local_addr().unwrap();
    (endpoint, address)
}

fn peer(party: usize, fingerprint: Fingerprint, address: Option<SocketAddr>) -> Peer {
    Peer {
        party: P[party],
        fingerprint,
        address,
    }
}

/// P0 listens for `expected`, P1 dials whom it takes for `trusted` through `address`.
fn pair(
    [zero, one]: [&Identity; 2],
    [expected, trusted]: [Fingerprint; 2],
    through: impl FnOnce(SocketAddr) -> SocketAddr,
) -> [Result<Links, RunError>; 2] {
    let (endpoint, address) = listen();
    let address = through(address);
    thread::scope(|scope| {
        let listener = scope.spawn(move || {
            let peers = [peer(1, expected, None)];
            connect(
                P[0],
                zero,
                Some(endpoint),
                &peers,
                Network::LOOPBACK,
                TIMEOUT,
            )
        });
        let peers = [peer(0, trusted, Some(address))];
        let dialled = connect(P[1], one, None, &peers, Network::LOOPBACK, TIMEOUT);
        [listener.join().unwrap(), dialled]
    })
}

fn failed(end: &Result<Links, RunError>, party: usize, fault: LinkFault) {
    let error = RunError::Link {
        peer: P[party],
        fault,
    };
    assert_eq!(end.as_ref().err(), Some(&error));
}

#[test]
fn both_ends_hold_to_the_fingerprints() {
    let [zero, one, two] = [0; 3].map(|_| Identity::generate().unwrap());
    let prints = [&one, &zero].map(Identity::fingerprint);
    let ends = pair([&zero, &one], prints, |address| address);
    assert!(ends.iter().all(Result::is_ok));
    let unknown = LinkFault::Handshake(HandshakeFault::UnknownFingerprint);
    let rejected = LinkFault::Handshake(HandshakeFault::Rejected);
    let ends = pair([&zero, &two], prints, |address| address);
    failed(&ends[0], 1, unknown);
    failed(&ends[1], 0, rejected);
    let ends = pair([&two, &one], prints, |address| address);
    failed(&ends[0], 1, rejected);
    failed(&ends[1], 0, unknown);
}

#[test]
fn nobody_there_is_refused_and_nobody_coming_is_missed() {
    let [zero, one] = [0; 2].map(|_| Identity::generate().unwrap());
    let (endpoint, address) = listen();
    let short = Duration::from_millis(200);
    let peers = [peer(1, one.fingerprint(), None)];
    let end = connect(
        P[0],
        &zero,
        Some(endpoint),
        &peers,
        Network::LOOPBACK,
        short,
    );
    failed(&end, 1, LinkFault::TimedOut { after_ms: 200 });
    let peers = [peer(1, one.fingerprint(), Some(address))];
    let end = connect(P[0], &zero, None, &peers, Network::LOOPBACK, short);
    failed(&end, 1, LinkFault::Refused);
    // Somebody takes the connection and says nothing.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let peers = [peer(
        1,
        one.fingerprint(),
        Some(silent.local_addr().unwrap()),
    )];
    let end = connect(P[0], &zero, None, &peers, Network::LOOPBACK, short);
    failed(&end, 1, LinkFault::TimedOut { after_ms: 200 });
    let twice = [peers[0], peers[0]];
    let end = connect(P[0], &zero, None, &twice, Network::LOOPBACK, short);
    assert_eq!(end.err(), Some(LocalFault::DuplicatePeer(P[1]).into()));
}

/// Strangers that say nothing or nonsense do not keep the peer out.
#[test]
fn strangers_are_turned_away() {
    let [zero, one] = [0; 2].map(|_| Identity::generate().unwrap());
    let prints = [&one, &zero].map(Identity::fingerprint);
    let mut strangers = Vec::new();
    let ends = pair([&zero, &one], prints, |address| {
        for hello in [
            &b""[..],
            b"GET / HTTP/1.1\r\n\r\n",
            &[0x16, 3, 1, 0xff, 0xff],
        ] {
            let mut stranger = TcpStream::connect(address).unwrap();
            stranger.write_all(hello).unwrap();
            strangers.push(stranger);
        }
        address
    });
    assert!(ends.iter().all(Result::is_ok));
}

/// What a listening party answers to a client of one key exchange group.
fn offer(group: &'static dyn SupportedKxGroup) -> (Result<Links, RunError>, bool) {
    let [zero, one] = [0; 2].map(|_| Identity::generate().unwrap());
    let provider = rustls::crypto::CryptoProvider {
        kx_groups: vec![group],
        ..default_provider()
    };
    let roots = rustls::RootCertStore::empty();
    let config = rustls::ClientConfig::builder_with_provider(Arc::new(provider))
        .with_protocol_versions(&[&rustls::version::TLS13])
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let mut client =
        rustls::ClientConnection::new(Arc::new(config), "subrosa".try_into().unwrap()).unwrap();
    let (endpoint, address) = listen();
    thread::scope(|scope| {
        let listener = scope.spawn(|| {
            let peers = [peer(1, one.fingerprint(), None)];
            let short = Duration::from_millis(400);
            connect(
                P[0],
                &zero,
                Some(endpoint),
                &peers,
                Network::LOOPBACK,
                short,
            )
        });
        let mut stream = TcpStream::connect(address).unwrap();
        while client.is_handshaking() {
            if client.complete_io(&mut stream).is_err() {
                break;
            }
        }
        let agreed = client.negotiated_key_exchange_group().is_some();
        (listener.join().unwrap(), agreed)
    })
}

#[test]
fn the_hybrid_is_the_only_key_exchange() {
    let (end, agreed) = offer(kx_group::X25519);
    failed(&end, 1, LinkFault::Handshake(HandshakeFault::Tls));
    assert!(!agreed);
    assert!(!offer(kx_group::SECP256R1).1);
    // The hybrid gets as far as the certificate, which this client does not know.
    assert!(offer(kx_group::X25519MLKEM768).1);
}

/// A TLS 1.2 client hello with ECDHE over P-256 and AES-128-GCM, and no `supported_versions`.
pub fn tls_1_2_hello() -> Vec<u8> {
    let extensions = [
        &[0, 10, 0, 4, 0, 2, 0, 23][..],
        &[0, 11, 0, 2, 1, 0],
        &[0, 13, 0, 4, 0, 2, 4, 3],
        &[0, 23, 0, 0],
    ]
    .concat();
    let random = [7; 32];
    let body = [
        &[3, 3][..],
        &random,
        &[0, 0, 2, 0xc0, 0x2b, 1, 0],
        &(extensions.len() as u16).to_be_bytes(),
        &extensions,
    ]
    .concat();
    let length = body.len() as u16;
    let mut hello = vec![0x16, 3, 1];
    hello.extend((length + 4).to_be_bytes());
    hello.extend([1, 0]);
    hello.extend(length.to_be_bytes());
    hello.extend(body);
    hello
}

#[test]
fn tls_1_2_is_refused() {
    let [zero, one] = [0; 2].map(|_| Identity::generate().unwrap());
    let (endpoint, address) = listen();
    let hello = tls_1_2_hello();
    thread::scope(|scope| {
        let listener = scope.spawn(|| {
            let peers = [peer(1, one.fingerprint(), None)];
            let short = Duration::from_millis(400);
            connect(
                P[0],
                &zero,
                Some(endpoint),
                &peers,
                Network::LOOPBACK,
                short,
            )
        });
        let mut stream = TcpStream::connect(address).unwrap();
        stream.write_all(&hello).unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        // A fatal alert: protocol_version.
        assert_eq!(answer, [0x15, 3, 3, 0, 2, 2, 70]);
        failed(
            &listener.join().unwrap(),
            1,
            LinkFault::Handshake(HandshakeFault::Tls),
        );
    });
}

/// What a proxy does to the dialling side's bytes after so many of them.
#[derive(Clone, Copy)]
enum Meddle {
    Flip(usize),
    Cut(usize),
    Stall(usize),
    Nothing,
}

/// Passes bytes on both ways, and meddles with those of the dialling side.
fn proxy(target: SocketAddr, meddle: Meddle) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        let (dialler, _) = listener.accept().unwrap();
        let server = TcpStream::connect(target).unwrap();
        let (back, forth) = (server.try_clone().unwrap(), dialler.try_clone().unwrap());
        thread::spawn(move || pass(back, dialler, Meddle::Nothing));
        pass(forth, server, meddle);
    });
    address
}

fn pass(mut from: TcpStream, mut to: TcpStream, meddle: Meddle) {
    let mut passed = 0;
    let mut buffer = [0; 4096];
    while let Ok(count @ 1..) = from.read(&mut buffer) {
        match meddle {
            Meddle::Flip(at) if (passed..passed + count).contains(&at) => {
                buffer[at - passed] ^= 0x10;
            }
            Meddle::Cut(at) if passed + count > at => break,
            Meddle::Stall(at) if passed + count > at => thread::sleep(3 * TIMEOUT),
            _ => {}
        }
        passed += count;
        if to.write_all(&buffer[..count]).is_err() {
            break;
        }
    }
    let _ = to.shutdown(Shutdown::Write);
}

/// 100 kB cross between P0 and the meddled P1. Returns what P0 reports, and of whom P1 speaks.
fn cross(meddle: Meddle) -> (RunError, Option<PartyId>) {
    let [zero, one] = [0; 2].map(|_| Identity::generate().unwrap());
    let prints = [&one, &zero].map(Identity::fingerprint);
    let ends = pair([&zero, &one], prints, |address| proxy(address, meddle));
    let [listened, dialled] = ends.map(Result::unwrap);
    let run = |links: Links, peer: usize| {
        let fingerprints = vec![(P[peer], [0; 32])];
        let terms = SessionTerms {
            fingerprints,
            untold: Vec::new(),
            timeout: TIMEOUT,
            insecure_seed: None,
        };
        let mut session = Session::open(links, terms)?;
        let words = Words {
            bits: 8,
            values: vec![1; 100_000],
        };
        let layout = WordsLayout {
            count: 100_000,
            bits: 8,
        };
        let out = vec![(P[peer], words)];
        session.exchange::<_, Words>(Step(0), out, &[(P[peer], layout)])?;
        session.receive::<()>(Step(1), P[peer], ())
    };
    thread::scope(|scope| {
        let dialler = scope.spawn(|| run(dialled, 0));
        let error = run(listened, 1).unwrap_err();
        let speaks_of = match dialler.join().unwrap().unwrap_err() {
            RunError::Aborted { by, .. } => Some(by),
            error => error.culprit(),
        };
        (error, speaks_of)
    })
}

/// The handshake takes some 3 kB.
#[test]
fn meddling_is_blamed_on_the_link_it_comes_by() {
    let tampered = RunError::Peer {
        peer: P[1],
        misdeed: Misdeed::Tampered,
    };
    assert_eq!(cross(Meddle::Flip(20_000)), (tampered.clone(), Some(P[0])));
    assert_eq!(cross(Meddle::Flip(50_001)), (tampered, Some(P[0])));
    let closed = RunError::Link {
        peer: P[1],
        fault: LinkFault::Closed,
    };
    assert_eq!(cross(Meddle::Cut(20_000)), (closed, Some(P[0])));
    let timed_out = LinkFault::TimedOut {
        after_ms: TIMEOUT.as_millis() as u64,
    };
    let stalled = RunError::Link {
        peer: P[1],
        fault: timed_out,
    };
    assert_eq!(cross(Meddle::Stall(20_000)), (stalled, Some(P[0])));
}
