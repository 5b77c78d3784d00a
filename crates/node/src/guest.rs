//! Visits that another node leads.

use crate::message::{Amount, Call, Id, Join, Refusal, Reply, Request, Right, Standing};
use crate::models::Model;
use crate::node::{Shared, denied};
use crate::places::Caller;
use crate::session::{Held, Seat, seat_name};
use crate::talk::{TalkFault, ask, tell};
use std::sync::Arc;
use std::time::Duration;
use subrosa::{Fingerprint, PartyId};

/// Time for all of a session to come.
const GATHERED: Duration = Duration::from_secs(10);

/// Takes a connection for a session: from who leads it, with what it is for; or from another party of it.
pub fn join(
    shared: &Arc<Shared>,
    join: Join,
    mut caller: Caller,
) -> Result<Option<Caller>, TalkFault> {
    let who = caller.line.peer();
    let Some(call) = join.call else {
        if !shared.peers.knows(&who) && shared.config.permissions.of(&who).is_none() {
            let refusal = denied(&who, Right::Join);
            tell(&mut caller.line, &Reply::Refused(refusal))?;
            return Ok(Some(caller));
        }
        tell(&mut caller.line, &Reply::Joined)?;
        return match shared.gathering.arrive(join.ticket, join.from, caller) {
            true => Ok(None),
            false => Err(Refusal::Malformed.into()),
        };
    };
    let model = call.model.clone();
    let begun = begin(shared, call, join.from, &who);
    let (seat, _slot, _engaged) = match begun {
        Ok(begun) => begun,
        Err(refusal) => {
            tracing::info!(leader = shared.name_of(&who), model, %refusal, "refused");
            tell(&mut caller.line, &Reply::Refused(refusal))?;
            return Ok(Some(caller));
        }
    };
    tell(&mut caller.line, &Reply::Joined)?;
    if let Some(lines) = gather(shared, &seat, join.ticket, join.from, caller) {
        seat.run(shared, lines, None);
    }
    Ok(None)
}

type Begun = (Seat, crate::admission::Slot, crate::node::Engaged);

fn begin(
    shared: &Arc<Shared>,
    call: Call,
    from: PartyId,
    who: &Fingerprint,
) -> Result<Begun, Refusal> {
    if !shared.peers.knows(who) {
        return Err(denied(who, Right::Join));
    }
    // Who leads has been told to activate the deployment, and all have it by then.
    if shared.models.standing(&call.model, call.deployment) == Standing::Staged {
        let staged = shared.models.staged();
        let staged = staged.iter().find(|m| m.appointment.model == call.model);
        if staged.is_some_and(|staged| leads(staged, from, who)) {
            shared.models.activate(&call.model, call.deployment)?;
        }
    }
    let model = shared.models.deployed(&call.model, call.deployment)?;
    if !leads(&model, from, who) {
        return Err(denied(who, Right::Join));
    }
    let slot = shared.guests.enter(Duration::ZERO).map_err(|refusal| {
        let limit = shared.config.limits.guests as u64;
        match refusal {
            Refusal::Busy { running, .. } if u64::from(running) >= limit => refusal,
            Refusal::Busy { .. } => Refusal::TooMuch {
                what: Amount::Sessions,
                limit,
                found: limit + 1,
            },
            other => other,
        }
    })?;
    let seat = Seat::take(shared, model, call)?;
    let engaged = shared.engage(seat.whose()).ok_or_else(|| {
        let (running, waiting) = shared.guests.standing();
        Refusal::Busy { running, waiting }
    })?;
    Ok((seat, slot, engaged))
}

/// Whether `who` is the node that leads the model's visits.
pub fn leads(model: &Model, from: PartyId, who: &Fingerprint) -> bool {
    let appointment = &model.appointment;
    let mut known = appointment.neighbours.iter();
    from == appointment.lead
        && known.any(|(party, certificate, _)| *party == from && certificate == who)
}

/// All connections of the session: of two servers of whom neither leads, the one with the smaller number dials.
fn gather(
    shared: &Arc<Shared>,
    seat: &Seat,
    ticket: Id,
    leader: PartyId,
    caller: Caller,
) -> Option<Vec<(PartyId, Held)>> {
    let appointment = &seat.model.appointment;
    let me = appointment.me;
    let mut lines = vec![(leader, Held::Came(caller))];
    let others = appointment.neighbours.iter();
    let others = others.filter(|(party, _, _)| *party != leader);
    let (later, earlier): (Vec<_>, Vec<_>) = others.partition(|(party, _, _)| *party > me);
    for (party, certificate, name) in later {
        let request = Request::Join(Join {
            ticket,
            from: me,
            call: None,
        });
        let joined =
            shared
                .peers
                .connect(*certificate, |line| match ask(line, &request, GATHERED)? {
                    Reply::Joined => Ok(()),
                    _ => Err(TalkFault::Malformed),
                });
        match joined {
            Ok((line, ())) => lines.push((*party, Held::Dialled(line))),
            Err(fault) => {
                tracing::warn!(server = name, %fault, "does not take part");
                return None;
            }
        }
    }
    let mut awaited: Vec<PartyId> = earlier.iter().map(|(party, _, _)| *party).collect();
    if appointment.faces_client {
        awaited.push(appointment.client);
    }
    let patience = shared.config.limits.timeout.min(GATHERED);
    match shared.gathering.all(ticket, &awaited, patience) {
        Ok(came) => {
            for (party, caller) in came {
                if !expected(shared, seat, party, &caller) {
                    return None;
                }
                lines.push((party, Held::Came(caller)));
            }
            Some(lines)
        }
        Err(absent) => {
            let absent = match absent == appointment.client {
                true => "the client".to_owned(),
                false => seat_name(&seat.model, absent),
            };
            tracing::warn!(model = appointment.model, absent, "did not come to a visit");
            None
        }
    }
}

/// Whether a connection is of who it says: the server of that seat, or the client of the call, who may ask.
fn expected(shared: &Shared, seat: &Seat, party: PartyId, caller: &Caller) -> bool {
    let appointment = &seat.model.appointment;
    let who = caller.line.peer();
    let right = if party == appointment.client {
        Id::of_client(appointment.deployment, &who) == seat.call.client
            && shared
                .config
                .permissions
                .may_predict(&who, &appointment.model)
    } else {
        let mut known = appointment.neighbours.iter();
        known.any(|(other, certificate, _)| *other == party && *certificate == who)
    };
    if !right {
        let who = shared.name_of(&who);
        tracing::warn!(
            who,
            model = appointment.model,
            "came to a visit that is not its own"
        );
    }
    right
}
