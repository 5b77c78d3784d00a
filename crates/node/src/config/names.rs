//! Nodes, by name, address and fingerprint.

use super::fault::{ConfigFault, Problem};
use super::section::Section;
use super::value::{fingerprint, form, text};
use std::collections::HashMap;
use std::fmt;
use std::hash::Hash;
use std::net::SocketAddr;
use subrosa_net::Fingerprint;
use toml::de::DeValue;

/// The longest name, in bytes.
const LONGEST: usize = 64;
/// The longest host name, in bytes (RFC 1035, section 2.3.4).
const LONGEST_HOST: usize = 253;

/// Whether `text` may name a node, a client or a model: 1 to 64 letters, digits, dots, hyphens and underscores of
/// ASCII, the first a letter or a digit.
pub fn is_name(text: &str) -> bool {
    let within = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
    text.len() <= LONGEST
        && text.starts_with(|c: char| c.is_ascii_alphanumeric())
        && text.chars().all(within)
}

pub fn name(value: &DeValue<'_>) -> Result<String, Problem> {
    let found = text(value)?;
    if is_name(found) {
        return Ok(found.to_owned());
    }
    let expected = "a name of 1 to 64 letters, digits, dots, hyphens and underscores";
    Err(form(expected, found))
}

/// Where a node listens, as `host:port`. The host is a name or an IP address, the port not 0.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Address(String);

impl Address {
    /// Nothing is resolved.
    pub fn parse(text: &str) -> Option<Self> {
        let (host, port) = text.rsplit_once(':')?;
        let digits = port.bytes().all(|byte| byte.is_ascii_digit());
        let port: u16 = port.parse().ok()?;
        let label = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
        let named = (1..=LONGEST_HOST).contains(&host.len())
            && host.starts_with(|c: char| c.is_ascii_alphanumeric())
            && host.chars().all(label);
        let sound = digits && port > 0 && (named || text.parse::<SocketAddr>().is_ok());
        sound.then(|| Self(text.to_owned()))
    }

    /// As the resolver of the system takes it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A node that this machine may dial.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownNode {
    pub name: String,
    pub address: Address,
    pub fingerprint: Fingerprint,
    line: usize,
}

impl KnownNode {
    /// Of its fingerprint, in its file.
    pub(super) fn line(&self) -> usize {
        self.line
    }
}

const KEYS: &[&str] = &["name", "address", "fingerprint"];

/// The tables of nodes under `key`. No two of them share a name, an address or a fingerprint.
pub fn nodes(file: &mut Section, key: &str) -> Result<Vec<KnownNode>, ConfigFault> {
    let (mut names, mut addresses, mut prints) = (Unique::new(), Unique::new(), Unique::new());
    let mut nodes = Vec::new();
    for mut table in file.sections(key, KEYS)? {
        let node = KnownNode {
            name: table.required("name", name)?,
            address: table.required("address", address)?,
            fingerprint: table.required("fingerprint", fingerprint)?,
            line: table.line("fingerprint"),
        };
        names.add(&table, "name", node.name.clone())?;
        addresses.add(&table, "address", node.address.clone())?;
        prints.add(&table, "fingerprint", node.fingerprint)?;
        nodes.push(node);
    }
    Ok(nodes)
}

/// Refuses nodes under `key` that are whoever has this file.
pub fn check_self(nodes: &[KnownNode], key: &str, own: &Fingerprint) -> Result<(), ConfigFault> {
    match nodes.iter().find(|node| node.fingerprint == *own) {
        None => Ok(()),
        Some(node) => Err(ConfigFault {
            line: node.line(),
            key: format!("{key}.fingerprint"),
            problem: Problem::Own,
        }),
    }
}

fn address(value: &DeValue<'_>) -> Result<Address, Problem> {
    let found = text(value)?;
    let expected = "a host and a port, as node.example.org:7460";
    Address::parse(found).ok_or_else(|| form(expected, found))
}

/// Values that must differ, and where each is.
pub struct Unique<T>(HashMap<T, usize>);

impl<T: Eq + Hash> Unique<T> {
    pub fn new() -> Self {
        Self(HashMap::new())
    }

    pub fn add(&mut self, table: &Section, key: &str, value: T) -> Result<(), ConfigFault> {
        match self.0.insert(value, table.line(key)) {
            None => Ok(()),
            Some(first) => Err(table.fault(key, Problem::Repeated { first })),
        }
    }
}
