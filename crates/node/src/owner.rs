//! The owner's side of a deployment: each server is handed its part, then the leading one is told that all have theirs.

use crate::config::KnownNode;
use crate::message::{
    Appointment, CHUNK, ClientSide, Id, InputSide, Lot, Opened, OutputSide, Reply, Request, Staging,
};
use crate::talk::{TalkFault, ask, call, hear, tell};
use std::time::Duration;
use subrosa::{
    Bytes, Element, Error, Fingerprint, Holding, Identity, LocalFault, PartyId, Planned, Weights,
};
use subrosa_net::Line;
use thiserror::Error;
use zeroize::Zeroizing;

/// Time for a node to write a deployment to its disk.
const WRITTEN: Duration = Duration::from_secs(120);

/// What is deployed, and to whom.
pub struct Deploying<'a> {
    pub model: &'a str,
    pub identity: &'a Identity,
    /// The servers, by the names of their seats.
    pub nodes: &'a [KnownNode],
    /// For each batch size a plan of the same protocol, with the weights that it was made from.
    pub lots: &'a [(u32, Planned, &'a Weights)],
    pub inputs: Vec<InputSide>,
    pub opened: Opened,
    pub timeout: Duration,
}

/// A deployment that is active.
#[derive(Clone, Debug)]
pub struct Deployed {
    pub deployment: Id,
    /// What clients pin.
    pub fingerprint: Fingerprint,
    /// Seats whose nodes have not answered since. They follow the leading node as soon as they reach it.
    pub following: Vec<String>,
    /// Bytes handed to each seat.
    pub handed: Vec<(String, u64)>,
}

#[derive(Debug, Error)]
pub enum OwnerFault {
    #[error("no node is given for {seat}; expected nodes named {expected}")]
    NoNode { seat: String, expected: String },
    #[error("no seat is called `{name}`; expected nodes named {expected}")]
    NoSeat { name: String, expected: String },
    #[error("no server of this protocol is linked to all others")]
    NoLead,
    #[error("nothing was deployed: {node}: {fault}")]
    Node { node: String, fault: TalkFault },
    #[error("{0}")]
    Plan(#[from] Error),
    #[error("{0}")]
    Local(#[from] LocalFault),
}

struct Server<'a> {
    party: PartyId,
    seat: &'static str,
    node: &'a KnownNode,
}

/// Stages at every server, the leading one first, and activates. An error leaves all nodes as they were, but for what
/// they have staged, which nobody uses.
///
/// `handing`: called with the name of a seat, bytes handed to it so far, and all its bytes.
pub fn deploy(
    what: &Deploying<'_>,
    handing: &mut dyn FnMut(&str, u64, u64),
) -> Result<Deployed, OwnerFault> {
    let (_, plan, _) = what.lots.first().ok_or(LocalFault::Invariant)?;
    let servers = servers(plan, what.nodes)?;
    let lead = lead(plan, &servers)?;
    let deployment = Id::random().ok_or(LocalFault::Randomness)?;
    let side = side(what, plan, &servers, lead)?;
    let fingerprint = side.fingerprint();
    let mut holdings = Vec::new();
    for (_, plan, weights) in what.lots {
        holdings.push(plan.holdings(weights)?);
    }
    let mut order: Vec<&Server<'_>> = servers.iter().collect();
    order.sort_by_key(|server| server.party != lead);
    let mut lines = Vec::new();
    let mut handed = Vec::new();
    for server in order {
        let seats = plan.seats();
        let at = seats.iter().position(|seat| seat.party == server.party);
        let at = at.ok_or(LocalFault::Invariant)?;
        let encoded = holdings.iter().map(|all| encode(&all[at]));
        let encoded: Vec<Zeroizing<Vec<u8>>> = encoded.collect();
        let appointment = Appointment {
            deployment,
            model: what.model.to_owned(),
            protocol: plan.protocol.name().to_owned(),
            me: server.party,
            seat: server.seat.to_owned(),
            client: side.me,
            lead,
            neighbours: neighbours(plan, server.party, &servers),
            faces_client: plan.neighbours(server.party).contains(&side.me),
            keepers: plan.keepers_told(server.party)?,
            lots: lots(what, server.party, &encoded)?,
            side: plan
                .neighbours(server.party)
                .contains(&side.me)
                .then(|| side.clone()),
        };
        let fault = |fault| OwnerFault::Node {
            node: server.node.name.clone(),
            fault,
        };
        let address = server.node.address.as_str();
        let line = call(
            address,
            what.identity,
            server.node.fingerprint,
            what.timeout,
        );
        let (mut line, _) = line.map_err(fault)?;
        let mut told = |sent, all| handing(server.seat, sent, all);
        let sent = stage(&mut line, &appointment, &encoded, what.timeout, &mut told);
        handed.push((server.seat.to_owned(), sent.map_err(fault)?));
        lines.push((server, line));
    }
    let mut following = Vec::new();
    for (server, mut line) in lines {
        let request = Request::Activate {
            model: what.model.to_owned(),
            deployment,
        };
        match ask(&mut line, &request, WRITTEN) {
            Ok(_) => {}
            Err(fault) if server.party == lead => {
                let node = server.node.name.clone();
                return Err(OwnerFault::Node { node, fault });
            }
            Err(_) => following.push(server.seat.to_owned()),
        }
    }
    Ok(Deployed {
        deployment,
        fingerprint,
        following,
        handed,
    })
}

/// Removes a model from every node, whatever version each has; a node that does not have it is passed over. Gives the
/// names of the nodes that had it.
pub fn remove(
    model: &str,
    identity: &Identity,
    nodes: &[KnownNode],
    timeout: Duration,
) -> Result<Vec<String>, OwnerFault> {
    let mut had = Vec::new();
    for node in nodes {
        let fault = |fault| OwnerFault::Node {
            node: node.name.clone(),
            fault,
        };
        let line = call(node.address.as_str(), identity, node.fingerprint, timeout);
        let (mut line, _) = line.map_err(fault)?;
        let request = Request::Remove {
            model: model.to_owned(),
        };
        match ask(&mut line, &request, WRITTEN) {
            Ok(_) => had.push(node.name.clone()),
            Err(TalkFault::Refused(crate::message::Refusal::NoModel { .. })) => {}
            Err(other) => return Err(fault(other)),
        }
    }
    Ok(had)
}

fn servers<'a>(plan: &Planned, nodes: &'a [KnownNode]) -> Result<Vec<Server<'a>>, OwnerFault> {
    let seats: Vec<_> = plan.seats();
    let seats = seats.into_iter().filter(|seat| !seat.kind.brings_input());
    let seats: Vec<_> = seats.collect();
    let names: Vec<&str> = seats.iter().map(|seat| seat.name).collect();
    let expected = names.join(", ");
    if let Some(node) = nodes
        .iter()
        .find(|node| !names.contains(&node.name.as_str()))
    {
        let name = node.name.clone();
        return Err(OwnerFault::NoSeat { name, expected });
    }
    let server = |seat: subrosa::Seat| {
        let node = nodes.iter().find(|node| node.name == seat.name);
        let node = node.ok_or_else(|| OwnerFault::NoNode {
            seat: seat.name.to_owned(),
            expected: expected.clone(),
        })?;
        Ok(Server {
            party: seat.party,
            seat: seat.name,
            node,
        })
    };
    seats.into_iter().map(server).collect()
}

/// The hub of the material's keepers, or else the first server that is linked to all other parties.
fn lead(plan: &Planned, servers: &[Server<'_>]) -> Result<PartyId, OwnerFault> {
    let hub = plan.keepers()?.first().copied();
    let all = plan.seats().len();
    let linked = |party: PartyId| plan.neighbours(party).len() + 1 == all;
    let serves = |party: &PartyId| servers.iter().any(|server| server.party == *party);
    let first = || {
        let parties = servers.iter().map(|server| server.party);
        parties.into_iter().find(|party| linked(*party))
    };
    hub.filter(serves).or_else(first).ok_or(OwnerFault::NoLead)
}

fn side(
    what: &Deploying<'_>,
    plan: &Planned,
    servers: &[Server<'_>],
    lead: PartyId,
) -> Result<ClientSide, OwnerFault> {
    let seats = plan.seats();
    let client = seats.iter().find(|seat| seat.kind.brings_input());
    let me = client.ok_or(LocalFault::Invariant)?.party;
    let linked = plan.neighbours(me);
    let neighbours = servers
        .iter()
        .filter(|server| linked.contains(&server.party));
    let outputs = plan.graph().tail.outputs.iter().map(|output| OutputSide {
        name: output.name.clone(),
        integer: output.element == Element::Integer,
    });
    Ok(ClientSide {
        protocol: plan.protocol.name().to_owned(),
        me,
        neighbours: neighbours
            .map(|server| (server.party, server.seat.to_owned()))
            .collect(),
        lead,
        keepers: plan.keepers_told(me)?,
        inputs: what.inputs.clone(),
        outputs: outputs.collect(),
        opened: what.opened,
        lots: what
            .lots
            .iter()
            .map(|(batch, plan, _)| Ok((*batch, view(plan, me)?)))
            .collect::<Result<_, LocalFault>>()?,
    })
}

fn view(plan: &Planned, party: PartyId) -> Result<Vec<u8>, LocalFault> {
    let mut parties = plan.parties().iter();
    let found = parties.find(|found| found.seat.party == party);
    found
        .map(|found| found.view.clone())
        .ok_or(LocalFault::Invariant)
}

fn lots(
    what: &Deploying<'_>,
    party: PartyId,
    holdings: &[Zeroizing<Vec<u8>>],
) -> Result<Vec<Lot>, LocalFault> {
    let lots = what.lots.iter().zip(holdings);
    let lot = |((batch, plan, _), holding): (&(u32, Planned, &Weights), &Zeroizing<Vec<u8>>)| {
        Ok(Lot {
            batch: *batch,
            view: view(plan, party)?,
            holding: Bytes(holding.len() as u64),
        })
    };
    lots.map(lot).collect()
}

/// The other servers that one is linked to.
fn neighbours(
    plan: &Planned,
    party: PartyId,
    servers: &[Server<'_>],
) -> Vec<(PartyId, Fingerprint, String)> {
    let linked = plan.neighbours(party);
    let others = servers
        .iter()
        .filter(|server| linked.contains(&server.party));
    let named = |server: &Server<'_>| {
        let certificate = server.node.fingerprint;
        (server.party, certificate, server.seat.to_owned())
    };
    others.map(named).collect()
}

fn encode(holding: &Holding) -> Zeroizing<Vec<u8>> {
    // Only a length that the format cannot hold fails, and a value in memory has none.
    Zeroizing::new(postcard::to_allocvec(holding).unwrap_or_default())
}

/// Hands one server its appointment and its parts; says how many bytes that were.
fn stage(
    line: &mut Line,
    appointment: &Appointment,
    holdings: &[Zeroizing<Vec<u8>>],
    timeout: Duration,
    handing: &mut dyn FnMut(u64, u64),
) -> Result<u64, TalkFault> {
    let record = postcard::to_allocvec(appointment).map_err(|_| TalkFault::Malformed)?;
    let length = |bytes: &[u8]| Bytes(bytes.len() as u64);
    let staging = Staging {
        model: appointment.model.clone(),
        deployment: appointment.deployment,
        appointment: length(&record),
        holdings: holdings.iter().map(|bytes| length(bytes)).collect(),
    };
    ask(line, &Request::Stage(staging), timeout)?;
    let parts = || std::iter::once(&record[..]).chain(holdings.iter().map(|bytes| &bytes[..]));
    let all = parts().map(|part| part.len() as u64).sum();
    let mut sent = 0;
    for chunk in parts().flat_map(|part| part.chunks(CHUNK)) {
        if let Err(fault) = tell(line, &Request::Chunk(chunk.to_vec())) {
            // The node may have said why before it closed.
            return Err(match hear(line, crate::message::MOST_ASKED, timeout) {
                Ok(Reply::Refused(refusal)) => refusal.into(),
                _ => fault,
            });
        }
        sent += chunk.len() as u64;
        handing(sent, all);
    }
    match hear(line, crate::message::MOST_ASKED, WRITTEN)? {
        Reply::Staged => Ok(sent),
        Reply::Refused(refusal) => Err(refusal.into()),
        _ => Err(TalkFault::Malformed),
    }
}
