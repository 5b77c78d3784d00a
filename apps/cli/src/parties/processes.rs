//! All parties of a plan, each a process.

use super::Death;
use super::message::{Command, Reply, Report, Start};
use super::process::{Event, Process};
use super::vault::Scratch;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};
use subrosa::{
    Bill, Blame, Bytes, Fingerprint, Holding, Identity, LocalFault, Network, PartyId, Planned,
    RunError, Seat, Tensor, Weights, blame,
};
use thiserror::Error;

/// How long other parties may still report after one has failed.
const GRACE: Duration = Duration::from_millis(400);
/// The least and the most time that a process has to answer a ping.
const ANSWER: [Duration; 2] = [Duration::from_secs(1), Duration::from_secs(5)];
/// Pause in which the servers get ready before the client starts.
const READY: Duration = Duration::from_millis(2);

#[derive(Clone)]
pub struct Settings {
    pub network: Network,
    /// Cores that each party may use.
    pub threads: usize,
    /// The longest silence of a peer.
    pub timeout: Duration,
    /// Inferences whose material is made ahead.
    pub pool: usize,
    /// Parties that keep it: those that each party is told of, in the order of the seats. Empty without a pool.
    pub keepers: Vec<Vec<PartyId>>,
    /// What each party has of the model, if it is not to be divided afresh.
    pub holdings: Option<Vec<Holding>>,
}

impl Settings {
    /// Whether anything is to be made ahead, by anybody.
    pub fn pools(&self) -> bool {
        self.pool > 0 && self.keepers.iter().any(|told| !told.is_empty())
    }
}

/// Why parties as processes failed, and whose fault it is.
#[derive(Debug, Error)]
pub enum PartyFault {
    #[error("the process of {name} cannot be started: {error}")]
    Start {
        name: &'static str,
        error: io::Error,
    },
    #[error("{name} is at fault: {death}")]
    Gone { name: &'static str, death: Death },
    #[error("{name} is at fault: its process does not answer any more")]
    Silent { name: &'static str },
    #[error("{name} does not understand its plan or its orders")]
    Confused { name: &'static str },
    #[error(transparent)]
    Blame(#[from] Blame),
}

/// What a party did in a step beside its bill.
#[derive(Clone, Copy, Debug, Default)]
pub struct Attendance {
    /// Until it had sent its last message; from there on it only waited.
    pub time: Duration,
    pub received: Bytes,
}

/// One phase at all parties.
pub struct Step {
    /// From the command to the end, at the slowest party.
    pub time: Duration,
    /// In the order of the seats.
    pub bills: Vec<Bill>,
    /// What else each party did.
    pub attendance: Vec<Attendance>,
    /// Whether all have material from the pool.
    pub pooled: bool,
    pub peak_rss_bytes: Vec<u64>,
}

/// One inference.
pub struct Answered {
    pub outputs: Vec<Tensor>,
    /// `time` is the client's alone.
    pub step: Step,
}

/// The processes of all parties. They end with this value.
pub struct Processes {
    seats: Vec<Seat>,
    processes: Vec<Process>,
    /// Of their vaults. They go after the processes.
    folders: Vec<Scratch>,
    fingerprints: Vec<(PartyId, Fingerprint)>,
    prices: Vec<Bill>,
    events: Receiver<(usize, Event)>,
    timeout: Duration,
}

impl Processes {
    /// Starts and connects the parties. `weights` go to the process of whoever brings them, to no other.
    pub fn start(
        planned: &Planned,
        weights: &Weights,
        settings: &Settings,
    ) -> Result<Self, PartyFault> {
        let seats = planned.seats();
        let (sender, events) = mpsc::channel();
        let mut processes = Vec::new();
        let mut identities = Vec::new();
        for (index, seat) in seats.iter().enumerate() {
            let started = Process::start(seat.name, index, sender.clone());
            processes.push(started.map_err(|error| PartyFault::Start {
                name: seat.name,
                error,
            })?);
            identities.push((
                seat.party,
                Identity::generate().map_err(|fault| own(seat, fault))?,
            ));
        }
        let timeout = settings.timeout;
        let mut all = Self {
            seats,
            processes,
            folders: Vec::new(),
            fingerprints: identities
                .iter()
                .map(|(party, id)| (*party, id.fingerprint()))
                .collect(),
            prices: Vec::new(),
            events,
            timeout,
        };
        for (at, (party, (me, identity))) in planned.parties().iter().zip(&identities).enumerate() {
            let neighbours = planned.neighbours(*me);
            let known = identities
                .iter()
                .filter(|(party, _)| neighbours.contains(party));
            let (certificate, key) = identity.to_der();
            let spill = all.scratch(at)?;
            let start = Start {
                protocol: planned.protocol.name().to_owned(),
                me: *me,
                plan: party.view.clone(),
                certificate: certificate.to_vec(),
                key: key.reveal().clone(),
                neighbours: known
                    .map(|(party, id)| (*party, id.fingerprint()))
                    .collect(),
                network: settings.network.into(),
                threads: settings.threads,
                timeout,
                spill,
            };
            all.tell(at, Command::Start(Box::new(start)));
        }
        let mut addresses = Vec::new();
        for (at, reply) in all.replies()?.into_iter().enumerate() {
            let Reply::Ready { address, price } = reply else {
                return Err(all.confused(at));
            };
            addresses.push((all.seats[at].party, address));
            all.prices.push(price);
        }
        all.connect(planned, &addresses)?;
        let holdings = match &settings.holdings {
            Some(holdings) => Ok(holdings.clone()),
            None => planned.holdings(weights),
        };
        all.give(holdings)?;
        Ok(all)
    }

    fn connect(
        &mut self,
        planned: &Planned,
        addresses: &[(PartyId, SocketAddr)],
    ) -> Result<(), PartyFault> {
        for at in 0..self.seats.len() {
            let neighbours = planned.neighbours(self.seats[at].party);
            let known = addresses
                .iter()
                .filter(|(party, _)| neighbours.contains(party));
            self.tell(at, Command::Connect(known.copied().collect()));
        }
        self.reports()?;
        Ok(())
    }

    fn give(&mut self, holdings: Result<Vec<Holding>, LocalFault>) -> Result<(), PartyFault> {
        let holdings = holdings.map_err(|fault| own(&self.seats[0], fault))?;
        let mut holders = Vec::new();
        for (at, holding) in holdings.into_iter().enumerate() {
            if !matches!(holding, Holding::Nothing) {
                holders.push(at);
                self.tell(at, Command::Hold(holding));
            }
        }
        self.collect(&holders)?;
        Ok(())
    }

    /// What each party has reckoned from its own view, in the order of the seats.
    pub fn prices(&self) -> &[Bill] {
        &self.prices
    }

    pub fn setup(&mut self) -> Result<Step, PartyFault> {
        (0..self.seats.len()).for_each(|at| self.tell(at, Command::Setup));
        self.reports().map(|reports| step(&reports))
    }

    /// Joins the parties to a pool, in which keepers keep material, each in a vault of its own. `keepers`: those that
    /// each party is told of, the first of them first.
    pub fn join(&mut self, keepers: &[Vec<PartyId>]) -> Result<(), PartyFault> {
        for (at, told) in keepers.iter().enumerate() {
            let print = |keeper| {
                let mut known = self.fingerprints.iter();
                known.find(|(party, _)| party == keeper).copied()
            };
            let prints = told.iter().filter_map(print).collect();
            let path = self.scratch(at)?;
            self.tell(at, Command::Join(prints, path));
        }
        self.reports().map(|_| ())
    }

    /// A folder for a party, that goes when the processes do.
    fn scratch(&mut self, at: usize) -> Result<PathBuf, PartyFault> {
        let seat = self.seats[at];
        let folder = Scratch::new(seat.name).ok_or_else(|| own(&seat, LocalFault::Randomness))?;
        let path = folder.path().to_owned();
        self.folders.push(folder);
        Ok(path)
    }

    /// Makes `count` inferences' material into the pool; time and bills are those of all together.
    pub fn fill(&mut self, count: usize) -> Result<Step, PartyFault> {
        (0..self.seats.len()).for_each(|at| self.tell(at, Command::Fill(count)));
        self.reports().map(|reports| step(&reports))
    }

    /// Gets the next inference's material to hand: the pool's, or made on the spot.
    pub fn ready(&mut self) -> Result<Step, PartyFault> {
        (0..self.seats.len()).for_each(|at| self.tell(at, Command::Ready));
        self.reports().map(|reports| step(&reports))
    }

    /// The client is told last, when the others are waiting for it.
    pub fn infer(&mut self, inputs: &[Tensor]) -> Result<Answered, PartyFault> {
        let asks = |seat: &Seat| seat.kind.brings_input();
        let (clients, others): (Vec<usize>, Vec<usize>) =
            (0..self.seats.len()).partition(|at| asks(&self.seats[*at]));
        others
            .iter()
            .for_each(|at| self.tell(*at, Command::Infer(None)));
        std::thread::sleep(READY);
        clients
            .iter()
            .for_each(|at| self.tell(*at, Command::Infer(Some(inputs.to_vec()))));
        let mut reports = self.reports()?;
        let client = clients.first().copied().unwrap_or(0);
        let mut step = step(&reports);
        step.time = reports[client].time;
        let outputs = reports[client].outputs.take();
        Ok(Answered {
            outputs: outputs.ok_or_else(|| self.confused(client))?,
            step,
        })
    }

    fn tell(&self, at: usize, command: Command) {
        self.processes[at].tell(command);
    }

    fn reports(&mut self) -> Result<Vec<Report>, PartyFault> {
        let replies = self.replies()?.into_iter().enumerate();
        let reports = replies.map(|(at, reply)| match reply {
            Reply::Done(report) => Ok(report),
            _ => Err(self.confused(at)),
        });
        reports.collect()
    }

    fn replies(&mut self) -> Result<Vec<Reply>, PartyFault> {
        let everybody: Vec<usize> = (0..self.seats.len()).collect();
        self.collect(&everybody)
    }

    /// One reply of each of `from`, in that order, or who is at fault.
    fn collect(&mut self, from: &[usize]) -> Result<Vec<Reply>, PartyFault> {
        let mut replies: Vec<Option<Reply>> = from.iter().map(|_| None).collect();
        let mut failures = Failures::default();
        let mut until = Instant::now() + self.timeout;
        let mut pinged: Option<Vec<usize>> = None;
        while replies.iter().any(Option::is_none) {
            let left = until.saturating_duration_since(Instant::now());
            match self.events.recv_timeout(left) {
                Ok((at, Event::Gone)) => failures.gone.push(at),
                Ok((at, Event::Reply(Reply::Alive))) => {
                    if let Some(silent) = &mut pinged {
                        silent.retain(|other| *other != at);
                    }
                }
                Ok((at, Event::Reply(Reply::Failed(error)))) => failures.reports.push((at, error)),
                Ok((at, Event::Reply(Reply::Confused))) => failures.confused.push(at),
                Ok((at, Event::Reply(reply))) => {
                    if let Some(slot) = from.iter().position(|other| *other == at) {
                        replies[slot] = Some(reply);
                    }
                    continue;
                }
                Err(RecvTimeoutError::Disconnected) => failures.gone.push(0),
                Err(RecvTimeoutError::Timeout) if failures.any() => break,
                Err(RecvTimeoutError::Timeout) => match pinged.take().as_deref() {
                    Some([silent, ..]) => {
                        return Err(PartyFault::Silent {
                            name: self.seats[*silent].name,
                        });
                    }
                    Some([]) => until = Instant::now() + self.timeout,
                    None => {
                        (0..self.seats.len()).for_each(|at| self.tell(at, Command::Ping));
                        pinged = Some((0..self.seats.len()).collect());
                        until = Instant::now() + self.timeout.clamp(ANSWER[0], ANSWER[1]);
                    }
                },
            }
            if failures.any() {
                if failures.all(self.seats.len()) || !failures.gone.is_empty() {
                    break;
                }
                until = until.min(Instant::now() + GRACE);
            }
        }
        if failures.any() {
            return Err(self.fault(&failures));
        }
        Ok(replies.into_iter().flatten().collect())
    }

    fn fault(&mut self, failures: &Failures) -> PartyFault {
        if let Some(at) = failures.gone.first() {
            let death = self.processes[*at].death();
            return PartyFault::Gone {
                name: self.seats[*at].name,
                death,
            };
        }
        if let Some(at) = failures.confused.first() {
            return self.confused(*at);
        }
        let reports = failures.reports.iter();
        let reports: Vec<_> = reports
            .map(|(at, error)| (self.seats[*at].party, error.clone()))
            .collect();
        blame(&self.seats, &reports).map_or_else(|| self.confused(0), PartyFault::Blame)
    }

    fn confused(&self, at: usize) -> PartyFault {
        PartyFault::Confused {
            name: self.seats[at].name,
        }
    }
}

#[derive(Default)]
struct Failures {
    gone: Vec<usize>,
    confused: Vec<usize>,
    reports: Vec<(usize, RunError)>,
}

impl Failures {
    fn any(&self) -> bool {
        self.count() > 0
    }

    fn count(&self) -> usize {
        self.gone.len() + self.confused.len() + self.reports.len()
    }

    fn all(&self, parties: usize) -> bool {
        self.count() >= parties
    }
}

fn own(seat: &Seat, fault: LocalFault) -> PartyFault {
    Blame {
        culprit: seat.name,
        reporter: seat.name,
        error: fault.into(),
    }
    .into()
}

fn step(reports: &[Report]) -> Step {
    Step {
        time: reports
            .iter()
            .map(|report| report.time)
            .max()
            .unwrap_or_default(),
        bills: reports.iter().map(|report| report.bill.clone()).collect(),
        attendance: reports
            .iter()
            .map(|report| Attendance {
                time: report.participation,
                received: report.received,
            })
            .collect(),
        pooled: reports.iter().all(|report| report.pooled),
        peak_rss_bytes: reports.iter().map(|report| report.peak_rss_bytes).collect(),
    }
}
