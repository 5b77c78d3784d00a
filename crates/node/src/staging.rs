//! Deployments on their way in: staged whole, then activated by their owner or as the leading node says.

use crate::message::{
    Amount, Appointment, CHUNK, Id, MOST_ASKED, MOST_TOLD, Refusal, Reply, Request, Right, Staging,
    Standing,
};
use crate::models::Model;
use crate::node::{Shared, denied, short};
use crate::places::Caller;
use crate::talk::{TalkFault, ask, hear, tell};
use std::sync::Arc;
use std::time::Duration;
use subrosa::{Bytes, Holding};
use subrosa_net::Line;
use subrosa_vault::BlobId;
use zeroize::Zeroizing;

/// Time for the next piece of a model.
const PIECE: Duration = Duration::from_secs(30);
/// Time for the leading node to say how a deployment stands.
const ASKED: Duration = Duration::from_secs(5);

/// Takes a deployment in. It is kept when the reply is [`Reply::Staged`], and not used yet.
pub fn stage(shared: &Shared, staging: &Staging, mut caller: Caller) -> Result<Caller, TalkFault> {
    let who = caller.line.peer();
    let name = shared.name_of(&who);
    let taken = check(shared, staging, &who).and_then(|()| {
        let asked = tell(&mut caller.line, &Reply::Done);
        asked.map_err(|_| Refusal::Fault)?;
        take(shared, staging, &mut caller.line)
    });
    let deployment = short(staging.deployment);
    match taken {
        Ok(()) => {
            tracing::info!(model = staging.model, deployment, owner = name, "staged");
            tell(&mut caller.line, &Reply::Staged)?;
            Ok(caller)
        }
        Err(refusal) => {
            tracing::warn!(model = staging.model, deployment, owner = name, %refusal, "not staged");
            // What is still on its way would be taken for requests.
            tell(&mut caller.line, &Reply::Refused(refusal.clone()))?;
            Err(refusal.into())
        }
    }
}

fn check(shared: &Shared, staging: &Staging, who: &subrosa::Fingerprint) -> Result<(), Refusal> {
    let model = &staging.model;
    if !shared.config.permissions.may_deploy(who, model) {
        return Err(denied(who, Right::Deploy(model.clone())));
    }
    if shared.draining() {
        return Err(Refusal::Draining);
    }
    let all = staging.holdings.iter().chain([&staging.appointment]);
    let found = all.fold(0u64, |sum, bytes| sum.saturating_add(bytes.0));
    let limit = shared.config.limits.model_bytes;
    if found > limit || staging.appointment.0 > MOST_TOLD as u64 {
        return Err(Refusal::TooMuch {
            what: Amount::ModelBytes,
            limit: limit.min(MOST_TOLD as u64),
            found,
        });
    }
    Ok(())
}

fn take(shared: &Shared, staging: &Staging, line: &mut Line) -> Result<(), Refusal> {
    let mut appointment = Vec::new();
    chunks(line, staging.appointment, |bytes| {
        appointment.extend_from_slice(bytes);
        Ok(())
    })?;
    let appointment: Appointment =
        postcard::from_bytes(&appointment).map_err(|_| Refusal::Malformed)?;
    fits(shared, staging, &appointment)?;
    let mut blobs = Vec::new();
    let lengths = &mut staging.holdings.iter();
    let kept = lengths.try_for_each(|length| {
        blobs.push(holding(shared, line, *length)?);
        Ok(())
    });
    let staged = kept.and_then(|()| shared.models.stage(appointment, blobs.clone()));
    if staged.is_err() {
        blobs
            .iter()
            .for_each(|blob| shared.models.store().discard(blob));
    }
    staged
}

/// One holding, to the disk as it comes.
fn holding(shared: &Shared, line: &mut Line, length: Bytes) -> Result<BlobId, Refusal> {
    let mut whole = Zeroizing::new(Vec::new());
    let mut writer = shared.models.store().blob()?;
    chunks(line, length, |bytes| {
        whole.extend_from_slice(bytes);
        Ok(writer.write(bytes)?)
    })?;
    postcard::from_bytes::<Holding>(&whole).map_err(|_| Refusal::BadPart)?;
    Ok(writer.finish()?)
}

/// As many bytes as were announced, in pieces.
fn chunks(
    line: &mut Line,
    length: Bytes,
    mut each: impl FnMut(&[u8]) -> Result<(), Refusal>,
) -> Result<(), Refusal> {
    let mut left = length.0;
    while left > 0 {
        let request = hear(line, CHUNK + MOST_ASKED, PIECE);
        let Ok(Request::Chunk(bytes)) = request else {
            return Err(Refusal::Malformed);
        };
        if bytes.is_empty() || bytes.len() as u64 > left {
            return Err(Refusal::Malformed);
        }
        left -= bytes.len() as u64;
        let bytes = Zeroizing::new(bytes);
        each(&bytes)?;
    }
    Ok(())
}

/// Whether an appointment is one that this node can keep.
fn fits(shared: &Shared, staging: &Staging, appointment: &Appointment) -> Result<(), Refusal> {
    let lots = &appointment.lots;
    let same = appointment.model == staging.model
        && appointment.deployment == staging.deployment
        && lots.len() == staging.holdings.len()
        && lots
            .iter()
            .map(|lot| lot.holding)
            .eq(staging.holdings.iter().copied());
    let leads = appointment.me == appointment.lead;
    if !same || lots.is_empty() || leads && appointment.side.is_none() {
        return Err(Refusal::Malformed);
    }
    let protocol = subrosa::find(&appointment.protocol);
    let protocol = protocol.ok_or_else(|| Refusal::NoProtocol(appointment.protocol.clone()))?;
    for lot in lots {
        protocol.price(&lot.view).map_err(|_| Refusal::BadPart)?;
    }
    for (_, certificate, _) in &appointment.neighbours {
        if *certificate == shared.me {
            return Err(Refusal::OwnPeer);
        }
        if !shared.peers.knows(certificate) {
            return Err(Refusal::UnknownPeer(*certificate));
        }
    }
    Ok(())
}

/// Makes a staged deployment the model of its name.
pub fn activate(shared: &Shared, model: &str, deployment: Id) -> Result<(), Refusal> {
    let old = shared.models.named(model).ok();
    shared.models.activate(model, deployment)?;
    let old = old.filter(|old| old.appointment.deployment != deployment);
    if let Some(old) = old {
        shared.ledger.forget(old.appointment.deployment);
    }
    tracing::info!(model, deployment = short(deployment), "active");
    Ok(())
}

/// Asks the leading node about deployments that are staged here: its word is the owner's.
pub fn settle(shared: &Arc<Shared>) {
    for staged in shared.models.staged() {
        let appointment = &staged.appointment;
        let (model, deployment) = (&appointment.model, appointment.deployment);
        let standing = match appointment.me == appointment.lead {
            true => continue,
            false => standing(shared, &staged),
        };
        match standing {
            Some(Standing::Active) => {
                if let Err(refusal) = activate(shared, model, deployment) {
                    tracing::warn!(model, %refusal, "not activated");
                }
            }
            Some(Standing::Staged) | None => {}
            Some(Standing::Unknown) => {
                // The owner stages at the leading node first, so this one's is of an older try.
                tracing::info!(model, deployment = short(deployment), "given up");
                if let Err(refusal) = shared.models.unstage(model, deployment) {
                    tracing::warn!(model, %refusal, "not given up");
                }
            }
        }
    }
}

/// What the leading node says of a deployment; nothing where it does not answer.
fn standing(shared: &Shared, staged: &Model) -> Option<Standing> {
    let appointment = &staged.appointment;
    let mut known = appointment.neighbours.iter();
    let (_, lead, _) = known.find(|(party, _, _)| *party == appointment.lead)?;
    let request = Request::Standing {
        model: appointment.model.clone(),
        deployment: appointment.deployment,
    };
    let asked = shared
        .peers
        .connect(*lead, |line| match ask(line, &request, ASKED)? {
            Reply::Standing(standing) => Ok(standing),
            _ => Err(TalkFault::Malformed),
        });
    let (line, standing) = asked.ok()?;
    shared.peers.give_back(line);
    Some(standing)
}
