//! Files of settings.

use crate::fault::Fault;
use std::fs::File;
use std::io::{self, ErrorKind, Read};
use std::path::Path;
use subrosa_node::config::{ConfigFault, Directory, NodeConfig};

/// The longest file, in bytes.
const LONGEST: u64 = 1 << 20;

/// A node's settings, with paths as this process finds them.
pub fn load_node_config(path: &Path) -> Result<NodeConfig, Fault> {
    let config = load(path, NodeConfig::parse)?;
    Ok(config.located(path))
}

/// An owner's or a client's directory of nodes, with paths as this process finds them.
pub fn load_directory(path: &Path) -> Result<Directory, Fault> {
    let directory = load(path, Directory::parse)?;
    Ok(directory.located(path))
}

fn load<T>(path: &Path, parse: impl Fn(&str) -> Result<T, ConfigFault>) -> Result<T, Fault> {
    let text = read(path).map_err(|error| Fault::SettingsFile {
        path: path.to_owned(),
        error,
    })?;
    parse(&text).map_err(|fault| of_settings(path, fault))
}

/// Names the file in what is said of its settings.
pub fn of_settings(path: &Path, fault: ConfigFault) -> Fault {
    Fault::Settings {
        path: path.to_owned(),
        fault: Box::new(fault),
    }
}

fn read(path: &Path) -> io::Result<String> {
    let mut text = String::new();
    let read = File::open(path)?
        .take(LONGEST + 1)
        .read_to_string(&mut text)?;
    match read as u64 > LONGEST {
        true => Err(ErrorKind::FileTooLarge.into()),
        false => Ok(text),
    }
}
