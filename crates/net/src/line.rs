//! A connection between sessions, which carries messages of its owner's own.
//!
//! A message on the wire is the byte 0x4d, its length as a little-endian u32, and so many bytes. Sessions run on
//! the same connection, see [`Links::of`](crate::Links::of): their frames begin with another byte, so that what
//! one of them has left is told apart.

use crate::dial::Dial;
use crate::error::{HandshakeFault, LineFault, LinkFault, LocalFault};
use crate::frame::{HEADER_LEN, Header, Kind, MAGIC, MAX_PAYLOAD};
use crate::identity::{Fingerprint, Identity};
use crate::inbound::Stop;
use crate::network::{deadline, now};
use crate::poll::poll;
use crate::socket::SocketPipe;
use rustix::event::{PollFd, PollFlags};
use rustix::net::sockopt;
use std::net::{Shutdown, SocketAddr, TcpStream, ToSocketAddrs};
use std::sync::Weak;
use std::time::Duration;

/// First byte of a message.
const MESSAGE: u8 = 0x4d;
/// Bytes of a message before its payload.
const HEAD: usize = 5;
/// Silence after which the system asks whether the peer is still there.
const KEEPALIVE_AFTER: Duration = Duration::from_secs(30);
/// Pause between two such questions.
const KEEPALIVE_EVERY: Duration = Duration::from_secs(10);
/// Questions without an answer that end the connection, where the time below is not known to the system.
const KEEPALIVE_QUESTIONS: u32 = 3;
/// Time in milliseconds for which the peer's system may leave what was sent, or the questions, without an answer, or
/// take nothing in.
const UNANSWERED_MS: u32 = 300_000;
/// Frames of a session before that one look at a line passes over.
const LEFT: usize = 64;

/// An authenticated connection, blocking with deadlines.
///
/// Its two directions do not depend on each other. Where both ends send messages that the connection cannot hold, at
/// once, both run into their deadlines: lines are for requests and answers.
pub struct Line {
    pipe: Box<SocketPipe>,
    peer: Fingerprint,
    past: Past,
    /// What has come of a message up to its payload, or of a frame that a session has left.
    start: Vec<u8>,
    unsendable: Option<LineFault>,
    unreadable: Option<LineFault>,
}

/// What the next session on a connection has to know of those before.
#[derive(Clone, Copy, Default)]
pub(crate) struct Past {
    /// Frames that have come.
    pub received: u32,
    /// Frames that were sent.
    pub sent: u32,
    /// The peer's nonce of the last session.
    pub last_nonce: Option<[u8; 32]>,
}

/// The addresses of `host:port`, as the system's resolver knows them; none where it knows none.
pub fn resolve(address: &str) -> Vec<SocketAddr> {
    address
        .to_socket_addrs()
        .map_or_else(|_| Vec::new(), Iterator::collect)
}

enum Start {
    Nothing,
    Part,
    Passed,
    Message(usize),
}

impl Line {
    /// Connects with `peer` at `address`, by one try, within `timeout`.
    pub fn dial(
        address: SocketAddr,
        identity: &Identity,
        peer: Fingerprint,
        timeout: Duration,
    ) -> Result<Self, LinkFault> {
        let until = deadline(timeout);
        let dial = Dial::new(address, identity, peer);
        let mut dial = dial.map_err(|_| HandshakeFault::Tls)?;
        loop {
            if let Some(pipe) = dial.advance()? {
                return Self::new(pipe, peer, Past::default());
            }
            if let Some(fault) = dial.failed() {
                return Err(fault);
            }
            if now() >= until {
                let after_ms = u64::try_from(timeout.as_millis()).unwrap_or(u64::MAX);
                return Err(LinkFault::TimedOut { after_ms });
            }
            let mut sockets = Vec::new();
            dial.interest(&mut sockets);
            poll(sockets, until).map_err(|fault| LinkFault::Io { code: code(&fault) })?;
        }
    }

    pub(crate) fn new(pipe: SocketPipe, peer: Fingerprint, past: Past) -> Result<Self, LinkFault> {
        watch(pipe.stream()).map_err(|error| LinkFault::Io {
            code: error.raw_os_error(),
        })?;
        Ok(Self {
            pipe: Box::new(pipe),
            peer,
            past,
            start: Vec::new(),
            unsendable: None,
            unreadable: None,
        })
    }

    /// The certificate that the peer has proven to own.
    pub fn peer(&self) -> Fingerprint {
        self.peer
    }

    /// Hands all of `message` to the system within `timeout`. After an error nothing more can be sent; what the peer
    /// has sent before can still be received.
    pub fn send(&mut self, message: &[u8], timeout: Duration) -> Result<(), LineFault> {
        let Ok(length) = u32::try_from(message.len()) else {
            return Err(LineFault::Oversized {
                limit: u32::MAX.into(),
                found: message.len() as u64,
            });
        };
        if let Some(fault) = self.unsendable {
            return Err(fault);
        }
        let sent = self.hand_over(length, message, deadline(timeout));
        self.unsendable = sent.err();
        sent
    }

    /// The next message, of `most` bytes or fewer. Its first byte has to come within `idle`, and all of it within
    /// `whole` from then on. Takes no more memory than twice what has come, and a buffer.
    ///
    /// [`LineFault::TimedOut`] before the first byte leaves the line as it is; after any other error nothing more can
    /// be received.
    pub fn receive(
        &mut self,
        most: usize,
        idle: Duration,
        whole: Duration,
    ) -> Result<Vec<u8>, LineFault> {
        if let Some(fault) = self.unreadable {
            return Err(fault);
        }
        let received = self.await_message(most, deadline(idle), whole);
        match &received {
            Ok(_) => self.start.clear(),
            Err(LineFault::TimedOut) if self.start.is_empty() => {}
            Err(fault) => self.unreadable = Some(*fault),
        }
        received
    }

    /// Whether the connection is open and nothing has come that waits to be received. Gives back its buffers.
    pub fn rested(&mut self) -> bool {
        if self.unsendable.is_some() || self.unreadable.is_some() || self.pipe.flush().is_err() {
            return false;
        }
        for _ in 0..LEFT {
            match self.start() {
                Ok(Start::Passed) => {}
                Ok(Start::Nothing) => {
                    self.pipe.rest();
                    return true;
                }
                Ok(Start::Part | Start::Message(_)) => return false,
                Err(fault) => {
                    self.unreadable = Some(fault);
                    return false;
                }
            }
        }
        false
    }

    /// What closes this connection from another thread, also while a session runs on it.
    pub fn closer(&self) -> Closer {
        Closer(std::sync::Arc::downgrade(self.pipe.stream()))
    }

    /// The connection, unless it is in the middle of a message.
    pub(crate) fn into_parts(self) -> Option<(SocketPipe, Past)> {
        let rests = self.start.is_empty() && self.unsendable.is_none() && self.unreadable.is_none();
        rests.then_some((*self.pipe, self.past))
    }

    fn hand_over(&mut self, length: u32, message: &[u8], until: u64) -> Result<(), LineFault> {
        let (first, rest) = message.split_at(message.len().min(MAX_PAYLOAD));
        let first = [&[MESSAGE][..], &length.to_le_bytes(), first].concat();
        for chunk in std::iter::once(&first[..]).chain(rest.chunks(MAX_PAYLOAD)) {
            self.pipe.offer(chunk)?;
            while !self.pipe.flush()? {
                self.wait(PollFlags::OUT, until)?;
            }
        }
        Ok(())
    }

    fn await_message(
        &mut self,
        most: usize,
        first: u64,
        whole: Duration,
    ) -> Result<Vec<u8>, LineFault> {
        let mut begun = None;
        let length = loop {
            match self.start()? {
                Start::Message(length) => break length,
                Start::Part => {
                    let until = *begun.get_or_insert_with(|| deadline(whole));
                    self.wait(PollFlags::IN, until)?;
                }
                Start::Nothing => self.wait(PollFlags::IN, first)?,
                Start::Passed if now() < first => begun = None,
                Start::Passed => return Err(LineFault::TimedOut),
            }
        };
        if length > most {
            return Err(LineFault::Oversized {
                limit: most as u64,
                found: length as u64,
            });
        }
        let until = begun.unwrap_or_else(|| deadline(whole));
        let mut message = Vec::new();
        while message.len() < length {
            let left = length - message.len();
            if self.pipe.take(left, &mut message)? == 0 {
                self.wait(PollFlags::IN, until)?;
            }
        }
        Ok(message)
    }

    /// Takes what has come of the next message up to its payload, without waiting.
    fn start(&mut self) -> Result<Start, LineFault> {
        loop {
            let wanted = match self.start.first() {
                None => 1,
                Some(&MESSAGE) => HEAD,
                Some(&MAGIC) => HEADER_LEN + 1,
                Some(_) => return Err(LineFault::Tampered),
            };
            let Some(left @ 1..) = wanted.checked_sub(self.start.len()) else {
                break;
            };
            if self.pipe.take(left, &mut self.start)? == 0 {
                return Ok(match self.start.is_empty() {
                    true => Start::Nothing,
                    false => Start::Part,
                });
            }
        }
        if let [MESSAGE, length @ ..] = &self.start[..] {
            let length = <[u8; 4]>::try_from(length);
            let length = length.map_err(|_| LineFault::Tampered)?;
            return Ok(Start::Message(u32::from_le_bytes(length) as usize));
        }
        self.pass_over()?;
        self.start.clear();
        Ok(Start::Passed)
    }

    /// A frame that came after the end of a session: that the peer went on, or gave up.
    fn pass_over(&mut self) -> Result<(), LineFault> {
        let head = self.start.first_chunk().ok_or(LineFault::Tampered)?;
        let header = Header::parse(head).map_err(|_| LineFault::Tampered)?;
        if header.sequence != self.past.received || header.length != 1 {
            return Err(LineFault::Tampered);
        }
        self.past.received = self.past.received.wrapping_add(1);
        match header.kind {
            Kind::Notice => Ok(()),
            Kind::Abort => Err(LineFault::Closed),
            Kind::Opening | Kind::Data => Err(LineFault::Tampered),
        }
    }

    fn wait(&self, events: PollFlags, until: u64) -> Result<(), LineFault> {
        if now() >= until {
            return Err(LineFault::TimedOut);
        }
        let socket = PollFd::from_borrowed_fd(self.pipe.fd(), events);
        poll(vec![socket], until).map_err(|fault| LineFault::Io { code: code(&fault) })
    }
}

/// Closes a [`Line`] from another thread. It does not keep the connection open.
#[derive(Clone)]
pub struct Closer(Weak<TcpStream>);

impl Closer {
    /// Ends the connection; whoever waits on it goes on at once and finds it closed.
    pub fn close(&self) {
        if let Some(stream) = self.0.upgrade() {
            // It may be closed already.
            let _ = stream.shutdown(Shutdown::Both);
        }
    }
}

impl From<Stop> for LineFault {
    fn from(stop: Stop) -> Self {
        match stop {
            Stop::Link(fault) => fault.into(),
            Stop::Misdeed(_) => Self::Tampered,
            Stop::Abort(_) => Self::Closed,
        }
    }
}

impl From<LinkFault> for LineFault {
    fn from(fault: LinkFault) -> Self {
        match fault {
            LinkFault::Closed | LinkFault::Refused | LinkFault::Handshake(_) => Self::Closed,
            LinkFault::TimedOut { .. } => Self::TimedOut,
            LinkFault::Io { code } => Self::Io { code },
        }
    }
}

/// Has the system find out by itself when the peer is gone without a word.
fn watch(stream: &TcpStream) -> rustix::io::Result<()> {
    sockopt::set_socket_keepalive(stream, true)?;
    #[cfg(target_os = "linux")]
    {
        sockopt::set_tcp_keepidle(stream, KEEPALIVE_AFTER)?;
        sockopt::set_tcp_keepintvl(stream, KEEPALIVE_EVERY)?;
        sockopt::set_tcp_keepcnt(stream, KEEPALIVE_QUESTIONS)?;
        sockopt::set_tcp_user_timeout(stream, UNANSWERED_MS)?;
    }
    Ok(())
}

fn code(fault: &LocalFault) -> i32 {
    match fault {
        LocalFault::System { code } => *code,
        _ => 0,
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;
    use std::net::TcpListener;

    #[test]
    fn the_system_watches_the_peer() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let stream = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let pipe = crate::dial::tests::pipe(stream);
        let line = Line::new(pipe, Fingerprint([0; 32]), Past::default()).unwrap();
        let socket = line.pipe.fd();
        assert!(sockopt::socket_keepalive(socket).unwrap());
        assert_eq!(sockopt::tcp_keepidle(socket).unwrap(), KEEPALIVE_AFTER);
        assert_eq!(sockopt::tcp_keepintvl(socket).unwrap(), KEEPALIVE_EVERY);
        assert_eq!(sockopt::tcp_keepcnt(socket).unwrap(), KEEPALIVE_QUESTIONS);
        assert_eq!(sockopt::tcp_user_timeout(socket).unwrap(), UNANSWERED_MS);
    }
}
