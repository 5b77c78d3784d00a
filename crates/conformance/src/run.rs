//! Runs all parties of a table in threads over memory.

use crate::tap::{Fault, Frame, Killed, Recorder};
use crate::{Failure, Table};
use std::any::Any;
use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::{Duration, Instant};
use subrosa_core::{PartyId, Stock};
use subrosa_ir::{Tensor, Weights};
use subrosa_net::{
    Bill, Links, LocalFault, Network, RunError, Session, SessionTerms, memory_mesh_tapped,
};
use subrosa_protocol::Party;

/// What a party is at. Inferences are numbered from zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Stage {
    Setup,
    Offline(usize),
    Online(usize),
}

impl Stage {
    /// With the inference's number left out.
    pub(crate) fn of_any(self) -> Self {
        match self {
            Self::Setup => Self::Setup,
            Self::Offline(_) => Self::Offline(0),
            Self::Online(_) => Self::Online(0),
        }
    }
}

thread_local! {
    static STAGE: Cell<Stage> = const { Cell::new(Stage::Setup) };
}

/// The stage of the party whose thread this is.
pub(crate) fn stage() -> Stage {
    STAGE.get()
}

/// What the parties do.
#[derive(Clone)]
pub struct Job {
    pub weights: Arc<Weights>,
    /// The client's inputs of each inference.
    pub inputs: Vec<Vec<Tensor>>,
    /// All offline phases before the first inference, not each before its own.
    pub ahead: bool,
    /// The longest silence that a party waits for.
    pub timeout: Duration,
    /// Replaces the randomness of the session.
    pub insecure_seed: Option<u64>,
    /// Setup runs in a session of its own with this randomness, as if keys had been restored from a backup.
    pub insecure_keys: Option<u64>,
    /// Before the first inference all open a new session, and these parties come to it with nothing but their keys, their
    /// holdings, and material that was put on a shelf.
    pub restored: Option<Vec<PartyId>>,
    /// A party that leaves without a word before a stage.
    pub leaves: Option<(PartyId, Stage)>,
}

impl Job {
    pub fn new(weights: Arc<Weights>, inputs: Vec<Vec<Tensor>>) -> Self {
        Self {
            weights,
            inputs,
            ahead: false,
            timeout: Duration::from_secs(60),
            insecure_seed: None,
            insecure_keys: None,
            restored: None,
            leaves: None,
        }
    }

    pub fn seeded(mut self, seed: u64) -> Self {
        self.insecure_seed = Some(seed);
        self
    }

    fn stages(&self) -> Vec<Stage> {
        let count = self.inputs.len();
        let mut stages = vec![Stage::Setup];
        if self.ahead {
            stages.extend((0..count).map(Stage::Offline));
            stages.extend((0..count).map(Stage::Online));
        } else {
            stages.extend((0..count).flat_map(|i| [Stage::Offline(i), Stage::Online(i)]));
        }
        stages
    }
}

/// How a party ended.
#[derive(Clone, Debug, PartialEq)]
pub enum End {
    Done,
    Failed(RunError),
    /// By the test's own doing.
    Killed,
}

/// What a party has to show.
#[derive(Clone, Debug)]
pub struct Ending {
    pub party: PartyId,
    pub end: End,
    /// The bill after each stage that was done.
    pub bills: Vec<(Stage, Bill)>,
    /// What the inferences returned at this party.
    pub answers: Vec<Option<Vec<Tensor>>>,
    /// Its keys at the end.
    pub keys: Option<Vec<u8>>,
}

/// All parties' endings and all data frames.
pub struct Record {
    pub endings: Vec<Ending>,
    pub frames: Vec<Frame>,
}

impl Record {
    /// The first party that did not get to its end.
    pub fn check(&self) -> Result<(), Failure> {
        for ending in &self.endings {
            if let End::Failed(error) = &ending.end {
                return Err(Failure::Run {
                    party: ending.party,
                    error: error.clone(),
                });
            }
        }
        Ok(())
    }

    pub fn ending(&self, party: PartyId) -> Result<&Ending, Failure> {
        let mut all = self.endings.iter();
        all.find(|ending| ending.party == party)
            .ok_or(Failure::NoView { party })
    }
}

impl Table {
    /// Runs an honest job to its end.
    pub fn run(self: &Arc<Self>, job: &Job) -> Result<Record, Failure> {
        let record = self.run_with(job, Fault::None)?;
        record.check()?;
        Ok(record)
    }

    /// Runs a job with a fault. A party that panics or does not end is a failure; one that returns an error is not.
    pub(crate) fn run_with(self: &Arc<Self>, job: &Job, fault: Fault) -> Result<Record, Failure> {
        let tap = Arc::new(Recorder::new(fault));
        let parties = self.parties();
        let meshes = memory_mesh_tapped(&parties, &self.links, Network::LOOPBACK, tap.clone());
        let (sender, receiver) = mpsc::channel();
        for (party, links) in meshes {
            let (table, job, sender) = (self.clone(), job.clone(), sender.clone());
            std::thread::spawn(move || {
                let sat = catch_unwind(AssertUnwindSafe(|| sit(&table, &job, party, links)));
                let _ = sender.send((party, sat));
            });
        }
        drop(sender);
        let deadline = Instant::now() + hang_limit(job);
        let mut endings: Vec<Ending> = Vec::new();
        while endings.len() < parties.len() {
            let left = deadline.saturating_duration_since(Instant::now());
            match receiver.recv_timeout(left) {
                Ok((party, sat)) => endings.push(ending(party, sat)?),
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {
                    let ended = |p: &&PartyId| endings.iter().all(|e| e.party != **p);
                    let party = parties.iter().find(ended).copied();
                    return Err(Failure::Hung {
                        party: party.unwrap_or(PartyId(u8::MAX)),
                    });
                }
            }
        }
        endings.sort_by_key(|ending| ending.party);
        Ok(Record {
            endings,
            frames: tap.frames(),
        })
    }
}

/// When a job that has not ended is taken for hung.
fn hang_limit(job: &Job) -> Duration {
    job.timeout * 8 + Duration::from_secs(10)
}

fn ending(
    party: PartyId,
    sat: Result<Result<Ending, Failure>, Box<dyn Any + Send>>,
) -> Result<Ending, Failure> {
    match sat {
        Ok(ending) => ending,
        Err(payload) if payload.is::<Killed>() => Ok(Ending {
            party,
            end: End::Killed,
            bills: Vec::new(),
            answers: Vec::new(),
            keys: None,
        }),
        Err(_) => Err(Failure::Panicked { party }),
    }
}

/// One party's whole run.
fn sit(table: &Table, job: &Job, id: PartyId, links: Links) -> Result<Ending, Failure> {
    let mut ending = Ending {
        party: id,
        end: End::Done,
        bills: Vec::new(),
        answers: Vec::new(),
        keys: None,
    };
    let mut party = table.seat(id)?;
    if let Err(error) = stages(table, job, &mut party, links, &mut ending) {
        ending.end = End::Failed(error);
    }
    ending.keys = party.keys().map(|keys| keys.reveal().clone());
    Ok(ending)
}

fn stages(
    table: &Table,
    job: &Job,
    party: &mut Box<dyn Party>,
    links: Links,
    ending: &mut Ending,
) -> Result<(), RunError> {
    let first_seed = job.insecure_keys.or(job.insecure_seed);
    let mut session = Some(open(table, job, party.as_ref(), links, first_seed)?);
    let mut shelf = Vec::new();
    for stage in job.stages() {
        if job.leaves == Some((ending.party, stage)) {
            ending.end = End::Killed;
            return Ok(());
        }
        STAGE.set(stage);
        let Some(mut current) = session.take() else {
            return Ok(());
        };
        if let (Some(restored), Stage::Online(0)) = (&job.restored, stage) {
            if restored.contains(&ending.party) {
                *party = again(table, job, party.as_ref(), ending.party)?;
            }
            party.load(Stock::from(std::mem::take(&mut shelf)))?;
            current = open(
                table,
                job,
                party.as_ref(),
                current.close(),
                job.insecure_seed,
            )?;
        }
        let done = match (stage, &job.restored) {
            (Stage::Offline(0), Some(_)) => party.offline_to(&mut shelf, &mut current),
            _ => step(table, job, party.as_mut(), stage, &mut current, ending),
        };
        match done {
            Ok(()) => ending.bills.push((stage, current.bill().clone())),
            Err(error) => {
                current.fail(&error);
                return Err(error);
            }
        }
        session = Some(if stage == Stage::Setup && job.insecure_keys.is_some() {
            open(
                table,
                job,
                party.as_ref(),
                current.close(),
                job.insecure_seed,
            )?
        } else {
            current
        });
    }
    Ok(())
}

/// A party as a new process finds it.
fn again(
    table: &Table,
    job: &Job,
    before: &dyn Party,
    id: PartyId,
) -> Result<Box<dyn Party>, RunError> {
    let keys = before.keys().ok_or(LocalFault::Keys)?;
    let mut party = table.seat(id).map_err(|_| LocalFault::Invariant)?;
    party.restore(keys.reveal(), &table.holding(id, &job.weights)?)?;
    Ok(party)
}

fn open(
    table: &Table,
    job: &Job,
    party: &dyn Party,
    links: Links,
    insecure_seed: Option<u64>,
) -> Result<Session, RunError> {
    let peers = table.neighbours(links.me());
    let fingerprints = peers
        .into_iter()
        .map(|peer| (peer, party.fingerprint(peer)));
    let terms = SessionTerms {
        fingerprints: fingerprints.collect(),
        untold: party.untold(),
        timeout: job.timeout,
        insecure_seed,
    };
    Session::open(links, terms)
}

fn step(
    table: &Table,
    job: &Job,
    party: &mut dyn Party,
    stage: Stage,
    s: &mut Session,
    ending: &mut Ending,
) -> Result<(), RunError> {
    let kind = table.seat_of(ending.party).map(|seat| seat.kind);
    match stage {
        Stage::Setup => party.setup(&table.holding(ending.party, &job.weights)?, s),
        Stage::Offline(_) => party.offline(s),
        Stage::Online(number) => {
            let inputs = kind.filter(|kind| kind.brings_input());
            let inputs = inputs.and_then(|_| job.inputs.get(number).cloned());
            ending.answers.push(party.infer(inputs, s)?);
            Ok(())
        }
    }
}
