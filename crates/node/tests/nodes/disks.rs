//! Disks that are full or read-only, at the start and in the middle: the reason is told at both sides, nothing that
//! was finished is lost, and all goes on when there is room.

use crate::between::{SERVERS, Triple};
use crate::child::{Process, logged};
use crate::harness::*;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use subrosa::{LocalFault, RunError, Seed, StoreFault, Terms, VaultFault};
use subrosa_node::config::NodeConfig;
use subrosa_node::message::Refusal;
use subrosa_node::{ClientFault, Node, NodeFault, OwnerFault, TalkFault};

/// A file system of its own in memory, where the machine allows one.
struct Mounted(PathBuf);

impl Mounted {
    fn new(folder: PathBuf, options: &str) -> Option<Self> {
        fs::create_dir_all(&folder).unwrap();
        let mut mount = Command::new("mount");
        mount
            .args(["-t", "tmpfs", "-o", options, "tmpfs"])
            .arg(&folder);
        let mounted = mount.output().is_ok_and(|done| done.status.success());
        if !mounted {
            println!("skipped: no file system can be mounted here");
        }
        mounted.then_some(Self(folder))
    }

    fn remount(&self, mode: &str) {
        let mut mount = Command::new("mount");
        mount.args(["-o", &format!("remount,{mode}")]).arg(&self.0);
        assert!(mount.status().unwrap().success());
    }

    /// Takes all room there is, but for `left` bytes.
    fn fill(&self, left: u64) {
        let path = self.ballast();
        assert!(fs::write(&path, vec![1; 64 << 20]).is_err());
        let length = fs::metadata(&path).unwrap().len();
        let file = fs::OpenOptions::new().write(true).open(&path).unwrap();
        file.set_len(length.saturating_sub(left)).unwrap();
    }

    fn empty(&self) {
        // Somebody who forks may hold the file open, not its bytes.
        fs::write(self.ballast(), b"").unwrap();
    }

    fn ballast(&self) -> PathBuf {
        self.0.join("ballast")
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

fn opened(cloud: &Cloud) -> Option<VaultFault> {
    let config = NodeConfig::parse(&cloud.config(0)).unwrap();
    let key = Seed::insecure_seeded(7);
    match Node::open(config, cloud.keys[0].identity(), &key).err() {
        Some(NodeFault::Store(fault)) => Some(fault),
        None => None,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_node_does_not_start_on_a_disk_that_takes_nothing() {
    let cloud = Cloud::new("disk-start", &["server"], 1);
    let Some(disk) = Mounted::new(cloud.folder.join("server"), "size=8m") else {
        return;
    };
    disk.remount("ro");
    assert_eq!(opened(&cloud), Some(VaultFault::ReadOnly));
    disk.remount("rw");
    disk.fill(0);
    assert_eq!(opened(&cloud), Some(VaultFault::DiskFull));
    disk.empty();
    assert_eq!(opened(&cloud), None);
    disk.remount("ro");
    assert_eq!(opened(&cloud), Some(VaultFault::ReadOnly));
    disk.remount("rw");
    assert_eq!(opened(&cloud), None);
}

fn refusal(deployed: Result<subrosa_node::Deployed, OwnerFault>) -> Refusal {
    match deployed.err() {
        Some(OwnerFault::Node {
            fault: TalkFault::Refused(refusal),
            ..
        }) => refusal,
        other => panic!("{other:?}"),
    }
}

/// The session failed at that server, which has told who is to blame.
fn ended_by<T>(asked: Result<T, ClientFault>, expected: &str) {
    match asked.err() {
        Some(ClientFault::Session { culprit, error }) => {
            assert_eq!(culprit, expected, "{error}");
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_full_disk_of_a_server_loses_nothing() {
    let mut triple = Triple {
        cloud: Cloud::new("disk-full", &SERVERS, 2),
        lots: Lots::new("mnist-mlp.onnx", "replicated3", &[1], Terms::default()),
        nodes: Vec::new(),
    };
    let Some(disk) = Mounted::new(triple.cloud.folder.join("server-1"), "size=24m") else {
        return;
    };
    triple.nodes = (0..3).map(|at| Process::node(&triple.cloud, at)).collect();
    let full = Refusal::Store("the disk is full".to_owned());
    let log = triple.cloud.place(1);
    // No room for a model.
    disk.fill(0);
    assert_eq!(refusal(triple.deploy()), full);
    logged(&log, &["owner", "not staged", "the disk is full"]);
    disk.empty();
    let deployed = triple.deploy().unwrap().deployment;
    assert_eq!(triple.asked().unwrap(), deployed);
    // None for another version: the one before serves on.
    disk.fill(0);
    assert_eq!(refusal(triple.deploy()), full);
    assert_eq!(triple.asked().unwrap(), deployed);
    // None for a new client's keys; nobody needs a restart.
    ended_by(triple.asked_by(1), "server-1");
    logged(&log, &["a visit failed", "this node", "the disk is full"]);
    disk.empty();
    assert_eq!(triple.asked_by(1).unwrap(), deployed);
    assert_eq!(triple.asked().unwrap(), deployed);
    // None for material.
    let filled = |triple: &Triple| {
        let client = triple.cloud.client(0, &SERVERS).unwrap();
        let mut ask = client.ask("digits", None).unwrap();
        ask.fill(1, 4, &mut |_| {}).map(drop)
    };
    disk.fill(0);
    ended_by(filled(&triple), "server-1");
    disk.empty();
    filled(&triple).unwrap();
    assert_eq!(triple.asked().unwrap(), deployed);
}

/// A folder on a disk that became read-only.
fn covered(folder: &Path) -> Option<Mounted> {
    assert!(folder.is_dir());
    Mounted::new(folder.to_owned(), "size=1m,ro")
}

#[test]
fn a_disk_that_becomes_read_only_loses_nothing() {
    let triple = Triple::with("disk-read-only", 2, |_| {});
    let cloud = &triple.cloud;
    let deployed = triple.asked().unwrap();
    let data = cloud.folder.join("server-0");
    let Some(disk) = covered(&data.join("store/blobs")) else {
        return;
    };
    let told = Refusal::Store("the file system is read-only".to_owned());
    assert_eq!(refusal(triple.deploy()), told);
    let log = cloud.place(0);
    logged(
        &log,
        &["owner", "not staged", "the file system is read-only"],
    );
    assert_eq!(triple.asked().unwrap(), deployed);
    drop(disk);
    let disk = covered(&data.join("vault/pieces")).unwrap();
    let client = cloud.client(1, &SERVERS).unwrap();
    let mut ask = client.ask("digits", None).unwrap();
    ended_by(ask.fill(1, 2, &mut |_| {}), "server-0");
    logged(
        &log,
        &[
            "a visit failed",
            "this node",
            "the file system is read-only",
        ],
    );
    assert_eq!(triple.asked().unwrap(), deployed);
    drop(disk);
    ask.fill(1, 2, &mut |_| {}).unwrap();
    assert_eq!(triple.asked().unwrap(), deployed);
    assert_ne!(triple.deploy().unwrap().deployment, deployed);
    triple.asked().unwrap();
}

/// The client's own disk.
#[test]
fn a_full_disk_of_a_client_loses_nothing() {
    let triple = Triple::with("disk-client", 1, |_| {});
    let state = triple.cloud.folder.join("client-0");
    let Some(disk) = Mounted::new(state, "size=8m") else {
        return;
    };
    drop(triple.cloud.client(0, &SERVERS).unwrap());
    disk.fill(0);
    let full = match triple.asked().err() {
        Some(ClientFault::State(fault)) => fault == VaultFault::DiskFull,
        Some(ClientFault::Own(RunError::Local(LocalFault::Store(fault)))) => {
            fault == StoreFault::DiskFull
        }
        other => panic!("{other:?}"),
    };
    assert!(full);
    disk.empty();
    triple.asked().unwrap();
    triple.asked().unwrap();
}
