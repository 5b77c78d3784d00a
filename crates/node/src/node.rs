//! The daemon: its door, its connections, and what it answers.

use crate::admission::Admission;
use crate::config::{NodeConfig, is_name};
use crate::enrolments::{Enrolled, Enrolment, Enrolments};
use crate::gather::Gathering;
use crate::message::{Described, Id, MOST_ASKED, Refusal, Reply, Request, Right, VERSION};
use crate::models::Models;
use crate::peers::Peers;
use crate::places::{Caller, Places};
use crate::status::{Ledger, ModelStatus, PeerStatus, Status};
use crate::talk::{MESSAGE, TalkFault, hear, tell};
use crate::{config, guest, lead, staging};
use std::collections::HashSet;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use subrosa::{Endpoint, Fingerprint, Identity, RunError, Seed, VaultFault};
use subrosa_net::{Door, LineFault};
use thiserror::Error;

/// How long the door is watched before something else is looked at.
const LOOK: Duration = Duration::from_millis(100);
/// Between two looks at what has been left behind.
const HOUSEKEEPING: Duration = Duration::from_secs(2);
/// Time for a stranger's first words.
const GREETING: Duration = Duration::from_secs(10);

/// Why a node does not start.
#[derive(Debug, Error)]
pub enum NodeFault {
    #[error("its store or vault: {0}")]
    Store(#[from] VaultFault),
    #[error("it cannot listen on {address}: {fault}")]
    Listen {
        address: SocketAddr,
        fault: RunError,
    },
}

/// A running party.
pub struct Node {
    shared: Arc<Shared>,
    door: Door,
    address: SocketAddr,
}

/// To ask and to stop a node from other threads.
#[derive(Clone)]
pub struct Handle(Arc<Shared>);

pub struct Shared {
    pub me: Fingerprint,
    pub config: NodeConfig,
    pub peers: Peers,
    pub models: Models,
    pub gathering: Gathering,
    /// Visits that this node leads.
    pub admission: Arc<Admission>,
    /// Of these, visits that make material ahead: they leave slots to those that wait for an answer.
    pub fills: Arc<Admission>,
    /// Visits that others lead. Nobody waits for these.
    pub guests: Arc<Admission>,
    /// Enrolments of which a visit runs: one at a time.
    pub engaged: Mutex<HashSet<Enrolled>>,
    pub ledger: Ledger,
    places: Arc<Places>,
    draining: AtomicBool,
    started: Instant,
}

impl Node {
    /// The key that a passphrase stands for, of what is in the folder `data`, which is made if absent.
    pub fn key(passphrase: &[u8], data: &Path) -> Result<Seed, VaultFault> {
        Enrolments::stretched(passphrase, data)
    }

    /// Opens store and vault in the folder that `config` names, and the listener. `key`: of what is stored.
    pub fn open(config: NodeConfig, identity: Identity, key: &Seed) -> Result<Self, NodeFault> {
        let models = Models::load(Enrolments::open(&config.data, key)?)?;
        let listen = |fault| NodeFault::Listen {
            address: config.listen,
            fault,
        };
        let endpoint = Endpoint::bind(config.listen).map_err(listen)?;
        let address = endpoint.local_addr().map_err(listen)?;
        let door = Door::open(endpoint, &identity, config.known());
        let door = door.map_err(|fault| listen(fault.into()))?;
        let limits = config.limits;
        let me = identity.fingerprint();
        let shared = Shared {
            me,
            peers: Peers::new(Arc::new(identity), config.peers.clone()),
            models,
            gathering: Gathering::default(),
            admission: Admission::new(limits.sessions as u32, limits.queue as u32),
            fills: Admission::new((limits.sessions as u32).div_ceil(2), limits.queue as u32),
            guests: Admission::new(limits.guests as u32, 0),
            engaged: Mutex::default(),
            ledger: Ledger::default(),
            places: Places::new(limits.connections, &config),
            draining: AtomicBool::new(false),
            started: Instant::now(),
            config,
        };
        Ok(Self {
            shared: Arc::new(shared),
            door,
            address,
        })
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    pub fn handle(&self) -> Handle {
        Handle(self.shared.clone())
    }

    /// Serves until [`Handle::stop`], then waits for running visits at most as long as `grace`. What still runs after
    /// that is cut off.
    pub fn serve(mut self, grace: Duration) -> bool {
        let shared = self.shared.clone();
        let keeper = std::thread::spawn(move || keep_house(&shared));
        while !self.shared.draining() {
            match self.door.admit(LOOK) {
                Ok(lines) => lines.into_iter().for_each(|line| {
                    let places = self.shared.places.clone();
                    match places.enter(line) {
                        Ok(caller) => serve(self.shared.clone(), caller, true),
                        Err(who) => tracing::warn!(
                            client = self.shared.name_of(&who),
                            "turned away: too many connections"
                        ),
                    }
                }),
                Err(fault) => {
                    tracing::error!(%fault, "the listener failed");
                    std::thread::sleep(LOOK);
                }
            }
            for (address, fault) in self.door.turned_away() {
                let address = address.map_or_else(String::new, |a| a.to_string());
                tracing::warn!(address, %fault, "turned away");
            }
        }
        drop(self.door);
        let done = self.shared.admission.empty(grace) && self.shared.guests.empty(grace);
        self.shared.places.close();
        self.shared.peers.close();
        let _ = keeper.join();
        done
    }
}

impl Handle {
    /// No visit begins any more, and [`Node::serve`] ends.
    pub fn stop(&self) {
        self.0.admission.close();
        self.0.fills.close();
        self.0.guests.close();
        self.0.draining.store(true, Ordering::SeqCst);
    }

    pub fn status(&self) -> Status {
        self.0.status()
    }
}

impl Shared {
    pub fn draining(&self) -> bool {
        self.draining.load(Ordering::SeqCst)
    }

    /// What logs call somebody.
    pub fn name_of(&self, who: &Fingerprint) -> String {
        let name = self.config.name_of(who).map(str::to_owned);
        name.unwrap_or_else(|| who.to_string())
    }

    /// Marks an enrolment as engaged, or says that it is.
    pub fn engage(self: &Arc<Self>, whose: Enrolled) -> Option<Engaged> {
        let mut all = self.engaged.lock().unwrap_or_else(PoisonError::into_inner);
        let free = all.insert(whose);
        drop(all);
        free.then(|| Engaged(self.clone(), whose))
    }

    fn status(&self) -> Status {
        let (running, waiting) = self.admission.standing();
        let model = |model: &Arc<crate::models::Model>| {
            let appointment = &model.appointment;
            let enrolments = self.models.enrolments.of(appointment.deployment);
            let enrolments = enrolments.unwrap_or_default();
            let level = |(_, enrolment): &(Vec<u8>, Enrolment)| {
                self.models.enrolments.level(enrolment).unwrap_or_default()
            };
            ModelStatus {
                name: appointment.model.clone(),
                deployment: appointment.deployment.to_string(),
                protocol: appointment.protocol.clone(),
                seat: appointment.seat.clone(),
                batches: appointment.lots.iter().map(|lot| lot.batch).collect(),
                enrolments: enrolments.len() as u64,
                pool: enrolments.iter().map(level).sum(),
                counts: self.ledger.of(appointment.deployment),
            }
        };
        let staged = self.models.staged();
        let staged = staged.iter().map(|model| model.appointment.model.clone());
        let peer = |peer: &crate::config::KnownNode| PeerStatus {
            name: peer.name.clone(),
            address: peer.address.to_string(),
            reachable: None,
        };
        Status {
            name: self.config.name.clone(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            uptime_s: self.started.elapsed().as_secs(),
            draining: self.draining(),
            connections: self.places.taken(),
            running,
            waiting,
            guests: self.guests.standing().0,
            models: self.models.all().iter().map(model).collect(),
            staged: staged.collect(),
            peers: self.peers.all().map(peer).collect(),
        }
    }

    /// Who deploys nothing here is told of no other node: under seco a client must not know how many there are.
    fn status_for(&self, who: &Fingerprint) -> Status {
        let mut status = self.status();
        let rights = self.config.permissions.of(who);
        let deploys = rights.is_some_and(|rights| match &rights.deploy {
            config::Models::All => true,
            config::Models::Named(names) => !names.is_empty(),
        });
        if !deploys {
            status.peers.clear();
        }
        status
    }

    fn describe(&self, who: &Fingerprint, model: &str) -> Result<Described, Refusal> {
        if !self.config.permissions.may_predict(who, model) {
            return Err(denied(who, Right::Predict(model.to_owned())));
        }
        let found = self.models.named(model)?;
        let appointment = &found.appointment;
        // Who is not linked to clients has nothing to tell them.
        let side = appointment.side.as_ref().ok_or(Refusal::NoModel {
            model: model.to_owned(),
        })?;
        Ok(Described {
            deployment: appointment.deployment,
            me: appointment.me,
            fingerprint: side.fingerprint(),
            side: (appointment.me == appointment.lead).then(|| side.clone()),
            level: self.config.pool_level as u32,
        })
    }
}

/// An enrolment of which a visit runs.
pub struct Engaged(Arc<Shared>, Enrolled);

impl Drop for Engaged {
    fn drop(&mut self) {
        let all = &self.0.engaged;
        let mut all = all.lock().unwrap_or_else(PoisonError::into_inner);
        all.remove(&self.1);
    }
}

pub fn denied(who: &Fingerprint, what: Right) -> Refusal {
    Refusal::Denied { who: *who, what }
}

/// Answers on a connection in a thread of its own, until it closes or goes into a session. `new`: whether the peer has
/// not said a word yet.
pub fn serve(shared: Arc<Shared>, caller: Caller, new: bool) {
    let thread = std::thread::Builder::new().name("connection".to_owned());
    let spawned = thread.spawn(move || {
        let who = shared.name_of(&caller.line.peer());
        match answer(&shared, caller, new) {
            Ok(()) | Err(TalkFault::Line(LineFault::Closed)) => {}
            Err(fault) => tracing::info!(client = who, %fault, "connection ended"),
        }
    });
    if let Err(error) = spawned {
        tracing::error!(%error, "no thread for a connection");
    }
}

fn answer(shared: &Arc<Shared>, mut caller: Caller, new: bool) -> Result<(), TalkFault> {
    if new {
        greet(shared, &mut caller)?;
    }
    loop {
        let idle = shared.config.limits.idle;
        let most = match shared.config.permissions.of(&caller.line.peer()) {
            Some(_) => crate::message::CHUNK + MOST_ASKED,
            None => MOST_ASKED,
        };
        let heard = hear(&mut caller.line, most, idle).and_then(|request: Request| {
            // Names go into logs and to others.
            match request.model().is_none_or(is_name) {
                true => Ok(request),
                false => Err(TalkFault::Malformed),
            }
        });
        let request = match heard {
            Err(TalkFault::Malformed) => {
                tell(&mut caller.line, &Reply::Refused(Refusal::Malformed))?;
                return Err(TalkFault::Malformed);
            }
            heard => heard?,
        };
        let next = match request {
            Request::Visit(visit) => lead::visit(shared, visit, caller)?,
            Request::Join(join) => guest::join(shared, join, caller)?,
            Request::Stage(staging) => Some(staging::stage(shared, &staging, caller)?),
            other => {
                let reply = simple(shared, &caller, other);
                let reply = reply.unwrap_or_else(|refusal| {
                    let who = shared.name_of(&caller.line.peer());
                    tracing::info!(client = who, %refusal, "refused");
                    Reply::Refused(refusal)
                });
                tell(&mut caller.line, &reply)?;
                Some(caller)
            }
        };
        match next {
            Some(back) => caller = back,
            None => return Ok(()),
        }
    }
}

fn greet(shared: &Shared, caller: &mut Caller) -> Result<(), TalkFault> {
    let bytes = caller.line.receive(MOST_ASKED, GREETING, MESSAGE)?;
    let reply = match postcard::from_bytes(&bytes) {
        Ok(Request::Hello { version: VERSION }) => Reply::Hello {
            version: VERSION,
            name: shared.config.name.clone(),
        },
        Ok(Request::Hello { version }) => Reply::Refused(Refusal::Version {
            ours: VERSION,
            theirs: version,
        }),
        _ => Reply::Refused(Refusal::Malformed),
    };
    tell(&mut caller.line, &reply)?;
    match reply {
        Reply::Refused(refusal) => Err(refusal.into()),
        _ => Ok(()),
    }
}

/// Requests that are answered at once.
fn simple(shared: &Shared, caller: &Caller, request: Request) -> Result<Reply, Refusal> {
    let who = caller.line.peer();
    let permissions = &shared.config.permissions;
    let deploys = |model: &str| match permissions.may_deploy(&who, model) {
        true => Ok(()),
        false => Err(denied(&who, Right::Deploy(model.to_owned()))),
    };
    match request {
        Request::Describe { model } => {
            let described = shared.describe(&who, &model)?;
            Ok(Reply::Described(Box::new(described)))
        }
        Request::Activate { model, deployment } => {
            deploys(&model)?;
            staging::activate(shared, &model, deployment)?;
            Ok(Reply::Done)
        }
        Request::Remove { model } => {
            deploys(&model)?;
            let old = shared.models.named(&model).ok();
            shared.models.remove(&model)?;
            if let Some(old) = old {
                shared.ledger.forget(old.appointment.deployment);
            }
            tracing::info!(model, client = shared.name_of(&who), "removed");
            Ok(Reply::Done)
        }
        Request::Standing { model, deployment } => {
            if !shared.peers.knows(&who) && !permissions.may_deploy(&who, &model) {
                return Err(denied(&who, Right::Deploy(model)));
            }
            let standing = shared.models.standing(&model, deployment);
            Ok(Reply::Standing(standing))
        }
        Request::Status => match permissions.may_status(&who) {
            true => Ok(Reply::Status(Box::new(shared.status_for(&who)))),
            false => Err(denied(&who, Right::Status)),
        },
        _ => Err(Refusal::Malformed),
    }
}

/// Closes what nobody will use, and settles deployments whose end this node has not heard.
fn keep_house(shared: &Arc<Shared>) {
    let mut last = Instant::now();
    while !shared.draining() {
        std::thread::sleep(LOOK);
        if last.elapsed() < HOUSEKEEPING {
            continue;
        }
        last = Instant::now();
        shared.gathering.sweep(GREETING);
        shared.peers.sweep();
        staging::settle(shared);
    }
}

/// A deployment that both sides speak of.
pub fn short(deployment: Id) -> String {
    deployment.to_string()[..8].to_owned()
}
