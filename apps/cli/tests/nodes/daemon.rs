//! What a node and a client that stays do beside answering.

use crate::cloud::*;
use crate::support::*;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::process::Stdio;
use std::time::{Duration, Instant};

fn passphrase(cloud: &Cloud, phrase: &str) {
    let path = cloud.path("phrase");
    std::fs::write(&path, phrase).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
}

#[test]
fn passphrases_open_what_they_closed() {
    let mut cloud = Cloud::new("passphrase", "clear");
    passphrase(&cloud, "open sesame\n");
    let settings = cloud.node(0, "passphrase_file = \"phrase\"");
    std::fs::write(cloud.settings(0), settings).unwrap();
    cloud.start();
    cloud.deploy(&[]);
    cloud.stop();
    passphrase(&cloud, "open barley\n");
    let line = fail(
        &["node", "--config", &cloud.settings(0), "--log", "warn"],
        2,
    );
    assert!(line.contains("server.toml: its store or vault: the key is not this vault's"));
    passphrase(&cloud, "open sesame\n");
    cloud.start();
    assert_eq!(classes(&cloud.predict(1)), [0]);
}

#[test]
fn counts_are_served_on_the_loopback() {
    let mut cloud = Cloud::new("metrics", "clear");
    let port = TcpListener::bind("127.0.0.1:0").unwrap();
    let metrics = port.local_addr().unwrap();
    drop(port);
    let settings = cloud.node(0, "") + &format!("[metrics]\nlisten = \"{metrics}\"\n");
    std::fs::write(cloud.settings(0), settings).unwrap();
    cloud.start();
    cloud.deploy(&[]);
    cloud.predict(2);
    let get = |path: &str| {
        let mut stream = TcpStream::connect(metrics).unwrap();
        let request = format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    };
    let answer = get("/metrics");
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert!(
        answer.contains("subrosa_inferences_total{model=\"digits\"} 2\n"),
        "{answer}"
    );
    assert!(get("/").starts_with("HTTP/1.1 404"));
    let ready = cloud.nodes[0].as_ref().unwrap().ready.clone();
    let words: Vec<&str> = ready.split_whitespace().collect();
    assert_eq!((words[0], words[1], words.len()), ("ready", "server", 4));
    assert_eq!(words[3], cloud.keys[0].fingerprint);
    let log = cloud.logged(0, "visit");
    assert!(
        log.lines().any(|line| line.contains(" INFO ready ")),
        "{log}"
    );
}

/// Who asks waits while another process has the client's keys and material.
#[test]
fn state_is_waited_for() {
    let cloud = Cloud::deployed("waits", "clear", &[]);
    cloud.predict(1);
    let lock = cloud.folder.join("client.state/store/lock");
    let held = std::fs::File::options().write(true).open(lock).unwrap();
    held.lock().unwrap();
    let (at, input) = (cloud.path("client.toml"), model("demo-digits.npy"));
    let mut asking = command(&cloud.asks("predict", &at, &["--input", &input]));
    let mut asking = asking.spawn().unwrap();
    std::thread::sleep(Duration::from_millis(500));
    assert!(asking.try_wait().unwrap().is_none());
    held.unlock().unwrap();
    let output = finish(asking);
    assert_eq!(output.status.code(), Some(0));
    assert!(text(&output.stderr).starts_with("note: waiting for another process"));
}

/// A client that keeps its pool full leaves room for one that asks.
#[test]
fn pools_are_kept() {
    let mut cloud = Cloud::new("keep", "replicated3");
    for at in 0..3 {
        let settings = cloud.node(at, "") + "[pool]\nlevel = 5\n";
        std::fs::write(cloud.settings(at), settings).unwrap();
    }
    cloud.start();
    cloud.deploy(&[]);
    let level = |expected: u64| {
        let until = Instant::now() + Duration::from_secs(20);
        loop {
            let status = cloud.status();
            let level = &status["nodes"][0]["status"]["models"][0]["pool"];
            if *level == expected {
                return;
            }
            assert!(Instant::now() < until, "{level}");
            std::thread::sleep(Duration::from_millis(100));
        }
    };
    let at = cloud.path("client.toml");
    let mut keeper = command(&cloud.asks("pool", &at, &["--keep"]));
    let keeper = keeper.stdout(Stdio::piped()).spawn().unwrap();
    let id = keeper.id();
    level(5);
    let json = cloud.predict(3);
    assert_eq!((&json["pooled"], &json["setups"]), (&3.into(), &0.into()));
    level(5);
    signal("-TERM", id);
    let output = finish(keeper);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let said = text(&output.stdout);
    assert!(said.contains("material of 5 inferences made"), "{said}");
    assert!(said.contains("material of 3 inferences made"), "{said}");
    let more = ["--count", "1"];
    let line = fail(&cloud.asks("pool", &at, &more), 2);
    assert!(line.contains("at most 5 inferences"), "{line}");
}
