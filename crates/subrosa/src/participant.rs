use crate::Entry;
use crate::pool::{Keeping, PoolTerms, Taken};
use crate::spilling::Spilling;
use std::path::Path;
use std::time::Duration;
use subrosa_core::{Bytes, Malformed, PartyId, Rounds, Secret, Seed};
use subrosa_ir::Tensor;
use subrosa_net::{Bill, Cost, Links, LocalFault, RunError, Session, SessionTerms, StoreFault};
use subrosa_protocol::{Fingerprint, Holding, Party, SharedPart};
use subrosa_vault::SeriesName;

/// One party with its connections: joins protocol and net.
///
/// Setup has a session of its own; each offline phase opens a fresh one, which the inference then goes on with.
/// With a pool, [`Participant::fill`] makes material ahead, and [`Participant::ready`] takes it: what parties tell
/// each other about their vaults goes over sessions beside, which are on no bill, so that setup, one item and one
/// inference still cost what the plan says.
///
/// After an error this party is done: its neighbours have been told, and every later call gives the same error.
pub struct Participant {
    protocol: &'static Entry,
    plan: Vec<u8>,
    threads: usize,
    party: Box<dyn Party>,
    timeout: Duration,
    state: State,
    keeping: Option<Keeping>,
    spilling: Spilling,
    taken: Option<u64>,
}

/// Where an inference's material comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// Made ahead and kept in the parties' vaults.
    Pool,
    /// Made on the spot.
    Fresh,
}

enum State {
    Idle(Links),
    Open(Box<Session>, Bill),
    Ended(RunError),
}

/// What a phase gave, and what this party sent and waited for in it.
pub struct Phased<T> {
    pub value: T,
    pub bill: Bill,
    /// Time until this party had sent its last message: from there on it only waited.
    pub participation: Duration,
    /// What came in: the bills of those who sent it have it.
    pub received: Bytes,
}

impl Participant {
    /// `plan`: this party's view. `threads`: cores that it may use. `timeout`: the longest silence of a peer.
    pub fn new(
        protocol: &'static Entry,
        plan: Vec<u8>,
        threads: usize,
        links: Links,
        timeout: Duration,
    ) -> Result<Self, Malformed> {
        let party = (protocol.seat)(&plan, threads)?;
        let state = State::Idle(links);
        Ok(Self {
            protocol,
            plan,
            threads,
            party,
            timeout,
            state,
            keeping: None,
            spilling: Spilling::default(),
            taken: None,
        })
    }

    /// Has material that [`Participant::offline`] makes lie in files in `folder`, sealed under keys that are in memory
    /// alone, if the pieces of one inference are more than `limit` together. A file is read once and ends with this
    /// process at the latest. The other parties do not notice.
    #[must_use]
    pub fn spilling(mut self, folder: &Path, limit: Bytes) -> Self {
        self.spilling = Spilling::new(self.party.as_ref(), folder, limit);
        self
    }

    /// What one setup, one offline phase and one inference will cost this party.
    pub fn price(&self) -> Bill {
        self.party.price()
    }

    /// Setup and deployment, with what this party has of the model. What an earlier setup left is dropped before.
    pub fn setup(&mut self, holding: &Holding) -> Result<Phased<()>, RunError> {
        let fresh = (self.protocol.seat)(&self.plan, self.threads);
        let old = std::mem::replace(&mut self.party, fresh.map_err(|_| LocalFault::Invariant)?);
        if let Some(part) = old.adopted() {
            self.party.adopt(&part);
        }
        self.spilling.clear();
        let renewed = self.keeping.take().map_or(Ok(()), |mut old| old.renew());
        renewed.map_err(|error| self.end(error))?;
        let done = self.step(true, |party, session| party.setup(holding, session))?;
        self.rest();
        Ok(done)
    }

    /// In place of a setup: goes on with the keys of an earlier one of the same parties, and with what this party has
    /// of the model. Nothing is sent.
    pub fn restore(&mut self, keys: &[u8], holding: &Holding) -> Result<(), RunError> {
        let restored = self.party.restore(keys, holding);
        restored.map_err(|error| self.end(error))
    }

    /// This party's part of the model, after [`Participant::setup`] or [`Participant::restore`].
    pub fn part(&self) -> Option<SharedPart> {
        self.party.part()
    }

    /// Has the setup or restoration to come take a part that is in memory already, of the same seat, plan and model, in
    /// place of what it is given of the model.
    pub fn adopt(&mut self, part: &SharedPart) {
        self.party.adopt(part);
    }

    /// The keys of the last setup as bytes, for this party's own disk; none before.
    pub fn keys(&self) -> Option<Secret<Vec<u8>>> {
        self.party.keys()
    }

    /// Makes the material of one inference.
    pub fn offline(&mut self) -> Result<Phased<()>, RunError> {
        let mut spilling = std::mem::take(&mut self.spilling);
        let done = self.step(true, |party, session| spilling.offline(party, session));
        self.spilling = spilling;
        done
    }

    /// Joins the pool of the present setup: every party does, with the same hub. The keepers settle their vaults.
    /// Another setup leaves the pool empty, to be joined again.
    pub fn join(&mut self, terms: PoolTerms) -> Result<(), RunError> {
        let links = self.links()?;
        let me = links.me();
        let prints = self.prints(&links.peers());
        self.state = State::Idle(links);
        let has_pieces = !self.party.pieces().is_empty();
        let keeping = Keeping::new(me, has_pieces, &prints, terms);
        let mut keeping = keeping.map_err(|error| self.end(error))?;
        if keeping.keeps() {
            let keepers = keeping.peers().to_vec();
            self.beside(&keepers, |s| keeping.handshake(s))?;
        }
        self.keeping = Some(keeping);
        Ok(())
    }

    /// What the pool is called, at a keeper that has joined one: for [`PoolTerms::name`] of a participant that goes on
    /// with it.
    pub fn pool_name(&self) -> Option<&SeriesName> {
        self.keeping.as_ref().and_then(Keeping::name)
    }

    /// The number of the item that was taken last from this party's part of the pool.
    pub fn last_taken(&self) -> Option<u64> {
        self.taken
    }

    /// Inferences whose material this party has in the pool. 0 at one that keeps nothing.
    pub fn pooled(&self) -> u64 {
        self.keeping.as_ref().map_or(0, Keeping::level)
    }

    /// Makes the material of `count` inferences, each with a session of its own, and keeps it.
    pub fn fill(&mut self, count: usize) -> Result<Vec<Phased<()>>, RunError> {
        let mut keeping = self.keeping.take().ok_or(StoreFault::Closed)?;
        let made = self.fill_into(&mut keeping, count);
        self.keeping = Some(keeping);
        made
    }

    fn fill_into(
        &mut self,
        keeping: &mut Keeping,
        count: usize,
    ) -> Result<Vec<Phased<()>>, RunError> {
        let first = keeping.fresh().map_err(|error| self.end(error))?;
        let mut all = Vec::new();
        for number in (first..).take(count) {
            let done = self.step(true, |party, session| {
                if !keeping.keeps() {
                    return party.offline_to(&mut Vec::new(), session);
                }
                let mut slot = keeping.begin(number)?;
                let offline = party.offline_to(&mut slot, session);
                keeping.made(slot, offline)
            })?;
            all.push(done);
        }
        self.rest();
        if keeping.keeps() {
            let keepers = keeping.peers().to_vec();
            self.beside(&keepers, |s| keeping.commit(first, s))?;
        }
        Ok(all)
    }

    /// Gets the next inference's material to hand, from the pool or, if that is empty, by an offline phase, and opens
    /// the inference's session. No write to disk is left for the inference to wait for.
    pub fn ready(&mut self) -> Result<Phased<Source>, RunError> {
        let Some(taken) = self.take()? else {
            let made = self.offline()?;
            return Ok(Phased {
                value: Source::Fresh,
                bill: made.bill,
                participation: made.participation,
                received: made.received,
            });
        };
        self.taken = taken.number();
        let done = self.step(true, |party, _| {
            let stock = taken.stock(party.pieces())?;
            party.load(stock)
        })?;
        Ok(Phased {
            value: Source::Pool,
            bill: done.bill,
            participation: done.participation,
            received: done.received,
        })
    }

    fn take(&mut self) -> Result<Option<Taken>, RunError> {
        let Some(mut keeping) = self.keeping.take() else {
            return Ok(None);
        };
        let mut taken = keeping.take();
        let mut leased = Ok(());
        if taken.is_none() {
            leased = self.lease(&mut keeping);
            taken = keeping.take();
        }
        self.keeping = Some(keeping);
        leased.map(|()| taken)
    }

    fn lease(&mut self, keeping: &mut Keeping) -> Result<(), RunError> {
        let links = self.links()?;
        let audience = keeping.audience(&links.peers());
        self.state = State::Idle(links);
        if audience.is_empty() && !keeping.keeps() {
            return Ok(());
        }
        self.beside(&audience, |s| keeping.lease(s))
    }

    /// Takes one inference's material and answers. Only the client brings inputs and gets outputs.
    pub fn infer(
        &mut self,
        inputs: Option<Vec<Tensor>>,
    ) -> Result<Phased<Option<Vec<Tensor>>>, RunError> {
        let mut spilling = std::mem::take(&mut self.spilling);
        let done = self.step(false, |party, session| {
            spilling.load(party)?;
            party.infer(inputs, session)
        });
        self.spilling = spilling;
        let done = done?;
        self.rest();
        Ok(done)
    }

    /// The connections, for other uses. None after an error.
    pub fn into_links(self) -> Option<Links> {
        match self.state {
            State::Idle(links) => Some(links),
            State::Open(session, _) => Some(session.close()),
            State::Ended(_) => None,
        }
    }

    fn step<T>(
        &mut self,
        fresh: bool,
        run: impl FnOnce(&mut dyn Party, &mut Session) -> Result<T, RunError>,
    ) -> Result<Phased<T>, RunError> {
        let (mut session, before) = self.session(fresh)?;
        match run(self.party.as_mut(), &mut session) {
            Ok(value) => {
                let after = session.bill().clone();
                let bill = difference(&after, &before);
                let participation = session.participation();
                let received = session.received();
                self.state = State::Open(session, after);
                Ok(Phased {
                    value,
                    bill,
                    participation,
                    received,
                })
            }
            Err(error) => {
                session.fail(&error);
                Err(self.end(error))
            }
        }
    }

    /// The open session, unless a fresh one is asked for, and its bill so far.
    fn session(&mut self, fresh: bool) -> Result<(Box<Session>, Bill), RunError> {
        if !fresh && matches!(self.state, State::Open(..)) {
            let ended = State::Ended(LocalFault::Invariant.into());
            if let State::Open(session, bill) = std::mem::replace(&mut self.state, ended) {
                return Ok((session, bill));
            }
        }
        let links = self.links()?;
        let prints = self.prints(&links.peers());
        Ok((self.open(links, prints)?, Bill::default()))
    }

    /// A session with some neighbours about material, on no bill.
    fn beside<T>(
        &mut self,
        with: &[PartyId],
        run: impl FnOnce(&mut Session) -> Result<T, RunError>,
    ) -> Result<T, RunError> {
        let links = self.links()?;
        let mut prints = self.prints(with);
        for (_, print) in &mut prints {
            *print = *Seed::from_bytes(*print).derive("pool", b"").reveal();
        }
        let mut session = self.open(links, prints)?;
        match run(&mut session) {
            Ok(value) => {
                self.state = State::Idle(session.close());
                Ok(value)
            }
            Err(error) => {
                session.fail(&error);
                Err(self.end(error))
            }
        }
    }

    /// Moves the connections out.
    fn links(&mut self) -> Result<Links, RunError> {
        let ended = State::Ended(LocalFault::Invariant.into());
        match std::mem::replace(&mut self.state, ended) {
            State::Ended(error) => Err(self.end(error)),
            State::Open(session, _) => Ok(session.close()),
            State::Idle(links) => Ok(links),
        }
    }

    fn prints(&self, peers: &[PartyId]) -> Vec<(PartyId, Fingerprint)> {
        let print = |peer: &PartyId| (*peer, self.party.fingerprint(*peer));
        peers.iter().map(print).collect()
    }

    fn open(
        &mut self,
        links: Links,
        fingerprints: Vec<(PartyId, Fingerprint)>,
    ) -> Result<Box<Session>, RunError> {
        let terms = SessionTerms {
            fingerprints,
            untold: self.party.untold(),
            timeout: self.timeout,
            insecure_seed: None,
        };
        match Session::open(links, terms) {
            Ok(session) => Ok(Box::new(session)),
            Err(error) => Err(self.end(error)),
        }
    }

    /// Closes the open session; the connections go on.
    fn rest(&mut self) {
        let ended = State::Ended(LocalFault::Invariant.into());
        self.state = match std::mem::replace(&mut self.state, ended) {
            State::Open(session, _) => State::Idle(session.close()),
            other => other,
        };
    }

    fn end(&mut self, error: RunError) -> RunError {
        self.state = State::Ended(error.clone());
        error
    }
}

fn difference(after: &Bill, before: &Bill) -> Bill {
    let less = |after: Cost, before: Cost| Cost {
        bytes: Bytes(after.bytes.0.saturating_sub(before.bytes.0)),
        rounds: Rounds(after.rounds.0.saturating_sub(before.rounds.0)),
    };
    Bill {
        setup: less(after.setup, before.setup),
        offline: less(after.offline, before.offline),
        online: less(after.online, before.online),
    }
}
