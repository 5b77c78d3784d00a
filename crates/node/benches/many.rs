//! Many clients at once: predictions a second, and what the servers' processes hold before and after.
//!
//! `cargo bench -p subrosa-node --bench many`: 100 clients, 2,000 predictions of the MLP and 100 of LeNet, by three servers
//! that are processes of their own.

#[path = "../tests/nodes/harness.rs"]
#[allow(dead_code, reason = "tests use the rest of it")]
mod harness;

use harness::{Cloud, Key, Lots, TIMEOUT, picture};
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::{Duration, Instant};
use subrosa::{Seed, Terms};
use subrosa_node::Node;
use subrosa_node::config::NodeConfig;

const PLACE: &str = "SUBROSA_BENCH_PROCESS";
const SERVERS: [&str; 3] = ["server-0", "server-1", "server-2"];
const CLIENTS: usize = 100;
const ROUNDS: usize = 4;

fn main() {
    if let Some(place) = std::env::var_os(PLACE).map(PathBuf::from) {
        let text = std::fs::read_to_string(place.join("settings")).unwrap();
        let config = NodeConfig::parse(&text).unwrap();
        let identity = Key::read(&place).identity();
        let node = Node::open(config, identity, &Seed::insecure_seeded(1)).unwrap();
        println!("ready");
        node.serve(Duration::from_secs(1));
        return;
    }
    for (model, each) in [("mnist-mlp.onnx", 20), ("mnist-lenet.onnx", 1)] {
        let mut cloud = Cloud::new("many", &SERVERS, CLIENTS);
        cloud.limits = "connections = 1000\nqueue = 200\nsessions = 4\nthreads = 1\n".to_owned();
        let nodes: Vec<Child> = (0..3).map(|at| start(&cloud, at)).collect();
        let lots = Lots::new(model, "replicated3", &[1], Terms::default());
        cloud.deploy("digits", &lots).unwrap();
        let expected = lots.clear(&picture(1, 1));
        // Their keys are made before, as for `subrosa bench`.
        let enrolled = all(&cloud, 1, &expected);
        println!(
            "{model}: first visit of {CLIENTS} clients {:.2} s",
            enrolled.as_secs_f64()
        );
        show(&nodes);
        let count = CLIENTS * each;
        for _ in 0..ROUNDS {
            let time = all(&cloud, each, &expected).as_secs_f64();
            println!(
                "  {count} predictions {time:.2} s, {:.0} a second",
                count as f64 / time
            );
            show(&nodes);
        }
        for mut node in nodes {
            let _ = node.kill();
            let _ = node.wait();
        }
    }
}

fn start(cloud: &Cloud, at: usize) -> Child {
    let place = cloud.folder.join(format!("process-{at}"));
    cloud.keys[at].write(&place);
    std::fs::write(place.join("settings"), cloud.config(at)).unwrap();
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.env(PLACE, &place).stdout(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut line = String::new();
    let out = child.stdout.take().unwrap();
    BufReader::new(out).read_line(&mut line).unwrap();
    child
}

/// What the servers hold, to see that it does not grow.
fn show(nodes: &[Child]) {
    let held = nodes.iter().zip(SERVERS).map(|(node, name)| {
        let [memory, files] = held(node);
        format!("{name} {memory} kB, {files} descriptors")
    });
    println!("    {}", held.collect::<Vec<_>>().join("; "));
}

/// Memory in kB and open descriptors.
fn held(node: &Child) -> [u64; 2] {
    let folder = PathBuf::from(format!("/proc/{}", node.id()));
    let status = std::fs::read_to_string(folder.join("status")).unwrap();
    let line = status
        .lines()
        .find(|line| line.starts_with("VmRSS"))
        .unwrap();
    let memory = line.split_whitespace().nth(1).unwrap().parse().unwrap();
    [
        memory,
        std::fs::read_dir(folder.join("fd")).unwrap().count() as u64,
    ]
}

/// Every client asks for `each` answers, all at once.
fn all(cloud: &Cloud, each: usize, expected: &[f32]) -> Duration {
    let right = AtomicUsize::new(0);
    let clients: Vec<_> = (0..CLIENTS)
        .map(|number| cloud.client(number, &SERVERS).unwrap())
        .collect();
    let began = Instant::now();
    std::thread::scope(|scope| {
        for client in &clients {
            let right = &right;
            scope.spawn(move || {
                let mut ask = client.ask("digits", None).unwrap();
                ask.patience = TIMEOUT * 12;
                let inputs = vec![picture(1, 1); each];
                let answers = ask.infer(1, inputs, &mut |_| {}).unwrap();
                for outputs in answers.outputs {
                    harness::close(&outputs, expected);
                    right.fetch_add(1, Relaxed);
                }
            });
        }
    });
    assert_eq!(right.load(Relaxed), CLIENTS * each);
    began.elapsed()
}
