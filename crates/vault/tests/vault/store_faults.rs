use crate::mounted::Mounted;
use crate::parties::*;
use crate::rows::{Rows, rewrite};
use crate::store::{blob, blob_files, open_store, put, store};
use std::fs;
use std::path::Path;
use subrosa_vault::{Part, Store, VaultFault};

const CORRUPTED: VaultFault = VaultFault::Corrupted(Part::Ledger);

#[test]
fn a_store_is_open_once_under_its_own_key() {
    let scratch = Scratch::new();
    let first = store(&scratch);
    put(&first, b"a", b"1", &[]).unwrap();
    let fault = open_store(&scratch.of(0)).err();
    assert_eq!(fault, Some(VaultFault::InUse));
    let other = first.clone();
    drop(first);
    let fault = open_store(&scratch.of(0)).err();
    assert_eq!(fault, Some(VaultFault::InUse));
    drop(other);
    let fault = Store::open(&scratch.of(0), &key(2)).err();
    assert_eq!(fault, Some(VaultFault::WrongKey));
    // Nor is it a vault.
    assert_eq!(open(&scratch.of(0), 1).err(), Some(VaultFault::WrongKey));
    assert!(store(&scratch).get("kind", b"a").unwrap().is_some());
}

#[test]
fn a_newer_schema_of_a_store_is_refused() {
    let scratch = Scratch::new();
    drop(store(&scratch));
    rewrite(&scratch.of(0), "vault", |rows| {
        rows.insert(b"schema".to_vec(), 2u32.to_le_bytes().to_vec());
    });
    let (expected, found) = (1, 2);
    for party in [1, 2] {
        let fault = Store::open(&scratch.of(0), &key(party)).err();
        assert_eq!(fault, Some(VaultFault::Schema { expected, found }));
    }
}

/// A store of two rows in the first folder, closed.
fn two_rows(scratch: &Scratch) {
    let store = store(scratch);
    put(&store, b"a", b"first", &[]).unwrap();
    put(&store, b"b", b"second", &[]).unwrap();
}

/// What opening says of a copy whose rows were changed.
fn opened(scratch: &Scratch, change: impl Fn(&mut Rows)) -> Option<VaultFault> {
    copy(&scratch.of(0), &scratch.of(9));
    rewrite(&scratch.of(9), "rows", change);
    let fault = open_store(&scratch.of(9)).err();
    fs::remove_dir_all(scratch.of(9)).unwrap();
    fault
}

#[test]
fn every_altered_byte_of_a_row_is_noticed() {
    let scratch = Scratch::new();
    two_rows(&scratch);
    assert_eq!(opened(&scratch, |_| ()), None);
    // A salt, then two lengths, name and value, then a tag.
    for at in 0..32 + 16 + 1 + 5 + 16 {
        let fault = opened(&scratch, |rows| {
            let row = rows.values_mut().find(|row| row.len() == 70).unwrap();
            row[at] ^= 1 << (at % 8);
        });
        assert_eq!(fault, Some(CORRUPTED), "{at}");
    }
    for at in 0..64 {
        let fault = opened(&scratch, |rows| {
            let (mut place, row) = rows.pop_first().unwrap();
            place[at] ^= 1 << (at % 8);
            rows.insert(place, row);
        });
        assert_eq!(fault, Some(CORRUPTED), "{at}");
    }
    let swapped = opened(&scratch, |rows| {
        let mut values: Vec<_> = rows.values().cloned().collect();
        values.reverse();
        rows.values_mut()
            .zip(values)
            .for_each(|(row, new)| *row = new);
    });
    assert_eq!(swapped, Some(CORRUPTED));
    for length in [0, 31, 32, 47] {
        let cut = opened(&scratch, |rows| {
            rows.values_mut().for_each(|row| row.truncate(length));
        });
        assert_eq!(cut, Some(CORRUPTED), "{length}");
    }
}

#[test]
fn an_altered_file_of_rows_is_noticed() {
    let scratch = Scratch::new();
    two_rows(&scratch);
    let bytes = fs::read(scratch.of(0).join("ledger.redb")).unwrap();
    let used: Vec<usize> = (0..bytes.len()).filter(|at| bytes[*at] != 0).collect();
    let state = |folder: &Path| open_store(folder)?.all("kind");
    let before = state(&scratch.of(0));
    let mut noticed = 0;
    for at in used.iter().step_by(used.len() / 100) {
        copy(&scratch.of(0), &scratch.of(9));
        let mut altered = bytes.clone();
        altered[*at] ^= 0x41;
        fs::write(scratch.of(9).join("ledger.redb"), altered).unwrap();
        let found = state(&scratch.of(9));
        // What lies in pages that are free counts for nothing.
        assert!(
            found == before || found == Err(CORRUPTED),
            "{at}: {found:?}"
        );
        noticed += u32::from(found.is_err());
        fs::remove_dir_all(scratch.of(9)).unwrap();
    }
    assert!(noticed > 10, "{noticed}");
}

#[test]
fn every_altered_byte_of_a_blob_is_noticed() {
    let scratch = Scratch::new();
    let store = store(&scratch);
    let id = blob(&store, &[5; 100]);
    let corrupted = Err(VaultFault::Corrupted(Part::Blob(id)));
    let file = blob_files(&scratch.of(0)).remove(0);
    let bytes = fs::read(&file).unwrap();
    for at in 0..bytes.len() {
        let mut altered = bytes.clone();
        altered[at] ^= 1 << (at % 8);
        fs::write(&file, altered).unwrap();
        assert_eq!(store.read(&id), corrupted, "{at}");
        fs::write(&file, &bytes[..at]).unwrap();
        assert_eq!(store.read(&id), corrupted, "{at}");
    }
    let other = blob(&store, &[5; 100]);
    let files = blob_files(&scratch.of(0));
    let foreign = files.iter().find(|path| **path != file).unwrap();
    fs::copy(foreign, &file).unwrap();
    assert_eq!(store.read(&id), corrupted);
    assert_eq!(*store.read(&other).unwrap(), [5; 100]);
    fs::remove_file(&file).unwrap();
    assert_eq!(store.read(&id), Err(VaultFault::Missing(Part::Blob(id))));
}

#[test]
fn a_full_disk_loses_nothing_of_a_store() {
    let scratch = Scratch::new();
    let Some(_mounted) = Mounted::new(scratch.of(0), 16) else {
        return;
    };
    let mut open = store(&scratch);
    let id = blob(&open, &[5; 100_000]);
    put(&open, b"a", b"kept", &[id]).unwrap();
    // A blob that does not fit leaves nothing, and what fits goes on.
    let mut writer = open.blob().unwrap();
    for fault in [writer.write(&vec![1; 20_000_000]), writer.write(b"more")] {
        assert_eq!(fault, Err(VaultFault::DiskFull));
    }
    assert_eq!(writer.finish(), Err(VaultFault::DiskFull));
    assert_eq!(blob_files(&scratch.of(0)).len(), 1);
    // Then the rows.
    let filler = scratch.of(0).join("filler");
    assert!(fs::write(&filler, vec![1; 20_000_000]).is_err());
    let mut rows = 0u64;
    let fault = loop {
        match put(&open, &rows.to_le_bytes(), &[7; 5_000], &[]) {
            Ok(()) => rows += 1,
            Err(fault) => break fault,
        }
    };
    assert_eq!(fault, VaultFault::DiskFull);
    let again = put(&open, b"b", &[7; 5_000], &[]);
    assert_eq!(again, Err(VaultFault::DiskFull));
    // A process that is being forked off may hold the file open, not its bytes. As soon as there is room, it goes on.
    fs::write(&filler, b"").unwrap();
    put(&open, b"c", &[7; 5_000], &[]).unwrap();
    rows += 1;
    assert_eq!(open.all("kind").unwrap().len() as u64, rows + 1);
    drop(open);
    open = store(&scratch);
    assert_eq!(open.all("kind").unwrap().len() as u64, rows + 1);
    assert_eq!(*open.read(&id).unwrap(), [5; 100_000]);
    put(&open, b"b", &[7; 5_000], &[]).unwrap();
}

#[test]
fn a_read_only_store_is_told() {
    let scratch = Scratch::new();
    let Some(mounted) = Mounted::new(scratch.of(0), 16) else {
        return;
    };
    put(&store(&scratch), b"a", b"kept", &[]).unwrap();
    mounted.remount("ro");
    let fault = open_store(&scratch.of(0)).err();
    assert_eq!(fault, Some(VaultFault::ReadOnly));
    let fault = Store::salt(&scratch.of(0)).err();
    assert_eq!(fault, Some(VaultFault::ReadOnly));
    mounted.remount("rw");
    assert!(store(&scratch).get("kind", b"a").unwrap().is_some());
}

#[test]
fn a_store_that_is_a_file_is_told() {
    let scratch = Scratch::new();
    fs::write(scratch.of(0), b"x").unwrap();
    let fault = open_store(&scratch.of(0)).err();
    assert!(matches!(fault, Some(VaultFault::Io(_))));
    let fault = Store::salt(&scratch.of(0)).err();
    assert!(matches!(fault, Some(VaultFault::Io(_))));
}
