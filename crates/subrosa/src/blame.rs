use std::fmt;
use subrosa_core::PartyId;
use subrosa_net::RunError;
use subrosa_protocol::Seat;

/// A failed run: who is at fault, as far as the parties can tell, and who says so.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct Blame {
    pub culprit: &'static str,
    pub reporter: &'static str,
    pub error: RunError,
}

impl fmt::Display for Blame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            culprit,
            reporter,
            error,
        } = self;
        match error {
            RunError::Local(fault) => write!(f, "{reporter} failed: {fault}"),
            RunError::Link { fault, .. } => {
                write!(f, "{culprit} cannot be reached by {reporter}: {fault}")
            }
            RunError::Peer { misdeed, .. } => {
                write!(
                    f,
                    "{culprit} broke the protocol: {misdeed} (found by {reporter})"
                )
            }
            RunError::Aborted { .. } => write!(f, "{culprit} is at fault: {reporter} was told so"),
        }
    }
}

/// Out of what several parties report, the most telling: what a party says of itself, then a proven misdeed,
/// then a lost link, then hearsay. Among equals, whom most of them name.
pub fn blame(seats: &[Seat], reports: &[(PartyId, RunError)]) -> Option<Blame> {
    let rank = |error: &RunError| match error {
        RunError::Local(_) => 0,
        RunError::Peer { .. } => 1,
        RunError::Link { .. } => 2,
        RunError::Aborted { .. } => 3,
    };
    let guilty = |(at, error): &(PartyId, RunError)| error.culprit().unwrap_or(*at);
    let votes = |party: PartyId| {
        reports
            .iter()
            .filter(|report| guilty(report) == party)
            .count()
    };
    let best = reports.iter().min_by_key(|report| {
        (
            rank(&report.1),
            usize::MAX - votes(guilty(report)),
            report.0,
        )
    })?;
    let name = |party: PartyId| {
        let seat = seats.iter().find(|seat| seat.party == party);
        seat.map_or("an unknown party", |seat| seat.name)
    };
    Some(Blame {
        culprit: name(guilty(best)),
        reporter: name(best.0),
        error: best.1.clone(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use subrosa_net::{LinkFault, LocalFault, Misdeed};
    use subrosa_protocol::PartyKind;

    #[test]
    fn what_is_known_best_is_told() {
        let seat = |number, name| Seat {
            party: PartyId(number),
            name,
            kind: PartyKind::Server,
        };
        let seats = [
            seat(0, "server-0"),
            seat(1, "server-1"),
            seat(2, "server-2"),
        ];
        let closed = |peer| RunError::Link {
            peer: PartyId(peer),
            fault: LinkFault::Closed,
        };
        let hearsay = RunError::Aborted {
            by: PartyId(1),
            culprit: PartyId(1),
        };
        let lost = blame(
            &seats,
            &[
                (PartyId(0), closed(2)),
                (PartyId(2), closed(1)),
                (PartyId(0), closed(1)),
            ],
        );
        assert_eq!(lost.unwrap().culprit, "server-1");
        let misdeed = RunError::Peer {
            peer: PartyId(2),
            misdeed: Misdeed::OutOfTurn,
        };
        let broke = blame(&seats, &[(PartyId(0), hearsay), (PartyId(1), misdeed)]).unwrap();
        assert_eq!(broke.culprit, "server-2");
        assert!(
            broke
                .to_string()
                .starts_with("server-2 broke the protocol: ")
        );
        let own = RunError::Local(LocalFault::Randomness);
        let own = blame(&seats, &[(PartyId(0), closed(1)), (PartyId(1), own)]).unwrap();
        assert_eq!((own.culprit, own.reporter), ("server-1", "server-1"));
        assert_eq!(blame(&seats, &[]), None);
    }
}
