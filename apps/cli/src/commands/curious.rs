//! What one curious server sees: every payload that it receives, written down.

use std::sync::{Arc, Mutex, PoisonError};
use subrosa::{
    Error, HEADER_LEN, InMemory, Network, PartyId, PartyKind, Planned, Seat, Tap, Tensor, Weights,
};

/// Data frames are of this kind; others carry no payload of the protocol.
const DATA: u8 = 2;

/// Everything that servers received in one inference with all its preparations.
pub struct Seen {
    /// The first server.
    pub seat: Seat,
    /// What the client sent it once it had its input.
    pub input: Vec<u8>,
    /// All payloads of the first server, or, where a network is divided, of each one: setup and offline phase included.
    pub all: Vec<(Seat, Vec<u8>)>,
    /// All payloads that the client received, where they are enough to tell anything.
    pub client: Option<(Seat, Vec<u8>)>,
}

/// The least number of bytes whose evenness means something: sixteen of each value.
const ENOUGH: usize = 1 << 12;

struct Frame {
    from: PartyId,
    to: PartyId,
    payload: Vec<u8>,
}

struct Recorder {
    who: Vec<PartyId>,
    frames: Mutex<Vec<Frame>>,
}

impl Tap for Recorder {
    fn frame(&self, from: PartyId, to: PartyId, _: u64, bytes: Vec<u8>) -> Vec<Vec<u8>> {
        if let (true, Some((header, payload))) =
            (self.who.contains(&to), bytes.split_at_checked(HEADER_LEN))
            && header.get(2) == Some(&DATA)
        {
            let mut frames = self.frames.lock().unwrap_or_else(PoisonError::into_inner);
            let payload = payload.to_vec();
            frames.push(Frame { from, to, payload });
        }
        vec![bytes]
    }
}

/// Runs an inference in memory with every message to the first server and to the client written down.
pub fn watch(
    planned: &Planned,
    weights: &Weights,
    inputs: &[Tensor],
    timeout: std::time::Duration,
) -> Result<Option<Seen>, Error> {
    let serves = |seat: &Seat| matches!(seat.kind, PartyKind::Server | PartyKind::Vendor);
    let seats = planned.seats();
    let Some(seat) = seats.iter().copied().find(serves) else {
        return Ok(None);
    };
    let servers = seats.iter().copied().filter(serves);
    let shown = if planned.protocol.divides() {
        seats.len()
    } else {
        1
    };
    let servers: Vec<Seat> = servers.take(shown).collect();
    let client = seats.iter().find(|seat| seat.kind.brings_input());
    let Some(client) = client.copied() else {
        return Ok(None);
    };
    let recorder = Arc::new(Recorder {
        who: [client]
            .iter()
            .chain(&servers)
            .map(|seat| seat.party)
            .collect(),
        frames: Mutex::default(),
    });
    let mut run = InMemory::new(
        planned,
        Network::LOOPBACK,
        1,
        timeout,
        Some(recorder.clone()),
    )?;
    run.setup(planned, weights)?;
    run.offline()?;
    let frames = || {
        recorder
            .frames
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    };
    let before = frames().len();
    run.infer(inputs)?;
    let frames = frames();
    let asked = |frame: &&Frame| frame.from == client.party && frame.to == seat.party;
    let online = frames.iter().skip(before).filter(asked);
    let input = online.flat_map(|frame| frame.payload.clone()).collect();
    let received = |who: PartyId| -> Vec<u8> {
        let to = frames.iter().filter(|frame| frame.to == who);
        to.flat_map(|frame| frame.payload.clone()).collect()
    };
    let answer = received(client.party);
    Ok(Some(Seen {
        seat,
        input,
        all: servers
            .iter()
            .map(|seat| (*seat, received(seat.party)))
            .collect(),
        client: (answer.len() >= ENOUGH).then_some((client, answer)),
    }))
}

/// How uneven the counts of byte values are, and the chance that uniform bytes are at least as uneven.
pub struct Uniformity {
    /// Chi-squared with 255 degrees of freedom.
    pub statistic: f64,
    pub chance: f64,
}

pub fn uniformity(bytes: &[u8]) -> Uniformity {
    let mut counts = [0u64; 256];
    bytes
        .iter()
        .for_each(|byte| counts[usize::from(*byte)] += 1);
    let expected = (bytes.len() as f64 / 256.0).max(f64::MIN_POSITIVE);
    let statistic = counts
        .iter()
        .map(|count| (*count as f64 - expected).powi(2) / expected)
        .sum();
    Uniformity {
        statistic,
        chance: upper_tail(statistic, 255.0),
    }
}

/// P(X >= x) for chi-squared X, by the cube root's normal approximation (Wilson, Hilferty 1931).
fn upper_tail(x: f64, freedom: f64) -> f64 {
    let spread = 2.0 / (9.0 * freedom);
    let z = ((x / freedom).cbrt() - (1.0 - spread)) / spread.sqrt();
    normal_upper_tail(z)
}

/// P(Z >= z), by the expansion of Abramowitz and Stegun, 26.2.17; off by less than 1e-7.
fn normal_upper_tail(z: f64) -> f64 {
    let t = 1.0 / (1.0 + 0.231_641_9 * z.abs());
    let terms = [
        0.319_381_530,
        -0.356_563_782,
        1.781_477_937,
        -1.821_255_978,
        1.330_274_429,
    ];
    let polynomial = terms.iter().rev().fold(0.0, |sum, term| (sum + term) * t);
    let density = (-z * z / 2.0).exp() / (2.0 * std::f64::consts::PI).sqrt();
    let tail = density * polynomial;
    if z < 0.0 { 1.0 - tail } else { tail }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tails_are_those_of_the_tables() {
        assert!((normal_upper_tail(1.959_964) - 0.025).abs() < 1e-6);
        assert!((normal_upper_tail(-1.0) - 0.841_345).abs() < 1e-6);
        // Quantiles of chi-squared with 255 degrees of freedom.
        assert!((upper_tail(293.248, 255.0) - 0.05).abs() < 1e-3);
        assert!((upper_tail(254.334, 255.0) - 0.5).abs() < 1e-3);
    }

    #[test]
    fn even_bytes_pass_and_pictures_do_not() {
        let mut state = 1u64;
        let even: Vec<u8> = (0..1 << 16)
            .map(|_| {
                state = state
                    .wrapping_mul(6_364_136_223_846_793_005)
                    .wrapping_add(1);
                (state >> 56) as u8
            })
            .collect();
        assert!(uniformity(&even).chance > 1e-4);
        let picture: Vec<u8> = (0..1 << 16)
            .map(|at| if at % 5 == 0 { 255 } else { 0 })
            .collect();
        assert!(uniformity(&picture).chance < 1e-9);
    }
}
