//! Commands of nodes, owners and clients.

use super::{Image, JSON, Numbers, positive, protocol};
use clap::Args;
use std::path::PathBuf;
use subrosa::{Entry, Fingerprint, Network};
use subrosa_node::config::is_name;
use tracing::level_filters::LevelFilter;

#[derive(Args)]
pub struct Node {
    /// What it is called, where it listens, who its peers are, and who may do what
    #[arg(long, value_name = "NODE.toml")]
    pub config: PathBuf,
    /// Only check the settings and the keys that they name
    #[arg(long)]
    pub check: bool,
    /// What is said on standard error: warn, info or debug
    #[arg(long, value_name = "LEVEL", default_value = "info", value_parser = level)]
    pub log: LevelFilter,
}

#[derive(Args)]
pub struct Deploy {
    /// ONNX file
    #[arg(required_unless_present = "remove", conflicts_with = "remove")]
    pub model: Option<PathBuf>,
    /// What clients call the model. One of this name that is there is replaced
    #[arg(long, value_parser = name, required_unless_present = "remove", conflicts_with = "remove")]
    pub name: Option<String>,
    /// Whom to trust: clear, replicated3, two-party or seco (subrosa explain PROTOCOL)
    #[arg(long, value_parser = protocol, required_unless_present = "remove", conflicts_with = "remove")]
    pub protocol: Option<&'static Entry>,
    /// The owner's identity, and the nodes by the names of the protocol's seats
    #[arg(long, value_name = "OWNER.toml")]
    pub to: PathBuf,
    /// Remove the model of this name from all nodes
    #[arg(long, value_name = "NAME", value_parser = name)]
    pub remove: Option<String>,
    /// Batch sizes [default: the file's, or 1]
    #[arg(long, value_delimiter = ',', num_args = 1.., value_parser = positive)]
    pub batch: Vec<usize>,
    #[command(flatten)]
    pub numbers: Numbers,
    #[command(flatten)]
    pub image: Image,
    /// What choices by predicted time reckon with: loopback, lan or wan
    #[arg(long, default_value = "lan")]
    pub network: Network,
    #[arg(long, help = JSON)]
    pub json: bool,
}

#[derive(Args)]
pub struct Predict {
    /// The model's name at the nodes
    #[arg(value_parser = name)]
    pub name: String,
    /// The client's identity, and the nodes that it talks to
    #[arg(long, value_name = "CLIENT.toml")]
    pub at: PathBuf,
    /// NPY file of any number of inputs, PNG picture or idx file of pictures; again for more of them, or for each input of the model
    #[arg(long, value_name = "[NAME=]X.npy|X.png|X.idx", required = true)]
    pub input: Vec<String>,
    /// Only the first N inputs
    #[arg(long, value_name = "N", value_parser = positive)]
    pub limit: Option<usize>,
    /// Where the answers go: one output to a NPY file, any number to a NPZ file
    #[arg(long, value_name = "Y.npy|Y.npz")]
    pub output: Option<PathBuf>,
    /// The fingerprint that the model's architecture must have, as `deploy` says it
    #[arg(long, value_name = "FINGERPRINT", value_parser = fingerprint)]
    pub expect: Option<Fingerprint>,
    #[command(flatten)]
    pub image: Image,
    #[arg(long, help = JSON)]
    pub json: bool,
}

#[derive(Args)]
pub struct Pool {
    /// The model's name at the nodes
    #[arg(value_parser = name)]
    pub name: String,
    /// The client's identity, and the nodes that it talks to
    #[arg(long, value_name = "CLIENT.toml")]
    pub at: PathBuf,
    /// Make the material of N inferences
    #[arg(long, value_name = "N", value_parser = positive, required_unless_present = "keep")]
    pub count: Option<usize>,
    /// Of this batch size [default: the smallest that the model was deployed for]
    #[arg(long, value_name = "B", value_parser = positive)]
    pub batch: Option<usize>,
    /// Stay, and fill up to the nodes' level whenever something was taken
    #[arg(long)]
    pub keep: bool,
}

#[derive(Args)]
pub struct Status {
    /// A client's or an owner's identity, and the nodes that are asked
    #[arg(long, value_name = "CLIENT.toml")]
    pub at: PathBuf,
    #[arg(long, help = JSON)]
    pub json: bool,
}

fn level(text: &str) -> Result<LevelFilter, &'static str> {
    match text {
        "warn" => Ok(LevelFilter::WARN),
        "info" => Ok(LevelFilter::INFO),
        "debug" => Ok(LevelFilter::DEBUG),
        _ => Err("expected warn, info or debug"),
    }
}

fn name(text: &str) -> Result<String, &'static str> {
    match is_name(text) {
        true => Ok(text.to_owned()),
        false => Err("expected a name of 1 to 64 letters, digits, dots, hyphens and underscores"),
    }
}

fn fingerprint(text: &str) -> Result<Fingerprint, &'static str> {
    text.parse().map_err(|_| "expected 64 hexadecimal digits")
}
