//! Repeated runs and their medians.

use super::processes::{Attendance, Step};
use super::{PartyFault, Processes, Settings};
use std::time::{Duration, Instant};
use subrosa::{Bill, Bytes, Cost, Planned, Rounds, Seat, Tensor, Weights, total};

/// Time for setups beyond the first two.
const SETUPS: Duration = Duration::from_secs(2);

/// What runs of one plan took.
pub struct Measured {
    /// Of the last run.
    pub outputs: Vec<Tensor>,
    pub setup: Duration,
    pub offline: Duration,
    pub online: Duration,
    /// In the order of the seats.
    pub parties: Vec<PartyMeasured>,
}

pub struct PartyMeasured {
    pub seat: Seat,
    pub price: Bill,
    /// Of one setup, one offline phase and one inference.
    pub bill: Bill,
    pub offline: Attendance,
    pub online: Attendance,
    pub peak_rss_bytes: u64,
}

impl Measured {
    pub fn price(&self) -> Bill {
        total(self.parties.iter().map(|party| &party.price))
    }

    pub fn bill(&self) -> Bill {
        total(self.parties.iter().map(|party| &party.bill))
    }

    /// Those whose bill is not their price.
    pub fn overcharged(&self) -> Vec<&PartyMeasured> {
        self.parties
            .iter()
            .filter(|party| party.price != party.bill)
            .collect()
    }
}

/// Medians over `repeat` runs after one that does not count. `seen` is called before each run.
pub fn measure(
    planned: &Planned,
    weights: &Weights,
    inputs: &[Tensor],
    settings: &Settings,
    repeat: usize,
    mut seen: impl FnMut(usize),
) -> Result<Measured, PartyFault> {
    let mut all = Processes::start(planned, weights, settings)?;
    let begun = Instant::now();
    let mut setups = Vec::new();
    let mut bills = Vec::new();
    for round in 0..=repeat {
        if round > 1 && begun.elapsed() > SETUPS {
            break;
        }
        let step = all.setup()?;
        setups.push(step.time);
        bills = step.bills;
    }
    let lot = if settings.pools() {
        all.join(&settings.keepers)?;
        // The warm-up's.
        all.fill(1)?;
        Some(Lot::of(all.fill(settings.pool)?, settings.pool))
    } else {
        None
    };
    let (mut offline, mut online) = (Vec::new(), Vec::new());
    let mut attended: Vec<[Vec<Attendance>; 2]> = vec![Default::default(); bills.len()];
    let mut outputs = Vec::new();
    let mut sums = bills.clone();
    let mut peaks = Vec::new();
    for round in 0..=repeat {
        seen(round);
        let ready = all.ready()?;
        let answer = all.infer(inputs)?;
        let made = match (&lot, ready.pooled) {
            (Some(lot), true) => lot.clone(),
            _ => Lot::of(ready, 1),
        };
        let parts = made.attendance.iter().zip(&answer.step.attendance);
        for (party, (made, asked)) in attended.iter_mut().zip(parts) {
            party[0].push(*made);
            party[1].push(*asked);
        }
        offline.push(made.time);
        online.push(answer.step.time);
        sums = bills.clone();
        for (sum, (made, asked)) in sums
            .iter_mut()
            .zip(made.bills.iter().zip(&answer.step.bills))
        {
            *sum += made.clone() + asked.clone();
        }
        outputs = answer.outputs;
        peaks = answer.step.peak_rss_bytes;
    }
    let priced = all.prices().iter().zip(planned.parties());
    let parties = priced.zip(sums.into_iter().zip(peaks)).zip(&attended);
    let parties = parties.map(
        |(((price, party), (bill, peak_rss_bytes)), [offline, online])| PartyMeasured {
            seat: party.seat,
            price: price.clone(),
            bill,
            offline: usual(&offline[1..]),
            online: usual(&online[1..]),
            peak_rss_bytes,
        },
    );
    Ok(Measured {
        outputs,
        setup: median(&setups[1..]),
        offline: median(&offline[1..]),
        online: median(&online[1..]),
        parties: parties.collect(),
    })
}

/// The making of one inference's material.
#[derive(Clone)]
struct Lot {
    time: Duration,
    /// In the order of the seats.
    bills: Vec<Bill>,
    attendance: Vec<Attendance>,
}

impl Lot {
    /// One of `count` that were made in one step. They cost the same, and a remainder shows as one more.
    fn of(step: Step, count: usize) -> Self {
        let part = |number: u64| number.div_ceil(count.max(1) as u64);
        let one = |cost: Cost| Cost {
            bytes: Bytes(part(cost.bytes.0)),
            rounds: Rounds(part(cost.rounds.0)),
        };
        let bills = step.bills.iter().map(|bill| Bill {
            setup: one(bill.setup),
            offline: one(bill.offline),
            online: one(bill.online),
        });
        let count = u32::try_from(count.max(1)).unwrap_or(u32::MAX);
        let attendance = step.attendance.iter().map(|all| Attendance {
            time: all.time / count,
            received: Bytes(all.received.0 / u64::from(count)),
        });
        Self {
            time: step.time / count,
            bills: bills.collect(),
            attendance: attendance.collect(),
        }
    }
}

/// The median of times, and the bytes, which are the same each time.
fn usual(all: &[Attendance]) -> Attendance {
    let times: Vec<Duration> = all.iter().map(|one| one.time).collect();
    let received = all.last().map_or(Bytes(0), |one| one.received);
    Attendance {
        time: median(&times),
        received,
    }
}

/// The middle value, or the mean of both middle ones.
pub fn median(times: &[Duration]) -> Duration {
    let mut sorted = times.to_vec();
    sorted.sort();
    let half = sorted.len() / 2;
    match (
        sorted.len() % 2,
        sorted.get(half),
        sorted.get(half.wrapping_sub(1)),
    ) {
        (0, Some(high), Some(low)) => (*high + *low) / 2,
        (_, Some(middle), _) => *middle,
        _ => Duration::ZERO,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn medians() {
        let ms = |times: &[u64]| {
            times
                .iter()
                .map(|t| Duration::from_millis(*t))
                .collect::<Vec<_>>()
        };
        assert_eq!(median(&ms(&[])), Duration::ZERO);
        assert_eq!(median(&ms(&[7])), Duration::from_millis(7));
        assert_eq!(median(&ms(&[9, 1, 5])), Duration::from_millis(5));
        assert_eq!(median(&ms(&[1, 100, 3, 2])), Duration::from_micros(2500));
    }
}
