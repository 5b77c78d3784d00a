//! The nodes that an owner or a client talks to.

use super::fault::{ConfigFault, Problem};
use super::limits::{DEFAULT_TIMEOUT, timeout};
use super::located::{KeySource, place};
use super::names::{KnownNode, check_self, nodes};
use super::section::Section;
use super::value::path;
use std::path::{Path, PathBuf};
use std::time::Duration;
use subrosa_net::Fingerprint;

const KEYS: &[&str] = &[
    "identity",
    "state",
    "store_key",
    "passphrase_file",
    "timeout",
    "node",
];

/// What an owner's or a client's file says.
///
/// For a deployment, nodes have the names of the protocol's seats: `server-0` to `server-2`, `server`, `vendor`,
/// or `gateway` and `remote-0` onwards. A client needs the nodes alone that it is linked to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Directory {
    /// `identity`: a file that `subrosa keygen` wrote.
    pub identity: PathBuf,
    /// `state`: the folder of a client's keys and material, made if absent. Left out, it is empty until
    /// [`Directory::located`] puts it beside the file, with its name: `client.state` for `client.toml`.
    pub state: PathBuf,
    /// `store_key` or `passphrase_file`, or neither: for what is in `state`.
    pub key: KeySource,
    /// `timeout`, 100ms to 1h \["30s"\]: the longest silence of a node.
    pub timeout: Duration,
    /// `[[node]]`, at least one.
    pub nodes: Vec<KnownNode>,
}

impl Directory {
    /// Paths are left as they are written.
    pub fn parse(text: &str) -> Result<Self, ConfigFault> {
        let mut file = Section::parse(text, KEYS)?;
        let directory = Self {
            identity: file.required("identity", path)?,
            state: file.optional("state", path)?.unwrap_or_default(),
            key: KeySource::read(&mut file)?,
            timeout: timeout(&mut file)?.unwrap_or(DEFAULT_TIMEOUT),
            nodes: nodes(&mut file, "node")?,
        };
        match directory.nodes.is_empty() {
            true => Err(file.fault("node", Problem::Missing)),
            false => Ok(directory),
        }
    }

    /// With relative paths taken from the folder of `file`, which this is read from, and with the folder of its
    /// state named for it if it names none.
    pub fn located(mut self, file: &Path) -> Self {
        let folder = file.parent().unwrap_or(Path::new(""));
        place(&mut self.identity, folder);
        self.key.place(folder);
        match self.state.as_os_str().is_empty() {
            true => self.state = file.with_extension("state"),
            false => place(&mut self.state, folder),
        }
        self
    }

    /// Refuses a file that lists its own identity as a node.
    pub fn check_self(&self, own: &Fingerprint) -> Result<(), ConfigFault> {
        check_self(&self.nodes, "node", own)
    }

    /// The node of this name.
    pub fn node(&self, name: &str) -> Option<&KnownNode> {
        self.nodes.iter().find(|node| node.name == name)
    }
}
