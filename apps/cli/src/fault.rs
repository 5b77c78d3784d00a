//! Why a command fails, and with which exit status.

use crate::input::{DatasetFault, ImageFault, NpyFault, PictureFault, RangeFault};
use crate::keys::KeyFault;
use crate::parties::PartyFault;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use subrosa::{InputFault, OnnxError, Shape, VaultFault};
use subrosa_node::config::ConfigFault;
use subrosa_node::{ClientFault, NodeFault, OwnerFault, TalkFault};
use thiserror::Error;

#[derive(Debug, Error)]
pub enum Fault {
    /// Standard output is closed: whoever read it has read enough.
    #[error("standard output is closed")]
    Closed,
    #[error("{0}")]
    Usage(Usage),
    #[error("{}: {error}", path.display())]
    Model {
        path: PathBuf,
        error: Box<subrosa::Error>,
    },
    #[error(transparent)]
    File(OnnxError),
    #[error("{}: {fault}", path.display())]
    Npy { path: PathBuf, fault: NpyFault },
    #[error("{}: {fault}", path.display())]
    Input { path: PathBuf, fault: InputFault },
    #[error(transparent)]
    Range(#[from] RangeFault),
    #[error(transparent)]
    Image(#[from] ImageFault),
    #[error(transparent)]
    Dataset(#[from] DatasetFault),
    #[error(transparent)]
    Party(#[from] PartyFault),
    #[error("{}: cannot be written: {error}", path.display())]
    Output { path: PathBuf, error: io::Error },
    #[error("{}: {fault}", path.display())]
    Key { path: PathBuf, fault: KeyFault },
    #[error("{}: {fault}", path.display())]
    Settings {
        path: PathBuf,
        fault: Box<ConfigFault>,
    },
    #[error("{}: cannot be read: {error}", path.display())]
    SettingsFile { path: PathBuf, error: io::Error },
    #[error("{}: {fault}", path.display())]
    Picture { path: PathBuf, fault: PictureFault },
    #[error("{}: {fault}", path.display())]
    Node {
        path: PathBuf,
        fault: Box<NodeFault>,
    },
    /// Of a client whose settings are in `path`.
    #[error("{}: {fault}", path.display())]
    Client {
        path: PathBuf,
        fault: Box<ClientFault>,
    },
    /// Of an owner whose settings are in `path`.
    #[error("{}: {fault}", path.display())]
    Owner {
        path: PathBuf,
        fault: Box<OwnerFault>,
    },
    #[error("no answer from {0}")]
    Unreachable(String),
    #[error("metrics: cannot listen on {address}: {error}")]
    Metrics { address: SocketAddr, error: String },
    #[error("signals: {0}")]
    Signals(io::Error),
    #[error("the bill is not the price that was reckoned: {0}")]
    Overcharged(String),
    #[error("clear reading: {0}")]
    Oracle(Box<subrosa::Error>),
}

/// What is wrong with the command line, beyond its form.
#[derive(Debug, Error)]
pub enum Usage {
    #[error("{0}")]
    CommandLine(String),
    #[error("--input: the model has no input '{found}', expected {expected}")]
    UnknownInput { found: String, expected: String },
    #[error("--input: input '{name}' is given twice")]
    InputTwice { name: String },
    #[error("--input: nothing is given for input '{name}'")]
    InputMissing { name: String },
    #[error("{}: input '{name}': expected shape {expected}, found {found:?}", path.display())]
    Shape {
        path: PathBuf,
        name: String,
        expected: String,
        found: Shape,
    },
    #[error("{}: batch {found}, but the other inputs have batch {expected}", path.display())]
    Batches {
        path: PathBuf,
        expected: usize,
        found: usize,
    },
    #[error("--parts {}: {problem}", path.display())]
    Part { path: PathBuf, problem: String },
    #[error("--output {}: expected a name that ends in .npy or .npz", path.display())]
    OutputKind { path: PathBuf },
    #[error("--output {}: the model has {outputs} outputs, expected a name that ends in .npz", path.display())]
    OutputCount { path: PathBuf, outputs: usize },
    #[error("{option} {}: its folder does not exist", path.display())]
    OutputFolder { option: &'static str, path: PathBuf },
    #[error("--out {}: expected a folder that does not exist yet, found one that does", path.display())]
    Exists { path: PathBuf },
    #[error("{}: eval takes models of one input, found {found}", path.display())]
    ManyInputs { path: PathBuf, found: usize },
    #[error(
        "--input-range: nothing is said of input '{name}'; its range becomes public and part of the deployment"
    )]
    RangeMissing { name: String },
    #[error("--batch: {} fixes the batch to {expected}, found {found}", path.display())]
    FixedBatch {
        path: PathBuf,
        expected: usize,
        found: usize,
    },
    #[error("--batch: the model was deployed for {expected}, found {found}")]
    NoBatch { expected: String, found: usize },
    #[error(
        "--count: the nodes keep the material of at most {most} inferences for a client; \
         {level} are there, {count} more are asked for"
    )]
    Level { most: u64, level: u64, count: u64 },
    #[error(
        "{found} inputs cannot be cut into the batches that the model was deployed for: {expected}"
    )]
    Cut { expected: String, found: usize },
    #[error("{}: input '{name}', element {index:?}: expected a number in [{low}, {high}], found {found}", path.display())]
    Value {
        path: PathBuf,
        name: String,
        index: Vec<usize>,
        low: f32,
        high: f32,
        found: f32,
    },
    #[error("{}: input '{name}' has shape {shape:?}, images of {dataset} have {expected} values", path.display())]
    ImageShape {
        path: PathBuf,
        name: String,
        shape: Shape,
        dataset: &'static str,
        expected: usize,
    },
    #[error("{}: the first output has shape {shape:?}, expected one row of classes for each of {batch} images", path.display())]
    Classes {
        path: PathBuf,
        shape: Shape,
        batch: usize,
    },
}

impl Fault {
    /// 1: failed at run time. 2: wrong usage or refused input.
    pub fn exit_status(&self) -> u8 {
        match self {
            Self::Closed => 0,
            Self::Party(_)
            | Self::Output { .. }
            | Self::Overcharged(_)
            | Self::Oracle(_)
            | Self::Unreachable(_)
            | Self::Metrics { .. }
            | Self::Signals(_) => 1,
            Self::Node { fault, .. } => match **fault {
                NodeFault::Store(VaultFault::WrongKey) => 2,
                _ => 1,
            },
            Self::Client { fault, .. } => match &**fault {
                ClientFault::State(VaultFault::WrongKey)
                | ClientFault::Missing { .. }
                | ClientFault::NoLead { .. }
                | ClientFault::Unexpected { .. } => 2,
                ClientFault::Node { fault, .. } => of_talk(fault),
                _ => 1,
            },
            Self::Owner { fault, .. } => match &**fault {
                OwnerFault::NoNode { .. }
                | OwnerFault::NoSeat { .. }
                | OwnerFault::NoLead
                | OwnerFault::Plan(_) => 2,
                OwnerFault::Node { fault, .. } => of_talk(fault),
                OwnerFault::Local(_) => 1,
            },
            _ => 2,
        }
    }
}

/// 2 where this side's own settings are wrong.
fn of_talk(fault: &TalkFault) -> u8 {
    match fault.is_other_node() {
        true => 2,
        false => 1,
    }
}

impl From<Usage> for Fault {
    fn from(usage: Usage) -> Self {
        Self::Usage(usage)
    }
}

/// Names the file in what is said of its model.
pub fn of_model(path: &std::path::Path) -> impl Fn(subrosa::Error) -> Fault {
    move |error| match error {
        subrosa::Error::Onnx(error @ OnnxError::File { .. }) => Fault::File(error),
        error => Fault::Model {
            path: path.to_owned(),
            error: Box::new(error),
        },
    }
}
