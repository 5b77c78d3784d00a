//! A model that a client asks: its visits.

use crate::asking::Asking;
use crate::client::{Client, ClientFault, of_node};
use crate::config::KnownNode;
use crate::enrolments::{Enrolled, Enrolment};
use crate::message::{ClientSide, Id, Join, MOST_FILLED, MOST_INFERRED, Reply, Request, Visit};
use crate::talk::{TalkFault, ask};
use crate::visit::{Attending, Tally, attend};
use std::collections::VecDeque;
use std::time::{Duration, Instant};
use subrosa::{
    Bill, Entry, Fingerprint, Holding, Links, LocalFault, Network, PartyId, PoolTerms, Tensor,
};
use subrosa_net::Line;

/// Pauses before a busy node is asked again: the first and the longest.
const PAUSES: [Duration; 2] = [Duration::from_millis(20), Duration::from_millis(500)];

/// A model that is being asked: its nodes are connected.
pub struct Ask<'a> {
    pub(crate) client: &'a Client,
    pub model: String,
    pub deployment: Id,
    pub side: ClientSide,
    pub fingerprint: Fingerprint,
    /// Inferences whose material the nodes keep at most.
    pub level: u32,
    pub(crate) protocol: &'static Entry,
    /// By the number of their seat.
    pub(crate) nodes: Vec<(PartyId, KnownNode)>,
    /// Open connections. None after an error, until the next visit.
    pub(crate) lines: Vec<(PartyId, Line)>,
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

/// Called with how many are done.
pub type Progress<'a> = &'a mut dyn FnMut(usize);

/// What the leading node has granted.
struct Granted {
    enrolment: Id,
    /// Whether the pool goes on that this client has.
    pool: bool,
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
            let now = (count - done).min(MOST_FILLED);
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
            part: None,
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
