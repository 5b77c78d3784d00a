//! Any party is killed at any moment, again and again. Nothing that was finished is lost, nothing is half there, no
//! item of a pool is taken twice, and the next call is right.

use crate::child::{Process, wait};
use crate::harness::*;
use std::collections::HashSet;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;
use subrosa::{Garbling, Terms};

/// Moments all over a span, the same ones each time.
fn moment(turn: u64, span: Duration) -> Duration {
    let part = (turn as u32).wrapping_mul(2_654_435_761);
    span * (part >> 16) / (1 << 16)
}

struct Stage {
    cloud: Cloud,
    lots: Lots,
    known: Vec<&'static str>,
    nodes: Vec<Process>,
}

impl Stage {
    fn new(
        name: &str,
        protocol: &'static str,
        seats: &[&'static str],
        known: &[&'static str],
    ) -> Self {
        let cloud = Cloud::new(name, seats, 1);
        let mut terms = Terms::default();
        terms.division.garbling = Garbling::Single;
        terms.division.at = (protocol == "seco").then(|| "/2/Relu".to_owned());
        let lots = Lots::new("mnist-mlp.onnx", protocol, &[1], terms);
        let mut stage = Self {
            cloud,
            lots,
            known: known.to_vec(),
            nodes: Vec::new(),
        };
        stage.nodes = (0..seats.len()).map(|at| stage.node(at)).collect();
        stage
    }

    fn node(&self, at: usize) -> Process {
        let place = self.cloud.folder.join(format!("process-{at}"));
        Process::start(&place, &self.cloud.keys[at], &self.cloud.config(at))
    }

    fn client(&self) -> (Process, Receiver<String>) {
        let place = self.cloud.folder.join("process-client");
        let mut text = "identity = \"x\"\n".to_owned();
        for node in self.cloud.directory(&self.known) {
            text += &format!(
                "[[node]]\nname = \"{}\"\naddress = \"{}\"\nfingerprint = \"{}\"\n",
                node.name, node.address, node.fingerprint
            );
        }
        let mut client = Process::start(&place, &self.cloud.clients[0], &text);
        let lines = client.take_lines();
        let (sender, receiver) = channel();
        std::thread::spawn(move || lines.for_each(|line| drop(sender.send(line))));
        (client, receiver)
    }

    /// Waits for an answer that is right.
    fn answered(&self, lines: &Receiver<String>, what: &str) {
        let line = wait(what, || {
            let lines = lines.try_iter();
            lines.filter(|line| line.starts_with("answer ")).last()
        });
        let mut words = line.split(' ').skip(1);
        let number: u32 = words.next().unwrap().parse().unwrap();
        let expected = self.lots.clear(&picture(1, number));
        let found = words
            .next()
            .unwrap()
            .split(',')
            .map(|v| v.parse::<f32>().unwrap());
        for (a, b) in found.zip(expected) {
            assert!((a - b).abs() < 0.05, "{what}: {line}");
        }
    }

    fn places(&self) -> Vec<std::path::PathBuf> {
        let nodes = (0..self.nodes.len()).map(|at| format!("process-{at}"));
        let all = nodes.chain(["process-client".to_owned()]);
        all.map(|name| self.cloud.folder.join(name)).collect()
    }
}

fn killed_while_asked(
    name: &str,
    protocol: &'static str,
    seats: &[&'static str],
    known: &[&'static str],
    deaths: u64,
) {
    let mut stage = Stage::new(name, protocol, seats, known);
    stage.cloud.deploy("digits", &stage.lots).unwrap();
    let (mut client, mut lines) = stage.client();
    stage.answered(&lines, "at first");
    for turn in 0..deaths {
        std::thread::sleep(moment(turn, Duration::from_millis(250)));
        let victim = turn as usize % (stage.nodes.len() + 1);
        let what = format!("{name}: death {turn} of {victim}");
        if victim == stage.nodes.len() {
            client.kill();
            (client, lines) = stage.client();
        } else {
            stage.nodes[victim].kill();
            stage.nodes[victim] = stage.node(victim);
        }
        lines.try_iter().for_each(drop);
        stage.answered(&lines, &what);
    }
    client.kill();
    stage.nodes.iter_mut().for_each(Process::kill);
    let mut used = 0;
    for place in stage.places() {
        let taken = Process::taken(&place);
        let different: HashSet<&String> = taken.iter().collect();
        assert_eq!(different.len(), taken.len(), "{}", place.display());
        used = used.max(taken.len());
    }
    println!("{name}: {deaths} deaths, {used} items taken from pools, none twice");
    assert!(used as u64 > deaths / 4, "{used}");
}

#[test]
fn two_party_is_killed_while_asked() {
    killed_while_asked(
        "killed-two-party",
        "two-party",
        &["vendor"],
        &["vendor"],
        50,
    );
}

#[test]
fn replicated3_is_killed_while_asked() {
    let servers = ["server-0", "server-1", "server-2"];
    killed_while_asked("killed-replicated3", "replicated3", &servers, &servers, 50);
}

#[test]
fn seco_is_killed_while_asked() {
    let servers = ["gateway", "remote-0", "remote-1"];
    killed_while_asked("killed-seco", "seco", &servers, &["gateway"], 100);
}

/// A deployment that said it was finished is there; one that failed has left the one before it.
#[test]
fn nodes_are_killed_while_a_model_is_deployed() {
    let servers = ["server-0", "server-1", "server-2"];
    let mut stage = Stage::new("killed-deploying", "replicated3", &servers, &servers);
    stage.cloud.deploy("digits", &stage.lots).unwrap();
    let (mut done, mut failed) = (0, 0);
    for turn in 0..50 {
        let victim = turn as usize % 3;
        let deployed = std::thread::scope(|scope| {
            let cloud = &stage.cloud;
            let lots = &stage.lots;
            let deploying = scope.spawn(move || cloud.deploy("digits", lots));
            std::thread::sleep(moment(turn, Duration::from_millis(150)));
            stage.nodes[victim].kill();
            deploying.join().unwrap()
        });
        stage.nodes[victim] = stage.node(victim);
        let client = stage.cloud.client(0, &servers).unwrap();
        let mut ask = wait("all serve one version", || client.ask("digits", None).ok());
        match deployed {
            Ok(new) => {
                done += 1;
                assert_eq!(ask.deployment, new.deployment, "{turn}: lost");
            }
            Err(_) => failed += 1,
        }
        let answers = ask.infer(1, vec![picture(1, 0)], &mut |_| {}).unwrap();
        close(&answers.outputs[0], &stage.lots.clear(&picture(1, 0)));
    }
    println!("{done} deployments finished, {failed} failed");
    assert!(done > 0 && failed > 0);
}
