//! Waiting for peers to dial, among whoever else comes.

use crate::dial::WELCOME;
use crate::error::{HandshakeFault, LinkFault, LocalFault, RunError};
use crate::identity::{Fingerprint, Identity};
use crate::network::now;
use crate::socket::SocketPipe;
use crate::tls;
use rustix::event::{PollFd, PollFlags};
use rustls::ServerConfig;
use rustls::server::UnbufferedServerConnection;
use std::io::{self, ErrorKind};
use std::net::{SocketAddr, TcpListener, ToSocketAddrs};
use std::os::fd::AsFd;
use std::sync::Arc;

/// Time that a stranger at the listener has for its handshake.
const PATIENCE: u64 = 5_000_000_000;
/// Connections at the listener whose handshake is under way; more wait in the system's queue.
const STRANGERS: usize = 16;

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

/// The listening side.
pub(crate) struct Listening {
    endpoint: Endpoint,
    config: Arc<ServerConfig>,
    strangers: Vec<Stranger>,
    /// Why the last one was turned away.
    pub turned_away: Option<HandshakeFault>,
}

impl Listening {
    pub fn new(
        endpoint: Endpoint,
        identity: &Identity,
        peers: &[Fingerprint],
    ) -> Result<Self, LocalFault> {
        let config = tls::server(identity, peers)?;
        Ok(Self {
            endpoint,
            config,
            strangers: Vec::new(),
            turned_away: None,
        })
    }

    /// Adds what this has to wait for to `sockets`, and returns until when.
    pub fn interest<'a>(&'a self, sockets: &mut Vec<PollFd<'a>>) -> u64 {
        sockets.extend(
            self.strangers
                .iter()
                .map(|stranger| stranger.pipe.interest()),
        );
        if self.strangers.len() < STRANGERS {
            let listener = self.endpoint.listener.as_fd();
            sockets.push(PollFd::from_borrowed_fd(listener, PollFlags::IN));
        }
        self.strangers
            .iter()
            .map(|stranger| stranger.until)
            .min()
            .unwrap_or(u64::MAX)
    }

    pub fn accept(&mut self) -> Result<(), RunError> {
        while self.strangers.len() < STRANGERS {
            match self.endpoint.listener.accept() {
                Ok((stream, _)) => {
                    let tls = UnbufferedServerConnection::new(self.config.clone());
                    let tls = tls.map_err(|_| LocalFault::Identity)?;
                    if let Ok(pipe) = SocketPipe::server(stream, tls) {
                        let until = now() + PATIENCE;
                        self.strangers.push(Stranger {
                            pipe,
                            until,
                            known: None,
                        });
                    }
                }
                Err(error) => match error.kind() {
                    ErrorKind::WouldBlock => break,
                    ErrorKind::Interrupted | ErrorKind::ConnectionAborted => {}
                    _ => return Err(system(&error).into()),
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
                Ok(None) if now() < stranger.until => self.strangers.push(stranger),
                Ok(None) => {}
                Err(LinkFault::Handshake(fault)) => self.turned_away = Some(fault),
                Err(_) => {}
            }
        }
        welcome
    }
}

/// Somebody at the listener.
struct Stranger {
    pipe: SocketPipe,
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

fn system(error: &io::Error) -> LocalFault {
    LocalFault::System {
        code: error.raw_os_error().unwrap_or(0),
    }
}
