//! What every party of a visit does, the client included.

use crate::message::Id;
use std::time::Duration;
use subrosa::{
    Bill, Bytes, Entry, Holding, Links, LocalFault, MaterialSource, Participant, PoolTerms,
    RunError, SeriesName, SharedPart, Tensor,
};

/// One party's place in a visit.
pub struct Attending<'a> {
    pub protocol: &'static Entry,
    /// This party's view of the plan.
    pub view: &'a [u8],
    /// What it was given of the model; nothing is read of it where `part` is there.
    pub holding: &'a Holding,
    /// Of an earlier visit to the same deployment.
    pub part: Option<SharedPart>,
    pub threads: usize,
    /// The longest silence of a peer.
    pub timeout: Duration,
    /// Of an earlier setup. Without them the visit begins with one.
    pub keys: Option<&'a [u8]>,
    /// Where material is taken from the pool or put into it.
    pub pool: Option<PoolTerms>,
    /// Inferences whose material is made ahead.
    pub fill: u32,
    pub infer: u32,
}

/// What one party brings to a visit, and keeps of it.
pub trait Guest {
    /// The keys of a new enrolment: they are durable when this returns.
    fn enrolled(&mut self, keys: &[u8]) -> Result<(), RunError>;
    /// This party's part of the model, for later visits.
    fn parted(&mut self, _part: SharedPart) {}
    /// The name of a new pool: it is durable when this returns.
    fn pooling(&mut self, name: &SeriesName) -> Result<(), RunError>;
    /// The inputs of the next inference, from the client.
    fn inputs(&mut self) -> Option<Vec<Tensor>>;
    /// One inference is done.
    fn answered(&mut self, outputs: Option<Vec<Tensor>>);
    /// One inference's material has been made ahead.
    fn filled(&mut self) {}
}

/// What a visit came to, at one party.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    pub bill: Bill,
    pub received: Bytes,
    pub enrolled: bool,
    pub filled: u32,
    pub inferred: u32,
    /// Of those, with material from the pool.
    pub pooled: u32,
    /// What this party has in the pool at the end.
    pub level: u64,
}

/// Takes part in a visit over `links`, and gives them back if all went well. The tally is of what was done, also where
/// an error ended it.
pub fn attend(
    seat: Attending<'_>,
    links: Links,
    guest: &mut dyn Guest,
) -> (Tally, Result<Links, RunError>) {
    let mut tally = Tally::default();
    let done = run(seat, links, guest, &mut tally);
    (tally, done)
}

fn run(
    seat: Attending<'_>,
    links: Links,
    guest: &mut dyn Guest,
    tally: &mut Tally,
) -> Result<Links, RunError> {
    let view = seat.view.to_vec();
    let party = Participant::new(seat.protocol, view, seat.threads, links, seat.timeout);
    let mut party = party.map_err(|_| LocalFault::Invariant)?;
    if let Some(part) = &seat.part {
        party.adopt(part);
    }
    match seat.keys {
        Some(keys) => party.restore(keys, seat.holding)?,
        None => {
            let made = party.setup(seat.holding)?;
            tally.bill += made.bill;
            tally.received += made.received;
            let keys = party.keys().ok_or(LocalFault::Invariant)?;
            guest.enrolled(keys.reveal())?;
            tally.enrolled = true;
        }
    }
    if let Some(part) = party.part() {
        guest.parted(part);
    }
    if let Some(pool) = seat.pool {
        let new = pool.name.is_none();
        party.join(pool)?;
        if let Some(name) = party.pool_name().filter(|_| new).cloned() {
            guest.pooling(&name)?;
        }
    }
    for _ in 0..seat.fill {
        for made in party.fill(1)? {
            tally.bill += made.bill;
            tally.received += made.received;
        }
        tally.filled += 1;
        guest.filled();
    }
    for _ in 0..seat.infer {
        let inputs = guest.inputs();
        let ready = party.ready()?;
        if ready.value == MaterialSource::Pool {
            tally.pooled += 1;
            if let (Some(item), Some(pool)) = (party.last_taken(), party.pool_name()) {
                tracing::debug!(pool = %Id(pool.tag().0), item, "taken");
            }
        }
        tally.bill += ready.bill;
        tally.received += ready.received;
        let answer = party.infer(inputs)?;
        tally.bill += answer.bill;
        tally.received += answer.received;
        tally.inferred += 1;
        guest.answered(answer.value);
    }
    tally.level = party.pooled();
    Ok(party.into_links().ok_or(LocalFault::Invariant)?)
}
