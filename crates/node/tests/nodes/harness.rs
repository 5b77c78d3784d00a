//! Nodes in threads of this process, over real connections on the loopback address, each with a folder of its own.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::thread::JoinHandle;
use std::time::Duration;
use subrosa::{Identity, Model, Planned, Prepared, Reveal, Seed, Tensor, Terms};
use subrosa_node::config::{Directory, KnownNode, NodeConfig};
use subrosa_node::message::{InputSide, Opened};
use subrosa_node::{Client, ClientFault, Deploying, Handle, Node, OwnerFault, deploy};

pub const TIMEOUT: Duration = Duration::from_secs(10);

/// An identity that can be loaded again and again.
pub struct Key(Vec<u8>, Vec<u8>);

impl Key {
    pub fn new() -> Self {
        Self::of(&Identity::generate().unwrap())
    }

    /// Of which the certificate was valid once.
    pub fn expired() -> Self {
        let identity = Identity::generate_within((2020, 1, 1), (2021, 1, 1));
        Self::of(&identity.unwrap())
    }

    pub fn of(identity: &Identity) -> Self {
        let (certificate, key) = identity.to_der();
        Self(certificate.to_vec(), key.reveal().clone())
    }

    /// To two files, and back.
    pub fn write(&self, folder: &Path) {
        std::fs::create_dir_all(folder).unwrap();
        std::fs::write(folder.join("certificate"), &self.0).unwrap();
        std::fs::write(folder.join("key"), &self.1).unwrap();
    }

    pub fn read(folder: &Path) -> Self {
        let read = |name| std::fs::read(folder.join(name)).unwrap();
        Self(read("certificate"), read("key"))
    }

    pub fn identity(&self) -> Identity {
        let key = subrosa::Secret::new(self.1.clone());
        Identity::from_der(self.0.clone(), key).unwrap()
    }
}

/// A node that runs.
pub struct Running {
    pub handle: Handle,
    thread: Option<JoinHandle<bool>>,
}

impl Running {
    pub fn stop(&mut self) {
        self.handle.stop();
        if let Some(thread) = self.thread.take() {
            thread.join().unwrap();
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stop();
    }
}

/// All that is there, in one folder that goes with this.
pub struct Cloud {
    pub folder: PathBuf,
    pub seats: Vec<&'static str>,
    pub keys: Vec<Key>,
    pub ports: Vec<u16>,
    pub owner: Key,
    pub clients: Vec<Key>,
    pub limits: String,
    /// The longest silence in a session.
    pub timeout: &'static str,
    /// What else stands in the file of every node.
    pub more: String,
    pub nodes: Vec<Option<Running>>,
}

impl Cloud {
    pub fn new(name: &str, seats: &[&'static str], clients: usize) -> Self {
        let folder = format!("subrosa-nodes-{name}-{}", std::process::id());
        let folder = std::env::temp_dir().join(folder);
        let _ = std::fs::remove_dir_all(&folder);
        // Held until all are known, so that no two are the same.
        let holds: Vec<TcpListener> = seats
            .iter()
            .map(|_| TcpListener::bind("127.0.0.1:0").unwrap())
            .collect();
        let ports = holds.iter().map(|hold| hold.local_addr().unwrap().port());
        Self {
            folder,
            seats: seats.to_vec(),
            keys: seats.iter().map(|_| Key::new()).collect(),
            ports: ports.collect(),
            owner: Key::new(),
            clients: (0..clients).map(|_| Key::new()).collect(),
            limits: String::new(),
            timeout: "5s",
            more: String::new(),
            nodes: seats.iter().map(|_| None).collect(),
        }
    }

    pub fn config(&self, at: usize) -> String {
        let data = self.folder.join(self.seats[at]);
        let mut text = format!(
            "name = \"{}\"\nlisten = \"127.0.0.1:{}\"\nidentity = \"x\"\ndata = \"{}\"\n[limits]\ntimeout = \"{}\"\n{}\n[pool]\nlevel = 8\n",
            self.seats[at],
            self.ports[at],
            data.display(),
            self.timeout,
            self.limits
        );
        for (other, seat) in self
            .seats
            .iter()
            .enumerate()
            .filter(|(other, _)| *other != at)
        {
            text += &node("peer", seat, self.ports[other], &self.keys[other]);
        }
        let owner = self.owner.identity().fingerprint();
        text += &format!(
            "[[allow]]\nname = \"owner\"\nfingerprint = \"{owner}\"\ndeploy = [\"*\"]\nstatus = true\n"
        );
        for (number, client) in self.clients.iter().enumerate() {
            let print = client.identity().fingerprint();
            text += &format!(
                "[[allow]]\nname = \"client-{number}\"\nfingerprint = \"{print}\"\npredict = [\"*\"]\nstatus = true\n"
            );
        }
        text + &self.more
    }

    pub fn start(&mut self, at: usize) {
        let config = NodeConfig::parse(&self.config(at)).unwrap();
        let key = Seed::insecure_seeded(at as u64);
        let node = Node::open(config, self.keys[at].identity(), &key).unwrap();
        let handle = node.handle();
        let thread = std::thread::spawn(move || node.serve(Duration::from_secs(5)));
        let thread = Some(thread);
        self.nodes[at] = Some(Running { handle, thread });
    }

    /// Where a node has its files if it is a process.
    pub fn place(&self, at: usize) -> PathBuf {
        self.folder.join(format!("process-{at}"))
    }

    pub fn start_all(&mut self) {
        (0..self.seats.len()).for_each(|at| self.start(at));
    }

    pub fn stop_all(&mut self) {
        self.nodes.iter_mut().for_each(|node| *node = None);
    }

    /// Of the nodes with these seats, as an owner's or a client's file has them.
    pub fn directory(&self, seats: &[&str]) -> Vec<KnownNode> {
        let mut text = "identity = \"x\"\n".to_owned();
        for (at, seat) in self.seats.iter().enumerate() {
            if seats.contains(seat) {
                text += &node("node", seat, self.ports[at], &self.keys[at]);
            }
        }
        Directory::parse(&text).unwrap().nodes
    }

    pub fn deploy(&self, model: &str, lots: &Lots) -> Result<subrosa_node::Deployed, OwnerFault> {
        let what = Deploying {
            model,
            identity: &self.owner.identity(),
            nodes: &self.directory(&self.seats),
            lots: &lots.plans(),
            inputs: lots.inputs(),
            opened: Opened::from(lots.reveal),
            timeout: TIMEOUT,
        };
        deploy(&what, &mut |_, _, _| {})
    }

    pub fn client(&self, number: usize, seats: &[&str]) -> Result<Client, ClientFault> {
        let state = self.folder.join(format!("client-{number}"));
        let key = Seed::insecure_seeded(100 + number as u64);
        let identity = self.clients[number].identity();
        Client::open(identity, self.directory(seats), &state, &key, TIMEOUT)
    }
}

impl Drop for Cloud {
    fn drop(&mut self) {
        self.stop_all();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

fn node(table: &str, name: &str, port: u16, key: &Key) -> String {
    let print = key.identity().fingerprint();
    format!(
        "[[{table}]]\nname = \"{name}\"\naddress = \"127.0.0.1:{port}\"\nfingerprint = \"{print}\"\n"
    )
}

/// A model of this repository, planned for some batch sizes.
pub struct Lots {
    protocol: &'static str,
    prepared: Vec<(u32, Prepared)>,
    pub reveal: Reveal,
    terms: Terms,
}

impl Lots {
    pub fn new(model: &str, protocol: &'static str, batches: &[u32], terms: Terms) -> Self {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../models");
        let model = Model::read(&path.join(model)).unwrap();
        let prepared = batches.iter().map(|batch| {
            let prepared = Prepared::new(&model, *batch as usize, &[[0.0, 1.0]], None);
            (*batch, prepared.unwrap())
        });
        Self {
            protocol,
            prepared: prepared.collect(),
            reveal: terms.reveal,
            terms,
        }
    }

    pub fn plans(&self) -> Vec<(u32, Planned, &subrosa::Weights)> {
        let protocol = subrosa::find(self.protocol).unwrap();
        let plan = |(batch, prepared): &'_ (u32, Prepared)| {
            (*batch, prepared.plan(protocol, &self.terms).unwrap())
        };
        let plans = self.prepared.iter().map(plan);
        plans
            .zip(&self.prepared)
            .map(|((batch, plan), (_, prepared))| (batch, plan, &prepared.weights))
            .collect()
    }

    pub fn inputs(&self) -> Vec<InputSide> {
        vec![InputSide {
            name: "input".to_owned(),
            shape: vec![None, Some(1), Some(28), Some(28)],
            range: [0.0, 1.0],
        }]
    }

    /// What a party is told of the plan for the first batch size.
    pub fn view(&self, party: subrosa::PartyId) -> Vec<u8> {
        let plans = self.plans();
        let mut parties = plans[0].1.parties().iter();
        let found = parties.find(|found| found.seat.party == party);
        found.unwrap().view.clone()
    }

    /// What the clear reading says.
    pub fn clear(&self, inputs: &[Tensor]) -> Vec<f32> {
        let (_, prepared) = &self.prepared[0];
        let protocol = subrosa::find(self.protocol).unwrap();
        let plan = prepared.plan(protocol, &self.terms).unwrap();
        let oracle = subrosa::Oracle::new(plan.graph(), &prepared.weights, 1).unwrap();
        let answer = oracle.infer(inputs).unwrap();
        answer.outputs[0].values.clone()
    }
}

/// A digit's shape, filled by a number.
pub fn picture(batch: usize, number: u32) -> Vec<Tensor> {
    let values = (0..batch * 784).map(|at| ((at as u32 * 31 + number * 97) % 256) as f32 / 255.0);
    vec![Tensor {
        shape: vec![batch, 1, 28, 28],
        values: values.collect(),
    }]
}

pub fn close(found: &[Tensor], expected: &[f32]) {
    assert_eq!(found[0].values.len(), expected.len());
    for (a, b) in found[0].values.iter().zip(expected) {
        assert!((a - b).abs() < 0.05, "{a} {b}");
    }
}
