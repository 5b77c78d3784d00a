//! Making the connections of one party: some are dialled, some are awaited, all at once and in one thread.

use crate::error::{HandshakeFault, LinkFault, LocalFault, RunError};
use crate::identity::{Fingerprint, Identity};
use crate::link::{Link, Links, Pipe};
use crate::network::{Network, now};
use crate::poll::poll;
use crate::socket::SocketPipe;
use crate::tls;
use rustix::event::{PollFd, PollFlags};
use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketFlags, SocketType, connect as dial, socket_with, sockopt};
use rustls::client::UnbufferedClientConnection;
use rustls::pki_types::ServerName;
use rustls::server::UnbufferedServerConnection;
use std::io::{self, ErrorKind};
use std::net::{SocketAddr, TcpListener, TcpStream, ToSocketAddrs};
use std::os::fd::AsFd;
use std::time::Duration;
use subrosa_core::PartyId;

/// Pause before a peer is dialled again.
const RETRY: u64 = 20_000_000;
/// Time that a stranger at the listener has for its handshake.
const PATIENCE: u64 = 5_000_000_000;
/// Connections at the listener whose handshake is under way; more wait in the system's queue.
const STRANGERS: usize = 16;
/// What the listening side says once it has accepted the dialling side's certificate.
const WELCOME: u8 = 0x57;

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

/// A neighbour, known by its certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Peer {
    pub party: PartyId,
    pub fingerprint: Fingerprint,
    /// `Some`: this party dials, again and again until the time is up. `None`: the peer dials this party.
    pub address: Option<SocketAddr>,
}

/// Connects `me` with all of `peers` within `timeout`, or names one with whom that failed.
///
/// A stranger at `endpoint` is turned away and does no other harm.
pub fn connect(
    me: PartyId,
    identity: &Identity,
    endpoint: Option<Endpoint>,
    peers: &[Peer],
    network: Network,
    timeout: Duration,
) -> Result<Links, RunError> {
    let mut links = Links::sockets(me, network);
    let awaited: Vec<_> = peers
        .iter()
        .filter(|p| p.address.is_none())
        .map(|p| p.fingerprint)
        .collect();
    let server = tls::server(identity, &awaited)?;
    let mut attempts = Vec::new();
    for (at, peer) in peers.iter().enumerate() {
        if peer.party == me || peers[..at].iter().any(|other| other.party == peer.party) {
            return Err(LocalFault::DuplicatePeer(peer.party).into());
        }
        if let Some(address) = peer.address {
            let config = tls::client(identity, peer.fingerprint)?;
            let fault = LinkFault::Refused;
            let state = State::Later(0);
            attempts.push(Dial {
                party: peer.party,
                address,
                config,
                fault,
                state,
            });
        }
    }
    let mut waiting = Waiting {
        timeout,
        strangers: Vec::new(),
        turned_away: None,
    };
    let deadline = now().saturating_add(u64::try_from(timeout.as_nanos()).unwrap_or(u64::MAX));
    loop {
        let mut done = Vec::new();
        for dial in &mut attempts {
            if let Some(pipe) = dial.advance().map_err(|fault| blame(dial.party, fault))? {
                done.push((dial.party, pipe));
            }
        }
        if let Some(endpoint) = &endpoint {
            let missing = |links: &Links, print: Fingerprint| {
                let taken = links.peers();
                let fits = |p: &&Peer| {
                    p.address.is_none() && p.fingerprint == print && !taken.contains(&p.party)
                };
                peers.iter().find(fits).map(|peer| peer.party)
            };
            waiting.accept(endpoint, &server)?;
            for (print, pipe) in waiting.advance() {
                if let Some(party) = missing(&links, print) {
                    links.add(Link::new(party, Pipe::Socket(Box::new(pipe)), network));
                }
            }
        }
        for (party, pipe) in done {
            attempts.retain(|dial| dial.party != party);
            links.add(Link::new(party, Pipe::Socket(Box::new(pipe)), network));
        }
        let present = links.peers();
        let Some(absent) = peers.iter().find(|peer| !present.contains(&peer.party)) else {
            return Ok(links);
        };
        if now() >= deadline {
            let dialled = attempts.iter().find(|dial| dial.party == absent.party);
            let fault = dialled.map_or_else(|| waiting.fault(), |dial| dial.fault(timeout));
            return Err(blame(absent.party, fault));
        }
        let mut until = deadline.min(now().saturating_add(PATIENCE));
        let mut sockets = Vec::new();
        for dial in &attempts {
            match &dial.state {
                State::Later(at) => until = until.min(*at),
                State::Dialling(stream) => {
                    sockets.push(PollFd::from_borrowed_fd(stream.as_fd(), PollFlags::OUT));
                }
                State::Shaking(pipe) | State::Confirming(pipe) => sockets.push(interest(pipe)),
            }
        }
        sockets.extend(
            waiting
                .strangers
                .iter()
                .map(|stranger| interest(&stranger.pipe)),
        );
        if let Some(endpoint) = &endpoint
            && waiting.strangers.len() < STRANGERS
        {
            sockets.push(PollFd::from_borrowed_fd(
                endpoint.listener.as_fd(),
                PollFlags::IN,
            ));
        }
        poll(sockets, until)?;
    }
}

fn interest(pipe: &SocketPipe) -> PollFd<'_> {
    let mut events = PollFlags::IN;
    events.set(PollFlags::OUT, pipe.wants_write());
    PollFd::from_borrowed_fd(pipe.fd(), events)
}

fn blame(peer: PartyId, fault: LinkFault) -> RunError {
    RunError::Link { peer, fault }
}

fn system(error: &io::Error) -> LocalFault {
    LocalFault::System {
        code: error.raw_os_error().unwrap_or(0),
    }
}

enum State {
    /// Nothing until this time.
    Later(u64),
    Dialling(TcpStream),
    Shaking(SocketPipe),
    /// Done at this end; the other has not said so yet.
    Confirming(SocketPipe),
}

/// A peer that this party dials.
struct Dial {
    party: PartyId,
    address: SocketAddr,
    config: std::sync::Arc<rustls::ClientConfig>,
    /// Why the last try failed.
    fault: LinkFault,
    state: State,
}

impl Dial {
    /// Goes on as far as that goes without waiting. What another try may mend is no error.
    fn advance(&mut self) -> Result<Option<SocketPipe>, LinkFault> {
        loop {
            let state = std::mem::replace(&mut self.state, State::Later(now() + RETRY));
            match self.next(state) {
                Ok(Next::Go(state)) => self.state = state,
                Ok(Next::Wait(state)) => {
                    self.state = state;
                    return Ok(None);
                }
                Ok(Next::Done(pipe)) => return Ok(Some(pipe)),
                Err(fault @ LinkFault::Handshake(_)) => return Err(fault),
                Err(fault) => {
                    self.fault = fault;
                    return Ok(None);
                }
            }
        }
    }

    /// Why there is no connection yet.
    fn fault(&self, timeout: Duration) -> LinkFault {
        match self.state {
            State::Later(_) => self.fault,
            _ => LinkFault::TimedOut {
                after_ms: timeout.as_millis() as u64,
            },
        }
    }

    fn next(&self, state: State) -> Result<Next, LinkFault> {
        Ok(match state {
            State::Later(at) if now() < at => Next::Wait(State::Later(at)),
            State::Later(_) => Next::Go(State::Dialling(self.dial()?)),
            State::Dialling(stream) => {
                sockopt::socket_error(&stream)
                    .and_then(|error| error)
                    .map_err(refused)?;
                match stream.peer_addr() {
                    Err(_) => Next::Wait(State::Dialling(stream)),
                    Ok(_) => Next::Go(State::Shaking(self.shake(stream)?)),
                }
            }
            State::Shaking(mut pipe) => match pipe.handshake()? {
                true => Next::Go(State::Confirming(pipe)),
                false => Next::Wait(State::Shaking(pipe)),
            },
            State::Confirming(mut pipe) => match (pipe.flush()?, pipe.byte()?) {
                (_, None) => Next::Wait(State::Confirming(pipe)),
                (_, Some(WELCOME)) => Next::Done(pipe),
                (_, Some(_)) => return Err(HandshakeFault::Tls.into()),
            },
        })
    }

    fn dial(&self) -> Result<TcpStream, LinkFault> {
        let family = match self.address {
            SocketAddr::V4(_) => AddressFamily::INET,
            SocketAddr::V6(_) => AddressFamily::INET6,
        };
        let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
        let socket = socket_with(family, SocketType::STREAM, flags, None).map_err(refused)?;
        match dial(&socket, &self.address) {
            Ok(()) | Err(Errno::INPROGRESS) => Ok(TcpStream::from(socket)),
            Err(error) => Err(refused(error)),
        }
    }

    fn shake(&self, stream: TcpStream) -> Result<SocketPipe, LinkFault> {
        let name = ServerName::try_from(tls::NAME).map_err(|_| HandshakeFault::Tls)?;
        let tls = UnbufferedClientConnection::new(self.config.clone(), name);
        let tls = tls.map_err(|_| HandshakeFault::Tls)?;
        SocketPipe::client(stream, tls).map_err(|error| io_fault(&error))
    }
}

enum Next {
    Go(State),
    Wait(State),
    Done(SocketPipe),
}

fn refused(error: Errno) -> LinkFault {
    match error {
        Errno::CONNREFUSED => LinkFault::Refused,
        error => LinkFault::Io {
            code: error.raw_os_error(),
        },
    }
}

fn io_fault(error: &io::Error) -> LinkFault {
    LinkFault::Io {
        code: error.raw_os_error().unwrap_or(0),
    }
}

/// Somebody at the listener.
struct Stranger {
    pipe: SocketPipe,
    until: u64,
    known: Option<Fingerprint>,
}

struct Waiting {
    timeout: Duration,
    strangers: Vec<Stranger>,
    turned_away: Option<HandshakeFault>,
}

impl Waiting {
    fn accept(
        &mut self,
        endpoint: &Endpoint,
        config: &std::sync::Arc<rustls::ServerConfig>,
    ) -> Result<(), RunError> {
        while self.strangers.len() < STRANGERS {
            match endpoint.listener.accept() {
                Ok((stream, _)) => {
                    let tls = UnbufferedServerConnection::new(config.clone());
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
    fn advance(&mut self) -> Vec<(Fingerprint, SocketPipe)> {
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

    /// Why nobody fitting came.
    fn fault(&self) -> LinkFault {
        let after_ms = self.timeout.as_millis() as u64;
        self.turned_away
            .map_or(LinkFault::TimedOut { after_ms }, LinkFault::Handshake)
    }
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
