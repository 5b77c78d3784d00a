//! A process that changes a store is killed at random moments. What it leaves is the last committed state, or the one
//! that was being committed.

use crate::parties::*;
use crate::store::{blob, blob_files, open_store};
use std::io::{BufRead, BufReader, Read, Write};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;
use subrosa_core::{Prg, Seed};
use subrosa_vault::{BlobId, Store, VaultFault};

/// Names the folder in which the process that is to be killed plays.
const STAGE: &str = "SUBROSA_STORE_STAGE";
const ROWS: u64 = 5;
const KILLS: usize = 60;

/// Whether a row is there in a state, and what lies in its blob.
fn row(state: u64, row: u64) -> Option<Vec<u8>> {
    let there = !(state + row).is_multiple_of(3);
    there.then(|| content(state, row as u8, 40_000).0)
}

/// The number of the state that is there.
fn state(store: &Store) -> Result<u64, VaultFault> {
    let state = store.get("state", b"")?;
    Ok(state.map_or(0, |s| u64::from_le_bytes(*s.first_chunk().unwrap())))
}

/// From one state to the next in one change.
fn step(store: &Store, next: u64) -> Result<(), VaultFault> {
    let blobs: Vec<Option<BlobId>> = (0..ROWS)
        .map(|at| row(next, at).map(|bytes| blob(store, &bytes)))
        .collect();
    store.change(|c| {
        c.put("state", b"", &next.to_le_bytes(), &[])?;
        for (at, blob) in (0u64..).zip(&blobs) {
            let name = at.to_le_bytes();
            match blob {
                Some(id) => {
                    let value = postcard::to_stdvec(&(next, id)).unwrap();
                    c.put("row", &name, &value, &[*id])?;
                }
                None => drop(c.delete("row", &name)?),
            }
        }
        Ok(())
    })
}

/// The process that is killed.
#[test]
fn play_of_a_store() {
    let Some(stage) = std::env::var_os(STAGE).map(PathBuf::from) else {
        return;
    };
    let store = open_store(&stage).unwrap();
    let mut at = state(&store).unwrap();
    loop {
        let said = format!("{at}\n");
        std::io::stderr().write_all(said.as_bytes()).unwrap();
        at += 1;
        step(&store, at).unwrap();
    }
}

fn check(folder: &std::path::Path) -> u64 {
    let store = open_store(folder).unwrap();
    let state = state(&store).unwrap();
    let there: Vec<u64> = (0..ROWS).filter(|at| row(state, *at).is_some()).collect();
    let rows = if state == 0 { 0 } else { there.len() };
    assert_eq!(store.all("row").unwrap().len(), rows);
    for at in &there[..rows] {
        let value = store.get("row", &at.to_le_bytes()).unwrap().unwrap();
        let (of, id): (u64, BlobId) = postcard::from_bytes(&value).unwrap();
        assert_eq!(of, state);
        assert_eq!(Some(store.read(&id).unwrap().to_vec()), row(state, *at));
    }
    assert_eq!(blob_files(folder).len(), rows);
    state
}

#[test]
fn a_killed_process_leaves_a_committed_state() {
    let scratch = Scratch::new();
    let mut draws = Prg::new(&Seed::random().unwrap());
    let (mut at, mut ahead) = (0, 0);
    for _ in 0..KILLS {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["store_kill::play_of_a_store", "--exact", "--nocapture"])
            .env(STAGE, scratch.of(0))
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let [steps, more] = [4, 6_000].map(|most| draws.words(32, 1)[0] % most);
        let mut heard = BufReader::new(child.stderr.take().unwrap());
        let mut said = String::new();
        for _ in 0..=steps {
            said.clear();
            heard.read_line(&mut said).unwrap();
        }
        thread::sleep(Duration::from_micros(more));
        child.kill().unwrap();
        child.wait().unwrap();
        heard.read_to_string(&mut said).unwrap();
        let committed: Vec<u64> = said.lines().map(|l| l.parse().expect(&said)).collect();
        let last = *committed.last().unwrap();
        assert!(last >= at);
        at = check(&scratch.of(0));
        assert!(at == last || at == last + 1, "{last} {at}");
        ahead += at - last;
    }
    println!("{at} states, of which {ahead} were being committed");
    assert!(at as usize > KILLS / 2, "{at}");
}
