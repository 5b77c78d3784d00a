//! What passes between parties, kept by relays on every connection, shows neither input nor weights nor answer. Once
//! on the loopback address, and once with each server in a network of its own where the machine allows that.

use crate::between::SERVERS;
use crate::child::Process;
use crate::harness::*;
use crate::relay::Relay;
use std::collections::HashSet;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::process::Command;
use subrosa::{Tensor, Terms};

/// Bytes in a row by which a secret is known: two fixed-point words, or four numbers.
const ROW: usize = 16;

/// Networks of their own, one for each server, each linked to this one.
struct Networks {
    names: Vec<String>,
}

fn ip(words: &str) -> bool {
    let done = Command::new("ip").args(words.split(' ')).output();
    done.is_ok_and(|done| done.status.success())
}

/// This end of the link to a server, and the server's.
fn ends(at: usize) -> [Ipv4Addr; 2] {
    [1, 2].map(|host| Ipv4Addr::new(10, 213, 77 + at as u8, host))
}

impl Networks {
    /// None where that is not permitted.
    fn new(count: usize) -> Option<Self> {
        let id = std::process::id() % 100_000;
        let mut all = Self { names: Vec::new() };
        for at in 0..count {
            let name = format!("sr{id}-{at}");
            let (near, [own, other]) = (format!("sv{id}-{at}"), ends(at));
            if !ip(&format!("netns add {name}")) {
                println!("skipped: no network of its own for a server");
                return None;
            }
            all.names.push(name.clone());
            let linked = ip(&format!(
                "link add {near} type veth peer name end netns {name}"
            )) && ip(&format!("addr add {own}/30 dev {near}"))
                && ip(&format!("link set {near} up"))
                && ip(&format!("-n {name} addr add {other}/30 dev end"))
                && ip(&format!("-n {name} link set end up"))
                && ip(&format!("-n {name} link set lo up"));
            if !linked {
                println!("skipped: no link between networks");
                return None;
            }
        }
        Some(all)
    }
}

impl Drop for Networks {
    fn drop(&mut self) {
        // The links go with them.
        for name in &self.names {
            ip(&format!("netns del {name}"));
        }
    }
}

/// Strings of bytes of which none may pass.
#[derive(Default)]
struct Secrets(HashSet<[u8; ROW]>);

impl Secrets {
    /// Numbers as they are written in memory and files, and as words of some widths with some fraction bits.
    fn add(&mut self, values: &[f32]) {
        self.add_bytes(
            values
                .iter()
                .flat_map(|value| value.to_le_bytes())
                .collect(),
        );
        for bits in 6..=20 {
            let scale = f64::from(1u32 << bits);
            let words = values
                .iter()
                .map(|value| (f64::from(*value) * scale).round() as i64);
            let words: Vec<i64> = words.collect();
            self.add_bytes(words.iter().flat_map(|word| word.to_le_bytes()).collect());
            self.add_bytes(
                words
                    .iter()
                    .flat_map(|word| (*word as i32).to_le_bytes())
                    .collect(),
            );
            self.add_bytes(
                words
                    .iter()
                    .flat_map(|word| (*word as i16).to_le_bytes())
                    .collect(),
            );
        }
    }

    /// Rows of zeros and the like are nobody's secret.
    fn add_bytes(&mut self, bytes: Vec<u8>) {
        let rows = bytes.chunks_exact(ROW).filter(|row| {
            let different: HashSet<&u8> = row.iter().collect();
            different.len() > 3
        });
        self.0
            .extend(rows.map(|row| <[u8; ROW]>::try_from(row).unwrap()));
    }

    fn shown(&self, bytes: &[u8]) -> bool {
        bytes
            .windows(ROW)
            .any(|row| row.first_chunk().is_some_and(|row| self.0.contains(row)))
    }
}

fn nothing_is_shown(name: &str, networks: Option<Networks>) {
    let mut cloud = Cloud::new(name, &SERVERS, 1);
    // Who is reached from where: a server reaches others, and this process all servers, through relays of their own.
    let local = IpAddr::from(Ipv4Addr::LOCALHOST);
    let listens = |at: usize| match &networks {
        Some(_) => IpAddr::from(ends(at)[1]),
        None => local,
    };
    let near = |at: usize| match &networks {
        Some(_) => IpAddr::from(ends(at)[0]),
        None => local,
    };
    let mut relays = Vec::new();
    let mut nodes = Vec::new();
    let ports = cloud.ports.clone();
    let to = |at: usize| SocketAddr::from((listens(at), ports[at]));
    for at in 0..SERVERS.len() {
        let mut text = cloud.config(at);
        text = text.replace(
            &format!("listen = \"127.0.0.1:{}\"", ports[at]),
            &format!("listen = \"{}\"", to(at)),
        );
        for other in (0..SERVERS.len()).filter(|other| *other != at) {
            let relay = Relay::new(near(at), to(other));
            text = text.replace(
                &format!("address = \"127.0.0.1:{}\"", ports[other]),
                &format!("address = \"{}:{}\"", near(at), relay.port),
            );
            relays.push(relay);
        }
        let inside = networks.as_ref().map(|networks| &networks.names[at][..]);
        nodes.push(Process::inside(
            inside,
            &cloud.place(at),
            &cloud.keys[at],
            &text,
        ));
    }
    for at in 0..SERVERS.len() {
        let relay = Relay::new(local, to(at));
        cloud.ports[at] = relay.port;
        relays.push(relay);
    }
    let lots = Lots::new("mnist-mlp.onnx", "replicated3", &[1], Terms::default());
    cloud.deploy("digits", &lots).unwrap();
    let input = picture(1, 3);
    let client = cloud.client(0, &SERVERS).unwrap();
    let mut ask = client.ask("digits", None).unwrap();
    ask.fill(1, 1, &mut |_| {}).unwrap();
    let inputs = vec![input.clone(), input.clone()];
    let mut answers = ask.infer(1, inputs, &mut |_| {}).unwrap();
    let answer: Vec<Tensor> = answers.outputs.remove(0);
    close(&answer, &lots.clear(&input));
    let (_, _, weights) = lots.plans()[0];
    let mut secrets = Secrets::default();
    let tensors = weights.tensors.iter().chain(&input).chain(&answer);
    tensors.for_each(|tensor| secrets.add(&tensor.values));
    let row = *secrets.0.iter().next().unwrap();
    let (mut kept, mut used) = (0, 0);
    for (at, relay) in relays.iter().enumerate() {
        let all = relay.take();
        used += usize::from(all.iter().any(|bytes| bytes.len() > 1000));
        for mut bytes in all {
            kept += bytes.len();
            assert!(!secrets.shown(&bytes), "relay {at}");
            // It would be seen if it were there.
            bytes.extend_from_slice(&row);
            assert!(secrets.shown(&bytes));
        }
    }
    println!("{name}: {kept} bytes looked through");
    assert!(kept > 1 << 20);
    // Of two servers one dials the other, and owner and client reach all.
    assert_eq!(used, 6);
}

#[test]
fn connections_show_nothing() {
    nothing_is_shown("network", None);
}

#[test]
fn connections_between_networks_show_nothing() {
    if let Some(networks) = Networks::new(SERVERS.len()) {
        nothing_is_shown("network-own", Some(networks));
    }
}
