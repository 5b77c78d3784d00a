//! Ends of lines, among them one that sends what it likes.

use std::io::Write;
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::thread;
use std::time::Duration;
use subrosa_net::*;

const LONG: Duration = Duration::from_secs(10);

pub fn door(identity: &Identity, known: &[&Identity]) -> (Door, SocketAddr) {
    let endpoint = Endpoint::bind("127.0.0.1:0").unwrap();
    let known = known.iter().map(|known| known.fingerprint()).collect();
    let door = Door::open(endpoint, identity, known).unwrap();
    let address = door.local_addr().unwrap();
    (door, address)
}

/// The listening end, and what `dial` makes of the other one.
fn ends<T: Send>(dial: impl FnOnce(SocketAddr, [&Identity; 2]) -> T + Send) -> (Line, T) {
    let [zero, one] = [0; 2].map(|_| Identity::generate().unwrap());
    let (mut door, address) = door(&zero, &[&one]);
    thread::scope(|scope| {
        let dialled = scope.spawn(|| dial(address, [&one, &zero]));
        let admitted = door.admit(LONG).unwrap().pop().unwrap();
        (admitted, dialled.join().unwrap())
    })
}

/// Both ends of a line.
pub fn pair() -> [Line; 2] {
    let (admitted, dialled) =
        ends(|address, [me, peer]| Line::dial(address, me, peer.fingerprint(), LONG).unwrap());
    [admitted, dialled]
}

/// A peer with a good certificate and nothing else that is expected of it.
pub struct Raw(rustls::StreamOwned<rustls::ClientConnection, TcpStream>);

impl Raw {
    /// A line whose other end this is.
    pub fn pair() -> (Line, Self) {
        ends(|address, [me, peer]| Self::dial(address, me, peer))
    }

    fn dial(address: SocketAddr, me: &Identity, peer: &Identity) -> Self {
        let mut roots = rustls::RootCertStore::empty();
        roots.add(peer.to_der().0.to_vec().into()).unwrap();
        let (certificate, key) = me.to_der();
        let key = rustls::pki_types::PrivatePkcs8KeyDer::from(key.reveal().clone());
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = rustls::ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&rustls::version::TLS13])
            .unwrap()
            .with_root_certificates(roots)
            .with_client_auth_cert(vec![certificate.to_vec().into()], key.into())
            .unwrap();
        let name = "subrosa".try_into().unwrap();
        let tls = rustls::ClientConnection::new(Arc::new(config), name).unwrap();
        let stream = TcpStream::connect(address).unwrap();
        let mut raw = Self(rustls::StreamOwned::new(tls, stream));
        raw.send(b"");
        while raw.0.conn.is_handshaking() {
            raw.0.conn.complete_io(&mut raw.0.sock).unwrap();
        }
        raw
    }

    pub fn send(&mut self, bytes: &[u8]) {
        self.0.write_all(bytes).unwrap();
        self.0.flush().unwrap();
    }
}
