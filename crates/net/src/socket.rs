//! A TLS connection over a non-blocking socket. Nothing here waits.

use crate::error::{LinkFault, Misdeed};
use crate::identity::Fingerprint;
use crate::inbound::{Inbound, Stop};
use crate::tls;
use rustix::event::{PollFd, PollFlags};
use rustls::client::UnbufferedClientConnection;
use rustls::pki_types::CertificateDer;
use rustls::server::UnbufferedServerConnection;
use rustls::unbuffered::{ConnectionState, EncodeError, EncryptError, UnbufferedStatus};
use rustls::{Error, SideData};
use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::Arc;

/// Ciphertext read at once.
const READ: usize = 256 * 1024;
/// Ciphertext read at once where little is to be expected: one full record.
const READ_LITTLE: usize = 18 * 1024;

enum Tls {
    Client(UnbufferedClientConnection),
    Server(UnbufferedServerConnection),
}

/// Bytes between a start and an end in a buffer that keeps its length.
#[derive(Default)]
struct Span {
    buffer: Vec<u8>,
    start: usize,
    end: usize,
}

impl Span {
    fn is_empty(&self) -> bool {
        self.start == self.end
    }

    fn filled(&mut self) -> &mut [u8] {
        &mut self.buffer[self.start..self.end]
    }

    fn discard(&mut self, count: usize) {
        self.start = (self.start + count).min(self.end);
        if self.is_empty() {
            (self.start, self.end) = (0, 0);
        }
    }

    /// Room for at least `count` bytes after the end.
    fn room(&mut self, count: usize) -> &mut [u8] {
        if self.buffer.len() < self.end + count {
            self.buffer.copy_within(self.start..self.end, 0);
            (self.start, self.end) = (0, self.end - self.start);
            if self.buffer.len() < self.end + count {
                self.buffer.resize(self.end + count, 0);
            }
        }
        &mut self.buffer[self.end..]
    }

    fn push(&mut self, bytes: &[u8]) {
        self.room(bytes.len())[..bytes.len()].copy_from_slice(bytes);
        self.end += bytes.len();
    }

    /// Gives the buffer back if nothing is in it.
    fn rest(&mut self) {
        if self.is_empty() {
            *self = Self::default();
        }
    }
}

/// Why nothing more comes.
enum Ended {
    Link(LinkFault),
    Tls(Error),
}

/// Where a pass over the incoming records ended.
enum Passed {
    Again,
    Wrote,
    Idle,
    Handshaking,
    Closed,
}

pub(crate) struct SocketPipe {
    stream: Arc<TcpStream>,
    tls: Tls,
    incoming: Span,
    plain: Span,
    outgoing: Span,
}

impl SocketPipe {
    pub fn client(stream: TcpStream, tls: UnbufferedClientConnection) -> io::Result<Self> {
        Self::new(stream, Tls::Client(tls))
    }

    pub fn server(stream: TcpStream, tls: UnbufferedServerConnection) -> io::Result<Self> {
        Self::new(stream, Tls::Server(tls))
    }

    fn new(stream: TcpStream, tls: Tls) -> io::Result<Self> {
        stream.set_nonblocking(true)?;
        stream.set_nodelay(true)?;
        Ok(Self {
            stream: Arc::new(stream),
            tls,
            incoming: Span::default(),
            plain: Span::default(),
            outgoing: Span::default(),
        })
    }

    pub fn fd(&self) -> BorrowedFd<'_> {
        self.stream.as_fd()
    }

    pub fn stream(&self) -> &Arc<TcpStream> {
        &self.stream
    }

    /// Gives back the buffers that are empty.
    pub fn rest(&mut self) {
        for span in [&mut self.incoming, &mut self.plain, &mut self.outgoing] {
            span.rest();
        }
    }

    /// What a handshake over this socket has to wait for.
    pub fn interest(&self) -> PollFd<'_> {
        let mut events = PollFlags::IN;
        events.set(PollFlags::OUT, !self.outgoing.is_empty());
        PollFd::from_borrowed_fd(self.fd(), events)
    }

    /// The certificate that the peer has shown.
    pub fn peer(&self) -> Option<Fingerprint> {
        let shown: Option<&[CertificateDer<'_>]> = match &self.tls {
            Tls::Client(tls) => tls.peer_certificates(),
            Tls::Server(tls) => tls.peer_certificates(),
        };
        shown
            .and_then(|chain| chain.first())
            .map(|certificate| Fingerprint::of(certificate))
    }

    /// Moves the handshake on. Returns whether it is done at this end; what it sent may need flushing.
    pub fn handshake(&mut self) -> Result<bool, LinkFault> {
        loop {
            match self.pass(None, &mut |_| ()) {
                Ok(Passed::Again | Passed::Wrote) => {}
                Ok(Passed::Idle) => {
                    self.flush()?;
                    return Ok(true);
                }
                Ok(Passed::Closed) => return Err(LinkFault::Closed),
                Ok(Passed::Handshaking) => {
                    self.flush()?;
                    if self.fill(READ_LITTLE)? == 0 {
                        return Ok(false);
                    }
                }
                Err(error) => {
                    // The alert goes out as far as it can; the connection is lost anyway.
                    while let Ok(Passed::Again) = self.pass(None, &mut |_| ()) {}
                    let _ = self.flush();
                    return Err(tls::fault(&error).into());
                }
            }
        }
    }

    /// One byte that the peer sends after its handshake, if it is here.
    pub fn byte(&mut self) -> Result<Option<u8>, LinkFault> {
        let mut byte = Vec::new();
        match self.next(1, &mut byte) {
            Ok(_) => Ok(byte.first().copied()),
            Err(Ended::Link(fault)) => Err(fault),
            Err(Ended::Tls(error)) => Err(tls::fault(&error).into()),
        }
    }

    /// Moves at most `most` bytes of what has come into `into`, without waiting, and says how many.
    pub fn take(&mut self, most: usize, into: &mut Vec<u8>) -> Result<usize, Stop> {
        self.next(most, into).map_err(|ended| match ended {
            Ended::Link(fault) => fault.into(),
            Ended::Tls(error) => stop(&error),
        })
    }

    fn next(&mut self, most: usize, into: &mut Vec<u8>) -> Result<usize, Ended> {
        while self.plain.is_empty() {
            let plain = &mut Vec::new();
            let passed = self.pass(None, &mut |bytes| plain.extend_from_slice(bytes));
            self.plain.push(plain);
            match passed {
                Ok(Passed::Again | Passed::Wrote) => {}
                Ok(Passed::Closed) => return Err(Ended::Link(LinkFault::Closed)),
                Ok(Passed::Idle | Passed::Handshaking) => {
                    if self.fill(READ).map_err(Ended::Link)? == 0 {
                        return Ok(0);
                    }
                }
                Err(error) => return Err(Ended::Tls(error)),
            }
        }
        let plain = self.plain.filled();
        let taken = most.min(plain.len());
        into.extend_from_slice(&plain[..taken]);
        self.plain.discard(taken);
        Ok(taken)
    }

    /// Encrypts a frame into the outgoing buffer.
    pub fn offer(&mut self, frame: &[u8]) -> Result<(), Stop> {
        let mut early = Vec::new();
        loop {
            match self.pass(Some(frame), &mut |bytes| early.extend_from_slice(bytes)) {
                Ok(Passed::Again) => {}
                Ok(Passed::Wrote) => break,
                Ok(Passed::Idle | Passed::Handshaking | Passed::Closed) => {
                    return Err(LinkFault::Closed.into());
                }
                Err(error) => return Err(stop(&error)),
            }
        }
        self.plain.push(&early);
        Ok(())
    }

    /// Whether nothing is left to write.
    pub fn flush(&mut self) -> Result<bool, LinkFault> {
        while !self.outgoing.is_empty() {
            match (&*self.stream).write(self.outgoing.filled()) {
                Ok(0) => return Err(LinkFault::Closed),
                Ok(written) => self.outgoing.discard(written),
                Err(error) => match error.kind() {
                    ErrorKind::WouldBlock => return Ok(false),
                    ErrorKind::Interrupted => {}
                    _ => return Err(link_fault(&error)),
                },
            }
        }
        Ok(true)
    }

    /// Feeds what has come until nothing is due any more.
    pub fn pull(&mut self, inbound: &mut Inbound) -> Result<(), Stop> {
        if !self.plain.is_empty() {
            let taken = inbound.accept(self.plain.filled())?;
            self.plain.discard(taken);
        }
        while inbound.is_active() {
            let mut refusal = None;
            let mut rest = Vec::new();
            let passed = self.pass(None, &mut |bytes| {
                let taken = if refusal.is_some() || !inbound.is_active() {
                    Ok(0)
                } else {
                    inbound.accept(bytes)
                };
                match taken {
                    Ok(taken) => rest.extend_from_slice(&bytes[taken..]),
                    Err(stop) => refusal = Some(stop),
                }
            });
            self.plain.push(&rest);
            if let Some(stop) = refusal {
                return Err(stop);
            }
            match passed {
                Ok(Passed::Again | Passed::Wrote) => {}
                Ok(Passed::Closed) => return Err(LinkFault::Closed.into()),
                Ok(Passed::Handshaking) => return Err(Misdeed::Tampered.into()),
                Ok(Passed::Idle) => {
                    if self.fill(READ)? == 0 {
                        return Ok(());
                    }
                }
                Err(error) => return Err(stop(&error)),
            }
        }
        Ok(())
    }

    /// Reads at most `most` bytes at once. Returns their number, 0 if there are none now.
    fn fill(&mut self, most: usize) -> Result<usize, LinkFault> {
        loop {
            match (&*self.stream).read(self.incoming.room(most)) {
                Ok(0) => return Err(LinkFault::Closed),
                Ok(count) => {
                    self.incoming.end += count;
                    return Ok(count);
                }
                Err(error) => match error.kind() {
                    ErrorKind::WouldBlock => return Ok(0),
                    ErrorKind::Interrupted => {}
                    _ => return Err(link_fault(&error)),
                },
            }
        }
    }

    /// One step of the TLS library over the incoming records.
    fn pass(
        &mut self,
        frame: Option<&[u8]>,
        deliver: &mut dyn FnMut(&[u8]),
    ) -> Result<Passed, Error> {
        let incoming = self.incoming.filled();
        let (discard, passed) = match &mut self.tls {
            Tls::Client(tls) => step(
                tls.process_tls_records(incoming),
                frame,
                &mut self.outgoing,
                deliver,
            ),
            Tls::Server(tls) => step(
                tls.process_tls_records(incoming),
                frame,
                &mut self.outgoing,
                deliver,
            ),
        };
        self.incoming.discard(discard);
        passed
    }
}

fn step<Data: SideData>(
    status: UnbufferedStatus<'_, '_, Data>,
    frame: Option<&[u8]>,
    outgoing: &mut Span,
    deliver: &mut dyn FnMut(&[u8]),
) -> (usize, Result<Passed, Error>) {
    let mut discard = status.discard;
    let state = match status.state {
        Ok(state) => state,
        Err(error) => return (discard, Err(error)),
    };
    let passed = match state {
        ConnectionState::ReadTraffic(mut traffic) => loop {
            match traffic.next_record() {
                None => break Ok(Passed::Again),
                Some(Err(error)) => break Err(error),
                Some(Ok(record)) => {
                    discard += record.discard;
                    deliver(record.payload);
                }
            }
        },
        ConnectionState::EncodeTlsData(mut data) => {
            let mut room = 4096;
            loop {
                match data.encode(outgoing.room(room)) {
                    Ok(written) => {
                        outgoing.end += written;
                        break Ok(Passed::Again);
                    }
                    Err(EncodeError::InsufficientSize(size)) => room = size.required_size,
                    Err(EncodeError::AlreadyEncoded) => break Ok(Passed::Again),
                }
            }
        }
        ConnectionState::TransmitTlsData(data) => {
            data.done();
            Ok(Passed::Again)
        }
        ConnectionState::WriteTraffic(mut traffic) => match frame {
            None => Ok(Passed::Idle),
            Some(frame) => {
                let mut room = frame.len() + frame.len() / 512 + 64;
                loop {
                    match traffic.encrypt(frame, outgoing.room(room)) {
                        Ok(written) => {
                            outgoing.end += written;
                            break Ok(Passed::Wrote);
                        }
                        Err(EncryptError::InsufficientSize(size)) => room = size.required_size,
                        Err(EncryptError::EncryptExhausted) => break Err(Error::EncryptError),
                    }
                }
            }
        },
        ConnectionState::BlockedHandshake => Ok(Passed::Handshaking),
        ConnectionState::PeerClosed | ConnectionState::Closed => Ok(Passed::Closed),
        _ => Err(Error::HandshakeNotComplete),
    };
    (discard, passed)
}

/// What an error of the library after the handshake says of the peer.
fn stop(error: &Error) -> Stop {
    match error {
        Error::AlertReceived(_) | Error::EncryptError => LinkFault::Closed.into(),
        _ => Misdeed::Tampered.into(),
    }
}

fn link_fault(error: &io::Error) -> LinkFault {
    match error.kind() {
        ErrorKind::ConnectionReset
        | ErrorKind::ConnectionAborted
        | ErrorKind::BrokenPipe
        | ErrorKind::UnexpectedEof
        | ErrorKind::NotConnected => LinkFault::Closed,
        _ => LinkFault::Io {
            code: error.raw_os_error().unwrap_or(0),
        },
    }
}

impl Drop for SocketPipe {
    fn drop(&mut self) {
        // What is still queued, an abort perhaps, goes out as far as it can. Bytes left unread would
        // make the system reset the connection and throw it away.
        let _ = self.flush();
        let _ = self.stream.shutdown(Shutdown::Write);
        for _ in 0..64 {
            match (&*self.stream).read(self.incoming.room(READ)) {
                Ok(count) if count > 0 => {}
                _ => break,
            }
        }
    }
}
