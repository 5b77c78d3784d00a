//! Visits that this node leads: it admits them, and calls the other servers.

use crate::admission::Slot;
use crate::enrolments::Enrolled;
use crate::message::{
    Amount, Call, Id, Join, MOST_FILLED, MOST_INFERRED, Refusal, Reply, Request, Right, Visit,
};
use crate::node::{Engaged, Shared, denied};
use crate::places::Caller;
use crate::session::{Held, Seat};
use crate::talk::{TalkFault, ask, tell};
use std::sync::Arc;
use std::time::Duration;
use subrosa::{Fingerprint, PartyId};

/// Time for another server to come.
const CALLED: Duration = Duration::from_secs(10);

/// Leads a visit for `caller`, or tells it why not. Gives the connection back, if it is still good.
pub fn visit(
    shared: &Arc<Shared>,
    visit: Visit,
    mut caller: Caller,
) -> Result<Option<Caller>, TalkFault> {
    let client = caller.line.peer();
    let begun = match begin(shared, &visit, &client) {
        Ok(begun) => begun,
        Err(refusal) => {
            let who = shared.name_of(&client);
            tracing::info!(client = who, model = visit.model, %refusal, "refused");
            tell(&mut caller.line, &Reply::Refused(refusal))?;
            return Ok(Some(caller));
        }
    };
    let Begun {
        ticket,
        seat,
        mut lines,
        _slots,
        _engaged,
    } = begun;
    let granted = Reply::Ticket {
        ticket,
        enrolment: seat.call.enrolment,
        pool: seat.call.pool.is_some(),
    };
    tell(&mut caller.line, &granted)?;
    let at = seat.model.appointment.client;
    lines.push((at, Held::Came(caller)));
    Ok(seat.run(shared, lines, Some(at)))
}

/// A visit that all servers have agreed to.
struct Begun {
    ticket: Id,
    seat: Seat,
    lines: Vec<(PartyId, Held)>,
    /// Held as long as the visit lasts.
    _slots: Vec<Slot>,
    _engaged: Engaged,
}

fn begin(shared: &Arc<Shared>, visit: &Visit, client: &Fingerprint) -> Result<Begun, Refusal> {
    if !shared.config.permissions.may_predict(client, &visit.model) {
        return Err(denied(client, Right::Predict(visit.model.clone())));
    }
    let model = shared.models.deployed(&visit.model, visit.deployment)?;
    if model.appointment.me != model.appointment.lead {
        return Err(Refusal::Malformed);
    }
    for (what, limit, found) in [
        (Amount::Inferences, MOST_INFERRED, visit.infer),
        (Amount::Material, MOST_FILLED, visit.fill),
    ] {
        if found > limit {
            let (limit, found) = (limit.into(), found.into());
            return Err(Refusal::TooMuch { what, limit, found });
        }
    }
    let patience = shared.config.limits.timeout;
    let mut slots = Vec::new();
    if visit.fill > 0 {
        slots.push(shared.fills.enter(patience)?);
    }
    slots.push(shared.admission.enter(patience)?);
    let whose = Enrolled {
        deployment: visit.deployment,
        batch: visit.batch,
        client: Id::of_client(visit.deployment, client),
    };
    let engaged = shared.engage(whose).ok_or_else(|| {
        let (running, waiting) = shared.admission.standing();
        Refusal::Busy { running, waiting }
    })?;
    let call = call(shared, visit, &whose)?;
    let ticket = Id::random().ok_or(Refusal::Fault)?;
    let seat = Seat::take(shared, model, call)?;
    let lines = gather(shared, &seat, ticket)?;
    Ok(Begun {
        ticket,
        seat,
        lines,
        _slots: slots,
        _engaged: engaged,
    })
}

/// What all servers are told. Keys and pool go on where client and this node still have the same ones.
fn call(shared: &Shared, visit: &Visit, whose: &Enrolled) -> Result<Call, Refusal> {
    let old = shared.models.enrolments.get(whose)?;
    let known = match (&old, visit.enrolment) {
        (_, None) => None,
        (Some(old), Some(id)) if old.id == id => Some(old),
        _ => return Err(Refusal::NoEnrolment),
    };
    let pool = known
        .and_then(|old| old.tag())
        .filter(|tag| visit.pool == Some(*tag));
    let kept = match known.filter(|_| pool.is_some()) {
        Some(old) => shared.models.enrolments.level(old)?,
        None => 0,
    };
    let (limit, found) = (shared.config.pool_level, kept + u64::from(visit.fill));
    if visit.fill > 0 && found > limit {
        let what = Amount::Material;
        return Err(Refusal::TooMuch { what, limit, found });
    }
    Ok(Call {
        deployment: visit.deployment,
        model: visit.model.clone(),
        batch: visit.batch,
        client: whose.client,
        enrolment: match known {
            Some(old) => old.id,
            None => Id::random().ok_or(Refusal::Fault)?,
        },
        setup: known.is_none(),
        pooled: visit.pooled,
        pool,
        fill: visit.fill,
        infer: visit.infer,
    })
}

/// Connections to all other servers, each of which has agreed to the visit.
fn gather(shared: &Shared, seat: &Seat, ticket: Id) -> Result<Vec<(PartyId, Held)>, Refusal> {
    let appointment = &seat.model.appointment;
    let mut lines = Vec::new();
    for (party, certificate, name) in &appointment.neighbours {
        let request = Request::Join(Join {
            ticket,
            from: appointment.me,
            call: Some(seat.call.clone()),
        });
        let joined =
            shared
                .peers
                .connect(*certificate, |line| match ask(line, &request, CALLED)? {
                    Reply::Joined => Ok(()),
                    _ => Err(TalkFault::Malformed),
                });
        match joined {
            Ok((line, ())) => lines.push((*party, Held::Dialled(line))),
            Err(fault) => return Err(elsewhere(appointment.side.as_ref(), *party, name, fault)),
        }
    }
    Ok(lines)
}

/// Names another server to a client that knows it, and nobody to one that does not.
fn elsewhere(
    side: Option<&crate::message::ClientSide>,
    party: PartyId,
    name: &str,
    fault: TalkFault,
) -> Refusal {
    tracing::warn!(server = name, %fault, "does not take part");
    let known = side.is_some_and(|side| side.neighbours.iter().any(|(other, _)| *other == party));
    let seat = match known {
        true => name.to_owned(),
        false => "a server behind it".to_owned(),
    };
    match fault {
        TalkFault::Refused(refusal) => {
            let told = known || refusal.passes() || refusal.forgot();
            let why = match told {
                true => refusal,
                false => Refusal::Fault,
            };
            let why = Box::new(why);
            Refusal::Elsewhere { seat, why }
        }
        fault => Refusal::Unreachable {
            seat,
            fault: match known {
                true => fault.to_string(),
                false => "no answer".to_owned(),
            },
        },
    }
}
