//! What a server keeps for a set of servers.

use crate::activation::{Message, Move};
use crate::mesh::Mesh;
use crate::ots::OtKeys;
use crate::scheme::Scheme;
use crate::servers::{Place, Servers};
use std::sync::Arc;
use subrosa_core::{Bytes, Malformed, Prg, Seed, Wire};
use subrosa_net::{Cost, LocalFault, RunError, Session};
use subrosa_rlwe::{CollectiveKey, KeyShare, Parameters, SecretKey};

/// A share of the collective key, the key itself, and base OTs with every other server. Read-only.
pub struct Keys {
    pub secret: SecretKey,
    pub public: CollectiveKey,
    pub ots: OtKeys,
}

impl Keys {
    /// p1 of the collective key comes from seeds of all servers; all tell all their shares. Then base OTs. At all servers at once.
    ///
    /// # Errors
    /// [`LocalFault::Invariant`] where `servers` are not the scheme's.
    pub fn setup(scheme: &Scheme, servers: &Servers, s: &mut Session) -> Result<Self, RunError> {
        scheme.check_servers(servers)?;
        let parameters = &scheme.parameters;
        let mut prg = Prg::new(&s.seed());
        let mut mesh = Mesh::new(servers, s);
        let own = Arc::new(prg.seed());
        let others: Vec<Seed> = mesh.tell_all(&own, &())?;
        let seeds = in_order(servers, own.share(), others);
        let all: Vec<u8> = seeds.iter().flat_map(|seed| *seed.reveal()).collect();
        let common = *Seed::from_bytes([0; 32])
            .derive("collective key", &all)
            .reveal();
        let secret = SecretKey::random(parameters, &mut prg);
        let own = Arc::new(secret.key_share(parameters, &common, &mut prg));
        let others: Vec<KeyShare> = mesh.tell_all(&own, parameters)?;
        let shares = in_order(servers, KeyShare::clone(&own), others);
        let public = CollectiveKey::new(parameters, common, &shares);
        Ok(Self {
            secret,
            public: public.map_err(|_| LocalFault::Invariant)?,
            ots: OtKeys::setup(servers, s)?,
        })
    }

    /// What the server `servers.me` sends and waits for.
    pub(crate) fn setup_cost(parameters: &Parameters, servers: &Servers) -> Cost {
        let told = [Seed::size(&()), KeyShare::size(parameters)];
        let moves = told.map(|bytes| tells(servers.count(), bytes).cost(servers.me));
        moves.into_iter().sum::<Cost>() + OtKeys::setup_cost(servers)
    }
}

/// For the disk, not for the peer.
impl Wire for Keys {
    type Layout = (Parameters, Servers);
    fn size((parameters, servers): &Self::Layout) -> Bytes {
        SecretKey::size(parameters) + CollectiveKey::size(parameters) + OtKeys::size(servers)
    }
    fn encode(&self, out: &mut Vec<u8>) {
        self.secret.encode(out);
        self.public.encode(out);
        self.ots.encode(out);
    }
    fn decode((parameters, servers): &Self::Layout, bytes: &[u8]) -> Result<Self, Malformed> {
        let layout = (parameters.clone(), (parameters.clone(), servers.clone()));
        let (secret, (public, ots)) = Wire::decode(&layout, bytes)?;
        Ok(Self {
            secret,
            public,
            ots,
        })
    }
}

/// All servers tell all others.
pub(crate) fn tells(servers: usize, bytes: Bytes) -> Move {
    let all = || (0..servers).map(Place);
    let messages = all().flat_map(|from| {
        let others = all().filter(move |to| *to != from);
        others.map(move |to| Message { from, to, bytes })
    });
    Move(messages.collect())
}

/// By place.
fn in_order<T>(servers: &Servers, own: T, mut others: Vec<T>) -> Vec<T> {
    others.insert(servers.me.0.min(others.len()), own);
    others
}
