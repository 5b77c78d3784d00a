//! Waiting for peers to dial, among whoever else comes.

use crate::dial::WELCOME;
use crate::error::{HandshakeFault, LinkFault, LocalFault, RunError};
use crate::identity::{Fingerprint, Identity};
use crate::network::now;
use crate::socket::SocketPipe;
use crate::tls;
use rustix::event::{PollFd, PollFlags};
use rustix::io::Errno;
use rustls::ServerConfig;
use rustls::server::UnbufferedServerConnection;
use std::collections::{HashSet, VecDeque};
use std::io::{self, ErrorKind};
use std::net::{SocketAddr, TcpListener, TcpStream, ToSocketAddrs};
use std::os::fd::AsFd;
use std::sync::Arc;

/// Time that a stranger at the listener has for its handshake.
const PATIENCE: u64 = 5_000_000_000;
/// Connections at the listener whose handshake is under way. One more drops the oldest of them.
const STRANGERS: usize = 128;
/// Connections that are accepted at once, before those at the listener go on.
const AT_ONCE: usize = 16;
/// Pause in accepting when the system has no room for a connection.
const PAUSE: u64 = 50_000_000;
/// Refusals that are remembered, the latest ones.
const REFUSALS: usize = 256;

/// A bound listener.
pub struct Endpoint {
    listener: TcpListener,
}

impl Endpoint {
    pub fn bind(address: impl ToSocketAddrs) -> Result<Self, RunError> {
        let bound = TcpListener::bind(address).and_then(|listener| {
            listener.set_nonblocking(true)?;
            Ok(Self { listener })
        });
        bound.map_err(|error| system(&error).into())
    }

    pub fn local_addr(&self) -> Result<SocketAddr, RunError> {
        self.listener
            .local_addr()
            .map_err(|error| system(&error).into())
    }
}

/// Who was turned away, and why.
pub(crate) type Refusal = (Option<SocketAddr>, HandshakeFault);

/// The listening side.
pub(crate) struct Listening {
    endpoint: Endpoint,
    config: Arc<ServerConfig>,
    /// The oldest comes first.
    strangers: VecDeque<Stranger>,
    refusals: VecDeque<Refusal>,
    /// Nothing is accepted before this time.
    paused: u64,
}

impl Listening {
    pub fn new(
        endpoint: Endpoint,
        identity: &Identity,
        peers: HashSet<Fingerprint>,
    ) -> Result<Self, LocalFault> {
        let config = tls::server(identity, peers)?;
        Ok(Self {
            endpoint,
            config,
            strangers: VecDeque::new(),
            refusals: VecDeque::new(),
            paused: 0,
        })
    }

    /// Replaces the accepted certificates.
    pub fn know(
        &mut self,
        identity: &Identity,
        peers: HashSet<Fingerprint>,
    ) -> Result<(), LocalFault> {
        self.config = tls::server(identity, peers)?;
        Ok(())
    }

    pub fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// The latest fault that a handshake came to.
    pub fn last_fault(&self) -> Option<HandshakeFault> {
        let mut faults = self.refusals.iter().rev().map(|(_, fault)| *fault);
        faults.find(|fault| *fault != HandshakeFault::Unfinished)
    }

    /// Who was turned away since this was last asked, the latest ones.
    pub fn take_refusals(&mut self) -> Vec<Refusal> {
        self.refusals.drain(..).collect()
    }

    /// Adds what this has to wait for to `sockets`, and returns until when.
    pub fn interest<'a>(&'a self, sockets: &mut Vec<PollFd<'a>>) -> u64 {
        let strangers = self.strangers.iter();
        sockets.extend(strangers.map(|stranger| stranger.pipe.interest()));
        let oldest = self.strangers.front();
        let until = oldest.map_or(u64::MAX, |stranger| stranger.until);
        if now() < self.paused {
            return until.min(self.paused);
        }
        let listener = self.endpoint.listener.as_fd();
        sockets.push(PollFd::from_borrowed_fd(listener, PollFlags::IN));
        until
    }

    /// Accepts whoever waits, a few at once.
    pub fn accept(&mut self) -> Result<(), RunError> {
        if now() < self.paused {
            return Ok(());
        }
        for _ in 0..AT_ONCE {
            match self.endpoint.listener.accept() {
                Ok((stream, address)) => self.welcome(stream, address)?,
                Err(error) => match error.kind() {
                    ErrorKind::WouldBlock => break,
                    ErrorKind::Interrupted | ErrorKind::ConnectionAborted => {}
                    _ if is_lasting(&error) => return Err(system(&error).into()),
                    _ => {
                        // The oldest stranger may hold what the system lacks.
                        self.turn_away_oldest();
                        self.paused = now() + PAUSE;
                        break;
                    }
                },
            }
        }
        Ok(())
    }

    /// Those whose certificates are among the accepted ones, once they have been told so.
    pub fn advance(&mut self) -> Vec<(Fingerprint, SocketPipe)> {
        let mut welcome = Vec::new();
        for mut stranger in std::mem::take(&mut self.strangers) {
            match stranger.advance() {
                Ok(Some(print)) => welcome.push((print, stranger.pipe)),
                Ok(None) if now() < stranger.until => self.strangers.push_back(stranger),
                Err(LinkFault::Handshake(fault)) => self.refuse(stranger.address, fault),
                Ok(None) | Err(_) => self.refuse(stranger.address, HandshakeFault::Unfinished),
            }
        }
        welcome
    }

    fn welcome(&mut self, stream: TcpStream, address: SocketAddr) -> Result<(), LocalFault> {
        let tls = UnbufferedServerConnection::new(self.config.clone());
        let tls = tls.map_err(|_| LocalFault::Identity)?;
        let Ok(pipe) = SocketPipe::server(stream, tls) else {
            return Ok(());
        };
        if self.strangers.len() >= STRANGERS {
            self.turn_away_oldest();
        }
        self.strangers.push_back(Stranger {
            pipe,
            address,
            until: now() + PATIENCE,
            known: None,
        });
        Ok(())
    }

    fn turn_away_oldest(&mut self) {
        if let Some(stranger) = self.strangers.pop_front() {
            self.refuse(stranger.address, HandshakeFault::Unfinished);
        }
    }

    fn refuse(&mut self, address: SocketAddr, fault: HandshakeFault) {
        if self.refusals.len() >= REFUSALS {
            self.refusals.pop_front();
        }
        self.refusals.push_back((Some(address), fault));
    }
}

/// Somebody at the listener.
struct Stranger {
    pipe: SocketPipe,
    address: SocketAddr,
    until: u64,
    known: Option<Fingerprint>,
}

impl Stranger {
    fn advance(&mut self) -> Result<Option<Fingerprint>, LinkFault> {
        if self.known.is_none() {
            if !self.pipe.handshake()? {
                return Ok(None);
            }
            self.known = Some(self.pipe.peer().ok_or(HandshakeFault::Tls)?);
            self.pipe
                .offer(&[WELCOME])
                .map_err(|_| HandshakeFault::Tls)?;
        }
        Ok(if self.pipe.flush()? { self.known } else { None })
    }
}

/// Whether the listener itself is at fault, and not the state of the system or of one connection.
fn is_lasting(error: &io::Error) -> bool {
    let lasting = [Errno::BADF, Errno::INVAL, Errno::NOTSOCK, Errno::OPNOTSUPP];
    lasting
        .iter()
        .any(|errno| error.raw_os_error() == Some(errno.raw_os_error()))
}

fn system(error: &io::Error) -> LocalFault {
    LocalFault::System {
        code: error.raw_os_error().unwrap_or(0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_want_of_room_passes() {
        let lasts = |errno: Errno| is_lasting(&io::Error::from(errno));
        assert!([Errno::BADF, Errno::INVAL].into_iter().all(lasts));
        let passing = [Errno::MFILE, Errno::NFILE, Errno::NOBUFS, Errno::NETDOWN];
        assert!(!passing.into_iter().any(lasts));
    }
}
