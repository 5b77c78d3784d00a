//! What the gateway passes on between the user and the remotes, and the servers' part of it.

use crate::parties::{GATEWAY, SLOTS, USER};
use crate::seal::{PublicKey, Sealed};
use crate::slots::{Streams, played};
use std::sync::Arc;
use subrosa_collective::Servers;
use subrosa_core::{PartyId, Prg, Seed, Wire};
use subrosa_net::{LocalFault, RunError, Session, Turns};

/// The messages of a phase that are none of the halves', counted alike at both ends of a link.
pub fn line() -> Turns {
    Turns::aside(3)
}

fn remotes(servers: &Servers) -> Vec<PartyId> {
    let others = servers.others().filter_map(|at| servers.party(at));
    others.collect()
}

/// The same to every remote.
pub fn tell<T: Wire + Sync + Clone>(
    message: &T,
    servers: &Servers,
    turns: &mut Turns,
    s: &mut Session,
) -> Result<(), RunError> {
    let message = Arc::new(message.clone());
    let to = remotes(servers).into_iter();
    let out = to.map(|remote| (remote, message.clone())).collect();
    s.exchange::<Arc<T>, ()>(turns.step(), out, &[])?;
    Ok(())
}

/// What every remote sends.
pub fn gather<T: Wire>(
    layout: &T::Layout,
    servers: &Servers,
    turns: &mut Turns,
    s: &mut Session,
) -> Result<Vec<T>, RunError> {
    let from = remotes(servers).into_iter();
    let from: Vec<_> = from.map(|remote| (remote, layout.clone())).collect();
    s.exchange::<(), T>(turns.step(), Vec::new(), &from)
}

/// The same to every remote, and what each answers.
fn ask<S: Wire + Sync, R: Wire<Layout = ()>>(
    message: S,
    servers: &Servers,
    turns: &mut Turns,
    s: &mut Session,
) -> Result<Vec<R>, RunError> {
    let message = Arc::new(message);
    let to = remotes(servers);
    let out = to.iter().map(|remote| (*remote, message.clone()));
    let from: Vec<_> = to.iter().map(|remote| (*remote, ())).collect();
    s.exchange(turns.step(), out.collect(), &from)
}

/// Fresh seeds of the slots that a server plays.
fn draw(servers: &Servers, s: &mut Session) -> Vec<Seed> {
    let mut prg = Prg::new(&s.seed());
    played(servers).map(|_| prg.seed()).collect()
}

/// Setup at the gateway: the user's key to the remotes, their sealed seeds and its own to the user. Its own seeds.
pub fn seeds_at_gateway(servers: &Servers, s: &mut Session) -> Result<Vec<Seed>, RunError> {
    let (mut front, mut back) = (line(), line());
    let key: PublicKey = s.receive(front.step(), USER, ())?;
    let own = draw(servers, s);
    let mut sealed: Vec<Sealed> = Vec::with_capacity(SLOTS);
    for seed in &own {
        sealed.push(key.seal(seed)?);
    }
    let mut all: Vec<Sealed> = ask(key, servers, &mut back, s)?;
    all.extend(sealed);
    s.send(front.step(), USER, all)?;
    Ok(own)
}

/// Setup at a remote: a seed, sealed to the user.
pub fn seeds_at_remote(servers: &Servers, s: &mut Session) -> Result<Vec<Seed>, RunError> {
    // A question and its answer have one step.
    let step = line().step();
    let key: PublicKey = s.receive(step, GATEWAY, ())?;
    let own = draw(servers, s);
    let seed = own.first().ok_or(LocalFault::Invariant)?;
    s.send(step, GATEWAY, key.seal(seed)?)?;
    Ok(own)
}

/// One inference's streams at the gateway: the user's nonce to the remotes, theirs and its own to the user.
pub fn streams_at_gateway(
    slots: &[Seed],
    servers: &Servers,
    front: &mut Turns,
    back: &mut Turns,
    s: &mut Session,
) -> Result<Streams, RunError> {
    let user: Seed = s.receive(front.step(), USER, ())?;
    let own = draw(servers, s);
    let streams = Streams::new(slots.iter().zip(&own), &user);
    let mut all: Vec<Seed> = ask(user, servers, back, s)?;
    all.extend(own);
    s.send(front.step(), USER, all)?;
    Ok(streams)
}

/// One inference's streams at a remote.
pub fn streams_at_remote(
    slots: &[Seed],
    servers: &Servers,
    turns: &mut Turns,
    s: &mut Session,
) -> Result<Streams, RunError> {
    let own = draw(servers, s);
    let nonce = own.first().ok_or(LocalFault::Invariant)?.share();
    let out = vec![(GATEWAY, nonce)];
    let user: Vec<Seed> = s.exchange(turns.step(), out, &[(GATEWAY, ())])?;
    let user = user.first().ok_or(LocalFault::Invariant)?;
    Ok(Streams::new(slots.iter().zip(&own), user))
}
