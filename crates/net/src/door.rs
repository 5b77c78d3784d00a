//! Where known peers come in, one connection after the other, for as long as a program runs.

use crate::error::{HandshakeFault, LocalFault, RunError};
use crate::identity::{Fingerprint, Identity};
use crate::line::{Line, Past};
use crate::listen::{Endpoint, Listening};
use crate::network::{deadline, now};
use crate::poll::poll;
use std::collections::HashSet;
use std::net::SocketAddr;
use std::time::Duration;

/// A listener that lets known peers in. Whoever else comes is turned away and does no other harm: a handshake has 5
/// seconds, 128 are under way at a time, and one more drops the oldest of them.
pub struct Door {
    listening: Listening,
}

impl Door {
    /// Lets in whoever owns the certificate of one of the `known` fingerprints.
    pub fn open(
        endpoint: Endpoint,
        identity: &Identity,
        known: HashSet<Fingerprint>,
    ) -> Result<Self, LocalFault> {
        let listening = Listening::new(endpoint, identity, known)?;
        Ok(Self { listening })
    }

    pub fn local_addr(&self) -> Result<SocketAddr, RunError> {
        self.listening.endpoint().local_addr()
    }

    /// Replaces the known fingerprints, for connections that are accepted from here on.
    pub fn know(
        &mut self,
        identity: &Identity,
        known: HashSet<Fingerprint>,
    ) -> Result<(), LocalFault> {
        self.listening.know(identity, known)
    }

    /// Waits for peers, but not longer than `wait`, and returns those whose handshake is done: none, one or some.
    ///
    /// An error is the listener's own; what goes wrong with one connection, or for a while, is none.
    pub fn admit(&mut self, wait: Duration) -> Result<Vec<Line>, RunError> {
        let until = deadline(wait);
        loop {
            self.listening.accept()?;
            let come = self.listening.advance().into_iter();
            let lines = come.filter_map(|(peer, pipe)| Line::new(pipe, peer, Past::default()).ok());
            let lines: Vec<_> = lines.collect();
            if !lines.is_empty() || now() >= until {
                return Ok(lines);
            }
            let mut sockets = Vec::new();
            let until = self.listening.interest(&mut sockets).min(until);
            poll(sockets, until)?;
        }
    }

    /// Who was turned away since the last call, and why; of many, the latest 256.
    pub fn turned_away(&mut self) -> Vec<(Option<SocketAddr>, HandshakeFault)> {
        self.listening.take_refusals()
    }
}
