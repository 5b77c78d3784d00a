//! Sending and receiving at once, over all links of an exchange, without a thread.

use crate::error::{LinkFault, LocalFault, RunError};
use crate::frame::Kind;
use crate::link::{Link, Links};
use crate::network::now;
use std::time::Duration;
use subrosa_core::PartyId;

/// Notices that one wait sends at most when others name new culprits.
const NOTICES: u32 = 8;

/// Goes on until every message that is under way has been handed over or has come.
///
/// A link that makes no headway for `timeout` ends it. So that the same silence is not blamed on whoever only
/// waits in turn, a party that has waited for half of that time tells its neighbours for whom.
pub(crate) fn drive(links: &mut Links, timeout: Duration) -> Result<(), RunError> {
    let timeout = u64::try_from(timeout.as_nanos()).unwrap_or(u64::MAX);
    let mut since = now();
    for link in links.all().iter_mut().filter(|link| link.is_sending()) {
        link.told_at = since;
    }
    let mut noticed = None;
    let mut notices = 0;
    loop {
        let mark = links.mark();
        let mut busy = false;
        let mut moved = false;
        for link in links.all() {
            if link.is_sending() {
                moved |= link.push()?;
            }
            if link.inbound.is_active() {
                moved |= link.pull()?;
            }
            busy |= link.is_busy();
        }
        if !busy {
            break;
        }
        let time = now();
        if moved {
            since = time;
            keep_alive(links, time, timeout);
        }
        let notice_at = since.saturating_add(timeout / 2);
        let deadline = since.saturating_add(timeout);
        if time >= deadline {
            return Err(timed_out(links, timeout));
        }
        if time >= notice_at && notices < NOTICES {
            let culprit = late(links).map(|link| link.inbound.waits_for().unwrap_or(link.peer));
            if culprit != noticed {
                tell(links, culprit);
                noticed = culprit;
                notices += 1;
            }
        }
        let until = if time < notice_at {
            notice_at
        } else {
            deadline
        };
        links.wait(mark, until)?;
    }
    await_shaped(links, timeout);
    let me = links.me();
    if noticed.is_some() {
        tell(links, Some(me));
    }
    for link in links.all() {
        link.outbound.finish();
    }
    keep_alive(links, now(), timeout);
    Ok(())
}

/// Waits until the last message is here by the shaped network's clock.
fn await_shaped(links: &mut Links, timeout: u64) {
    let ready_at = links
        .all()
        .iter()
        .map(|link| link.inbound.ready_at())
        .max()
        .unwrap_or(0);
    while let Some(left @ 1..) = ready_at.checked_sub(now()) {
        std::thread::sleep(Duration::from_nanos(left.min(timeout / 8)));
        keep_alive(links, now(), timeout);
    }
}

/// Tells neighbours who have not heard of this party for some time that it goes on.
fn keep_alive(links: &mut Links, time: u64, timeout: u64) {
    let me = links.me();
    for link in links.all() {
        let silent = time.saturating_sub(link.told_at) > timeout / 4;
        if silent && link.joined && !link.is_sending() {
            // A link that does not take this is found out by the next exchange over it.
            let _ = link.tell(Kind::Notice, me);
        }
    }
}

/// The link that this party waits for: rather one whose peer does not wait in turn.
fn late(links: &mut Links) -> Option<&Link> {
    let me = links.me();
    let rank = |link: &&Link| {
        let excused = link
            .inbound
            .waits_for()
            .is_some_and(|culprit| culprit != me);
        (!link.inbound.is_active(), excused)
    };
    links
        .all()
        .iter()
        .filter(|link| link.is_busy())
        .min_by_key(rank)
}

fn timed_out(links: &mut Links, timeout: u64) -> RunError {
    let me = links.me();
    let Some(link) = late(links) else {
        return LocalFault::Invariant.into();
    };
    match link.inbound.waits_for().filter(|culprit| *culprit != me) {
        Some(culprit) => RunError::Aborted {
            by: link.peer,
            culprit,
        },
        None => {
            let fault = LinkFault::TimedOut {
                after_ms: timeout / 1_000_000,
            };
            RunError::Link {
                peer: link.peer,
                fault,
            }
        }
    }
}

/// Tells everybody in the session for whom this party waits.
fn tell(links: &mut Links, culprit: Option<PartyId>) {
    for link in links.all().iter_mut().filter(|link| link.joined) {
        if let Some(culprit) = culprit {
            // A link that does not take this is found out by the exchange itself.
            let _ = link.tell(Kind::Notice, culprit);
        }
    }
}
