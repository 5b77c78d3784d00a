//! What each party knows of a plan, as it is published to it.

use crate::face::Face;
use crate::parties::{GATEWAY, USER, servers};
use crate::{CARD, behind, price};
use std::sync::Arc;
use subrosa_collective::{Scheme, Servers};
use subrosa_core::{Malformed, PartyId, WordsLayout};
use subrosa_net::Bill;
use subrosa_protocol::{Fingerprint, Plan, fingerprint_of};

/// The user's: the front half and the shapes of the answers.
#[derive(Clone)]
pub struct UserView {
    pub face: Arc<Face>,
}

/// The gateway's: both halves.
#[derive(Clone)]
pub struct GatewayView {
    pub face: Arc<Face>,
    pub hidden: Arc<Scheme>,
    pub servers: Servers,
}

/// A remote's: the hidden half.
#[derive(Clone)]
pub struct RemoteView {
    pub hidden: Arc<Scheme>,
    pub servers: Servers,
}

/// r of what the front half hands on, as the user and the servers draw it: in the full ring.
pub fn handed(hidden: &Scheme) -> Vec<WordsLayout> {
    let bits = hidden.graph.ring;
    let whole = |layout: &WordsLayout| WordsLayout { bits, ..*layout };
    hidden.inputs.iter().map(whole).collect()
}

fn to_user(face: &Face) -> Fingerprint {
    fingerprint_of(CARD.name, &[&b"user"[..], &face.encode()].concat())
}

fn among_servers(hidden: &Scheme) -> Fingerprint {
    fingerprint_of(
        CARD.name,
        &[&b"servers"[..], &behind::encode(hidden)].concat(),
    )
}

/// The first byte of every view.
pub fn whose(bytes: &[u8]) -> Result<(PartyId, &[u8]), Malformed> {
    let (party, rest) = bytes.split_first().ok_or(Malformed::Encoding)?;
    Ok((PartyId(*party), rest))
}

fn of(bytes: &[u8], party: PartyId) -> Result<&[u8], Malformed> {
    let (found, rest) = whose(bytes)?;
    (found == party).then_some(rest).ok_or(Malformed::Range)
}

impl Plan for UserView {
    fn encode(&self) -> Vec<u8> {
        [vec![USER.0], self.face.encode()].concat()
    }

    fn parse(bytes: &[u8]) -> Result<Self, Malformed> {
        let (face, rest) = Face::parse(of(bytes, USER)?)?;
        if !rest.is_empty() {
            return Err(Malformed::Encoding);
        }
        Ok(Self {
            face: Arc::new(face),
        })
    }

    fn price(&self) -> Bill {
        price::user(&self.face)
    }

    fn fingerprint(&self, _: PartyId) -> Fingerprint {
        to_user(&self.face)
    }
}

impl Plan for GatewayView {
    fn encode(&self) -> Vec<u8> {
        let parts = [
            vec![GATEWAY.0],
            self.face.encode(),
            behind::encode(&self.hidden),
        ];
        parts.concat()
    }

    fn parse(bytes: &[u8]) -> Result<Self, Malformed> {
        let (face, rest) = Face::parse(of(bytes, GATEWAY)?)?;
        let hidden = behind::parse(rest)?;
        let fits = face.transition == handed(&hidden) && face.outputs == hidden.outputs;
        if !fits || face.answers.tail != hidden.graph.tail {
            return Err(Malformed::Range);
        }
        let servers = servers(hidden.remotes, GATEWAY).ok_or(Malformed::Range)?;
        Ok(Self {
            face: Arc::new(face),
            hidden: Arc::new(hidden),
            servers,
        })
    }

    fn price(&self) -> Bill {
        price::gateway(&self.face, &self.hidden, &self.servers)
    }

    fn fingerprint(&self, peer: PartyId) -> Fingerprint {
        match peer {
            USER => to_user(&self.face),
            _ => among_servers(&self.hidden),
        }
    }
}

impl RemoteView {
    pub fn me(&self) -> PartyId {
        self.servers.party(self.servers.me).unwrap_or(GATEWAY)
    }
}

impl Plan for RemoteView {
    fn encode(&self) -> Vec<u8> {
        [vec![self.me().0], behind::encode(&self.hidden)].concat()
    }

    fn parse(bytes: &[u8]) -> Result<Self, Malformed> {
        let (me, rest) = whose(bytes)?;
        let hidden = behind::parse(rest)?;
        let servers = servers(hidden.remotes, me).filter(|servers| !servers.is_gateway());
        Ok(Self {
            hidden: Arc::new(hidden),
            servers: servers.ok_or(Malformed::Range)?,
        })
    }

    fn price(&self) -> Bill {
        price::remote(&self.hidden, &self.servers)
    }

    fn fingerprint(&self, _: PartyId) -> Fingerprint {
        among_servers(&self.hidden)
    }
}
