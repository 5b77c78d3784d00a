//! Keys, settings and processes of the parties of one protocol.

use crate::support::*;
use serde_json::Value;
use std::fmt::Write as _;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, ExitStatus, Stdio};
use std::time::{Duration, Instant};

pub const NET: &str = "mnist-mlp.onnx";
const PATIENCE: Duration = Duration::from_secs(20);

/// One key, and who it is.
pub struct Key {
    pub path: String,
    pub fingerprint: String,
}

/// A node's process, killed when it is dropped.
pub struct Running {
    child: Child,
    /// The line with which it said that it is ready.
    pub ready: String,
}

impl Running {
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Waits for the end, which must come in time.
    pub fn end(&mut self) -> ExitStatus {
        let until = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            assert!(Instant::now() < until, "a node does not end");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    pub fn stop(mut self) {
        signal("-TERM", self.id());
        assert_eq!(self.end().code(), Some(0));
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// All parties of a protocol, in a folder of their own.
pub struct Cloud {
    pub folder: PathBuf,
    protocol: &'static str,
    seats: &'static [&'static str],
    ports: Vec<u16>,
    pub keys: Vec<Key>,
    pub owner: Key,
    pub client: Key,
    pub nodes: Vec<Option<Running>>,
}

impl Cloud {
    /// Keys and settings. Nothing runs yet.
    pub fn new(name: &str, protocol: &'static str) -> Self {
        let seats: &[&str] = match protocol {
            "clear" => &["server"],
            "two-party" => &["vendor"],
            "seco" => &["gateway", "remote-0", "remote-1"],
            _ => &["server-0", "server-1", "server-2"],
        };
        let folder = folder(&format!("nodes-{name}"));
        // Held together, so that all are different.
        let held: Vec<TcpListener> = seats
            .iter()
            .map(|_| TcpListener::bind("127.0.0.1:0").unwrap())
            .collect();
        let ports = held.iter().map(|held| held.local_addr().unwrap().port());
        let cloud = Self {
            ports: ports.collect(),
            keys: seats.iter().map(|seat| key(&folder, seat)).collect(),
            owner: key(&folder, "owner"),
            client: key(&folder, "client"),
            nodes: seats.iter().map(|_| None).collect(),
            protocol,
            seats,
            folder,
        };
        succeed(&["keygen", "--store", &cloud.path("store.key")]);
        for at in 0..seats.len() {
            std::fs::write(cloud.settings(at), cloud.node(at, "")).unwrap();
        }
        cloud.directory("owner.toml", "owner.key", cloud.seats.len());
        cloud.directory("client.toml", "client.key", cloud.faced());
        cloud
    }

    /// With all nodes running and a model called `digits`, deployed with `more` options.
    pub fn deployed(name: &str, protocol: &'static str, more: &[&str]) -> Self {
        let mut cloud = Self::new(name, protocol);
        cloud.start();
        cloud.deploy(more);
        cloud
    }

    pub fn path(&self, name: &str) -> String {
        self.folder.join(name).display().to_string()
    }

    pub fn settings(&self, at: usize) -> String {
        self.path(&format!("{}.toml", self.seats[at]))
    }

    /// Servers that the client is linked to: the first ones.
    fn faced(&self) -> usize {
        match self.protocol {
            "seco" => 1,
            _ => self.seats.len(),
        }
    }

    /// The settings of a node, with `more` in front of its tables.
    pub fn node(&self, at: usize, more: &str) -> String {
        let seat = self.seats[at];
        let mut text = format!(
            "name = \"{seat}\"\nlisten = \"127.0.0.1:{}\"\nidentity = \"{seat}.key\"\ndata = \"{seat}.data\"\n{more}\n",
            self.ports[at]
        );
        if !more.contains("passphrase_file") {
            text = format!("store_key = \"store.key\"\n{text}");
        }
        for other in (0..self.seats.len()).filter(|other| *other != at) {
            text += &self.table("peer", other);
        }
        for (name, key, rights) in [
            ("owner", &self.owner, "deploy = [\"digits\"]"),
            ("client", &self.client, "predict = [\"digits\", \"absent\"]"),
        ] {
            let _ = writeln!(
                text,
                "[[allow]]\nname = \"{name}\"\nfingerprint = \"{}\"\n{rights}\nstatus = true",
                key.fingerprint
            );
        }
        text
    }

    fn table(&self, kind: &str, at: usize) -> String {
        format!(
            "[[{kind}]]\nname = \"{}\"\naddress = \"127.0.0.1:{}\"\nfingerprint = \"{}\"\n",
            self.seats[at], self.ports[at], self.keys[at].fingerprint
        )
    }

    /// An owner's or a client's settings, with the first nodes. Gives their path.
    pub fn directory(&self, file: &str, identity: &str, nodes: usize) -> String {
        let mut text =
            format!("identity = \"{identity}\"\nstore_key = \"store.key\"\ntimeout = \"10s\"\n");
        (0..nodes).for_each(|at| text += &self.table("node", at));
        std::fs::write(self.path(file), text).unwrap();
        self.path(file)
    }

    /// Starts those nodes that do not run.
    pub fn start(&mut self) {
        for at in 0..self.seats.len() {
            if self.nodes[at].is_none() {
                let settings = self.settings(at);
                self.nodes[at] = Some(start(&settings, &self.log_path(at)));
            }
        }
    }

    /// Stops all nodes, each of which must end well.
    pub fn stop(&mut self) {
        for node in &mut self.nodes {
            node.take().unwrap().stop();
        }
    }

    fn log_path(&self, at: usize) -> PathBuf {
        self.folder.join(format!("{}.log", self.seats[at]))
    }

    /// What a node has logged in all, once it says `part`.
    pub fn logged(&self, at: usize, part: &str) -> String {
        let until = Instant::now() + PATIENCE;
        loop {
            let log = std::fs::read_to_string(self.log_path(at)).unwrap();
            if log.contains(part) {
                return log;
            }
            assert!(Instant::now() < until, "{part}: {log}");
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Deploys the net as `digits`. Gives what the program says, as JSON.
    pub fn deploy(&self, more: &[&str]) -> Value {
        let (net, to) = (model(NET), self.path("owner.toml"));
        let mut arguments = vec!["deploy", &net, "--name", "digits", "--to", &to, "--json"];
        arguments.extend(["--protocol", self.protocol, "--input-range", "0:1"]);
        arguments.extend(more);
        parsed(&succeed(&arguments))
    }

    /// Arguments of `predict`, `pool` or `status` as the client.
    pub fn asks<'a>(&self, command: &'a str, at: &'a str, more: &[&'a str]) -> Vec<&'a str> {
        let mut arguments = match command {
            "status" => vec![command, "--at", at],
            _ => vec![command, "digits", "--at", at],
        };
        arguments.extend(more);
        arguments
    }

    /// Asks about the first digits, which are 0, 1, 2.
    pub fn predict(&self, digits: usize) -> Value {
        let (at, input) = (self.path("client.toml"), model("demo-digits.npy"));
        let limit = digits.to_string();
        let more = ["--input", &input, "--limit", &limit, "--json"];
        let json = parsed(&succeed(&self.asks("predict", &at, &more)));
        assert_eq!(json["bill"], json["price"]);
        assert_eq!(json["inputs"], digits);
        json
    }

    pub fn status(&self) -> Value {
        let at = self.path("client.toml");
        parsed(&succeed(&self.asks("status", &at, &["--json"])))
    }
}

/// A new key in `folder`.
pub fn key(folder: &Path, name: &str) -> Key {
    let path = folder.join(format!("{name}.key")).display().to_string();
    let said = succeed(&["keygen", &path]);
    let line = said.lines().next().unwrap();
    let fingerprint = line.strip_prefix("fingerprint ").unwrap().to_owned();
    Key { path, fingerprint }
}

/// A node that has said that it is ready.
pub fn start(settings: &str, log: &Path) -> Running {
    let log = File::options().create(true).append(true).open(log).unwrap();
    let mut command = command(&["node", "--config", settings, "--log", "debug"]);
    command.stdout(Stdio::piped()).stderr(log);
    let mut child = command.spawn().unwrap();
    let out = child.stdout.take().unwrap();
    let mut node = Running {
        child,
        ready: String::new(),
    };
    // The pipe ends with the process: no line means that it is gone.
    BufReader::new(out).read_line(&mut node.ready).unwrap();
    assert!(
        node.ready.starts_with("ready "),
        "{settings}: {}",
        node.ready
    );
    node
}

pub fn parsed(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

/// Places of the largest in each row of ten.
pub fn classes(json: &Value) -> Vec<usize> {
    let values = json["answers"].as_object().unwrap().values().next();
    let values = values.unwrap().as_array().unwrap();
    let values: Vec<f64> = values.iter().map(|v| v.as_f64().unwrap()).collect();
    let largest = |row: &[f64]| {
        let best = row.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        row.iter().position(|v| *v == best).unwrap()
    };
    values.chunks(10).map(largest).collect()
}
