//! Series of which nothing is left, and what a vault tells of a series without a handshake.

use crate::parties::*;
use crate::rows::rewrite;
use subrosa_vault::{SeriesName, VaultFault};

fn other(party: u8) -> SeriesName {
    SeriesName {
        model: [78; 32],
        ..name(party, 2)
    }
}

#[test]
fn a_forgotten_series_leaves_neither_rows_nor_files() {
    let scratch = Scratch::new();
    let vaults = [0, 1].map(|party| open(&scratch.of(party), party).unwrap());
    let series = |name: fn(u8) -> SeriesName| {
        [0, 1].map(|party: u8| vaults[usize::from(party)].series(&name(party)).unwrap())
    };
    let kept = settle(&series(other));
    make(&kept, 2, 50);
    let pools = settle(&series(|party| name(party, 2)));
    make(&pools, 3, 50);
    let mut leases = lease(&pools, 1);
    drop(pools);
    let item = leases.remove(0).next().unwrap();
    let forget = || vaults[0].forget(&name(0, 2));
    assert_eq!(forget(), Err(VaultFault::InUse));
    assert_eq!(vaults[0].level(&name(0, 2)), Ok(2));
    drop(item);
    for _ in 0..2 {
        assert_eq!(forget(), Ok(()));
        assert_eq!(vaults[0].level(&name(0, 2)), Ok(0));
        assert_eq!(item_files(&scratch.of(0)).len(), 2);
    }
    let folders = std::fs::read_dir(scratch.of(0).join("pieces")).unwrap();
    assert_eq!(folders.count(), 1);
    // A new series of the same name begins anew, at the others too.
    drop(leases);
    let pools = settle(&series(|party| name(party, 2)));
    assert!(pools.iter().all(|pool| pool.usable() == 0));
    make(&pools, 1, 50);
    assert_eq!(lease(&pools, 9)[1].len(), 1);
    assert!(kept.iter().all(|pool| pool.usable() == 2));
    drop((pools, kept));
    assert_eq!(forget(), Ok(()));
    drop(vaults);
    for table in ["heads", "items"] {
        let of_kept = if table == "heads" { 1 } else { 2 };
        rewrite(&scratch.of(0), table, |rows| {
            assert_eq!(rows.len(), of_kept)
        });
    }
}

#[test]
fn a_level_is_told_without_a_handshake() {
    let scratch = Scratch::new();
    let pools = settle(&all_series(&scratch, 2));
    make(&pools, 5, 50);
    drop(lease(&pools, 2));
    drop(pools);
    let vault = open(&scratch.of(0), 0).unwrap();
    assert_eq!(vault.level(&name(0, 2)), Ok(3));
    assert_eq!(vault.level(&other(0)), Ok(0));
    assert!(item_files(&scratch.of(0)).len() == 3);
}
