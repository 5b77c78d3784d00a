//! Dialling one peer, without waiting.

use crate::error::{HandshakeFault, LinkFault, LocalFault};
use crate::identity::{Fingerprint, Identity};
use crate::network::now;
use crate::socket::SocketPipe;
use crate::tls;
use rustix::event::{PollFd, PollFlags};
use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketFlags, SocketType, connect, socket_with, sockopt};
use rustls::ClientConfig;
use rustls::client::UnbufferedClientConnection;
use rustls::pki_types::ServerName;
use std::io;
use std::net::{SocketAddr, TcpStream};
use std::os::fd::AsFd;
use std::sync::Arc;

/// Pause before a peer is dialled again.
const RETRY: u64 = 20_000_000;
/// What the listening side says once it has accepted the dialling side's certificate.
pub(crate) const WELCOME: u8 = 0x57;

/// A peer that this party dials.
pub(crate) struct Dial {
    address: SocketAddr,
    config: Arc<ClientConfig>,
    /// Why the last try failed.
    fault: LinkFault,
    state: State,
}

impl Dial {
    pub fn new(
        address: SocketAddr,
        identity: &Identity,
        peer: Fingerprint,
    ) -> Result<Self, LocalFault> {
        Ok(Self {
            address,
            config: tls::client(identity, peer)?,
            fault: LinkFault::Refused,
            state: State::Later(0),
        })
    }

    /// Why the last try failed, unless one is under way.
    pub fn failed(&self) -> Option<LinkFault> {
        matches!(self.state, State::Later(_)).then_some(self.fault)
    }

    /// Adds what this has to wait for to `sockets`, and returns until when.
    pub fn interest<'a>(&'a self, sockets: &mut Vec<PollFd<'a>>) -> u64 {
        match &self.state {
            State::Later(at) => return *at,
            State::Dialling(stream) => {
                sockets.push(PollFd::from_borrowed_fd(stream.as_fd(), PollFlags::OUT));
            }
            State::Shaking(pipe) | State::Confirming(pipe) => sockets.push(pipe.interest()),
        }
        u64::MAX
    }

    /// Goes on as far as that goes without waiting. What another try may mend is no error.
    pub fn advance(&mut self) -> Result<Option<SocketPipe>, LinkFault> {
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
        match connect(&socket, &self.address) {
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

enum State {
    /// Nothing until this time.
    Later(u64),
    Dialling(TcpStream),
    Shaking(SocketPipe),
    /// Done at this end; the other has not said so yet.
    Confirming(SocketPipe),
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

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A pipe whose handshake has not begun.
    pub fn pipe(stream: TcpStream) -> SocketPipe {
        let identity = Identity::generate().unwrap();
        let address = stream.peer_addr().unwrap();
        let dial = Dial::new(address, &identity, identity.fingerprint()).unwrap();
        dial.shake(stream).unwrap()
    }
}
