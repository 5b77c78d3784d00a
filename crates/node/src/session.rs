//! A server's part in a visit, whoever leads it.

use crate::enrolments::{Enrolled, Enrolment, KeptKeys};
use crate::message::{Call, Refusal};
use crate::models::Model;
use crate::node::{Shared, serve};
use crate::places::Caller;
use crate::visit::{Attending, Guest, attend};
use std::sync::Arc;
use std::time::Instant;
use subrosa::{
    Fingerprint, Holding, Links, LocalFault, Network, PartyId, PoolTerms, RunError, SeriesName,
    SharedPart, Tensor, VaultFault, store_fault,
};
use subrosa_net::Line;

/// A connection of a visit, by who has made it.
pub enum Held {
    /// Goes back to be served.
    Came(Caller),
    /// Goes back among the idle ones.
    Dialled(Line),
}

/// A server that is ready for a visit.
pub struct Seat {
    pub model: Arc<Model>,
    pub call: Call,
    lot: usize,
    part: Option<SharedPart>,
    /// Nothing where the part is there.
    holding: Holding,
    whose: Enrolled,
    old: Option<Enrolment>,
}

impl Seat {
    /// Checks `call` against what this node has.
    pub fn take(shared: &Shared, model: Arc<Model>, call: Call) -> Result<Self, Refusal> {
        let lot = model.lot(call.batch)?;
        let whose = Enrolled {
            deployment: call.deployment,
            batch: call.batch,
            client: call.client,
        };
        let old = shared.models.enrolments.get(&whose)?;
        if !call.setup {
            let old = old.as_ref().ok_or(Refusal::NoEnrolment)?;
            let keeps = model.appointment.keepers.contains(&model.appointment.me);
            if old.id != call.enrolment || keeps && call.pool.is_some() && old.tag() != call.pool {
                return Err(Refusal::NoEnrolment);
            }
        }
        let part = model.part(lot);
        let holding = match part {
            Some(_) => Holding::Nothing,
            None => model.holding(shared.models.store(), lot)?,
        };
        Ok(Self {
            model,
            call,
            lot,
            part,
            holding,
            whose,
            old,
        })
    }

    pub fn whose(&self) -> Enrolled {
        self.whose
    }

    /// Where material is, if any is wanted. `client`: its certificate, where this server sees it.
    fn pool(&self, shared: &Shared, client: Option<Fingerprint>) -> Option<PoolTerms> {
        if !self.call.pooled && self.call.fill == 0 {
            return None;
        }
        let appointment = &self.model.appointment;
        let certificate = |keeper: &PartyId| {
            if *keeper == appointment.me {
                return Some((*keeper, shared.me));
            }
            if *keeper == appointment.client {
                return client.map(|client| (*keeper, client));
            }
            let mut known = appointment.neighbours.iter();
            let known = known.find(|(party, _, _)| party == keeper);
            known.map(|(party, certificate, _)| (*party, *certificate))
        };
        let keeps = appointment.keepers.contains(&appointment.me);
        let old = self.old.as_ref().filter(|_| self.call.pool.is_some());
        Some(PoolTerms {
            keepers: appointment.keepers.iter().filter_map(certificate).collect(),
            vault: keeps.then(|| shared.models.enrolments.vault.clone()),
            name: old.and_then(|old| old.pool.clone()),
            lease: self.call.infer.max(1).into(),
        })
    }

    /// Runs the session over `lines`, and sends those that are still good back to where they were. Gives the one to
    /// `back`, if it is among these.
    pub fn run(
        self,
        shared: &Arc<Shared>,
        lines: Vec<(PartyId, Held)>,
        back: Option<PartyId>,
    ) -> Option<Caller> {
        let appointment = &self.model.appointment;
        let seat_of = |lines: &[(PartyId, Held)]| {
            let mut callers = lines.iter().filter_map(|(party, held)| match held {
                Held::Came(caller) if *party == appointment.client => Some(caller.line.peer()),
                _ => None,
            });
            callers.next()
        };
        let client = seat_of(&lines);
        let mut places = Vec::new();
        let mut plain = Vec::new();
        for (party, held) in lines {
            let (line, place) = match held {
                Held::Came(Caller { line, place }) => (line, Some(place)),
                Held::Dialled(line) => (line, None),
            };
            places.push((party, place));
            plain.push((party, line));
        }
        let links = Links::of(appointment.me, Network::LOOPBACK, plain);
        let done = match links {
            Ok(links) => self.attend(shared, links, client),
            Err(fault) => Err(fault.into()),
        };
        let links = match done {
            Ok(links) => links,
            Err(error) => {
                self.complain(shared, client, &error);
                return None;
            }
        };
        let mut asked = None;
        for (party, line) in links.into_lines() {
            let at = places.iter().position(|(other, _)| *other == party);
            match at.map(|at| places.swap_remove(at).1) {
                Some(Some(place)) if back == Some(party) => asked = Some(Caller { line, place }),
                Some(Some(place)) => serve(shared.clone(), Caller { line, place }, false),
                _ => shared.peers.give_back(line),
            }
        }
        asked
    }

    fn attend(
        &self,
        shared: &Shared,
        links: Links,
        client: Option<Fingerprint>,
    ) -> Result<Links, RunError> {
        let appointment = &self.model.appointment;
        let protocol = subrosa::find(&appointment.protocol).ok_or(LocalFault::Invariant)?;
        let lot = appointment
            .lots
            .get(self.lot)
            .ok_or(LocalFault::Invariant)?;
        let limits = &shared.config.limits;
        let enrolment = match (&self.old, self.call.setup) {
            (Some(old), false) => old.clone(),
            _ => Enrolment {
                id: self.call.enrolment,
                keys: KeptKeys::default(),
                pool: None,
            },
        };
        let keys = enrolment.keys.clone();
        let mut server = Server {
            shared,
            model: &self.model,
            lot: self.lot,
            whose: self.whose,
            enrolment,
            old: self.old.as_ref(),
        };
        let seat = Attending {
            protocol,
            view: &lot.view,
            holding: &self.holding,
            part: self.part.clone(),
            threads: limits.threads,
            timeout: limits.timeout,
            keys: (!self.call.setup).then_some(&keys.0[..]),
            pool: self.pool(shared, client),
            fill: self.call.fill,
            infer: self.call.infer,
        };
        let began = Instant::now();
        let (tally, done) = attend(seat, links, &mut server);
        let time = began.elapsed();
        shared
            .ledger
            .add(appointment.deployment, &tally, time, done.is_err());
        tracing::info!(
            model = appointment.model,
            enrolled = tally.enrolled,
            filled = tally.filled,
            inferred = tally.inferred,
            pooled = tally.pooled,
            sent = (tally.bill.setup.bytes + tally.bill.offline.bytes + tally.bill.online.bytes).0,
            ms = time.as_millis() as u64,
            "visit"
        );
        done
    }

    fn complain(&self, shared: &Shared, client: Option<Fingerprint>, error: &RunError) {
        let appointment = &self.model.appointment;
        let culprit = match error.culprit() {
            None => "this node".to_owned(),
            Some(party) if party == appointment.client => match client {
                Some(client) => shared.name_of(&client),
                None => "the client".to_owned(),
            },
            Some(party) => seat_name(&self.model, party),
        };
        let model = &appointment.model;
        tracing::warn!(model, culprit, %error, "a visit failed");
    }
}

/// What the seat of a server is called.
pub fn seat_name(model: &Model, party: PartyId) -> String {
    let appointment = &model.appointment;
    if party == appointment.me {
        return appointment.seat.clone();
    }
    let mut known = appointment.neighbours.iter();
    let known = known.find(|(other, _, _)| *other == party);
    known.map_or_else(|| party.to_string(), |(_, _, name)| name.clone())
}

struct Server<'a> {
    shared: &'a Shared,
    model: &'a Model,
    lot: usize,
    whose: Enrolled,
    enrolment: Enrolment,
    old: Option<&'a Enrolment>,
}

impl Server<'_> {
    fn keep(&self) -> Result<(), RunError> {
        let kept = self
            .shared
            .models
            .enrolments
            .put(&self.whose, &self.enrolment);
        Ok(kept.map_err(|fault: VaultFault| store_fault(&fault))?)
    }

    /// Material under keys or a name that is no more.
    fn forget_old(&self) {
        if let Some(old) = self.old.filter(|old| old.pool != self.enrolment.pool) {
            self.shared.models.enrolments.forget_pool(old);
        }
    }
}

impl Guest for Server<'_> {
    fn enrolled(&mut self, keys: &[u8]) -> Result<(), RunError> {
        self.enrolment.keys = KeptKeys(keys.to_vec());
        self.enrolment.pool = None;
        self.keep()?;
        self.forget_old();
        Ok(())
    }

    fn parted(&mut self, part: SharedPart) {
        self.model.keep_part(self.lot, part);
    }

    fn pooling(&mut self, name: &SeriesName) -> Result<(), RunError> {
        self.enrolment.pool = Some(name.clone());
        self.keep()?;
        self.forget_old();
        Ok(())
    }

    fn inputs(&mut self) -> Option<Vec<Tensor>> {
        None
    }

    fn answered(&mut self, _: Option<Vec<Tensor>>) {}
}
