use crate::parties::*;
use std::fs;
use subrosa_core::{Shelf, StockFault, Words, WordsLayout};
use subrosa_vault::{Part, VaultFault};

#[test]
fn all_files_are_ciphertext() {
    let scratch = Scratch::new();
    let pools = settle(&all_series(&scratch, 2));
    let pieces = [content(1, 0, 70_000), content(2, 0, 33)];
    put(&pools[0], 0, &pieces);
    let slot = {
        let mut slot = pools[0].begin(1).unwrap();
        slot.put(pieces[0].clone()).unwrap();
        slot
    };
    let files = files(&scratch.of(0));
    assert_eq!(files.len(), 4, "lock, ledger, two items: {files:?}");
    // The beginning says which run it is, which is nothing rare.
    let secrets = || pieces.iter().flat_map(|p| p.0[9..].windows(8));
    let windows: std::collections::HashSet<&[u8]> = secrets().collect();
    for file in files {
        let bytes = fs::read(&file).unwrap();
        let plain = bytes.windows(8).any(|w| windows.contains(w));
        let secret = bytes.windows(32).any(|w| w == key(0).reveal());
        assert!(!plain && !secret, "{file:?}");
    }
    drop(slot);
}

#[test]
fn only_the_owner_may_read() {
    let scratch = Scratch::new();
    let pools = settle(&all_series(&scratch, 2));
    make(&pools, 1, 50);
    #[cfg(unix)]
    for file in files(&scratch.of(0)) {
        let mode = |path: &std::path::Path| {
            std::os::unix::fs::PermissionsExt::mode(&fs::metadata(path).unwrap().permissions())
        };
        assert_eq!(mode(&file) & 0o777, 0o600, "{file:?}");
        assert_eq!(mode(file.parent().unwrap()) & 0o777, 0o700, "{file:?}");
    }
}

#[test]
fn pieces_come_as_they_were_put() {
    let scratch = Scratch::new();
    let pools = settle(&all_series(&scratch, 2));
    let lengths = [0, 1, 65_536, 65_535, 300_000, 0, 17, 200_001];
    let pieces: Vec<Blob> = lengths
        .iter()
        .map(|n| Blob(content(*n as u64, 0, 300_001).0[..*n].to_vec()))
        .collect();
    put(&pools[0], 0, &pieces);
    put(&pools[1], 0, &[]);
    let made = pools.iter().map(|p| p.made(0..1).unwrap());
    let made: Vec<_> = made.collect();
    for (me, pool) in pools.iter().enumerate() {
        pool.committed(&others(&made, me)).unwrap();
    }
    let mut leases = lease(&pools, 1);
    let mut empty = leases.remove(1).next().unwrap().pieces::<Blob>(Vec::new());
    assert!(empty.as_mut().unwrap().next().is_none());
    assert!(item_files(&scratch.of(1)).is_empty());
    let item = leases.remove(0).next().unwrap();
    let mut stock = item.stock::<Blob>(lengths.to_vec()).unwrap();
    for piece in &pieces {
        assert_eq!(item_files(&scratch.of(0)).len(), 1);
        assert_eq!(&stock.take().unwrap(), piece);
    }
    assert!(
        item_files(&scratch.of(0)).is_empty(),
        "deleted after the last piece"
    );
    assert_eq!(stock.take(), Err(StockFault::Exhausted));
}

#[test]
fn layouts_must_be_the_items() {
    let scratch = Scratch::new();
    let pools = settle(&all_series(&scratch, 2));
    for expected in [99, 101] {
        make(&pools, 1, 100);
        let item = lease(&pools, 1).remove(0).next().unwrap();
        let fault = item.pieces::<Blob>(vec![expected]).err();
        let expected = expected as u64;
        let found = 100;
        assert_eq!(fault, Some(VaultFault::Length { expected, found }));
    }
    // As long as 25 words of 31 bits with their padding, which is not zero.
    let layout = WordsLayout {
        bits: 31,
        count: 25,
    };
    let length = <Words as subrosa_core::Wire>::size(&layout).0 as usize;
    let number = pools[0].fresh();
    for pool in &pools {
        put(pool, number, &[Blob(vec![0xff; length])]);
    }
    let made = pools[1].made(number..number + 1).unwrap();
    pools[0].committed(&[made]).unwrap();
    let item = lease(&pools, 1).remove(0).next().unwrap();
    let mut pieces = item.pieces::<Words>(vec![layout]).unwrap();
    assert!(matches!(pieces.next(), Some(Err(VaultFault::Malformed(_)))));
    assert!(pieces.next().is_none());
}

/// Changes the file of an item that is leased and tells what reading it says.
fn altered(change: impl Fn(&[std::path::PathBuf])) -> Result<Blob, VaultFault> {
    let scratch = Scratch::new();
    let pools = settle(&all_series(&scratch, 2));
    make(&pools, 2, 150_000);
    let mut leases = lease(&pools, 2);
    change(&item_files(&scratch.of(0)));
    only(leases[0].next().unwrap())
}

fn rewrite(file: &std::path::Path, change: impl Fn(&mut Vec<u8>)) {
    let mut bytes = fs::read(file).unwrap();
    change(&mut bytes);
    fs::write(file, bytes).unwrap();
}

#[test]
fn altered_files_are_noticed() {
    assert_eq!(altered(|_| ()), Ok(content(0, 0, 150_000)));
    let corrupted = Err(VaultFault::Corrupted(Part::Item(0)));
    for place in [0, 15, 16, 70_000, 150_063] {
        let flipped = altered(|files| rewrite(&files[0], |bytes| bytes[place] ^= 0x10));
        assert_eq!(flipped, corrupted, "{place}");
    }
    let cut = altered(|files| rewrite(&files[0], |bytes| bytes.truncate(150_063)));
    assert_eq!(cut, corrupted);
    let grown = altered(|files| rewrite(&files[0], |bytes| bytes.push(0)));
    assert_eq!(grown, corrupted);
    let swapped = altered(|files| assert!(fs::copy(&files[1], &files[0]).is_ok()));
    assert_eq!(swapped, corrupted);
    let gone = altered(|files| fs::remove_file(&files[0]).unwrap());
    assert_eq!(gone, Err(VaultFault::Missing(Part::Item(0))));
}

#[test]
fn a_role_is_told_of_altered_files() {
    let scratch = Scratch::new();
    let pools = settle(&all_series(&scratch, 2));
    make(&pools, 1, 150_000);
    let mut leases = lease(&pools, 1);
    rewrite(&item_files(&scratch.of(0))[0], |bytes| bytes[140_000] ^= 1);
    let item = leases[0].next().unwrap();
    let mut stock = item.stock::<Blob>(vec![100_000, 50_000]).unwrap();
    assert_eq!(stock.take().unwrap().0, content(0, 0, 150_000).0[..100_000]);
    assert_eq!(stock.take(), Err(StockFault::Malformed));
    assert!(item_files(&scratch.of(0)).is_empty());
}

#[test]
fn lost_files_are_told_and_burned() {
    let scratch = Scratch::new();
    let pools = settle(&all_series(&scratch, 2));
    make(&pools, 4, 50);
    drop(pools);
    let files = item_files(&scratch.of(0));
    fs::remove_file(&files[1]).unwrap();
    rewrite(&files[2], |bytes| bytes.truncate(40));
    for lost in [&[1, 2][..], &[]] {
        let series = all_series(&scratch, 2);
        assert_eq!(series[0].lost(), lost);
        assert_eq!(series[0].standing().unwrap().made().count(), 2);
    }
    let pools = settle(&all_series(&scratch, 2));
    let lease = lease(&pools, 9).remove(1);
    assert!(lease.map(|item| item.number()).eq([0, 3]));
}
