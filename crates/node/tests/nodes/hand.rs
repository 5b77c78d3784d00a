//! Words on lines, said by hand: what no program of ours would say.

use crate::harness::*;
use std::net::SocketAddr;
use subrosa::{Bytes, LinkFault, PartyId};
use subrosa_net::{Line, LineFault};
use subrosa_node::message::{
    Appointment, ClientSide, Id, Lot, Refusal, Reply, Request, Staging, VERSION,
};

pub fn dial(cloud: &Cloud, key: &Key, at: usize) -> Result<Line, LinkFault> {
    let address = SocketAddr::from(([127, 0, 0, 1], cloud.ports[at]));
    let peer = cloud.keys[at].identity().fingerprint();
    Line::dial(address, &key.identity(), peer, TIMEOUT)
}

pub fn say(line: &mut Line, request: &Request) -> Result<Reply, LineFault> {
    line.send(&postcard::to_allocvec(request).unwrap(), TIMEOUT)?;
    let reply = line.receive(1 << 26, TIMEOUT, TIMEOUT)?;
    Ok(postcard::from_bytes(&reply).unwrap())
}

/// A connection after its first words.
pub fn meet(cloud: &Cloud, key: &Key, at: usize) -> Line {
    let mut line = dial(cloud, key, at).unwrap();
    let reply = say(&mut line, &Request::Hello { version: VERSION }).unwrap();
    assert!(matches!(reply, Reply::Hello { .. }));
    line
}

pub fn refused(line: &mut Line, request: &Request) -> Refusal {
    match say(line, request).unwrap() {
        Reply::Refused(refusal) => refusal,
        _ => panic!("it was granted"),
    }
}

/// What one server is given of a deployment.
pub struct Part {
    pub appointment: Appointment,
    pub holdings: Vec<Vec<u8>>,
}

/// The part of the server with the number `at`, all being linked.
pub fn part(cloud: &Cloud, lots: &Lots, side: &ClientSide, deployment: Id, at: usize) -> Part {
    let me = PartyId(at as u8);
    let others = (0..cloud.seats.len()).filter(|other| *other != at);
    let neighbours = others.map(|other| {
        let print = cloud.keys[other].identity().fingerprint();
        (PartyId(other as u8), print, cloud.seats[other].to_owned())
    });
    let mut part = Part {
        appointment: Appointment {
            deployment,
            model: "digits".to_owned(),
            protocol: side.protocol.clone(),
            me,
            seat: cloud.seats[at].to_owned(),
            client: side.me,
            lead: side.lead,
            neighbours: neighbours.collect(),
            faces_client: true,
            keepers: side.keepers.clone(),
            lots: Vec::new(),
            side: Some(side.clone()),
        },
        holdings: Vec::new(),
    };
    for (batch, plan, weights) in lots.plans() {
        let seats = plan.seats();
        let seat = seats.iter().position(|seat| seat.party == me).unwrap();
        let holding = &plan.holdings(weights).unwrap()[seat];
        let holding = postcard::to_allocvec(holding).unwrap();
        part.appointment.lots.push(Lot {
            batch,
            view: view(&plan, me),
            holding: Bytes(holding.len() as u64),
        });
        part.holdings.push(holding);
    }
    part
}

pub fn view(plan: &subrosa::Planned, party: PartyId) -> Vec<u8> {
    let mut parties = plan.parties().iter();
    parties
        .find(|found| found.seat.party == party)
        .unwrap()
        .view
        .clone()
}

/// Hands a server its part; what it says at the end.
pub fn stage(line: &mut Line, part: &Part) -> Reply {
    let record = postcard::to_allocvec(&part.appointment).unwrap();
    stage_bytes(line, &part.appointment, &record, &part.holdings)
}

pub fn stage_bytes(
    line: &mut Line,
    appointment: &Appointment,
    record: &[u8],
    holdings: &[Vec<u8>],
) -> Reply {
    let staging = Staging {
        model: appointment.model.clone(),
        deployment: appointment.deployment,
        appointment: Bytes(record.len() as u64),
        holdings: holdings.iter().map(|all| Bytes(all.len() as u64)).collect(),
    };
    match say(line, &Request::Stage(staging)).unwrap() {
        Reply::Done => {}
        other => return other,
    }
    let parts = std::iter::once(record).chain(holdings.iter().map(|all| &all[..]));
    for chunk in parts.flat_map(|part| part.chunks(1 << 20)) {
        let request = Request::Chunk(chunk.to_vec());
        // It may have refused by now.
        if line
            .send(&postcard::to_allocvec(&request).unwrap(), TIMEOUT)
            .is_err()
        {
            break;
        }
    }
    let reply = line.receive(1 << 16, TIMEOUT, TIMEOUT).unwrap();
    postcard::from_bytes(&reply).unwrap()
}
