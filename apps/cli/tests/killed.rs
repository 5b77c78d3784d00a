//! Parties that die, stall, or are left alone.

mod support;

use std::process::Child;
use std::time::{Duration, Instant};
use support::*;

/// A protocol, how many processes it has, and one that computes.
type Kind = (&'static str, usize, &'static str);

const KINDS: [Kind; 2] = [("replicated3", 4, "server-0"), ("two-party", 2, "vendor")];

/// Starts a run that would take hours, and waits until its parties are at work.
fn long_run(kind: Kind, name: &str, more: &[&str]) -> (Child, Vec<(u32, String)>) {
    let (protocol, count, worker) = kind;
    let folder = folder(name);
    let input = npy(
        &folder.join("x.npy"),
        "<f4",
        &[1, 1, 28, 28],
        &floats(spread(784)),
    );
    let model = model("mnist-mlp.onnx");
    let mut arguments = vec![
        "run",
        &model,
        "--protocol",
        protocol,
        "--input",
        &input,
        "--repeat",
        "1000000",
    ];
    arguments.extend(more);
    let child = command(&arguments).spawn().unwrap();
    let started = Instant::now();
    let mut parties = children(child.id());
    while !(parties.len() == count && has_worked(*party(&parties, worker))) {
        assert!(started.elapsed() < Duration::from_secs(60), "{parties:?}");
        std::thread::sleep(Duration::from_millis(20));
        parties = children(child.id());
    }
    (child, parties)
}

/// Whether it has used ten ticks of processor time: more than its start takes.
fn has_worked(id: u32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
    let fields = stat.rsplit(") ").next().unwrap_or_default();
    fields
        .split(' ')
        .skip(11)
        .take(2)
        .filter_map(|ticks| ticks.parse::<u64>().ok())
        .sum::<u64>()
        >= 10
}

#[test]
fn killed_party_is_named() {
    for (kind, name) in [
        (KINDS[0], "server-1"),
        (KINDS[0], "client"),
        (KINDS[1], "vendor"),
        (KINDS[1], "client"),
    ] {
        let (child, parties) = long_run(kind, "killed", &[]);
        signal("-9", *party(&parties, name));
        let killed = Instant::now();
        let output = finish(child);
        assert!(killed.elapsed() < Duration::from_secs(20));
        let stderr = text(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{stderr}");
        let last = stderr.lines().last().unwrap_or_default();
        assert!(last.contains(name) && last.contains("signal 9"), "{stderr}");
        all_gone(&parties);
    }
}

#[test]
fn stopped_party_is_named() {
    for kind in KINDS {
        let (child, parties) = long_run(kind, "stopped", &["--timeout", "2"]);
        signal("-STOP", *party(&parties, kind.2));
        let output = finish(child);
        let stderr = text(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{stderr}");
        let last = stderr.lines().last().unwrap_or_default();
        assert!(
            last.starts_with(&format!("subrosa: {}", kind.2)),
            "{stderr}"
        );
        all_gone(&parties);
    }
}

#[test]
fn parties_end_with_the_program() {
    for how in ["-9", "-TERM"] {
        let (mut child, parties) = long_run(KINDS[0], "orphans", &[]);
        signal(how, child.id());
        child.wait().unwrap();
        all_gone(&parties);
    }
}
