//! Making the connections of one party: some are dialled, some are awaited, all at once and in one thread.

use crate::dial::Dial;
use crate::error::{LinkFault, LocalFault, RunError};
use crate::identity::{Fingerprint, Identity};
use crate::link::{Link, Links, Pipe};
use crate::listen::{Endpoint, Listening};
use crate::network::{Network, deadline, now};
use crate::poll::poll;
use std::collections::HashSet;
use std::net::SocketAddr;
use std::time::Duration;
use subrosa_core::PartyId;

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
    let mut connecting = Connecting::new(me, identity, endpoint, peers, network, timeout)?;
    let deadline = deadline(timeout);
    loop {
        connecting.advance()?;
        let Some(absent) = connecting.absent() else {
            return Ok(connecting.links);
        };
        if now() >= deadline {
            return Err(connecting.missed(absent));
        }
        connecting.wait(deadline)?;
    }
}

/// The connections of one party while they are being made.
struct Connecting<'a> {
    peers: &'a [Peer],
    network: Network,
    timeout: Duration,
    links: Links,
    dials: Vec<(PartyId, Dial)>,
    listening: Option<Listening>,
}

impl<'a> Connecting<'a> {
    fn new(
        me: PartyId,
        identity: &Identity,
        endpoint: Option<Endpoint>,
        peers: &'a [Peer],
        network: Network,
        timeout: Duration,
    ) -> Result<Self, RunError> {
        let mut dials = Vec::new();
        let mut awaited = HashSet::new();
        for (at, peer) in peers.iter().enumerate() {
            if peer.party == me || peers[..at].iter().any(|other| other.party == peer.party) {
                return Err(LocalFault::DuplicatePeer(peer.party).into());
            }
            let Some(address) = peer.address else {
                awaited.insert(peer.fingerprint);
                continue;
            };
            let dial = Dial::new(address, identity, peer.fingerprint)?;
            dials.push((peer.party, dial));
        }
        let listening = match endpoint {
            None => None,
            Some(endpoint) => Some(Listening::new(endpoint, identity, awaited)?),
        };
        let links = Links::sockets(me, network);
        Ok(Self {
            peers,
            network,
            timeout,
            links,
            dials,
            listening,
        })
    }

    /// Moves every handshake on as far as that goes without waiting.
    fn advance(&mut self) -> Result<(), RunError> {
        let mut done = Vec::new();
        for (party, dial) in &mut self.dials {
            let advanced = dial.advance();
            if let Some(pipe) = advanced.map_err(|fault| blame(*party, fault))? {
                done.push((*party, pipe));
            }
        }
        self.dials
            .retain(|(dialled, _)| done.iter().all(|(party, _)| party != dialled));
        if let Some(listening) = &mut self.listening {
            listening.accept()?;
            for (print, pipe) in listening.advance() {
                let present = self.links.peers();
                let fits = |peer: &&Peer| {
                    peer.address.is_none()
                        && peer.fingerprint == print
                        && !present.contains(&peer.party)
                };
                done.extend(self.peers.iter().find(fits).map(|peer| (peer.party, pipe)));
            }
        }
        for (party, pipe) in done {
            self.links
                .add(Link::new(party, Pipe::Socket(Box::new(pipe)), self.network));
        }
        Ok(())
    }

    fn absent(&self) -> Option<PartyId> {
        let present = self.links.peers();
        self.peers
            .iter()
            .map(|peer| peer.party)
            .find(|party| !present.contains(party))
    }

    /// Why there is no connection to `absent`.
    fn missed(&self, absent: PartyId) -> RunError {
        let timed_out = LinkFault::TimedOut {
            after_ms: self.timeout.as_millis() as u64,
        };
        let fault = match self.dials.iter().find(|(party, _)| *party == absent) {
            Some((_, dial)) => dial.failed(),
            None => {
                let away = self.listening.as_ref().and_then(Listening::last_fault);
                away.map(LinkFault::Handshake)
            }
        };
        blame(absent, fault.unwrap_or(timed_out))
    }

    fn wait(&self, deadline: u64) -> Result<(), LocalFault> {
        let mut until = deadline;
        let mut sockets = Vec::new();
        for (_, dial) in &self.dials {
            until = until.min(dial.interest(&mut sockets));
        }
        if let Some(listening) = &self.listening {
            until = until.min(listening.interest(&mut sockets));
        }
        poll(sockets, until)
    }
}

fn blame(peer: PartyId, fault: LinkFault) -> RunError {
    RunError::Link { peer, fault }
}
