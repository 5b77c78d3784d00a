use crate::participant::Source;
use crate::{Blame, Error, Participant, Phased, Planned, PoolTerms, blame};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use subrosa_core::{Bytes, PartyId};
use subrosa_ir::{Tensor, Weights};
use subrosa_net::{
    Bill, Fingerprint, LocalFault, Network, RunError, Tap, memory_mesh, memory_mesh_tapped,
};
use subrosa_protocol::{Holding, Seat};

/// All parties of a plan in threads of this process, over links in memory. Nobody is protected from anybody.
pub struct InMemory {
    seats: Vec<Seat>,
    parties: Vec<Participant>,
    bills: Vec<Bill>,
}

impl InMemory {
    /// `tap` sees every frame.
    pub fn new(
        planned: &Planned,
        network: Network,
        threads: usize,
        timeout: Duration,
        tap: Option<Arc<dyn Tap>>,
    ) -> Result<Self, Error> {
        let seats = planned.seats();
        let numbers: Vec<PartyId> = seats.iter().map(|seat| seat.party).collect();
        let mut links = match tap {
            Some(tap) => memory_mesh_tapped(&numbers, &planned.links(), network, tap),
            None => memory_mesh(&numbers, &planned.links(), network),
        };
        let mut parties = Vec::new();
        for party in planned.parties() {
            let links = links
                .remove(&party.seat.party)
                .ok_or(subrosa_core::Malformed::Range)?;
            let view = party.view.clone();
            parties.push(Participant::new(
                planned.protocol,
                view,
                threads,
                links,
                timeout,
            )?);
        }
        let bills = vec![Bill::default(); seats.len()];
        Ok(Self {
            seats,
            parties,
            bills,
        })
    }

    /// The material of single inferences of those that `who` names lies in `folder` where it is more than `limit`, see
    /// [`Participant::spilling`].
    #[must_use]
    pub fn spilling(mut self, who: &[PartyId], folder: &Path, limit: Bytes) -> Self {
        let parties = self.seats.iter().zip(self.parties);
        let spill = |(seat, party): (&Seat, Participant)| match who.contains(&seat.party) {
            true => party.spilling(folder, limit),
            false => party,
        };
        self.parties = parties.map(spill).collect();
        self
    }

    pub fn setup(&mut self, planned: &Planned, weights: &Weights) -> Result<(), Error> {
        let holdings = planned.holdings(weights)?;
        self.all(|seat, party| {
            let at = planned.seats().iter().position(|s| s.party == seat.party);
            let holding = at.and_then(|at| holdings.get(at));
            party.setup(holding.unwrap_or(&Holding::Nothing))
        })?;
        Ok(())
    }

    pub fn offline(&mut self) -> Result<(), Error> {
        self.all(|_, party| party.offline())?;
        Ok(())
    }

    /// Opens a vault for every party that keeps material, each in a folder of its own under `folder` with a key that
    /// is nowhere else, and joins them to a pool.
    pub fn join(&mut self, planned: &Planned, folder: &Path) -> Result<(), Error> {
        let print = |party: &PartyId| (*party, Fingerprint([party.0; 32]));
        let mut told = BTreeMap::new();
        for seat in &self.seats {
            let keepers = planned.keepers_told(seat.party)?;
            let prints: Vec<(PartyId, Fingerprint)> = keepers.iter().map(print).collect();
            told.insert(seat.party, prints);
        }
        self.all(|seat, party| {
            let folder = folder.join(seat.name);
            let keepers = told.get(&seat.party).cloned().unwrap_or_default();
            let terms = PoolTerms::passing(seat.party, keepers, &folder)?;
            party.join(terms).map(unbilled)
        })?;
        Ok(())
    }

    /// Makes the material of `count` inferences into the pool.
    pub fn fill(&mut self, count: usize) -> Result<(), Error> {
        self.all(|_, party| {
            let made = party.fill(count)?;
            Ok(Phased {
                bill: made.into_iter().map(|made| made.bill).sum(),
                ..unbilled(())
            })
        })?;
        Ok(())
    }

    /// Where the next inference's material comes from, now that it is at hand.
    pub fn ready(&mut self) -> Result<Source, Error> {
        let sources = self.all(|_, party| party.ready())?;
        let first = sources.first().copied().unwrap_or(Source::Fresh);
        match sources.iter().all(|source| *source == first) {
            true => Ok(first),
            false => Err(failed(&self.seats, &[]).into()),
        }
    }

    /// The client's answer.
    pub fn infer(&mut self, inputs: &[Tensor]) -> Result<Vec<Tensor>, Error> {
        let answers =
            self.all(|seat, party| party.infer(seat.kind.brings_input().then(|| inputs.to_vec())))?;
        let answer = answers.into_iter().flatten().next();
        answer.ok_or_else(|| failed(&self.seats, &[]).into())
    }

    /// What each party has sent and waited for so far, in the order of the seats.
    pub fn bills(&self) -> &[Bill] {
        &self.bills
    }

    fn all<T: Send>(
        &mut self,
        step: impl Fn(Seat, &mut Participant) -> Result<Phased<T>, RunError> + Sync,
    ) -> Result<Vec<T>, Error> {
        let step = &step;
        let results: Vec<Result<Phased<T>, RunError>> = std::thread::scope(|scope| {
            let pairs = self.seats.iter().zip(&mut self.parties);
            let running: Vec<_> = pairs
                .map(|(seat, party)| scope.spawn(move || step(*seat, party)))
                .collect();
            let gone = || Err(RunError::Local(LocalFault::Invariant));
            running
                .into_iter()
                .map(|thread| thread.join().unwrap_or_else(|_| gone()))
                .collect()
        });
        let mut values = Vec::new();
        let mut reports = Vec::new();
        for ((result, seat), bill) in results.into_iter().zip(&self.seats).zip(&mut self.bills) {
            match result {
                Ok(done) => {
                    *bill += done.bill;
                    values.push(done.value);
                }
                Err(error) => reports.push((seat.party, error)),
            }
        }
        if reports.is_empty() {
            return Ok(values);
        }
        Err(failed(&self.seats, &reports).into())
    }
}

fn unbilled<T>(value: T) -> Phased<T> {
    Phased {
        value,
        bill: Bill::default(),
        participation: Duration::ZERO,
        received: Bytes(0),
    }
}

fn failed(seats: &[Seat], reports: &[(PartyId, RunError)]) -> Box<Blame> {
    let nobody = Blame {
        culprit: "no party",
        reporter: "no party",
        error: LocalFault::Invariant.into(),
    };
    Box::new(blame(seats, reports).unwrap_or(nobody))
}

/// One inference in memory.
pub struct InMemoryRun {
    /// In the order of the model's outputs.
    pub outputs: Vec<Tensor>,
    /// In the order of the seats.
    pub bills: Vec<Bill>,
}

/// Setup, one offline phase and one inference.
pub fn run_in_memory(
    planned: &Planned,
    weights: &Weights,
    inputs: &[Tensor],
    timeout: Duration,
) -> Result<InMemoryRun, Error> {
    let mut run = InMemory::new(planned, Network::LOOPBACK, 1, timeout, None)?;
    run.setup(planned, weights)?;
    run.offline()?;
    let outputs = run.infer(inputs)?;
    Ok(InMemoryRun {
        outputs,
        bills: run.bills,
    })
}
