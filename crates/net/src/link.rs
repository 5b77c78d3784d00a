//! One party's connections, and waiting for them.

use crate::error::{LinkFault, LocalFault, RunError};
use crate::frame::Kind;
use crate::inbound::{Inbound, Stop};
use crate::line::{Line, Past};
use crate::memory::{Mailbox, MemoryPipe};
use crate::network::{Network, now};
use crate::outbound::Outbound;
use crate::poll::poll;
use crate::socket::SocketPipe;
use rustix::event::{PollFd, PollFlags};
use std::sync::Arc;
use subrosa_core::PartyId;

/// What carries the bytes of a link.
pub(crate) enum Pipe {
    Memory(MemoryPipe),
    Socket(Box<SocketPipe>),
}

impl Pipe {
    fn offer(&mut self, frame: &[u8]) -> Result<(), Stop> {
        match self {
            Self::Memory(pipe) => pipe.offer(frame),
            Self::Socket(pipe) => pipe.offer(frame)?,
        }
        Ok(())
    }

    fn flush(&mut self) -> Result<bool, LinkFault> {
        match self {
            Self::Memory(pipe) => pipe.flush(),
            Self::Socket(pipe) => pipe.flush(),
        }
    }

    fn pull(&mut self, inbound: &mut Inbound) -> Result<(), Stop> {
        match self {
            Self::Memory(pipe) => pipe.pull(inbound),
            Self::Socket(pipe) => pipe.pull(inbound),
        }
    }
}

/// The connection to one peer.
pub(crate) struct Link {
    pub peer: PartyId,
    pipe: Pipe,
    pub inbound: Inbound,
    pub outbound: Outbound,
    /// Whether bytes may wait to be handed over.
    unflushed: bool,
    /// The peer's nonce of the session before.
    pub last_nonce: Option<[u8; 32]>,
    /// Whether the peer belongs to the session.
    pub joined: bool,
    /// The only party besides the peer itself that may be named to the peer, where not all may.
    pub only: Option<PartyId>,
    /// When the peer last heard from this party.
    pub told_at: u64,
}

impl Link {
    pub fn new(peer: PartyId, pipe: Pipe, network: Network) -> Self {
        Self {
            peer,
            pipe,
            inbound: Inbound::new(peer, network),
            outbound: Outbound::new(network.is_shaped()),
            unflushed: false,
            last_nonce: None,
            joined: false,
            only: None,
            told_at: 0,
        }
    }

    /// Goes on with the connection of `line`; `None` if that is in the middle of a message.
    fn of(peer: PartyId, line: Line, network: Network) -> Option<Self> {
        let (pipe, past) = line.into_parts()?;
        let mut link = Self::new(peer, Pipe::Socket(Box::new(pipe)), network);
        link.inbound.resume(past.received);
        link.outbound.resume(past.sent);
        link.last_nonce = past.last_nonce;
        Some(link)
    }

    /// The connection, if it is one between processes and stands between two messages.
    fn into_line(self) -> Option<Line> {
        let rests = !self.inbound.is_active()
            && self.inbound.between_frames()
            && !self.outbound.is_active();
        let past = Past {
            received: self.inbound.sequence(),
            sent: self.outbound.sequence(),
            last_nonce: self.last_nonce,
        };
        match self.pipe {
            Pipe::Socket(pipe) if rests => {
                let peer = pipe.peer()?;
                Line::new(*pipe, peer, past).ok()
            }
            _ => None,
        }
    }

    /// Whether this link has to send or to receive before the exchange can end.
    pub fn is_busy(&self) -> bool {
        self.is_sending() || self.inbound.is_active()
    }

    pub fn is_sending(&self) -> bool {
        self.unflushed || self.outbound.is_active()
    }

    /// Hands over as much of the message as goes without waiting. Returns whether a frame went.
    pub fn push(&mut self) -> Result<bool, RunError> {
        let mut any = false;
        while self.is_sending() {
            match self.pipe.flush() {
                Ok(true) => {}
                Ok(false) => return Ok(any),
                Err(fault) => return Err(self.last_word(fault.into())),
            }
            self.unflushed = false;
            any = true;
            if let Some(frame) = self.outbound.next() {
                if let Err(stop) = self.pipe.offer(frame) {
                    return Err(self.last_word(stop));
                }
                self.unflushed = true;
            }
        }
        Ok(any)
    }

    /// Takes what has come of the message that is due. Returns whether the peer has gone on.
    pub fn pull(&mut self) -> Result<bool, RunError> {
        let before = self.inbound.progress;
        let pulled = self.pipe.pull(&mut self.inbound);
        pulled.map_err(|stop| stop.blame(self.peer))?;
        Ok(self.inbound.progress != before)
    }

    /// Sends a control frame as far as that goes without waiting. It names `party`, or who may be named in its place.
    pub fn tell(&mut self, kind: Kind, party: PartyId) -> Result<(), Stop> {
        let only = self.only.filter(|_| party != self.peer);
        let frame = self.outbound.control(kind, only.unwrap_or(party).0);
        self.pipe.offer(&frame)?;
        self.told_at = now();
        self.unflushed = !self.pipe.flush()?;
        Ok(())
    }

    /// What this link has to wait for, if it is carried by a socket.
    fn interest(&self) -> Option<PollFd<'_>> {
        let Pipe::Socket(pipe) = &self.pipe else {
            return None;
        };
        let mut events = PollFlags::empty();
        events.set(PollFlags::IN, self.inbound.is_active());
        events.set(PollFlags::OUT, self.is_sending());
        (!events.is_empty()).then(|| PollFd::from_borrowed_fd(pipe.fd(), events))
    }

    /// The error of a link that takes no more: what the peer said before, if it said why.
    fn last_word(&mut self, stop: Stop) -> RunError {
        // The message that was due may lie before it.
        for _ in 0..2 {
            if !self.inbound.is_active() {
                self.inbound.expect(Kind::Notice, crate::Step(0), 0);
            }
            match self.pipe.pull(&mut self.inbound) {
                Err(abort @ Stop::Abort(_)) => return abort.blame(self.peer),
                Ok(()) if !self.inbound.is_active() => {}
                _ => break,
            }
        }
        stop.blame(self.peer)
    }
}

#[derive(Clone)]
enum Waker {
    Memory(Arc<Mailbox>),
    Sockets,
}

/// One party's connections to its neighbours. They outlive sessions; dropping them closes them.
pub struct Links {
    me: PartyId,
    pub(crate) network: Network,
    waker: Waker,
    links: Vec<Link>,
}

impl Links {
    pub(crate) fn memory(me: PartyId, network: Network, mailbox: Arc<Mailbox>) -> Self {
        Self {
            me,
            network,
            waker: Waker::Memory(mailbox),
            links: Vec::new(),
        }
    }

    pub(crate) fn sockets(me: PartyId, network: Network) -> Self {
        Self {
            me,
            network,
            waker: Waker::Sockets,
            links: Vec::new(),
        }
    }

    /// The links of `me` for sessions, over connections that `lines` have been until now. Both ends of a connection
    /// must do so, and neither may have sent a message that the other has not received.
    ///
    /// [`LocalFault::DuplicatePeer`]: a party is named twice, or is `me`. [`LocalFault::UnknownPeer`]: a line to this
    /// party has failed.
    pub fn of(
        me: PartyId,
        network: Network,
        lines: Vec<(PartyId, Line)>,
    ) -> Result<Self, LocalFault> {
        let mut links = Self::sockets(me, network);
        for (peer, line) in lines {
            if peer == me || links.get(peer).is_some() {
                return Err(LocalFault::DuplicatePeer(peer));
            }
            let link = Link::of(peer, line, network);
            links.add(link.ok_or(LocalFault::UnknownPeer(peer))?);
        }
        Ok(links)
    }

    /// The connections after a session, in ascending order of the peers. What a peer has sent since is kept, and so
    /// are the numbers of its frames and its last nonce, for the next session. Links in memory, and links that stand
    /// in the middle of a message, are closed.
    pub fn into_lines(self) -> Vec<(PartyId, Line)> {
        let lines = self.links.into_iter();
        let lines = lines.map(|link| (link.peer, link.into_line()));
        lines
            .filter_map(|(peer, line)| Some((peer, line?)))
            .collect()
    }

    /// Adds a link unless the peer has one.
    pub(crate) fn add(&mut self, link: Link) {
        if self.get(link.peer).is_none() {
            self.links.push(link);
            self.links.sort_by_key(|link| link.peer);
        }
    }

    pub fn me(&self) -> PartyId {
        self.me
    }

    /// The neighbours, in ascending order.
    pub fn peers(&self) -> Vec<PartyId> {
        self.links.iter().map(|link| link.peer).collect()
    }

    pub(crate) fn get(&mut self, peer: PartyId) -> Option<&mut Link> {
        self.links.iter_mut().find(|link| link.peer == peer)
    }

    pub(crate) fn all(&mut self) -> &mut [Link] {
        &mut self.links
    }

    /// Moves all connections out.
    pub(crate) fn take(&mut self) -> Self {
        Self {
            me: self.me,
            network: self.network,
            waker: self.waker.clone(),
            links: std::mem::take(&mut self.links),
        }
    }

    pub(crate) fn clear(&mut self) {
        self.links.clear();
    }

    /// A mark to be taken before links are tried, and given to [`Links::wait`] when all have been tried in vain.
    pub(crate) fn mark(&self) -> u64 {
        match &self.waker {
            Waker::Memory(mailbox) => mailbox.events(),
            Waker::Sockets => 0,
        }
    }

    /// Waits until a busy link can go on, or until a time of [`crate::network::now`].
    pub(crate) fn wait(&mut self, mark: u64, until: u64) -> Result<(), RunError> {
        match &self.waker {
            Waker::Memory(mailbox) => mailbox.wait(mark, until),
            Waker::Sockets => {
                let busy = self.links.iter().filter_map(Link::interest).collect();
                poll(busy, until)?;
            }
        }
        Ok(())
    }
}
