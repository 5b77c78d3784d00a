//! From files of settings to a client, and to the key of what is stored.

use crate::fault::Fault;
use crate::keys::{StoreSecret, load_identity, load_store_secret};
use crate::report::note;
use crate::settings::{load_directory, of_settings};
use std::path::Path;
use std::time::{Duration, Instant};
use subrosa::{Identity, Seed, VaultFault};
use subrosa_node::config::Directory;
use subrosa_node::{Client, ClientFault};

/// How long another process may have the folder of the client's state, and how often it is tried.
const PATIENCE: Duration = Duration::from_secs(30);
const PAUSE: Duration = Duration::from_millis(100);

/// The nodes that a file names, and the identity, which is none of theirs.
pub fn open_directory(path: &Path) -> Result<(Directory, Identity), Fault> {
    let directory = load_directory(path)?;
    let identity = load_identity(&directory.identity)?;
    let own = directory.check_self(&identity.fingerprint());
    own.map_err(|fault| of_settings(path, fault))?;
    Ok((directory, identity))
}

/// Waits for the folder of its state while another process has it.
pub fn open_client(path: &Path) -> Result<Client, Fault> {
    let until = Instant::now() + PATIENCE;
    let mut said = false;
    loop {
        let (directory, identity) = open_directory(path)?;
        let secret = load_store_secret(&directory.key, path)?;
        let state = directory.state;
        let opened = store_key(secret, |phrase| Client::key(phrase, &state))
            .map_err(ClientFault::State)
            .and_then(|key| {
                Client::open(identity, directory.nodes, &state, &key, directory.timeout)
            });
        match opened {
            Err(ClientFault::State(VaultFault::InUse)) if Instant::now() < until => {
                if !std::mem::replace(&mut said, true) {
                    note("waiting for another process that has this client's state");
                }
                std::thread::sleep(PAUSE);
            }
            opened => return opened.map_err(of_client(path)),
        }
    }
}

/// `stretch` makes a key of a passphrase.
pub fn store_key(
    secret: StoreSecret,
    stretch: impl Fn(&[u8]) -> Result<Seed, VaultFault>,
) -> Result<Seed, VaultFault> {
    match secret {
        StoreSecret::Key(key) => Ok(key),
        StoreSecret::Passphrase(phrase) => stretch(phrase.reveal()),
    }
}

/// Names the file of settings in what is said of its client.
pub fn of_client(path: &Path) -> impl Fn(ClientFault) -> Fault {
    move |fault| Fault::Client {
        path: path.to_owned(),
        fault: Box::new(fault),
    }
}
