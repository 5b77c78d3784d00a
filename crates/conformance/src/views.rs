//! Published plans: the bytes that parties parse, check and price again.

use crate::{Case, Failure, Planned, Subject};
use std::panic::{AssertUnwindSafe, catch_unwind};
use subrosa_core::{PartyId, Prg, Seed};

/// Changed plans tried for each party.
const VARIANTS: usize = 2_000;

/// Every party's plan bytes give the same party each time: one price, one fingerprint, the same at both ends of
/// each link. Cut bytes are refused; changed bytes are refused or give a party that can be priced, and never panic.
pub fn plans_are_parsed(subject: &Subject, cases: &[Case]) -> Result<(), Failure> {
    for case in cases {
        let check = || {
            let planned = case.plan(subject)?;
            round_trip(subject, case, &planned)?;
            fingerprints(&planned)?;
            let parties = planned.table.parties();
            parties
                .into_iter()
                .try_for_each(|party| hostile(&planned, party, subject.trials))
        };
        check().map_err(|failure: Failure| failure.of(case.name))?;
    }
    Ok(())
}

/// Planning is deterministic, and a seated party says what one from the same bytes says.
fn round_trip(subject: &Subject, case: &Case, planned: &Planned) -> Result<(), Failure> {
    let again = case.plan(subject)?;
    for party in planned.table.parties() {
        let (one, other) = (planned.table.seat(party)?, again.table.seat(party)?);
        let peers = planned.table.neighbours(party);
        let same = planned.table.views.get(&party) == again.table.views.get(&party)
            && one.price() == other.price()
            && peers
                .iter()
                .all(|p| one.fingerprint(*p) == other.fingerprint(*p));
        if !same {
            return Err(Failure::RoundTrip { party });
        }
    }
    Ok(())
}

fn fingerprints(planned: &Planned) -> Result<(), Failure> {
    for &(one, other) in &planned.table.links {
        let here = planned.table.seat(one)?.fingerprint(other);
        let there = planned.table.seat(other)?.fingerprint(one);
        if here != there {
            return Err(Failure::Fingerprint { one, other });
        }
    }
    Ok(())
}

/// Stops when `most` changed plans have given a party.
fn hostile(planned: &Planned, party: PartyId, most: usize) -> Result<(), Failure> {
    let view = planned.table.views.get(&party);
    let view = view.ok_or(Failure::NoView { party })?;
    for length in 0..view.len() {
        if attempt(planned, party, length, &view[..length])? {
            return Err(Failure::PlanCut { party, length });
        }
    }
    let mut longer = view.clone();
    longer.push(0);
    if attempt(planned, party, view.len() + 1, &longer)? {
        let length = longer.len();
        return Err(Failure::PlanCut { party, length });
    }
    let mut prg = Prg::new(&Seed::insecure_seeded(u64::from(party.0)));
    let mut accepted = 0;
    for variant in 0..VARIANTS {
        if accepted == most {
            break;
        }
        let mut bytes = view.clone();
        let draws = prg.words(32, 6);
        for pair in draws.chunks(2).take(1 + variant % 3) {
            let at = pair[0] as usize % bytes.len();
            bytes[at] = match variant % 4 {
                0 => bytes[at] ^ (1 << (pair[1] % 8)),
                1 => 0xff,
                2 => bytes[at].wrapping_add(1),
                _ => pair[1] as u8,
            };
        }
        accepted += usize::from(attempt(planned, party, variant, &bytes)?);
    }
    Ok(())
}

/// Whether the bytes give a party; if so, it is asked all that can be asked of it before a run.
fn attempt(
    planned: &Planned,
    party: PartyId,
    variant: usize,
    bytes: &[u8],
) -> Result<bool, Failure> {
    let ask = || match planned.table.seat_bytes(bytes) {
        Err(_) => false,
        Ok(seated) => {
            seated.price();
            for peer in planned.table.neighbours(party) {
                seated.fingerprint(peer);
            }
            true
        }
    };
    catch_unwind(AssertUnwindSafe(ask)).map_err(|_| Failure::PlanPanic { party, variant })
}
