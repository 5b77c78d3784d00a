//! What the program and the processes of its parties say to each other, over the pipes of each process.
//!
//! A message is its length in eight little-endian bytes, then its postcard encoding.

use serde::{Deserialize, Serialize, de::DeserializeOwned};
use std::io::{self, ErrorKind, Read, Write};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;
use subrosa::{Bill, Bytes, Fingerprint, Holding, Network, PartyId, RunError, Tensor};

/// Longest message.
pub const LIMIT: u64 = 8 << 30;

#[derive(Serialize, Deserialize)]
pub enum Command {
    Start(Box<Start>),
    /// Where each listening neighbour is.
    Connect(Vec<(PartyId, SocketAddr)>),
    /// What this party has of the model.
    Hold(Holding),
    Setup,
    /// Join a pool of material with these keepers, the hub first. Keepers make their vaults in the folder.
    Join(Vec<(PartyId, Fingerprint)>, PathBuf),
    /// Make so many inferences' material into the pool.
    Fill(usize),
    /// Get the next inference's material to hand.
    Ready,
    /// Inputs only to the client.
    Infer(Option<Vec<Tensor>>),
    /// Answered at once, also in the middle of another command.
    Ping,
}

/// Everything that a party's process is told of the run.
#[derive(Serialize, Deserialize)]
pub struct Start {
    pub protocol: String,
    pub me: PartyId,
    /// This party's view alone.
    pub plan: Vec<u8>,
    pub certificate: Vec<u8>,
    pub key: Vec<u8>,
    pub neighbours: Vec<(PartyId, Fingerprint)>,
    pub network: Shape,
    pub threads: usize,
    pub timeout: Duration,
    /// Where one inference's material lies if it would fill memory.
    pub spill: PathBuf,
}

/// A [`Network`] on the pipe.
#[derive(Clone, Copy, Serialize, Deserialize)]
pub struct Shape {
    bits_per_second: Option<u64>,
    round_trip: Duration,
}

impl From<Network> for Shape {
    fn from(network: Network) -> Self {
        Self {
            bits_per_second: network.bits_per_second,
            round_trip: network.round_trip,
        }
    }
}

impl From<Shape> for Network {
    fn from(shape: Shape) -> Self {
        Self {
            bits_per_second: shape.bits_per_second,
            round_trip: shape.round_trip,
        }
    }
}

#[derive(Serialize, Deserialize)]
pub enum Reply {
    /// After `Start`: where this party listens, and what it reckons that it will send and wait for.
    Ready {
        address: SocketAddr,
        price: Bill,
    },
    Done(Report),
    Failed(RunError),
    /// The plan, the protocol or the order of commands makes no sense to this party.
    Confused,
    /// To a ping.
    Alive,
}

#[derive(Serialize, Deserialize)]
pub struct Report {
    pub outputs: Option<Vec<Tensor>>,
    /// From the command's arrival to its end.
    pub time: Duration,
    /// Until this party had sent its last message.
    pub participation: Duration,
    pub received: Bytes,
    pub bill: Bill,
    /// Whether the material that is ready comes from the pool.
    pub pooled: bool,
    pub peak_rss_bytes: u64,
}

pub fn write<T: Serialize>(to: &mut impl Write, message: &T) -> io::Result<()> {
    let mut bytes = vec![0; 8];
    bytes = postcard::to_extend(message, bytes).map_err(|_| ErrorKind::InvalidData)?;
    let length = bytes.len() as u64 - 8;
    bytes[..8].copy_from_slice(&length.to_le_bytes());
    to.write_all(&bytes)?;
    to.flush()
}

pub fn read<T: DeserializeOwned>(from: &mut impl Read) -> io::Result<T> {
    let mut length = [0; 8];
    from.read_exact(&mut length)?;
    let length = u64::from_le_bytes(length);
    if length > LIMIT {
        return Err(ErrorKind::InvalidData.into());
    }
    let mut bytes = Vec::new();
    from.take(length).read_to_end(&mut bytes)?;
    if bytes.len() as u64 != length {
        return Err(ErrorKind::UnexpectedEof.into());
    }
    postcard::from_bytes(&bytes).map_err(|_| ErrorKind::InvalidData.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_survive_and_broken_ones_are_errors() {
        let mut pipe = Vec::new();
        let tensor = Tensor {
            shape: vec![2],
            values: vec![1.5, -2.0],
        };
        write(&mut pipe, &Command::Infer(Some(vec![tensor.clone()]))).unwrap();
        let Command::Infer(Some(found)) = read(&mut pipe.as_slice()).unwrap() else {
            panic!("another command");
        };
        assert_eq!(found, [tensor]);
        assert!(read::<Command>(&mut &pipe[..pipe.len() - 1]).is_err());
        assert!(read::<Command>(&mut &[0xff; 16][..]).is_err());
    }
}
