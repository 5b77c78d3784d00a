//! A node's file.

use super::fault::{ConfigFault, Problem};
use super::limits::{self, Limits};
use super::located::{KeySource, place};
use super::names::{KnownNode, check_self, name, nodes};
use super::permissions::Permissions;
use super::section::Section;
use super::value::{path, socket, whole};
use std::collections::HashSet;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use subrosa_net::Fingerprint;
use toml::de::DeValue;

const KEYS: &[&str] = &[
    "name",
    "listen",
    "identity",
    "data",
    "store_key",
    "passphrase_file",
    "limits",
    "pool",
    "metrics",
    "peer",
    "allow",
];

/// Inferences' material for each client and model where a file says nothing.
const DEFAULT_LEVEL: u64 = 32;
const MOST_LEVEL: u64 = 1_000_000;

/// What `node.toml` says.
///
/// ```
/// let text = r#"
///     name = "server-0"
///     listen = "0.0.0.0:7460"
///     identity = "server-0.key"
///     data = "data"
///     [[peer]]
///     name = "server-1"
///     address = "10.0.0.2:7460"
///     fingerprint = "12"
/// "#;
/// let fault = subrosa_node::config::NodeConfig::parse(text).unwrap_err();
/// let said = "line 9: peer.fingerprint: expected 64 hexadecimal digits, found 2";
/// assert_eq!(fault.to_string(), said);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeConfig {
    /// `name`: what others' logs and `status` call it.
    pub name: String,
    /// `listen`: where peers and clients reach it. Port 0 has the system choose.
    pub listen: SocketAddr,
    /// `identity`: a file that `subrosa keygen` wrote.
    pub identity: PathBuf,
    /// `data`: the folder of the store and the vault, made if absent.
    pub data: PathBuf,
    /// `store_key` or `passphrase_file`, or neither.
    pub key: KeySource,
    pub limits: Limits,
    /// `level` of `[pool]`, 0 to 1000000 \[32\]: inferences' material for each client and model, at most.
    pub pool_level: u64,
    /// `listen` of `[metrics]`, an address of the loopback; no metrics without.
    pub metrics: Option<SocketAddr>,
    /// `[[peer]]`: the other nodes.
    pub peers: Vec<KnownNode>,
    /// `[[allow]]`: clients and owners.
    pub permissions: Permissions,
}

impl NodeConfig {
    /// Paths are left as they are written.
    pub fn parse(text: &str) -> Result<Self, ConfigFault> {
        let mut file = Section::parse(text, KEYS)?;
        let own = file.required("name", name)?;
        let listen = file.required("listen", socket)?;
        let identity = file.required("identity", path)?;
        let data = file.required("data", path)?;
        let key = KeySource::read(&mut file)?;
        let limits = match file.section("limits", limits::KEYS)? {
            Some(table) => Limits::read(table)?,
            None => Limits::default(),
        };
        let level = match file.section("pool", &["level"])? {
            Some(mut table) => table.optional("level", whole(0, MOST_LEVEL))?,
            None => None,
        };
        let metrics = match file.section("metrics", &["listen"])? {
            Some(mut table) => {
                let at = table.required("listen", loopback)?;
                if at == listen && at.port() > 0 {
                    let first = file.line("listen");
                    return Err(table.fault("listen", Problem::Repeated { first }));
                }
                Some(at)
            }
            None => None,
        };
        let peers = nodes(&mut file, "peer")?;
        if let Some(peer) = peers.iter().find(|peer| peer.name == own) {
            let first = peer.line();
            return Err(file.fault("name", Problem::Ambiguous { first }));
        }
        let permissions = Permissions::read(&mut file, &peers)?;
        Ok(Self {
            name: own,
            listen,
            identity,
            data,
            key,
            limits,
            pool_level: level.unwrap_or(DEFAULT_LEVEL),
            metrics,
            peers,
            permissions,
        })
    }

    /// With relative paths taken from the folder of `file`, which this is read from.
    pub fn located(mut self, file: &Path) -> Self {
        let folder = file.parent().unwrap_or(Path::new(""));
        place(&mut self.identity, folder);
        place(&mut self.data, folder);
        self.key.place(folder);
        self
    }

    /// Refuses a file that lists its own node as a peer.
    pub fn check_self(&self, own: &Fingerprint) -> Result<(), ConfigFault> {
        check_self(&self.peers, "peer", own)
    }

    /// Whose connections are taken at all: peers, and who is allowed something.
    pub fn known(&self) -> HashSet<Fingerprint> {
        let peers = self.peers.iter().map(|peer| peer.fingerprint);
        let allowed = self.permissions.all().map(|(who, _)| *who);
        peers.chain(allowed).collect()
    }

    /// What logs call a peer, a client or an owner.
    pub fn name_of(&self, who: &Fingerprint) -> Option<&str> {
        let peer = self.peers.iter().find(|peer| peer.fingerprint == *who);
        let allowed = || self.permissions.of(who).map(|may| may.name.as_str());
        peer.map(|peer| peer.name.as_str()).or_else(allowed)
    }
}

fn loopback(value: &DeValue<'_>) -> Result<SocketAddr, Problem> {
    let found = socket(value)?;
    match found.ip().is_loopback() {
        true => Ok(found),
        false => Err(Problem::NotLoopback { found }),
    }
}
