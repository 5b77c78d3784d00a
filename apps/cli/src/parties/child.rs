//! The process of one party. It reads commands from standard input and answers on standard output.

use super::message::{self, Command, Reply, Report, Start};
use super::vault;
use std::io::{self, ErrorKind, IsTerminal};
use std::process::ExitCode;
use std::sync::mpsc;
use std::time::{Duration, Instant};
use subrosa::{
    Bill, Bytes, Endpoint, Holding, Identity, LocalFault, MaterialSource, Participant, PartyId,
    Peer, Phased, PoolTerms, RunError, Secret, connect,
};

/// One inference's material is kept in memory up to this length, beyond it in a sealed file.
const IN_MEMORY: Bytes = Bytes(512 << 20);

/// Runs until standard input closes, and ends at once when it does, whatever the party is doing.
pub fn run() -> ExitCode {
    if io::stdin().is_terminal() {
        return confess();
    }
    let (sender, commands) = mpsc::channel();
    std::thread::spawn(move || {
        let mut stdin = io::stdin().lock();
        loop {
            let told = match message::read::<Command>(&mut stdin) {
                Ok(Command::Ping) => tell(&Reply::Alive),
                Ok(command) => sender
                    .send((command, Instant::now()))
                    .map_err(|_| ErrorKind::BrokenPipe.into()),
                Err(error) => Err(error),
            };
            match told {
                Ok(()) => {}
                Err(error) if error.kind() == ErrorKind::InvalidData => {
                    confess();
                    std::process::exit(2)
                }
                Err(_) => {
                    vault::clear();
                    std::process::exit(1)
                }
            }
        }
    });
    let mut child = Child::New;
    while let Ok((command, came)) = commands.recv() {
        let reply = child.obey(command, came);
        if tell(&reply).is_err() {
            break;
        }
    }
    vault::clear();
    ExitCode::FAILURE
}

fn confess() -> ExitCode {
    eprintln!("subrosa: party is for the program itself, not for people");
    ExitCode::from(2)
}

fn tell(reply: &Reply) -> io::Result<()> {
    message::write(&mut io::stdout().lock(), reply)
}

enum Child {
    New,
    Started {
        start: Box<Start>,
        endpoint: Endpoint,
        identity: Identity,
    },
    Seated {
        me: PartyId,
        party: Box<Participant>,
        holding: Holding,
    },
    Ended(RunError),
}

impl Child {
    fn obey(&mut self, command: Command, came: Instant) -> Reply {
        let state = std::mem::replace(self, Self::Ended(LocalFault::Invariant.into()));
        match state.next(command, came) {
            Ok((state, reply)) => {
                *self = state;
                reply
            }
            Err(Stop::Failed(error)) => {
                *self = Self::Ended(error.clone());
                Reply::Failed(error)
            }
            Err(Stop::Confused) => Reply::Confused,
        }
    }

    fn next(self, command: Command, came: Instant) -> Result<(Self, Reply), Stop> {
        match (self, command) {
            (Self::New, Command::Start(start)) => begin(start),
            (
                Self::Started {
                    start,
                    endpoint,
                    identity,
                },
                Command::Connect(addresses),
            ) => {
                let peers = start.neighbours.iter().map(|(party, fingerprint)| {
                    // The smaller number listens.
                    let known = addresses.iter().find(|(known, _)| known == party);
                    let address = known
                        .filter(|_| *party < start.me)
                        .map(|(_, address)| *address);
                    Peer {
                        party: *party,
                        fingerprint: *fingerprint,
                        address,
                    }
                });
                let peers: Vec<Peer> = peers.collect();
                let Start {
                    me,
                    protocol,
                    plan,
                    network,
                    threads,
                    timeout,
                    spill,
                    ..
                } = *start;
                let links = connect(
                    me,
                    &identity,
                    Some(endpoint),
                    &peers,
                    network.into(),
                    timeout,
                )?;
                let protocol = subrosa::find(&protocol).ok_or(Stop::Confused)?;
                let party = Participant::new(protocol, plan, threads, links, timeout);
                let party = party.map_err(|_| Stop::Confused)?;
                vault::clear_at_end(&spill);
                let party = Box::new(party.spilling(&spill, IN_MEMORY));
                Ok((
                    Self::Seated {
                        me,
                        party,
                        holding: Holding::Nothing,
                    },
                    done(Bill::default(), came),
                ))
            }
            (
                Self::Seated {
                    me,
                    mut party,
                    holding,
                },
                command,
            ) => {
                let (holding, reply) = seated(me, &mut party, holding, command, came)?;
                let seated = Self::Seated { me, party, holding };
                Ok((seated, Reply::Done(reply)))
            }
            (Self::Ended(error), _) => Err(Stop::Failed(error)),
            _ => Err(Stop::Confused),
        }
    }
}

enum Stop {
    Failed(RunError),
    Confused,
}

impl From<RunError> for Stop {
    fn from(error: RunError) -> Self {
        Self::Failed(error)
    }
}

fn begin(start: Box<Start>) -> Result<(Child, Reply), Stop> {
    let protocol = subrosa::find(&start.protocol).ok_or(Stop::Confused)?;
    let price = protocol.price(&start.plan).map_err(|_| Stop::Confused)?;
    let key = Secret::new(start.key.clone());
    let identity = Identity::from_der(start.certificate.clone(), key)
        .map_err(|fault| Stop::Failed(fault.into()))?;
    let endpoint = Endpoint::bind("127.0.0.1:0")?;
    let address = endpoint.local_addr()?;
    let reply = Reply::Ready { address, price };
    Ok((
        Child::Started {
            start,
            endpoint,
            identity,
        },
        reply,
    ))
}

/// What a party that is connected does, and what it has of the model then.
fn seated(
    me: PartyId,
    party: &mut Participant,
    holding: Holding,
    command: Command,
    came: Instant,
) -> Result<(Holding, Report), Stop> {
    let report = match command {
        Command::Hold(holding) => return Ok((holding, report(Bill::default(), came))),
        Command::Setup => phased(&party.setup(&holding)?, came),
        Command::Join(keepers, folder) => {
            vault::clear_at_end(&folder);
            party.join(PoolTerms::passing(me, keepers, &folder)?)?;
            report(Bill::default(), came)
        }
        Command::Fill(count) => {
            let made = party.fill(count)?;
            Report {
                participation: made.iter().map(|made| made.participation).sum(),
                received: made.iter().map(|made| made.received).sum(),
                ..report(made.into_iter().map(|made| made.bill).sum(), came)
            }
        }
        Command::Ready => {
            let ready = party.ready()?;
            Report {
                pooled: ready.value == MaterialSource::Pool,
                ..phased(&ready, came)
            }
        }
        Command::Infer(inputs) => {
            // The clock of what a user waits starts here, with the input at hand.
            let started = Instant::now();
            let mut answer = party.infer(inputs)?;
            Report {
                outputs: answer.value.take(),
                ..phased(&answer, started)
            }
        }
        _ => return Err(Stop::Confused),
    };
    Ok((holding, report))
}

fn done(bill: Bill, since: Instant) -> Reply {
    Reply::Done(report(bill, since))
}

fn phased<T>(done: &Phased<T>, since: Instant) -> Report {
    Report {
        participation: done.participation,
        received: done.received,
        ..report(done.bill.clone(), since)
    }
}

fn report(bill: Bill, since: Instant) -> Report {
    Report {
        outputs: None,
        time: since.elapsed(),
        participation: Duration::ZERO,
        received: Bytes(0),
        bill,
        pooled: false,
        peak_rss_bytes: peak_rss_bytes(),
    }
}

/// The largest resident set of this process so far, 0 where the system does not say.
fn peak_rss_bytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kilobytes = line.and_then(|rest| rest.split_whitespace().next()?.parse::<u64>().ok());
    kilobytes.unwrap_or(0) * 1024
}
