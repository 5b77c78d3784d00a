//! Nodes and clients as processes of their own, which can be killed. They write what they take from pools into a file.

use crate::harness::*;
use std::fs::{self, File, OpenOptions};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::Mutex;
use std::time::{Duration, Instant};
use subrosa::Seed;
use subrosa_node::config::{Directory, NodeConfig};
use subrosa_node::{Client, Node};

/// Names the folder with what a process is to be.
const PLACE: &str = "SUBROSA_TEST_PROCESS";

/// The process itself, where it is one.
#[test]
fn process() {
    let Some(place) = std::env::var_os(PLACE).map(PathBuf::from) else {
        return;
    };
    let mut log = OpenOptions::new();
    let log: File = log
        .create(true)
        .append(true)
        .open(place.join("log"))
        .unwrap();
    tracing_subscriber::fmt()
        .with_max_level(tracing_subscriber::filter::LevelFilter::DEBUG)
        .with_ansi(false)
        .with_writer(Mutex::new(log))
        .init();
    let text = fs::read_to_string(place.join("settings")).unwrap();
    let identity = Key::read(&place).identity();
    let key = Seed::insecure_seeded(7);
    match NodeConfig::parse(&text) {
        Ok(config) => {
            let node = Node::open(config, identity, &key).unwrap();
            println!("ready");
            node.serve(Duration::from_secs(1));
        }
        Err(_) => ask(&text, identity, &key, &place),
    }
}

/// Fills and asks for ever; one line for each answer.
fn ask(text: &str, identity: subrosa::Identity, key: &Seed, place: &Path) {
    let nodes = Directory::parse(text).unwrap().nodes;
    let client = Client::open(identity, nodes, &place.join("state"), key, TIMEOUT).unwrap();
    println!("ready");
    for turn in 0.. {
        let Ok(mut ask) = client.ask("digits", None) else {
            std::thread::sleep(Duration::from_millis(20));
            continue;
        };
        let (_, level) = ask.standing(1).unwrap();
        if level < 2 && ask.fill(1, 4, &mut |_| {}).is_err() {
            continue;
        }
        if let Ok(answers) = ask.infer(1, vec![picture(1, turn % 3)], &mut |_| {}) {
            let values = &answers.outputs[0][0].values;
            let values: Vec<String> = values.iter().map(f32::to_string).collect();
            println!("answer {} {}", turn % 3, values.join(","));
        }
    }
}

/// A process that is killed with this value at the latest.
pub struct Process {
    child: Child,
    lines: Option<BufReader<ChildStdout>>,
}

impl Process {
    /// With a file of settings, and a folder of its own.
    pub fn start(place: &Path, key: &Key, settings: &str) -> Self {
        Self::inside(None, place, key, settings)
    }

    /// In a network with a name, if one is given.
    pub fn inside(network: Option<&str>, place: &Path, key: &Key, settings: &str) -> Self {
        key.write(place);
        fs::write(place.join("settings"), settings).unwrap();
        let own = std::env::current_exe().unwrap();
        let mut command = match network {
            Some(_) => Command::new("ip"),
            None => Command::new(&own),
        };
        if let Some(network) = network {
            command.args(["netns", "exec", network]).arg(&own);
        }
        command.args([
            "--exact",
            "child::process",
            "--nocapture",
            "--test-threads=1",
        ]);
        command.env(PLACE, place).stdin(Stdio::null());
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap());
        let mut process = Self {
            child,
            lines: Some(lines),
        };
        assert!(process.line().is_some_and(|line| line == "ready"));
        process
    }

    /// One node of a cloud.
    pub fn node(cloud: &Cloud, at: usize) -> Self {
        Self::start(&cloud.place(at), &cloud.keys[at], &cloud.config(at))
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// `STOP`, `CONT`: as the shell's `kill` has them.
    pub fn signal(&self, name: &str) {
        let mut kill = Command::new("kill");
        let kill = kill.arg(format!("-{name}")).arg(self.id().to_string());
        assert!(kill.status().unwrap().success());
    }

    /// Kibibytes of memory that it has, and open descriptors.
    pub fn held(&self) -> (usize, usize) {
        let place = PathBuf::from(format!("/proc/{}", self.id()));
        let status = fs::read_to_string(place.join("status")).unwrap();
        let mut lines = status.lines();
        let line = lines.find_map(|line| line.strip_prefix("VmRSS:"));
        let number = line.and_then(|line| line.split_whitespace().next());
        let open = fs::read_dir(place.join("fd")).unwrap().count();
        (number.unwrap().parse().unwrap(), open)
    }

    /// The next line that is its own.
    pub fn line(&mut self) -> Option<String> {
        let own = |line: &String| line == "ready" || line.starts_with("answer ");
        let lines = self.lines.as_mut()?;
        loop {
            let mut line = String::new();
            if lines.read_line(&mut line).unwrap_or(0) == 0 {
                return None;
            }
            let line = line
                .trim_end()
                .trim_start_matches("test child::process ... ");
            let line = line.to_owned();
            if own(&line) {
                return Some(line);
            }
        }
    }

    /// Hands its lines to a thread.
    pub fn take_lines(&mut self) -> impl Iterator<Item = String> + Send + use<> {
        let lines = self.lines.take().unwrap();
        lines.lines().map_while(Result::ok)
    }

    pub fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// What it has taken from pools, in all its lives.
    pub fn taken(place: &Path) -> Vec<String> {
        let log = fs::read_to_string(place.join("log")).unwrap_or_default();
        let taken = log.lines().filter_map(|line| line.split_once(" taken "));
        taken.map(|(_, item)| item.to_owned()).collect()
    }
}

/// Waits for a line in a node's log with all of `words`.
pub fn logged(place: &Path, words: &[&str]) {
    wait(&format!("{words:?} in the log"), || {
        let log = fs::read_to_string(place.join("log")).unwrap_or_default();
        let mut lines = log.lines();
        lines.find_map(|line| words.iter().all(|word| line.contains(word)).then_some(()))
    });
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Looks again until something is so, which must be soon.
pub fn wait<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let until = Instant::now() + Duration::from_secs(60);
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < until, "{what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}
