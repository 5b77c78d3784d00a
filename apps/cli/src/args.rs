//! The command line.

mod nodes;

pub use nodes::{Deploy, Node, Pool, Predict, Status};

use clap::error::ErrorKind;
use clap::{ArgAction, Args, Parser, Subcommand};
use std::path::PathBuf;
use std::time::Duration;
use subrosa::{Division, Entry, Garbling, Holders, Network, Nonlinear, Reveal, protocols};

/// Private machine-learning inference: one ONNX model, several trust models.
#[derive(Parser)]
#[command(name = "subrosa", version, max_term_width = 100)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Subcommand)]
pub enum Command {
    /// Classify bundled digits with a bundled model, all parties on this machine, and show what a server saw
    Demo(Demo),
    /// Show a model's operators, ranges, number format, the protocols that can run it, and the price
    Inspect(Inspect),
    /// Show a protocol's parties, its adversary, who learns what, and what is not protected
    Explain(Explain),
    /// Run a model on an input, all parties as processes of this machine, and measure
    Run(Run),
    /// Divide a model between a gateway and remote servers, as a file for each party
    Split(Split),
    /// Accuracy on a data set under a protocol, beside accuracy in the clear
    Eval(Eval),
    /// Compare models, protocols and batch sizes
    Bench(Bench),
    /// Make the key and certificate of a node, an owner or a client, or show its fingerprint
    Keygen(Keygen),
    /// Run a node: one server of any number of deployed models, until it is told to stop
    Node(Node),
    /// Divide a model on this machine and hand each node its part, or remove a model
    Deploy(Deploy),
    /// Ask a deployed model
    Predict(Predict),
    /// Make one-time material ahead for a deployed model
    Pool(Pool),
    /// Show how nodes are: health, models, sessions, material, traffic
    Status(Status),
    /// One party's process, for the program itself
    #[command(hide = true)]
    Party { name: String },
}

#[derive(Args)]
pub struct Demo {
    /// Whom to trust: clear, replicated3, two-party or seco (subrosa explain PROTOCOL)
    #[arg(long, value_parser = protocol, default_value = "replicated3")]
    pub protocol: &'static Entry,
    #[command(flatten)]
    pub place: Place,
}

#[derive(Args)]
pub struct Inspect {
    /// ONNX file
    pub model: PathBuf,
    /// Only this protocol
    #[arg(long, value_parser = protocol)]
    pub protocol: Option<&'static Entry>,
    /// Batch size [default: the file's, or 1]
    #[arg(long, value_parser = positive)]
    pub batch: Option<usize>,
    #[command(flatten)]
    pub numbers: Numbers,
    /// What a choice of `--nonlinear auto` reckons with: loopback, lan or wan
    #[arg(long, default_value = "loopback")]
    pub network: Network,
    #[arg(long, help = JSON)]
    pub json: bool,
}

#[derive(Args)]
pub struct Explain {
    #[arg(value_parser = protocol)]
    pub protocol: &'static Entry,
    #[arg(long, help = JSON)]
    pub json: bool,
}

#[derive(Args)]
pub struct Run {
    /// ONNX file
    pub model: PathBuf,
    /// Whom to trust: clear, replicated3, two-party or seco (subrosa explain PROTOCOL)
    #[arg(long, value_parser = protocol)]
    pub protocol: &'static Entry,
    /// NPY file of float32, float64 or uint8; once for each input of the model
    #[arg(long, value_name = "[NAME=]X.npy", required = true)]
    pub input: Vec<String>,
    /// Where the outputs go: one to a NPY file, any number to a NPZ file
    #[arg(long, value_name = "Y.npy|Y.npz")]
    pub output: Option<PathBuf>,
    /// Runs, after one that does not count; times are medians
    #[arg(long, default_value_t = 1, value_parser = positive)]
    pub repeat: usize,
    #[arg(long, value_name = "N", help = POOL, value_parser = positive, allow_negative_numbers = true)]
    pub pool: Option<usize>,
    /// A folder that `split` wrote: each party gets the file of its name and not a part divided afresh
    #[arg(long, value_name = "FOLDER")]
    pub parts: Option<PathBuf>,
    #[command(flatten)]
    pub numbers: Numbers,
    #[command(flatten)]
    pub image: Image,
    #[command(flatten)]
    pub place: Place,
    #[arg(long, help = JSON)]
    pub json: bool,
}

#[derive(Args)]
pub struct Split {
    /// ONNX file
    pub model: PathBuf,
    /// A folder that does not exist yet, for the files
    #[arg(long, value_name = "FOLDER")]
    pub out: Option<PathBuf>,
    /// List all places where it can be cut, and what each costs
    #[arg(long)]
    pub ways: bool,
    /// Batch size [default: the file's, or 1]
    #[arg(long, value_parser = positive)]
    pub batch: Option<usize>,
    #[command(flatten)]
    pub numbers: Numbers,
    /// What choices by predicted time reckon with: loopback, lan or wan
    #[arg(long, default_value = "loopback")]
    pub network: Network,
    #[arg(long, help = JSON)]
    pub json: bool,
}

#[derive(Args)]
pub struct Eval {
    /// ONNX file
    pub model: PathBuf,
    /// Whom to trust: clear, replicated3, two-party or seco (subrosa explain PROTOCOL)
    #[arg(long, value_parser = protocol)]
    pub protocol: &'static Entry,
    /// mnist, fashion-mnist or cifar10
    #[arg(long)]
    pub dataset: crate::input::Dataset,
    /// Folder that holds the data set's files as they are published
    #[arg(long)]
    pub data: PathBuf,
    /// Only the first N images
    #[arg(long, value_parser = positive)]
    pub limit: Option<usize>,
    /// Images in one inference [default: the file's, or 128]
    #[arg(long, value_parser = positive)]
    pub batch: Option<usize>,
    #[arg(long, value_name = "N", help = POOL, value_parser = positive, allow_negative_numbers = true)]
    pub pool: Option<usize>,
    #[command(flatten)]
    pub numbers: Numbers,
    #[command(flatten)]
    pub image: Image,
    #[command(flatten)]
    pub place: Place,
    #[arg(long, help = JSON)]
    pub json: bool,
}

#[derive(Args)]
pub struct Bench {
    /// ONNX files [default: the three bundled nets]
    #[arg(long, value_delimiter = ',', num_args = 1..)]
    pub models: Vec<PathBuf>,
    /// [default: all]
    #[arg(long, value_delimiter = ',', num_args = 1.., value_parser = protocol)]
    pub protocols: Vec<&'static Entry>,
    /// Batch sizes
    #[arg(long, value_delimiter = ',', num_args = 1.., value_parser = positive, default_values_t = [1, 128])]
    pub batch: Vec<usize>,
    /// Runs of each, after one that does not count; times are medians
    #[arg(long, default_value_t = 5, value_parser = positive)]
    pub repeat: usize,
    #[arg(long, value_name = "N", help = POOL, value_parser = positive, allow_negative_numbers = true)]
    pub pool: Option<usize>,
    /// Where seco cuts, once each: nodes or their outputs, or `input`
    #[arg(long, value_name = "NODE", value_delimiter = ',', num_args = 1.., conflicts_with_all = ["at", "hide"])]
    pub splits: Vec<String>,
    /// Draw what clients of seco do, beside those of two-party
    #[arg(long, value_name = "FILE.svg")]
    pub plot: Option<PathBuf>,
    #[command(flatten)]
    pub numbers: Numbers,
    #[command(flatten)]
    pub place: Place,
    #[arg(long, help = JSON)]
    pub json: bool,
}

#[derive(Args)]
pub struct Keygen {
    /// Where the key goes, a file that does not exist yet
    #[arg(value_name = "NAME.key")]
    pub path: PathBuf,
    /// Days for which the certificate holds
    #[arg(long, default_value_t = 730, value_parser = days)]
    pub days: u32,
    /// Make a key for what a node or a client stores: 32 random bytes
    #[arg(long, conflicts_with = "days")]
    pub store: bool,
    /// Show the fingerprint and validity of a key that is there
    #[arg(long, conflicts_with_all = ["days", "store"])]
    pub show: bool,
    #[arg(long, help = JSON)]
    pub json: bool,
}

const JSON: &str = "One JSON object on standard output";
const POOL: &str = "Make the material of N inferences ahead, beyond the warm-up's, in a vault of each party; \
    what it does not hold is made on the spot";

/// What numbers may be and what is opened.
#[derive(Args)]
pub struct Numbers {
    /// Width of the ring in bits: auto, or 32 to 64
    #[arg(long, default_value = "auto", value_parser = ring)]
    pub ring: Ring,
    /// What the client learns: all, argmax or top:K
    #[arg(long, default_value = "all", value_parser = reveal)]
    pub reveal: Reveal,
    /// How two-party computes activations: auto, ot (oblivious transfer) or gc (garbled circuits)
    #[arg(long, default_value = "auto", value_parser = nonlinear)]
    pub nonlinear: Nonlinear,
    /// Smallest and largest value of an input. It becomes public
    #[arg(long, value_name = "[NAME=]LO:HI", allow_hyphen_values = true)]
    pub input_range: Vec<String>,
    /// Samples for the ranges inside the network [default: 64 random ones in the input range]
    #[arg(long, value_name = "[NAME=]X.npy")]
    pub calibrate: Vec<String>,
    #[command(flatten)]
    pub divide: Divide,
}

/// How seco divides a network between a gateway and remote servers.
#[derive(Args)]
pub struct Divide {
    /// Where seco's gateway hands over to the remotes: a node or its output; `input` leaves all to the remotes
    /// [default: chosen by cost]
    #[arg(long, value_name = "NODE")]
    pub at: Option<String>,
    /// The first node that seco's gateway must not have, for a choice by cost
    #[arg(long, value_name = "NODE", conflicts_with = "at")]
    pub hide: Option<String>,
    /// Remote servers of seco, 2 to 8
    #[arg(long, value_name = "N", default_value_t = 2, value_parser = remotes)]
    pub remotes: usize,
    /// Who garbles in seco: bmr (all remotes together) or single (one for another, as in the paper: weaker)
    #[arg(long, default_value = "bmr", value_parser = garbling)]
    pub garbling: Garbling,
    /// Who has shares of seco's hidden weights: all-servers or remotes (as in the paper: weaker)
    #[arg(long, value_name = "HOLDERS", default_value = "all-servers", value_parser = holders)]
    pub weights: Holders,
}

impl Divide {
    pub fn division(&self) -> Division {
        Division {
            at: self.at.clone(),
            hide: self.hide.clone(),
            remotes: self.remotes,
            garbling: self.garbling,
            holders: self.weights,
        }
    }
}

/// How bytes of images become numbers.
#[derive(Args, Default)]
pub struct Image {
    /// Subtracted from bytes / 255, one for all channels or one for each
    #[arg(long, value_delimiter = ',', allow_hyphen_values = true)]
    pub mean: Vec<f32>,
    /// Divides the difference
    #[arg(long, value_delimiter = ',', allow_hyphen_values = true)]
    pub std: Vec<f32>,
    /// Leave bytes as they are, 0 to 255
    #[arg(long, action = ArgAction::SetTrue)]
    pub raw: bool,
}

/// What parties run on.
#[derive(Args)]
pub struct Place {
    /// loopback, lan (1 Gbit/s, 1 ms round trip) or wan (100 Mbit/s, 40 ms)
    #[arg(long, default_value = "loopback")]
    pub network: Network,
    /// Cores that each party may use [default: this machine's, divided among the servers]
    #[arg(long, value_parser = positive)]
    pub threads: Option<usize>,
    /// Longest silence of a party, in seconds
    #[arg(long, value_name = "SECONDS", default_value = "60", value_parser = seconds)]
    pub timeout: Duration,
}

/// Width of the ring that products are accumulated in; `None` is chosen by the protocol.
#[derive(Clone, Copy)]
pub struct Ring(pub Option<u32>);

fn protocol(name: &str) -> Result<&'static Entry, String> {
    subrosa::find(name).ok_or_else(|| {
        let names: Vec<_> = protocols().iter().map(Entry::name).collect();
        format!("expected one of {}", names.join(", "))
    })
}

fn ring(text: &str) -> Result<Ring, &'static str> {
    match text {
        "auto" => Ok(Ring(None)),
        _ => match text.parse() {
            Ok(width @ 32..=64) => Ok(Ring(Some(width))),
            _ => Err("expected auto, or a number of bits from 32 to 64"),
        },
    }
}

fn reveal(text: &str) -> Result<Reveal, &'static str> {
    match (text, text.strip_prefix("top:").map(str::parse)) {
        ("all", _) => Ok(Reveal::All),
        ("argmax", _) => Ok(Reveal::ArgMax),
        (_, Some(Ok(count @ 1..))) => Ok(Reveal::TopK(count)),
        _ => Err("expected all, argmax or top:K"),
    }
}

fn nonlinear(text: &str) -> Result<Nonlinear, &'static str> {
    match text {
        "auto" => Ok(Nonlinear::Auto),
        "ot" => Ok(Nonlinear::Ot),
        "gc" => Ok(Nonlinear::Gc),
        _ => Err("expected auto, ot or gc"),
    }
}

fn remotes(text: &str) -> Result<usize, &'static str> {
    match text.parse() {
        Ok(number @ 2..=8) => Ok(number),
        _ => Err("expected a number of remote servers from 2 to 8"),
    }
}

fn garbling(text: &str) -> Result<Garbling, &'static str> {
    match text {
        "bmr" => Ok(Garbling::Bmr),
        "single" => Ok(Garbling::Single),
        _ => Err("expected bmr or single"),
    }
}

fn holders(text: &str) -> Result<Holders, &'static str> {
    match text {
        "all-servers" => Ok(Holders::AllServers),
        "remotes" => Ok(Holders::Remotes),
        _ => Err("expected all-servers or remotes"),
    }
}

fn positive(text: &str) -> Result<usize, &'static str> {
    match text.parse() {
        Ok(number @ 1..=1_000_000) => Ok(number),
        _ => Err("expected a whole number from 1 to 1000000"),
    }
}

fn days(text: &str) -> Result<u32, &'static str> {
    match text.parse() {
        Ok(days @ 1..=36_500) => Ok(days),
        _ => Err("expected 1 to 36500 days"),
    }
}

fn seconds(text: &str) -> Result<Duration, &'static str> {
    match text.parse::<f64>() {
        Ok(seconds) if (0.1..=86_400.0).contains(&seconds) => Ok(Duration::from_secs_f64(seconds)),
        _ => Err("expected 0.1 to 86400 seconds"),
    }
}

/// What clap says of a wrong command line, as one line.
pub fn one_line(error: &clap::Error) -> String {
    if error.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand {
        return "expected a command: demo, inspect, explain, run, split, eval, bench, keygen, node, \
            deploy, predict, pool or status"
            .to_owned();
    }
    let text = error.to_string();
    let said = text.split("\n\n").next().unwrap_or_default();
    let lines: Vec<&str> = said
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .collect();
    lines.join(" ").trim_start_matches("error: ").to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn command_line_is_sound() {
        Cli::command().debug_assert();
        let parse = |line: &str| Cli::try_parse_from(line.split(' '));
        assert!(parse("subrosa demo --protocol clear --network wan").is_ok());
        assert!(
            parse("subrosa run m.onnx --protocol clear --input x.npy --input-range -1:1").is_ok()
        );
        assert!(
            parse("subrosa run m.onnx --protocol clear --input x.npy --mean -1 --std 2").is_ok()
        );
        assert!(parse("subrosa bench --batch 1,2 --protocols clear,replicated3").is_ok());
        for wrong in [
            "demo --protocol x",
            "run m --input x",
            "demo --threads 0",
            "demo --pool 3",
            "run m.onnx --protocol clear --input x --remotes 9",
        ] {
            let error = parse(&format!("subrosa {wrong}")).err().unwrap();
            assert!(!one_line(&error).contains('\n'));
            assert_eq!(error.exit_code(), 2);
        }
        assert_eq!(reveal("top:3"), Ok(Reveal::TopK(3)));
        assert!(reveal("top:0").is_err() && ring("31").is_err() && ring("auto").is_ok());
    }
}
