use crate::{Blame, Error, Participant, Phased, Planned, blame};
use std::sync::Arc;
use std::time::Duration;
use subrosa_core::PartyId;
use subrosa_ir::{Tensor, Weights};
use subrosa_net::{Bill, LocalFault, Network, RunError, Tap, memory_mesh, memory_mesh_tapped};
use subrosa_protocol::Seat;

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

    pub fn setup(&mut self, weights: &Weights) -> Result<(), Error> {
        self.all(|seat, party| party.setup(seat.kind.brings_weights().then_some(weights)))?;
        Ok(())
    }

    pub fn offline(&mut self) -> Result<(), Error> {
        self.all(|_, party| party.offline())?;
        Ok(())
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
    run.setup(weights)?;
    run.offline()?;
    let outputs = run.infer(inputs)?;
    Ok(InMemoryRun {
        outputs,
        bills: run.bills,
    })
}
