//! Who asks: addresses, fingerprints and the name of a model are all it needs.

use crate::config::KnownNode;
use crate::enrolments::{Enrolled, Enrolment, Enrolments, KeptKeys};
use crate::message::{ClientSide, Described, Id, Join, MOST_INFERRED, Reply, Request, Visit};
use crate::status::Status;
use crate::talk::{TalkFault, ask, call};
use crate::visit::{Attending, Guest, Tally, attend};
use std::collections::VecDeque;
use std::path::Path;
use std::time::{Duration, Instant};
use subrosa::{
    Bill, Entry, Fingerprint, Holding, Identity, Links, LocalFault, Network, PartyId, PoolTerms,
    RunError, Seed, SeriesName, Tensor, VaultFault, store_fault,
};
use subrosa_net::Line;
use thiserror::Error;

/// Pauses before a busy node is asked again: the first and the longest.
const PAUSES: [Duration; 2] = [Duration::from_millis(20), Duration::from_millis(500)];
/// Which deployment a model was when it was last asked.
const ASKED: &str = "asked";

#[derive(Debug, Error)]
pub enum ClientFault {
    #[error("its keys and material: {0}")]
    State(#[from] VaultFault),
    #[error("{node}: {fault}")]
    Node { node: String, fault: TalkFault },
    #[error("the model `{model}` is served by {seat} too, and none of the nodes given is that one")]
    Missing { model: String, seat: String },
    #[error("{one} and {other} serve different versions of `{model}`")]
    Differ {
        model: String,
        one: String,
        other: String,
    },
    #[error("none of the nodes given leads the model `{model}`")]
    NoLead { model: String },
    #[error("the architecture of `{model}` is {found}, expected {expected}")]
    Unexpected {
        model: String,
        expected: Fingerprint,
        found: Fingerprint,
    },
    #[error("{node} describes the model `{model}` in a way that this program does not understand")]
    Foreign { model: String, node: String },
    #[error("{culprit} ended the session: {error}")]
    Session { culprit: String, error: RunError },
    #[error("this side failed: {0}")]
    Own(RunError),
}

/// A client's identity, what it knows of nodes, and its keys and material.
pub struct Client {
    identity: Identity,
    nodes: Vec<KnownNode>,
    enrolments: Enrolments,
    timeout: Duration,
}

/// A model that is being asked: its nodes are connected.
pub struct Ask<'a> {
    client: &'a Client,
    pub model: String,
    pub deployment: Id,
    pub side: ClientSide,
    pub fingerprint: Fingerprint,
    /// Inferences whose material the nodes keep at most.
    pub level: u32,
    protocol: &'static Entry,
    /// By the number of their seat.
    nodes: Vec<(PartyId, KnownNode)>,
    /// Open connections. None after an error, until the next visit.
    lines: Vec<(PartyId, Line)>,
    /// How long a busy node is asked again.
    pub patience: Duration,
    pub threads: usize,
}

/// What [`Ask::infer`] gives.
#[derive(Default)]
pub struct Answers {
    /// In the order of the inputs: the outputs of each.
    pub outputs: Vec<Vec<Tensor>>,
    pub tally: Tally,
    pub time: Duration,
}

/// What the leading node has granted.
struct Granted {
    enrolment: Id,
    /// Whether the pool goes on that this client has.
    pool: bool,
}

/// Called with how many are done.
pub type Progress<'a> = &'a mut dyn FnMut(usize);

impl Client {
    /// The key that a passphrase stands for, of what is in `state`, which is made if absent.
    pub fn key(passphrase: &[u8], state: &Path) -> Result<Seed, VaultFault> {
        Enrolments::stretched(passphrase, state)
    }

    /// `state`: a folder for keys and material, sealed under `key`; made if absent.
    pub fn open(
        identity: Identity,
        nodes: Vec<KnownNode>,
        state: &Path,
        key: &Seed,
        timeout: Duration,
    ) -> Result<Self, ClientFault> {
        Ok(Self {
            identity,
            nodes,
            enrolments: Enrolments::open(state, key)?,
            timeout,
        })
    }

    /// Asks all nodes what they say of a model; they must say the same. `expect`: the fingerprint that its architecture
    /// must have.
    pub fn ask(&self, model: &str, expect: Option<Fingerprint>) -> Result<Ask<'_>, ClientFault> {
        let request = || Request::Describe {
            model: model.to_owned(),
        };
        let mut told: Vec<(&KnownNode, Line, Described)> = Vec::new();
        let mut failed = None;
        for node in &self.nodes {
            let described = self.dial(node).and_then(|mut line| {
                match ask(&mut line, &request(), self.timeout)? {
                    Reply::Described(described) => Ok((line, *described)),
                    _ => Err(TalkFault::Malformed),
                }
            });
            match described {
                Ok((line, described)) => told.push((node, line, described)),
                Err(fault) => failed = failed.or(Some(of_node(node, fault))),
            }
        }
        let lead = told
            .iter()
            .position(|(_, _, described)| described.side.is_some());
        let Some(lead) = lead else {
            return Err(failed.unwrap_or(ClientFault::NoLead {
                model: model.to_owned(),
            }));
        };
        let (node, level) = (told[lead].0, told[lead].2.level);
        let side = told[lead].2.side.take();
        let (deployment, fingerprint) = (told[lead].2.deployment, told[lead].2.fingerprint);
        let foreign = || ClientFault::Foreign {
            model: model.to_owned(),
            node: node.name.clone(),
        };
        let side = side.filter(|side| side.fingerprint() == fingerprint);
        let side = side.ok_or_else(foreign)?;
        let protocol = subrosa::find(&side.protocol).ok_or_else(foreign)?;
        if side.lots.is_empty() || told[lead].2.me != side.lead {
            return Err(foreign());
        }
        let mut seats = Vec::new();
        let mut lines = Vec::new();
        for (other, line, described) in told {
            let Some(_) = side
                .neighbours
                .iter()
                .find(|(party, _)| *party == described.me)
            else {
                continue;
            };
            if described.deployment != deployment || described.fingerprint != fingerprint {
                return Err(ClientFault::Differ {
                    model: model.to_owned(),
                    one: node.name.clone(),
                    other: other.name.clone(),
                });
            }
            seats.push((described.me, other.clone()));
            lines.push((described.me, line));
        }
        let there = |party: &PartyId| seats.iter().any(|(other, _)| other == party);
        if let Some((_, seat)) = side.neighbours.iter().find(|(party, _)| !there(party)) {
            return Err(failed.unwrap_or_else(|| ClientFault::Missing {
                model: model.to_owned(),
                seat: seat.clone(),
            }));
        }
        if let Some(expected) = expect.filter(|expected| *expected != fingerprint) {
            return Err(ClientFault::Unexpected {
                model: model.to_owned(),
                expected,
                found: fingerprint,
            });
        }
        self.note(model, &seats, deployment)?;
        Ok(Ask {
            client: self,
            model: model.to_owned(),
            deployment,
            side,
            fingerprint,
            level,
            protocol,
            nodes: seats,
            lines,
            patience: Duration::from_secs(120),
            threads: 1,
        })
    }

    /// The status of each node, or why it does not say. Takes nothing of what a client keeps.
    pub fn status(
        identity: &Identity,
        nodes: &[KnownNode],
        timeout: Duration,
    ) -> Vec<(String, Result<Status, TalkFault>)> {
        let status = |node: &KnownNode| {
            let (mut line, _) = call(node.address.as_str(), identity, node.fingerprint, timeout)?;
            match ask(&mut line, &Request::Status, timeout)? {
                Reply::Status(status) => Ok(*status),
                _ => Err(TalkFault::Malformed),
            }
        };
        let all = nodes.iter();
        all.map(|node| (node.name.clone(), status(node))).collect()
    }

    fn dial(&self, node: &KnownNode) -> Result<Line, TalkFault> {
        let address = node.address.as_str();
        let called = call(address, &self.identity, node.fingerprint, self.timeout);
        called.map(|(line, _)| line)
    }

    /// Forgets keys and material of an older deployment of the same model at the same nodes.
    fn note(
        &self,
        model: &str,
        seats: &[(PartyId, KnownNode)],
        deployment: Id,
    ) -> Result<(), VaultFault> {
        let mut name = model.as_bytes().to_vec();
        for (_, node) in seats {
            name.extend_from_slice(&node.fingerprint.0);
        }
        let store = &self.enrolments.store;
        let old = store.get(ASKED, &name)?;
        if old.as_ref().is_some_and(|old| old[..] == deployment.0) {
            return Ok(());
        }
        let gone = match old.and_then(|old| <[u8; 16]>::try_from(&old[..]).ok()) {
            Some(old) => self.enrolments.of(Id(old))?,
            None => Vec::new(),
        };
        store.change(|change| {
            change.put(ASKED, &name, &deployment.0, &[])?;
            Enrolments::delete(change, &gone)
        })?;
        self.enrolments.forget(&gone);
        Ok(())
    }
}

fn of_node(node: &KnownNode, fault: TalkFault) -> ClientFault {
    ClientFault::Node {
        node: node.name.clone(),
        fault,
    }
}

impl Ask<'_> {
    /// Batch sizes that the model was deployed for, the largest first.
    pub fn batches(&self) -> Vec<u32> {
        let mut all: Vec<u32> = self.side.lots.iter().map(|(batch, _)| *batch).collect();
        all.sort_unstable_by(|a, b| b.cmp(a));
        all
    }

    /// What a setup, an offline phase and an inference cost this client: bytes that it sends, and rounds.
    pub fn price(&self, batch: u32) -> Result<Bill, ClientFault> {
        let price = self.view(batch).map(|view| self.protocol.price(view));
        match price {
            Some(Ok(price)) => Ok(price),
            _ => Err(ClientFault::Own(LocalFault::Invariant.into())),
        }
    }

    /// Whether the keys of an earlier setup are there, and how many inferences' material.
    pub fn standing(&self, batch: u32) -> Result<(bool, u64), ClientFault> {
        let enrolments = &self.client.enrolments;
        Ok(match enrolments.get(&self.whose(batch))? {
            Some(enrolment) => (true, enrolments.level(&enrolment)?),
            None => (false, 0),
        })
    }

    /// Asks for every input's answer, as many in one visit as may be. An input is what the model takes at once, of
    /// this batch size.
    pub fn infer(
        &mut self,
        batch: u32,
        inputs: Vec<Vec<Tensor>>,
        progress: Progress<'_>,
    ) -> Result<Answers, ClientFault> {
        let mut answers = Answers::default();
        let mut left = VecDeque::from(inputs);
        let began = Instant::now();
        while !left.is_empty() {
            let count = left.len().min(MOST_INFERRED as usize);
            let mut guest = Asking::new(&self.client.enrolments, self.whose(batch));
            guest.inputs = left.drain(..count).collect();
            guest.progress = Some((answers.outputs.len(), &mut *progress));
            let tally = self.visit(batch, &mut guest, 0, count as u32)?;
            answers.outputs.append(&mut guest.outputs);
            answers.add(tally);
        }
        answers.time = began.elapsed();
        Ok(answers)
    }

    /// Makes the material of `count` inferences ahead.
    pub fn fill(
        &mut self,
        batch: u32,
        count: u32,
        progress: Progress<'_>,
    ) -> Result<Answers, ClientFault> {
        let mut answers = Answers::default();
        let began = Instant::now();
        let mut done = 0;
        while done < count {
            let now = (count - done).min(MOST_INFERRED);
            let mut guest = Asking::new(&self.client.enrolments, self.whose(batch));
            guest.progress = Some((done as usize, &mut *progress));
            answers.add(self.visit(batch, &mut guest, now, 0)?);
            done += now;
        }
        answers.time = began.elapsed();
        Ok(answers)
    }

    fn whose(&self, batch: u32) -> Enrolled {
        Enrolled {
            deployment: self.deployment,
            batch,
            client: Id::of_client(self.deployment, &self.client.identity.fingerprint()),
        }
    }

    fn view(&self, batch: u32) -> Option<&[u8]> {
        let mut lots = self.side.lots.iter();
        let lot = lots.find(|(other, _)| *other == batch);
        lot.map(|(_, view)| &view[..])
    }

    /// One visit. Is asked for again while nodes are busy, and with a setup where one of them has lost its keys.
    fn visit(
        &mut self,
        batch: u32,
        guest: &mut Asking<'_>,
        fill: u32,
        infer: u32,
    ) -> Result<Tally, ClientFault> {
        let until = Instant::now() + self.patience;
        let mut pause = PAUSES[0];
        loop {
            let old = guest.enrolment.clone();
            let level = match &old {
                Some(old) => self.client.enrolments.level(old)?,
                None => 0,
            };
            let visit = Visit {
                model: self.model.clone(),
                deployment: self.deployment,
                batch,
                enrolment: old.as_ref().map(|old| old.id),
                pooled: level > 0 && infer > 0,
                pool: old.as_ref().and_then(Enrolment::tag),
                fill,
                infer,
            };
            match self.admitted(&visit) {
                Ok(granted) => {
                    guest.id = granted.enrolment;
                    return self.attend(&visit, granted.pool, guest);
                }
                Err(ClientFault::Node {
                    fault: TalkFault::Refused(refusal),
                    ..
                }) if refusal.forgot() && old.is_some() => guest.enrolment = None,
                Err(ClientFault::Node { fault, .. })
                    if fault.passes() && Instant::now() + pause < until =>
                {
                    std::thread::sleep(pause);
                    pause = (pause * 2).min(PAUSES[1]);
                }
                Err(fault) => return Err(fault),
            }
        }
    }

    /// Asks the leading node, and joins the visit at all others.
    fn admitted(&mut self, visit: &Visit) -> Result<Granted, ClientFault> {
        self.connect()?;
        let lead = self.side.lead;
        let request = Request::Visit(visit.clone());
        // It may keep the request waiting as long as a peer may be silent, and then has others to call.
        let patience = self.client.timeout * 3;
        let reply = self.put(lead, &request, patience)?;
        let Reply::Ticket {
            ticket,
            enrolment,
            pool,
        } = reply
        else {
            return Err(self.at(lead, TalkFault::Malformed));
        };
        let others: Vec<PartyId> = self.nodes.iter().map(|(party, _)| *party).collect();
        for party in others.into_iter().filter(|party| *party != lead) {
            let request = Request::Join(Join {
                ticket,
                from: self.side.me,
                call: None,
            });
            match self.put(party, &request, self.client.timeout) {
                Ok(Reply::Joined) => {}
                Ok(_) => return Err(self.at(party, TalkFault::Malformed)),
                Err(fault) => {
                    // The visit is on at the others, and they wait.
                    self.lines.clear();
                    return Err(fault);
                }
            }
        }
        Ok(Granted { enrolment, pool })
    }

    /// Connections to all nodes, those that are good among the old ones.
    fn connect(&mut self) -> Result<(), ClientFault> {
        self.lines.retain_mut(|(_, line)| line.rested());
        for (party, node) in &self.nodes {
            if self.lines.iter().all(|(other, _)| other != party) {
                let line = self.client.dial(node);
                let line = line.map_err(|fault| of_node(node, fault))?;
                self.lines.push((*party, line));
            }
        }
        Ok(())
    }

    fn put(
        &mut self,
        party: PartyId,
        request: &Request,
        patience: Duration,
    ) -> Result<Reply, ClientFault> {
        let at = self.lines.iter().position(|(other, _)| *other == party);
        let at = at.ok_or(ClientFault::Own(LocalFault::Invariant.into()))?;
        let reply = ask(&mut self.lines[at].1, request, patience);
        reply.map_err(|fault| {
            if !matches!(fault, TalkFault::Refused(_)) {
                self.lines.remove(at);
            }
            self.at(party, fault)
        })
    }

    fn at(&self, party: PartyId, fault: TalkFault) -> ClientFault {
        ClientFault::Node {
            node: self.name(party),
            fault,
        }
    }

    fn name(&self, party: PartyId) -> String {
        let mut nodes = self.nodes.iter();
        let node = nodes.find(|(other, _)| *other == party);
        node.map_or_else(|| party.to_string(), |(_, node)| node.name.clone())
    }

    fn attend(
        &mut self,
        visit: &Visit,
        goes_on: bool,
        guest: &mut Asking<'_>,
    ) -> Result<Tally, ClientFault> {
        let own = |fault: LocalFault| ClientFault::Own(fault.into());
        let view = self.view(visit.batch).ok_or(LocalFault::Invariant);
        let view = view.map_err(own)?.to_vec();
        let enrolments = &self.client.enrolments;
        let old = guest.enrolment.clone();
        let keeps = self.side.keepers.contains(&self.side.me);
        let me = self.client.identity.fingerprint();
        let certificate = |keeper: &PartyId| match *keeper == self.side.me {
            true => Some((*keeper, me)),
            false => {
                let mut nodes = self.nodes.iter();
                let node = nodes.find(|(party, _)| party == keeper);
                node.map(|(party, node)| (*party, node.fingerprint))
            }
        };
        let pool = (visit.pooled || visit.fill > 0).then(|| PoolTerms {
            keepers: self.side.keepers.iter().filter_map(certificate).collect(),
            vault: keeps.then(|| enrolments.vault.clone()),
            name: old
                .as_ref()
                .filter(|_| goes_on)
                .and_then(|old| old.pool.clone()),
            lease: visit.infer.max(1).into(),
        });
        let seat = Attending {
            protocol: self.protocol,
            view: &view,
            holding: &Holding::Nothing,
            threads: self.threads,
            timeout: self.client.timeout,
            keys: old.as_ref().map(|old| &old.keys.0[..]),
            pool,
            fill: visit.fill,
            infer: visit.infer,
        };
        let lines = std::mem::take(&mut self.lines);
        let links = Links::of(self.side.me, Network::LOOPBACK, lines).map_err(own)?;
        let (tally, done) = attend(seat, links, guest);
        match done {
            Ok(links) => {
                self.lines = links.into_lines();
                Ok(tally)
            }
            Err(error) => Err(match error.culprit() {
                Some(party) => ClientFault::Session {
                    culprit: self.name(party),
                    error,
                },
                None => ClientFault::Own(error),
            }),
        }
    }
}

impl Answers {
    /// Adds up what visits came to.
    fn add(&mut self, tally: Tally) {
        let sum = &mut self.tally;
        sum.bill += tally.bill;
        sum.received += tally.received;
        sum.enrolled |= tally.enrolled;
        sum.filled += tally.filled;
        sum.inferred += tally.inferred;
        sum.pooled += tally.pooled;
        sum.level = tally.level;
    }
}

/// The client's part in a visit.
struct Asking<'a> {
    enrolments: &'a Enrolments,
    whose: Enrolled,
    /// Of a new enrolment.
    id: Id,
    enrolment: Option<Enrolment>,
    inputs: VecDeque<Vec<Tensor>>,
    outputs: Vec<Vec<Tensor>>,
    /// How many were done before, and whom to tell.
    progress: Option<(usize, Progress<'a>)>,
}

impl<'a> Asking<'a> {
    fn new(enrolments: &'a Enrolments, whose: Enrolled) -> Self {
        Self {
            enrolments,
            whose,
            id: whose.client,
            enrolment: enrolments.get(&whose).ok().flatten(),
            inputs: VecDeque::new(),
            outputs: Vec::new(),
            progress: None,
        }
    }

    fn keep(&mut self, enrolment: Enrolment) -> Result<(), RunError> {
        let kept = self.enrolments.put(&self.whose, &enrolment);
        kept.map_err(|fault| store_fault(&fault))?;
        let old = self.enrolment.replace(enrolment);
        let pool = self.enrolment.as_ref().and_then(|new| new.pool.clone());
        if let Some(old) = old.filter(|old| old.pool != pool) {
            self.enrolments.forget_pool(&old);
        }
        Ok(())
    }

    fn step(&mut self) {
        if let Some((done, progress)) = &mut self.progress {
            *done += 1;
            progress(*done);
        }
    }
}

impl Guest for Asking<'_> {
    fn enrolled(&mut self, keys: &[u8]) -> Result<(), RunError> {
        self.keep(Enrolment {
            id: self.id,
            keys: KeptKeys(keys.to_vec()),
            pool: None,
        })
    }

    fn pooling(&mut self, name: &SeriesName) -> Result<(), RunError> {
        let enrolment = self.enrolment.clone().ok_or(LocalFault::Invariant)?;
        self.keep(Enrolment {
            pool: Some(name.clone()),
            ..enrolment
        })
    }

    fn inputs(&mut self) -> Option<Vec<Tensor>> {
        self.inputs.pop_front()
    }

    fn answered(&mut self, outputs: Option<Vec<Tensor>>) {
        self.outputs.push(outputs.unwrap_or_default());
        self.step();
    }

    fn filled(&mut self) {
        self.step();
    }
}
