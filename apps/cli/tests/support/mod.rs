//! What the tests of the program share.

#![allow(dead_code)]

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

/// The longest that any command of these tests may take.
const PATIENCE: Duration = Duration::from_secs(240);

pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../..")
        .canonicalize()
        .unwrap()
}

pub fn model(name: &str) -> String {
    root().join("models").join(name).display().to_string()
}

/// A fresh folder.
pub fn folder(name: &str) -> PathBuf {
    let path =
        Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}-{}", std::process::id()));
    let _ = std::fs::remove_dir_all(&path);
    std::fs::create_dir_all(&path).unwrap();
    path
}

/// Names of what lies in a folder.
pub fn entries(folder: &Path) -> Vec<String> {
    let found = std::fs::read_dir(folder).unwrap().flatten();
    let names = found.map(|entry| entry.file_name().to_string_lossy().into_owned());
    names.collect()
}

pub fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_subrosa"));
    command
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

/// Runs to the end, which must come in time.
pub fn subrosa(arguments: &[&str]) -> Output {
    finish(command(arguments).spawn().unwrap())
}

pub fn finish(child: Child) -> Output {
    let id = child.id();
    let (done, ended) = std::sync::mpsc::channel::<()>();
    let watch = std::thread::spawn(move || {
        let started = Instant::now();
        if ended.recv_timeout(PATIENCE) == Err(std::sync::mpsc::RecvTimeoutError::Timeout) {
            let _ = Command::new("kill").args(["-9", &id.to_string()]).status();
            panic!("no end after {:?}", started.elapsed());
        }
    });
    let output = child.wait_with_output().unwrap();
    drop(done);
    watch.join().unwrap();
    output
}

pub fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Standard output of a run that must succeed.
pub fn succeed(arguments: &[&str]) -> String {
    let output = subrosa(arguments);
    assert!(
        output.status.success(),
        "{arguments:?}: {}",
        text(&output.stderr)
    );
    text(&output.stdout)
}

/// The one line of a run that must fail with this status.
pub fn fail(arguments: &[&str], status: i32) -> String {
    let output = subrosa(arguments);
    let stderr = text(&output.stderr);
    assert_eq!(
        output.status.code(),
        Some(status),
        "{arguments:?}: {stderr}"
    );
    assert_eq!(text(&output.stdout), "", "{arguments:?}");
    let lines: Vec<&str> = stderr
        .lines()
        .filter(|line| !line.starts_with("note: "))
        .collect();
    assert_eq!(lines.len(), 1, "{arguments:?}: {stderr}");
    assert!(lines[0].starts_with("subrosa: "), "{stderr}");
    lines[0].to_owned()
}

/// An NPY file.
pub fn npy(path: &Path, descr: &str, shape: &[usize], data: &[u8]) -> String {
    let extents: String = shape.iter().map(|extent| format!("{extent},")).collect();
    let header =
        format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': ({extents}), }}\n");
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend((header.len() as u16).to_le_bytes());
    bytes.extend(header.as_bytes());
    bytes.extend(data);
    std::fs::write(path, bytes).unwrap();
    path.display().to_string()
}

pub fn floats(values: impl IntoIterator<Item = f32>) -> Vec<u8> {
    values.into_iter().flat_map(f32::to_le_bytes).collect()
}

/// Numbers from 0 to 1.
pub fn spread(count: usize) -> Vec<f32> {
    (0..count as u32)
        .map(|at| at.wrapping_mul(2_654_435_761) as f32 / u32::MAX as f32)
        .collect()
}

/// Where real data lie, or the reason why a test skips.
pub fn data() -> Option<PathBuf> {
    let given = std::env::var_os("SUBROSA_DATA").map(PathBuf::from);
    let beside = root().join("../shared/data");
    let found = given.into_iter().chain([beside]).find(|path| path.is_dir());
    if found.is_none() {
        println!("skipped: no data sets in SUBROSA_DATA or ../shared/data");
    }
    found
}

/// Processes whose parent is this one, with their command lines.
pub fn children(parent: u32) -> Vec<(u32, String)> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir("/proc").unwrap().flatten() {
        let Ok(id) = entry.file_name().to_string_lossy().parse::<u32>() else {
            continue;
        };
        let read = |name: &str| std::fs::read(entry.path().join(name)).unwrap_or_default();
        let stat = text(&read("stat"));
        let after = stat.rsplit(") ").next().unwrap_or_default();
        if after.split(' ').nth(1) == Some(&parent.to_string()) {
            found.push((id, text(&read("cmdline")).replace('\0', " ")));
        }
    }
    found
}

pub fn signal(signal: &str, id: u32) {
    assert!(
        Command::new("kill")
            .args([signal, &id.to_string()])
            .status()
            .unwrap()
            .success()
    );
}

pub fn party<'a>(parties: &'a [(u32, String)], name: &str) -> &'a u32 {
    let found = parties
        .iter()
        .find(|(_, line)| line.contains(&format!("party {name}")));
    &found.unwrap().0
}

pub fn all_gone(parties: &[(u32, String)]) {
    let until = Instant::now() + Duration::from_secs(10);
    for (id, line) in parties {
        while std::fs::metadata(format!("/proc/{id}")).is_ok() {
            assert!(Instant::now() < until, "{line} is still there");
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}
