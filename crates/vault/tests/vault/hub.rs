//! Four parties that hear one of them alone, or all of which but one are linked: the words go the same way.

use crate::parties::*;
use crate::table::Table;
use std::fs;
use subrosa_core::Wire;
use subrosa_vault::{Made, Number, Series, Standing, VaultFault};

const HUBS: [u8; 3] = [0, 1, 3];

fn table(hub: u8) -> Table {
    Table {
        parties: 4,
        hub: Some(hub),
    }
}

#[test]
fn parties_of_a_hub_make_lease_and_take_the_same_items() {
    for hub in HUBS {
        let (scratch, table) = (Scratch::new(), table(hub));
        let series = table.all_series(&scratch);
        let ids: std::collections::HashSet<_> = series.iter().map(Series::id).collect();
        assert_eq!(ids.len(), 4);
        assert!(series.iter().all(|s| s.tag() == series[0].tag()));
        let pools = table.settle(&series);
        table.make(&pools, 5, 70_000);
        let stated: Vec<_> = series.iter().map(|s| s.standing().unwrap()).collect();
        assert!(stated.iter().all(|s| s.made() == stated[0].made()));
        for (from, count) in [(0, 2), (2, 3)] {
            for (party, lease) in table.lease(&pools, count).into_iter().enumerate() {
                assert_eq!(lease.len(), count);
                for (number, item) in (from..).zip(lease) {
                    assert_eq!(item.number(), number);
                    let piece = only(item).unwrap();
                    assert_eq!(piece, content(number, party as u8, 70_000));
                }
            }
        }
        for pool in &pools {
            assert_eq!(pool.lease(1).err(), Some(VaultFault::Exhausted));
        }
    }
}

/// A party's words, as bytes: those of a hub with one party behind it and with three are alike.
#[test]
fn nothing_that_a_party_is_told_hangs_on_how_many_others_there_are() {
    let told = |parties| {
        let scratch = Scratch::new();
        let table = Table {
            parties,
            hub: Some(1),
        };
        let series = table.all_series(&scratch);
        let pools = table.settle(&series);
        table.make(&pools, 3, 20);
        let standings: Vec<_> = series.iter().map(|s| s.standing().unwrap()).collect();
        let word = table.standings(&series, &standings).remove(0).remove(0);
        let made: Vec<Made> = pools.iter().map(|p| p.made(0..9).unwrap()).collect();
        let made = table.made(&pools, &made).remove(0).remove(0);
        let claimed: Vec<_> = pools.iter().map(|p| p.lease(2).unwrap()).collect();
        let claim = table.claims(&claimed).remove(0).remove(0);
        let plain = (word.epoch(), word.fresh(), word.made().clone());
        (plain, made.numbers().clone(), claim.numbers().clone())
    };
    let two = told(2);
    assert_eq!(two.0.2.count(), 3);
    assert_eq!(two, told(3));
    assert_eq!(two, told(5));
    assert_eq!(Standing::size(&()), subrosa_core::Bytes(64 + 16 * 31));
}

#[test]
fn what_one_party_lacks_is_burned_at_all() {
    for hub in HUBS {
        for lacking in 0..4 {
            let (scratch, table) = (Scratch::new(), table(hub));
            let series = table.all_series(&scratch);
            let pools = table.settle(&series);
            for number in 0..3 {
                for (party, pool) in (0..).zip(&pools) {
                    if number != 1 || party != lacking {
                        put(pool, number, &[content(number, party, 20)]);
                    }
                }
            }
            let made: Vec<Made> = pools.iter().map(|p| p.made(0..3).unwrap()).collect();
            for (pool, heard) in pools.iter().zip(table.made(&pools, &made)) {
                assert_eq!(pool.committed(&heard), Ok(2));
            }
            let numbers = |lease: subrosa_vault::Lease| lease.map(|item| item.number());
            for lease in table.lease(&pools, 9) {
                assert!(numbers(lease).eq([0, 2]));
            }
            let pools = table.settle(&series);
            for (party, pool) in (0..).zip(&pools) {
                assert_eq!(pool.usable(), 0);
                assert!(item_files(&scratch.of(party)).is_empty());
            }
        }
    }
}

#[test]
fn what_not_all_claim_is_burned() {
    let (scratch, table) = (Scratch::new(), table(1));
    let series = table.all_series(&scratch);
    let pools = table.settle(&series);
    table.make(&pools, 6, 20);
    // A lease of which nobody hears.
    drop(pools[3].lease(2).unwrap());
    let first = pools[1].lease(3).unwrap();
    let claim = first.claim().clone();
    let mut claimed: Vec<_> = [0, 2, 3]
        .map(|party: usize| pools[party].follow(&claim).unwrap())
        .into();
    claimed.insert(1, first);
    for lease in table.agree(claimed) {
        assert!(lease.unwrap().map(|item| item.number()).eq(2..3));
    }
    // The hub's items are gone at another one: all find out alike.
    drop(pools[0].lease(9).unwrap());
    let first = pools[1].lease(3).unwrap();
    let nothing = pools[0].follow(first.claim()).err();
    assert_eq!(nothing, Some(VaultFault::Exhausted));
    drop((first, pools));
    let pools = table.settle(&series);
    assert!(pools.iter().all(|pool| pool.usable() == 0));
}

#[test]
fn a_restored_backup_of_any_party_or_of_all_but_one_reuses_nothing() {
    let sets: [&[u8]; 6] = [&[0], &[1], &[2], &[3], &[0, 1, 2], &[1, 2, 3]];
    for restored in sets {
        let (scratch, table) = (Scratch::new(), table(1));
        let pools = table.settle(&table.all_series(&scratch));
        table.make(&pools, 6, 20);
        drop(pools);
        for party in restored {
            copy(&scratch.of(*party), &scratch.of(10 + party));
        }
        let pools = table.settle(&table.all_series(&scratch));
        let used: Vec<Number> = table
            .lease(&pools, 3)
            .remove(0)
            .map(|i| i.number())
            .collect();
        assert_eq!(used, [0, 1, 2]);
        drop(pools);
        for party in restored {
            fs::remove_dir_all(scratch.of(*party)).unwrap();
            copy(&scratch.of(10 + party), &scratch.of(*party));
        }
        let series = table.all_series(&scratch);
        let back = usize::from(restored[0]);
        assert_eq!(series[back].standing().unwrap().made().count(), 6);
        let pools = table.settle(&series);
        for lease in table.lease(&pools, 9) {
            assert!(lease.map(|item| item.number()).eq(3..6), "{restored:?}");
        }
    }
}

#[test]
fn a_lost_vault_begins_an_epoch_with_randomness_of_all() {
    for lost in 0..4 {
        let (scratch, table) = (Scratch::new(), table(1));
        let series = table.all_series(&scratch);
        let pools = table.settle(&series);
        table.make(&pools, 2, 20);
        drop((series, pools));
        fs::remove_dir_all(scratch.of(lost)).unwrap();
        let series = table.all_series(&scratch);
        let told: Vec<Standing> = series.iter().map(|s| s.standing().unwrap()).collect();
        let heard = table.standings(&series, &told);
        for (series, (own, heard)) in series.iter().zip(told.iter().zip(&heard)) {
            let pool = series.settle(own, heard).unwrap();
            assert_eq!((pool.usable(), pool.fresh()), (0, 64));
        }
        // All settled on one epoch, with which they go on.
        let pools = table.settle(&series);
        assert!(series.iter().all(|s| s.standing().unwrap().epoch() == 2));
        table.make(&pools, 2, 20);
        assert_eq!(table.lease(&pools, 2)[0].len(), 2);
        // One that puts another nonce of its own to the same words is in an epoch of its own.
        series[0].renew().unwrap();
        let told: Vec<Standing> = series.iter().map(|s| s.standing().unwrap()).collect();
        let other = series[0].standing().unwrap();
        let heard = table.standings(&series, &told);
        for (at, series) in series.iter().enumerate() {
            let own = if at == 0 { &other } else { &told[at] };
            series.settle(own, &heard[at]).unwrap();
        }
        let mark = |series: &Series| {
            let mut bytes = Vec::new();
            series.standing().unwrap().encode(&mut bytes);
            bytes[16..32].to_vec()
        };
        let marks: Vec<Vec<u8>> = series.iter().map(mark).collect();
        assert!(marks[0] != marks[1] && marks[1] == marks[2] && marks[2] == marks[3]);
    }
}

#[test]
fn a_party_of_another_series_or_epoch_is_named_at_the_hub() {
    let (scratch, table) = (Scratch::new(), table(1));
    let series = table.all_series(&scratch);
    let told: Vec<Standing> = series.iter().map(|s| s.standing().unwrap()).collect();
    let vault = open(&scratch.of(9), 9).unwrap();
    let stranger = vault.series(&name(2, 4)).unwrap();
    assert_eq!(stranger.tag(), series[1].tag());
    let stranger = vault.series(&name(2, 3)).unwrap().standing().unwrap();
    let mut peers = others(&told, 1);
    peers[1] = stranger.clone();
    let fault = VaultFault::OtherSeries { peer: 1 };
    assert_eq!(series[1].combined(&told[1], &peers), Err(fault.clone()));
    assert_eq!(series[1].settle(&told[1], &peers).err(), Some(fault));
    let fault = VaultFault::OtherSeries { peer: 0 };
    assert_eq!(series[0].settle(&told[0], &[stranger]).err(), Some(fault));
    let (expected, found) = (3, 2);
    let fault = VaultFault::Peers { expected, found };
    assert_eq!(series[1].combined(&told[1], &peers[1..]), Err(fault));

    let pools = table.settle(&series);
    table.make(&pools, 2, 20);
    let old: Vec<Made> = pools.iter().map(|p| p.made(0..2).unwrap()).collect();
    let claim = pools[3].lease(1).unwrap().claim().clone();
    series[2].renew().unwrap();
    let pools = table.settle(&series);
    table.make(&pools, 2, 20);
    let mut made: Vec<Made> = pools.iter().map(|p| p.made(0..200).unwrap()).collect();
    made[3] = old[3].clone();
    let fault = VaultFault::OtherEpoch { peer: 2 };
    let combined = pools[1].combined(&made[1], &others(&made, 1));
    assert_eq!(combined, Err(fault.clone()));
    let claimed = pools[1].lease(1).unwrap();
    let good = pools[0].follow(claimed.claim()).unwrap().claim().clone();
    let peers = [good.clone(), good, claim];
    assert_eq!(claimed.combined(&peers), Err(fault));
}

/// What does not fit into one word comes by and by, to all alike.
#[test]
fn what_all_have_may_be_in_more_ranges_than_what_each_has() {
    let (scratch, table) = (Scratch::new(), table(1));
    let series = table.all_series(&scratch);
    let pools = table.settle(&series);
    // Two parties lack every sixth, the others another sixth: about 30 ranges each, 60 in common.
    for number in 0..180 {
        for (party, pool) in (0..).zip(&pools) {
            if number % 3 != 2 || (number / 3) % 2 != u64::from(party % 2) {
                put(pool, number, &[content(number, party, 20)]);
            }
        }
    }
    let everywhere = |n: &u64| n % 3 != 2;
    let ranges = |s: &Series| s.standing().unwrap().made().ranges().len();
    assert!(series.iter().all(|s| (30..=31).contains(&ranges(s))));
    let mut taken = Vec::new();
    for _ in 0..4 {
        let pools = table.settle(&series);
        let usable = pools[1].usable();
        assert!(pools.iter().all(|p| p.usable() == usable));
        if usable == 0 {
            break;
        }
        let mut leases = table.lease(&pools, 99);
        let first: Vec<Number> = leases.remove(1).map(|i| i.number()).collect();
        for lease in leases {
            assert!(lease.map(|i| i.number()).eq(first.iter().copied()));
        }
        taken.extend(first);
    }
    assert!(taken.iter().copied().eq((0..180).filter(everywhere)));
}
