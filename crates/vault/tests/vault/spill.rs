//! Material of one inference in a file of its own, in no vault.

use crate::parties::*;
use std::fs;
use subrosa_core::{Shelf, StockFault};
use subrosa_vault::{Spill, Spilled, VaultFault};

fn spilled(scratch: &Scratch, lengths: &[usize]) -> Spilled {
    let mut spill = Spill::create(&scratch.of(0)).unwrap();
    for (run, length) in (0..).zip(lengths) {
        spill.put(content(run, 0, *length)).unwrap();
    }
    spill.made().unwrap()
}

#[test]
fn what_is_spilled_comes_back_once_and_leaves_no_file() {
    let scratch = Scratch::new();
    let lengths = [200_000, 9, 65_536, 3_000_000];
    let spilled = spilled(&scratch, &lengths);
    assert_eq!(spilled.length().0, lengths.iter().sum::<usize>() as u64);
    #[cfg(unix)]
    assert!(files(&scratch.of(0)).is_empty());
    let mut stock = spilled.stock::<Blob>(lengths.to_vec()).unwrap();
    for (run, length) in (0..).zip(lengths) {
        assert_eq!(stock.take(), Ok(content(run, 0, length)));
    }
    assert_eq!(stock.take(), Err(StockFault::Exhausted));
    assert!(files(&scratch.of(0)).is_empty());
}

#[test]
fn layouts_must_be_what_was_spilled() {
    let scratch = Scratch::new();
    let fault = spilled(&scratch, &[50]).stock::<Blob>(vec![51]).err();
    let (expected, found) = (51, 50);
    assert_eq!(fault, Some(VaultFault::Length { expected, found }));
    let mut stock = spilled(&scratch, &[50]).stock::<Blob>(vec![50]).unwrap();
    drop(stock.take());
    assert!(files(&scratch.of(0)).is_empty());
}

/// The open files of this process that lie in `folder`, where the system shows them.
fn open_files(folder: &std::path::Path) -> Vec<std::path::PathBuf> {
    let Ok(open) = fs::read_dir("/proc/self/fd") else {
        return Vec::new();
    };
    let paths = open.filter_map(|entry| Some(entry.ok()?.path()));
    paths
        .filter(|path| fs::read_link(path).is_ok_and(|file| file.starts_with(folder)))
        .collect()
}

#[test]
fn what_is_spilled_is_sealed_and_altered_bytes_are_noticed() {
    let scratch = Scratch::new();
    let whole = spilled(&scratch, &[100_000]);
    let [open] = &open_files(&scratch.of(0))[..] else {
        println!("skipped: no list of open files here");
        return;
    };
    let mut bytes = fs::read(open).unwrap();
    let plain = content(0, 0, 100_000).0;
    let part = &plain[50_000..50_016];
    assert!(!bytes.windows(16).any(|window| window == part));
    bytes[70_000] ^= 1;
    fs::write(open, bytes).unwrap();
    let mut stock = whole.stock::<Blob>(vec![100_000]).unwrap();
    assert_eq!(stock.take(), Err(StockFault::Malformed));
    assert!(open_files(&scratch.of(0)).is_empty());
}

#[test]
fn a_folder_that_cannot_be_made_is_told() {
    let scratch = Scratch::new();
    fs::write(scratch.of(0), b"x").unwrap();
    let fault = Spill::create(&scratch.of(0)).err();
    assert!(matches!(fault, Some(VaultFault::Io(_))));
}
