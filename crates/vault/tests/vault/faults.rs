use crate::mounted::Mounted;
use crate::parties::*;
use crate::rows::{Rows, rewrite};
use std::fs;
use std::path::PathBuf;
use std::process::Command;
use subrosa_core::Shelf;
use subrosa_vault::{Part, Pool, VaultFault};

/// Names the vault that a second process tries to open.
const HELD: &str = "SUBROSA_VAULT_HELD";

#[test]
fn a_vault_is_open_once() {
    let scratch = Scratch::new();
    let series = series(&scratch, 0, 2);
    let fault = open(&scratch.of(0), 0).err();
    assert_eq!(fault, Some(VaultFault::InUse));
    let opens = || {
        let mut other = Command::new(std::env::current_exe().unwrap());
        other.args(["faults::another_process", "--exact", "--nocapture"]);
        other.env(HELD, scratch.of(0)).output().unwrap()
    };
    let refused = opens();
    let text = String::from_utf8_lossy(&refused.stdout);
    assert!(text.contains("found Some(InUse)"), "{text}");
    drop(series);
    let opened = opens();
    let text = String::from_utf8_lossy(&opened.stdout);
    assert!(text.contains("found None"), "{text}");
}

#[test]
fn another_process() {
    if let Some(folder) = std::env::var_os(HELD) {
        println!("found {:?}", open(&PathBuf::from(folder), 0).err());
    }
}

type Change = fn(&mut Rows);

#[test]
fn rows_that_this_vault_did_not_write_are_refused() {
    let scratch = Scratch::new();
    let pools = settle(&all_series(&scratch, 2));
    make(&pools, 2, 50);
    drop(pools);
    copy(&scratch.of(0), &scratch.of(9));
    let changes: [(&str, Change); 5] = [
        ("items", |rows| {
            for row in rows.values_mut() {
                row[40] ^= 1;
            }
        }),
        ("items", |rows| {
            let keys: Vec<_> = rows.keys().cloned().collect();
            let first = rows[&keys[0]].clone();
            rows.insert(keys[1].clone(), first);
        }),
        ("items", |rows| {
            for row in rows.values_mut() {
                row.clear();
            }
        }),
        ("heads", |rows| {
            for row in rows.values_mut() {
                row[0] ^= 1;
            }
        }),
        ("vault", |rows| {
            rows.insert(b"schema".to_vec(), vec![1]);
        }),
    ];
    for (case, (table, change)) in changes.into_iter().enumerate() {
        fs::remove_dir_all(scratch.of(0)).unwrap();
        copy(&scratch.of(9), &scratch.of(0));
        rewrite(&scratch.of(0), table, change);
        let opened = open(&scratch.of(0), 0);
        let fault = opened.and_then(|vault| vault.series(&name(0, 2))).err();
        assert_eq!(fault, Some(VaultFault::Corrupted(Part::Ledger)), "{case}");
    }
}

#[test]
fn a_newer_schema_is_refused() {
    let scratch = Scratch::new();
    drop(series(&scratch, 0, 2));
    rewrite(&scratch.of(0), "vault", |rows| {
        let newer = 2u32.to_le_bytes().to_vec();
        rows.insert(b"schema".to_vec(), newer);
    });
    let (expected, found) = (1, 2);
    // Whatever the key: a later schema may say otherwise what a right key is.
    for party in [0, 1] {
        let fault = open(&scratch.of(0), party).err();
        assert_eq!(fault, Some(VaultFault::Schema { expected, found }));
    }
}

#[test]
fn a_wrong_key_opens_nothing_and_harms_nothing() {
    let scratch = Scratch::new();
    let pools = settle(&all_series(&scratch, 2));
    make(&pools, 2, 50);
    drop(pools);
    let fault = open(&scratch.of(0), 1).err();
    assert_eq!(fault, Some(VaultFault::WrongKey));
    let pools = settle(&all_series(&scratch, 2));
    assert_eq!(pools[0].usable(), 2);
}

#[test]
fn an_altered_ledger_is_noticed() {
    let scratch = Scratch::new();
    let pools = settle(&all_series(&scratch, 2));
    make(&pools, 3, 50);
    drop(pools);
    let stated = |folder: &std::path::Path| {
        let series = open(folder, 0)?.series(&name(0, 2))?;
        let standing = series.standing()?;
        Ok((standing.epoch(), standing.fresh(), standing.made().clone()))
    };
    let bytes = fs::read(scratch.of(0).join("ledger.redb")).unwrap();
    let before = stated(&scratch.of(0));
    let used: Vec<usize> = (0..bytes.len()).filter(|at| bytes[*at] != 0).collect();
    let mut noticed = 0;
    let step = used.len() / 100;
    for at in used.into_iter().step_by(step) {
        let folder = scratch.of(9);
        copy(&scratch.of(0), &folder);
        let mut altered = bytes.clone();
        altered[at] ^= 0x41;
        fs::write(folder.join("ledger.redb"), altered).unwrap();
        let found = stated(&folder);
        // What lies in pages that are free counts for nothing.
        assert!(
            found == before || found == Err(VaultFault::Corrupted(Part::Ledger)),
            "byte {at}: {found:?}"
        );
        noticed += u32::from(found.is_err());
        fs::remove_dir_all(&folder).unwrap();
    }
    assert!(noticed > 10, "{noticed}");
    for other in [&b"not a ledger"[..], &bytes[..bytes.len() / 2]] {
        fs::write(scratch.of(0).join("ledger.redb"), other).unwrap();
        let fault = open(&scratch.of(0), 0).err();
        assert_eq!(fault, Some(VaultFault::Corrupted(Part::Ledger)));
    }
}

fn fill(pool: &Pool, length: usize) -> Result<(), VaultFault> {
    let mut slot = pool.begin(pool.fresh())?;
    if slot.put(content(1, 0, length)).is_err() {
        let fault = slot.fault().cloned();
        let made = slot.made();
        assert_eq!(made.as_ref().err(), fault.as_ref());
        return made;
    }
    slot.made()
}

#[test]
fn a_full_disk_is_told_and_loses_nothing() {
    let scratch = Scratch::new();
    let Some(_mounted) = Mounted::new(scratch.of(0), 4) else {
        return;
    };
    let series = all_series(&scratch, 2);
    let mut pools = settle(&series);
    make(&pools, 2, 5_000);
    // Pieces that do not fit leave nothing, and what fits goes on.
    let fault = fill(&pools[0], 6_000_000);
    assert_eq!(fault, Err(VaultFault::DiskFull));
    assert_eq!(item_files(&scratch.of(0)).len(), 2);
    let number = pools[0].fresh();
    fill(&pools[0], 5_000).unwrap();
    put(&pools[1], number, &[content(1, 1, 5_000)]);
    pools = settle(&series);
    assert!(pools.iter().all(|p| p.usable() == 3));
    // Then the ledger itself.
    let filler = scratch.of(0).join("filler");
    let full = fs::write(&filler, vec![1; 8_000_000]);
    assert!(full.is_err());
    let mut before = 3;
    let fault = loop {
        match pools[0].begin(pools[0].fresh() + 100) {
            Ok(slot) => match slot.made() {
                Ok(()) => before += 1,
                Err(fault) => break fault,
            },
            Err(fault) => break fault,
        }
    };
    assert_eq!(fault, VaultFault::DiskFull);
    let fault = pools[0].begin(pools[0].fresh() + 100).err();
    assert_eq!(fault, Some(VaultFault::DiskFull));
    fs::remove_file(&filler).unwrap();
    // As soon as there is room, the same pool goes on.
    pools[0].begin(pools[0].fresh() + 100).unwrap();
    drop((series, pools));
    let series = all_series(&scratch, 2);
    assert_eq!(series[0].standing().unwrap().made().count(), before);
    let pools = settle(&series);
    make(&pools, 1, 5_000);
    assert_eq!(lease(&pools, 9)[0].len(), 4);
}

#[test]
fn a_read_only_folder_is_told() {
    let scratch = Scratch::new();
    let Some(mounted) = Mounted::new(scratch.of(0), 4) else {
        return;
    };
    let pools = settle(&all_series(&scratch, 2));
    make(&pools, 1, 50);
    drop(pools);
    mounted.remount("ro");
    let fault = open(&scratch.of(0), 0).err();
    assert_eq!(fault, Some(VaultFault::ReadOnly));
    mounted.remount("rw");
    let pools = settle(&all_series(&scratch, 2));
    assert_eq!(lease(&pools, 1)[0].len(), 1);
}

#[test]
fn a_folder_that_is_a_file_is_told() {
    let scratch = Scratch::new();
    fs::write(scratch.of(0), b"x").unwrap();
    assert!(matches!(
        open(&scratch.of(0), 0).err(),
        Some(VaultFault::Io(_))
    ));
}
