//! One run of a protocol over a party's links.

use crate::bill::{Bill, Phase};
use crate::drive::drive;
use crate::error::{LocalFault, Misdeed, RunError};
use crate::frame::{Kind, Step};
use crate::link::Links;
use crate::opening::Opening;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};
use subrosa_core::{Bytes, Nonce, PartyId, Seed, Wire};

/// What the parties of a session have agreed on beforehand.
#[derive(Clone, Debug)]
pub struct SessionTerms {
    /// The neighbours in this session, each with the fingerprint of the plan that both ends share.
    pub fingerprints: Vec<(PartyId, [u8; 32])>,
    /// Neighbours to whom no third party is named: whoever fails, they are told that this party did.
    pub untold: Vec<PartyId>,
    /// The longest silence of a peer that this party waits for. A party that works on without a word for
    /// this peer says so from time to time with each of its exchanges, which counts as no silence.
    pub timeout: Duration,
    /// Replaces all randomness of this session, nonces included: for replay and known-answer tests only.
    pub insecure_seed: Option<u64>,
}

/// One run with the neighbours named in its terms. It knows no other party.
pub struct Session {
    links: Links,
    timeout: Duration,
    pair_ids: BTreeMap<PartyId, Nonce>,
    nonces_drawn: BTreeMap<PartyId, u64>,
    root: Seed,
    seeds_drawn: u64,
    phase: Phase,
    entered: Instant,
    participation: Duration,
    received: Bytes,
    bill: Bill,
    failed: Option<RunError>,
}

impl Session {
    /// Exchanges party number, nonce and plan fingerprint on every link of `terms`. Starts in [`Phase::Setup`].
    pub fn open(links: Links, terms: SessionTerms) -> Result<Self, RunError> {
        let me = links.me();
        let root = match terms.insecure_seed {
            Some(number) => Seed::insecure_seeded(number).derive("party", &[me.0]),
            None => Seed::random().map_err(|_| LocalFault::Randomness)?,
        };
        let mut session = Self {
            links,
            timeout: terms.timeout,
            pair_ids: BTreeMap::new(),
            nonces_drawn: BTreeMap::new(),
            root,
            seeds_drawn: 0,
            phase: Phase::Setup,
            entered: Instant::now(),
            participation: Duration::ZERO,
            received: Bytes(0),
            bill: Bill::default(),
            failed: None,
        };
        let opened = session.greet(&terms);
        session.settle(opened)?;
        Ok(session)
    }

    fn greet(&mut self, terms: &SessionTerms) -> Result<(), RunError> {
        let party = self.me();
        let mut own = BTreeMap::new();
        for link in self.links.all() {
            link.joined = false;
            link.only = terms.untold.contains(&link.peer).then_some(party);
        }
        for &(peer, fingerprint) in &terms.fingerprints {
            let nonce = *self.root.derive("nonce", &[peer.0]).reveal();
            let opening = Opening {
                party,
                nonce,
                fingerprint,
            };
            let link = self.links.get(peer).ok_or(LocalFault::UnknownPeer(peer))?;
            if own.contains_key(&peer) {
                return Err(LocalFault::DuplicatePeer(peer).into());
            }
            link.joined = true;
            link.outbound.session = 0;
            link.outbound.begin(Kind::Opening, Step(0), &opening);
            link.inbound
                .expect(Kind::Opening, Step(0), Opening::size(&()).0 as usize);
            own.insert(peer, opening);
        }
        drive(&mut self.links, self.timeout)?;
        for (peer, ours) in own {
            let theirs: Opening = self.decode(peer, &())?;
            let link = self.links.get(peer).ok_or(LocalFault::UnknownPeer(peer))?;
            let last = link.last_nonce.filter(|_| terms.insecure_seed.is_none());
            ours.check(&theirs, peer, last)
                .map_err(|misdeed| RunError::Peer { peer, misdeed })?;
            let id = ours.pair_id(&theirs);
            let tag = u32::from_le_bytes([id[0], id[1], id[2], id[3]]);
            link.last_nonce = Some(theirs.nonce);
            link.inbound.session = tag;
            link.outbound.session = tag;
            self.pair_ids.insert(peer, id);
        }
        Ok(())
    }

    /// Ends the session; the connections go on to the next one. Those of a failed session are closed.
    pub fn close(mut self) -> Links {
        if self.failed.is_some() {
            self.links.clear();
        }
        self.links.take()
    }

    /// Ends the session because of `error` and tells every neighbour whom it names, the untold excepted.
    pub fn fail(mut self, error: &RunError) {
        let _ = self.settle::<()>(Err(error.clone()));
    }

    pub fn me(&self) -> PartyId {
        self.links.me()
    }

    /// The neighbours in this session, in ascending order.
    pub fn peers(&self) -> Vec<PartyId> {
        self.pair_ids.keys().copied().collect()
    }

    /// Names this session between this party and `peer`: equal at both ends, and never the same again.
    pub fn pair_id(&self, peer: PartyId) -> Result<Nonce, RunError> {
        let id = self.pair_ids.get(&peer).copied();
        id.ok_or(LocalFault::UnknownPeer(peer).into())
    }

    /// A nonce that both ends of a link draw alike, and that no other call ever gives: of [`Session::pair_id`]
    /// and of the number of draws before. Both ends draw in the same order.
    pub fn fresh(&mut self, peer: PartyId) -> Result<Nonce, RunError> {
        let id = Seed::from_bytes(self.pair_id(peer)?);
        let drawn = self.nonces_drawn.entry(peer).or_default();
        *drawn += 1;
        Ok(*id.derive("fresh nonce", &drawn.to_le_bytes()).reveal())
    }

    /// Sets the phase that is billed from here on.
    pub fn enter(&mut self, phase: Phase) {
        self.phase = phase;
        self.entered = Instant::now();
        self.participation = Duration::ZERO;
        self.received = Bytes(0);
    }

    /// Time from the beginning of the phase to the last message that this party sent in it: from there on it only waits.
    pub fn participation(&self) -> Duration {
        self.participation
    }

    /// Payload that has come in this phase. Those who sent it are billed for it.
    pub fn received(&self) -> Bytes {
        self.received
    }

    /// Fresh randomness of this party in this session.
    pub fn seed(&mut self) -> Seed {
        self.seeds_drawn += 1;
        self.root.derive("local", &self.seeds_drawn.to_le_bytes())
    }

    /// What this party has sent and waited for so far.
    pub fn bill(&self) -> &Bill {
        &self.bill
    }

    /// Sends `out` and receives `from` at once; the answers come in the order of `from`.
    ///
    /// Neither side waits for room in the other's buffers, so messages of any length may cross. A round is
    /// counted only if `from` is not empty. On an error the session is over and every neighbour has been told.
    pub fn exchange<S: Wire, R: Wire>(
        &mut self,
        step: Step,
        out: Vec<(PartyId, S)>,
        from: &[(PartyId, R::Layout)],
    ) -> Result<Vec<R>, RunError> {
        if let Some(error) = &self.failed {
            return Err(error.clone());
        }
        let done = self.run(step, out, from);
        self.settle(done)
    }

    /// [`Session::exchange`] with nobody to wait for.
    ///
    /// Where two parties send long messages to each other, both must use one `exchange`: a send alone waits
    /// until the peer takes what the connection cannot hold.
    pub fn send<S: Wire>(&mut self, step: Step, to: PartyId, message: S) -> Result<(), RunError> {
        self.exchange::<S, ()>(step, vec![(to, message)], &[])
            .map(|_| ())
    }

    /// [`Session::exchange`] with nothing to send.
    pub fn receive<R: Wire>(
        &mut self,
        step: Step,
        from: PartyId,
        layout: R::Layout,
    ) -> Result<R, RunError> {
        let mut all = self.exchange::<(), R>(step, Vec::new(), &[(from, layout)])?;
        all.pop().ok_or(LocalFault::Invariant.into())
    }

    fn run<S: Wire, R: Wire>(
        &mut self,
        step: Step,
        out: Vec<(PartyId, S)>,
        from: &[(PartyId, R::Layout)],
    ) -> Result<Vec<R>, RunError> {
        let mut sent = Bytes(0);
        for (peer, message) in out {
            self.pair_id(peer)?;
            let link = self.links.get(peer).ok_or(LocalFault::UnknownPeer(peer))?;
            if link.outbound.is_active() {
                return Err(LocalFault::DuplicatePeer(peer).into());
            }
            sent += Bytes(link.outbound.begin(Kind::Data, step, &message) as u64);
        }
        for (peer, layout) in from {
            let peer = *peer;
            self.pair_id(peer)?;
            let link = self.links.get(peer).ok_or(LocalFault::UnknownPeer(peer))?;
            if link.inbound.is_active() {
                return Err(LocalFault::DuplicatePeer(peer).into());
            }
            let total = usize::try_from(R::size(layout).0).map_err(|_| LocalFault::Invariant)?;
            link.inbound.expect(Kind::Data, step, total);
        }
        self.bill.exchange(self.phase, sent, !from.is_empty());
        drive(&mut self.links, self.timeout)?;
        if sent > Bytes(0) {
            self.participation = self.entered.elapsed();
        }
        self.received += from
            .iter()
            .map(|(_, layout)| R::size(layout))
            .sum::<Bytes>();
        from.iter()
            .map(|(peer, layout)| self.decode(*peer, layout))
            .collect()
    }

    fn decode<R: Wire>(&mut self, peer: PartyId, layout: &R::Layout) -> Result<R, RunError> {
        let link = self.links.get(peer).ok_or(LocalFault::UnknownPeer(peer))?;
        let value = R::decode(layout, link.inbound.message());
        link.inbound.finish();
        value.map_err(|malformed| RunError::Peer {
            peer,
            misdeed: Misdeed::from(malformed),
        })
    }

    /// On an error: remembers it and tells every neighbour of the session.
    fn settle<T>(&mut self, result: Result<T, RunError>) -> Result<T, RunError> {
        if let Err(error) = &result
            && self.failed.is_none()
        {
            self.failed = Some(error.clone());
            let culprit = error.culprit().unwrap_or(self.me());
            for link in self.links.all() {
                // A neighbour that cannot be told finds the connection closed.
                let _ = link.tell(Kind::Abort, culprit);
            }
        }
        result
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let _ = self.settle::<()>(Err(LocalFault::Invariant.into()));
        }
    }
}
