use crate::Entry;
use std::time::Duration;
use subrosa_core::{Bytes, Malformed, PartyId, Rounds};
use subrosa_ir::{Tensor, Weights};
use subrosa_net::{Bill, Cost, Links, LocalFault, RunError, Session, SessionTerms};
use subrosa_protocol::Party;

/// One party with its connections: joins protocol and net.
///
/// Setup has a session of its own; each offline phase opens a fresh one, which the inference then goes on with.
/// After an error this party is done: its neighbours have been told, and every later call gives the same error.
pub struct Participant {
    protocol: &'static Entry,
    plan: Vec<u8>,
    threads: usize,
    party: Box<dyn Party>,
    timeout: Duration,
    state: State,
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
        })
    }

    /// What one setup, one offline phase and one inference will cost this party.
    pub fn price(&self) -> Bill {
        self.party.price()
    }

    /// Setup and deployment. Only who brings the weights has them. What an earlier setup left is dropped before.
    pub fn setup(&mut self, weights: Option<&Weights>) -> Result<Phased<()>, RunError> {
        let fresh = (self.protocol.seat)(&self.plan, self.threads);
        self.party = fresh.map_err(|_| LocalFault::Invariant)?;
        let done = self.step(true, |party, session| party.setup(weights, session))?;
        self.rest();
        Ok(done)
    }

    /// Makes the material of one inference.
    pub fn offline(&mut self) -> Result<Phased<()>, RunError> {
        self.step(true, |party, session| party.offline(session))
    }

    /// Takes one inference's material and answers. Only the client brings inputs and gets outputs.
    pub fn infer(
        &mut self,
        inputs: Option<Vec<Tensor>>,
    ) -> Result<Phased<Option<Vec<Tensor>>>, RunError> {
        let done = self.step(false, |party, session| party.infer(inputs, session))?;
        self.rest();
        Ok(done)
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
                self.state = State::Open(session, after);
                Ok(Phased { value, bill })
            }
            Err(error) => {
                session.fail(&error);
                Err(self.end(error))
            }
        }
    }

    /// The open session, unless a fresh one is asked for, and its bill so far.
    fn session(&mut self, fresh: bool) -> Result<(Box<Session>, Bill), RunError> {
        let ended = State::Ended(LocalFault::Invariant.into());
        let links = match std::mem::replace(&mut self.state, ended) {
            State::Ended(error) => return Err(self.end(error)),
            State::Open(session, bill) if !fresh => return Ok((session, bill)),
            State::Open(session, _) => session.close(),
            State::Idle(links) => links,
        };
        let prints = links
            .peers()
            .into_iter()
            .map(|peer| (peer, self.party.fingerprint(peer)));
        let terms = SessionTerms {
            fingerprints: prints.collect::<Vec<(PartyId, [u8; 32])>>(),
            timeout: self.timeout,
            insecure_seed: None,
        };
        match Session::open(links, terms) {
            Ok(session) => Ok((Box::new(session), Bill::default())),
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
