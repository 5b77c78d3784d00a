//! Who asks: addresses, fingerprints and the name of a model are all it needs.

use crate::ask::Ask;
use crate::config::KnownNode;
use crate::enrolments::Enrolments;
use crate::message::{Described, Id, Reply, Request};
use crate::status::Status;
use crate::talk::{TalkFault, ask, call};
use std::path::Path;
use std::time::Duration;
use subrosa::{Fingerprint, Identity, PartyId, RunError, Seed, VaultFault};
use subrosa_net::Line;
use thiserror::Error;

/// Which deployment a model was when it was last asked.
const ASKED: &str = "asked";

#[derive(Debug, Error)]
pub enum ClientFault {
    #[error("its keys and material: {0}")]
    State(#[from] VaultFault),
    #[error("{node}: {fault}")]
    Node { node: String, fault: TalkFault },
    #[error("the model `{model}` is served by {seat} too, and none of the nodes given is that one")]
    Missing { model: String, seat: String },
    #[error("{one} and {other} serve different versions of `{model}`")]
    Differ {
        model: String,
        one: String,
        other: String,
    },
    #[error("none of the nodes given leads the model `{model}`")]
    NoLead { model: String },
    #[error("the architecture of `{model}` is {found}, expected {expected}")]
    Unexpected {
        model: String,
        expected: Fingerprint,
        found: Fingerprint,
    },
    #[error("{node} describes the model `{model}` in a way that this program does not understand")]
    Foreign { model: String, node: String },
    #[error("{culprit} ended the session: {error}")]
    Session { culprit: String, error: RunError },
    #[error("this side failed: {0}")]
    Own(RunError),
}

/// A client's identity, what it knows of nodes, and its keys and material.
pub struct Client {
    pub(crate) identity: Identity,
    nodes: Vec<KnownNode>,
    pub(crate) enrolments: Enrolments,
    /// The longest silence of a node.
    pub(crate) timeout: Duration,
}

impl Client {
    /// The key that a passphrase stands for, of what is in `state`, which is made if absent.
    pub fn key(passphrase: &[u8], state: &Path) -> Result<Seed, VaultFault> {
        Enrolments::stretched(passphrase, state)
    }

    /// `state`: a folder for keys and material, sealed under `key`; made if absent.
    pub fn open(
        identity: Identity,
        nodes: Vec<KnownNode>,
        state: &Path,
        key: &Seed,
        timeout: Duration,
    ) -> Result<Self, ClientFault> {
        Ok(Self {
            identity,
            nodes,
            enrolments: Enrolments::open(state, key)?,
            timeout,
        })
    }

    /// Asks all nodes what they say of a model; they must say the same. `expect`: the fingerprint that its architecture
    /// must have.
    pub fn ask(&self, model: &str, expect: Option<Fingerprint>) -> Result<Ask<'_>, ClientFault> {
        let request = || Request::Describe {
            model: model.to_owned(),
        };
        let mut told: Vec<(&KnownNode, Line, Described)> = Vec::new();
        let mut failed = None;
        for node in &self.nodes {
            let described = self.dial(node).and_then(|mut line| {
                match ask(&mut line, &request(), self.timeout)? {
                    Reply::Described(described) => Ok((line, *described)),
                    _ => Err(TalkFault::Malformed),
                }
            });
            match described {
                Ok((line, described)) => told.push((node, line, described)),
                Err(fault) => failed = failed.or(Some(of_node(node, fault))),
            }
        }
        let lead = told
            .iter()
            .position(|(_, _, described)| described.side.is_some());
        let Some(lead) = lead else {
            return Err(failed.unwrap_or(ClientFault::NoLead {
                model: model.to_owned(),
            }));
        };
        let (node, level) = (told[lead].0, told[lead].2.level);
        let side = told[lead].2.side.take();
        let (deployment, fingerprint) = (told[lead].2.deployment, told[lead].2.fingerprint);
        let foreign = || ClientFault::Foreign {
            model: model.to_owned(),
            node: node.name.clone(),
        };
        let side = side.filter(|side| side.fingerprint() == fingerprint);
        let side = side.ok_or_else(foreign)?;
        let protocol = subrosa::find(&side.protocol).ok_or_else(foreign)?;
        if side.lots.is_empty() || told[lead].2.me != side.lead {
            return Err(foreign());
        }
        let mut seats = Vec::new();
        let mut lines = Vec::new();
        for (other, line, described) in told {
            let Some(_) = side
                .neighbours
                .iter()
                .find(|(party, _)| *party == described.me)
            else {
                continue;
            };
            if described.deployment != deployment || described.fingerprint != fingerprint {
                return Err(ClientFault::Differ {
                    model: model.to_owned(),
                    one: node.name.clone(),
                    other: other.name.clone(),
                });
            }
            seats.push((described.me, other.clone()));
            lines.push((described.me, line));
        }
        let there = |party: &PartyId| seats.iter().any(|(other, _)| other == party);
        if let Some((_, seat)) = side.neighbours.iter().find(|(party, _)| !there(party)) {
            return Err(failed.unwrap_or_else(|| ClientFault::Missing {
                model: model.to_owned(),
                seat: seat.clone(),
            }));
        }
        if let Some(expected) = expect.filter(|expected| *expected != fingerprint) {
            return Err(ClientFault::Unexpected {
                model: model.to_owned(),
                expected,
                found: fingerprint,
            });
        }
        self.note(model, &seats, deployment)?;
        Ok(Ask {
            client: self,
            model: model.to_owned(),
            deployment,
            side,
            fingerprint,
            level,
            protocol,
            nodes: seats,
            lines,
            patience: Duration::from_secs(120),
            threads: 1,
        })
    }

    /// The status of each node, or why it does not say. Takes nothing of what a client keeps.
    pub fn status(
        identity: &Identity,
        nodes: &[KnownNode],
        timeout: Duration,
    ) -> Vec<(String, Result<Status, TalkFault>)> {
        let status = |node: &KnownNode| {
            let (mut line, _) = call(node.address.as_str(), identity, node.fingerprint, timeout)?;
            match ask(&mut line, &Request::Status, timeout)? {
                Reply::Status(status) => Ok(*status),
                _ => Err(TalkFault::Malformed),
            }
        };
        let all = nodes.iter();
        all.map(|node| (node.name.clone(), status(node))).collect()
    }

    pub(crate) fn dial(&self, node: &KnownNode) -> Result<Line, TalkFault> {
        let address = node.address.as_str();
        let called = call(address, &self.identity, node.fingerprint, self.timeout);
        called.map(|(line, _)| line)
    }

    /// Forgets keys and material of an older deployment of the same model at the same nodes.
    fn note(
        &self,
        model: &str,
        seats: &[(PartyId, KnownNode)],
        deployment: Id,
    ) -> Result<(), VaultFault> {
        let mut name = model.as_bytes().to_vec();
        for (_, node) in seats {
            name.extend_from_slice(&node.fingerprint.0);
        }
        let store = &self.enrolments.store;
        let old = store.get(ASKED, &name)?;
        if old.as_ref().is_some_and(|old| old[..] == deployment.0) {
            return Ok(());
        }
        let gone = match old.and_then(|old| <[u8; 16]>::try_from(&old[..]).ok()) {
            Some(old) => self.enrolments.of(Id(old))?,
            None => Vec::new(),
        };
        store.change(|change| {
            change.put(ASKED, &name, &deployment.0, &[])?;
            Enrolments::delete(change, &gone)
        })?;
        self.enrolments.forget(&gone);
        Ok(())
    }
}

pub(crate) fn of_node(node: &KnownNode, fault: TalkFault) -> ClientFault {
    ClientFault::Node {
        node: node.name.clone(),
        fault,
    }
}
