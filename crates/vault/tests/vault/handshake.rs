use crate::parties::*;
use subrosa_core::Shelf;
use subrosa_vault::{Numbers, VaultFault};

#[test]
fn three_parties_make_lease_and_take_the_same_items() {
    let scratch = Scratch::new();
    let pools = settle(&all_series(&scratch, 3));
    make(&pools, 5, 200_000);
    assert!(pools.iter().all(|p| p.usable() == 5 && p.fresh() == 5));
    for (from, count) in [(0, 2), (2, 3)] {
        let leases = lease(&pools, count);
        for (party, lease) in leases.into_iter().enumerate() {
            for (number, item) in (from..).zip(lease) {
                assert_eq!(item.number(), number);
                let piece = only(item).unwrap();
                assert_eq!(piece, content(number, party as u8, 200_000));
            }
        }
    }
    for (party, pool) in pools.iter().enumerate() {
        assert_eq!(pool.lease(1).err(), Some(VaultFault::Exhausted));
        assert!(item_files(&scratch.of(party as u8)).is_empty());
    }
}

#[test]
fn an_item_is_usable_when_all_have_made_it() {
    let scratch = Scratch::new();
    let pools = settle(&all_series(&scratch, 3));
    for (party, pool) in pools.iter().enumerate() {
        put(pool, 0, &[content(0, party as u8, 50)]);
        assert_eq!(pool.lease(1).err(), Some(VaultFault::Exhausted));
    }
    put(&pools[0], 1, &[content(1, 0, 50)]);
    put(&pools[1], 1, &[content(1, 1, 50)]);
    let made: Vec<_> = pools.iter().map(|p| p.made(0..9).unwrap()).collect();
    for (me, pool) in pools.iter().enumerate() {
        assert_eq!(pool.committed(&others(&made, me)), Ok(1));
        assert_eq!(pool.usable(), 1);
    }
    assert_eq!(pools[2].made(1..9).unwrap().numbers(), &Numbers::default());
}

#[test]
fn what_not_all_have_made_is_burned_and_its_number_with_it() {
    let scratch = Scratch::new();
    let pools = settle(&all_series(&scratch, 3));
    for (number, makers) in [(0, 0..3), (1, 0..2), (2, 2..3), (3, 0..3)] {
        for party in makers {
            put(&pools[party], number, &[content(number, party as u8, 50)]);
        }
    }
    drop(pools);
    // Nobody has heard of the others' items before this handshake.
    let series = all_series(&scratch, 3);
    let pools = settle(&series);
    for (party, pool) in pools.iter().enumerate() {
        assert_eq!(pool.usable(), 2);
        assert_eq!(item_files(&scratch.of(party as u8)).len(), 2);
        assert_eq!(pool.fresh(), pools[0].fresh());
        assert!(matches!(pool.begin(3), Err(VaultFault::Spent { .. })));
    }
    let leases = lease(&pools, 9);
    let numbers: Vec<_> = leases.into_iter().map(|l| l.map(|i| i.number())).collect();
    for numbers in numbers {
        assert_eq!(numbers.collect::<Vec<_>>(), [0, 3]);
    }
}

#[test]
fn a_number_that_was_begun_is_not_begun_again() {
    let scratch = Scratch::new();
    let pools = settle(&all_series(&scratch, 2));
    for number in [0, 1, 70] {
        let slot = pools[0].begin(number).unwrap();
        std::mem::forget(slot);
        for spent in [number, number / 2] {
            let fault = pools[0].begin(spent).err();
            let fresh = number + 1;
            let found = spent;
            assert_eq!(fault, Some(VaultFault::Spent { fresh, found }));
        }
    }
    let fault = pools[0].begin(Numbers::LIMIT).err();
    assert_eq!(fault, Some(VaultFault::Exhausted));
    // The forgotten slots keep the first folder locked, as a process that hangs would.
    copy(&scratch.of(0), &scratch.of(9));
    assert_eq!(item_files(&scratch.of(9)).len(), 3);
    let vault = open(&scratch.of(9), 0).unwrap();
    let again = vault.series(&name(0, 2)).unwrap();
    assert!(again.standing().unwrap().fresh() > 70);
    assert!(item_files(&scratch.of(9)).is_empty());
}

#[test]
fn an_aborted_slot_leaves_nothing() {
    let scratch = Scratch::new();
    let pools = settle(&all_series(&scratch, 2));
    let mut slot = pools[0].begin(0).unwrap();
    slot.put(content(0, 0, 300_000)).unwrap();
    assert_eq!(item_files(&scratch.of(0)).len(), 1);
    drop(slot);
    assert!(item_files(&scratch.of(0)).is_empty());
    assert!(pools[0].made(0..9).unwrap().numbers().is_empty());
}

#[test]
fn what_was_leased_is_burned_by_a_crash() {
    let scratch = Scratch::new();
    let pools = settle(&all_series(&scratch, 2));
    make(&pools, 6, 50);
    std::mem::forget(pools[0].lease(2).unwrap());
    copy(&scratch.of(0), &scratch.of(2));
    drop(pools);
    assert_eq!(item_files(&scratch.of(2)).len(), 6);
    let crashed = open(&scratch.of(2), 0).unwrap();
    assert_eq!(item_files(&scratch.of(2)).len(), 4);
    let series = [crashed.series(&name(0, 2)).unwrap(), series(&scratch, 1, 2)];
    let pools = settle(&series);
    let leases = lease(&pools, 9);
    assert_eq!(leases[0].len(), 4);
    for lease in leases {
        assert!(lease.map(|item| item.number()).eq(2..6));
    }
}

#[test]
fn what_only_some_claim_is_burned() {
    let scratch = Scratch::new();
    let series = all_series(&scratch, 2);
    let pools = settle(&series);
    make(&pools, 6, 50);
    // A lease that the second party never hears of.
    drop(pools[0].lease(2).unwrap());
    let both = pools.iter().map(|p| p.lease(3).unwrap()).collect();
    let leases: Vec<_> = agree(both).into_iter().map(Result::unwrap).collect();
    for lease in leases {
        assert!(lease.map(|item| item.number()).eq(2..3));
    }
    let both = pools.iter().map(|p| p.lease(1).unwrap()).collect();
    for lease in agree(both) {
        assert_eq!(lease.err(), Some(VaultFault::Exhausted));
    }
    let pools = settle(&series);
    let left: Vec<_> = pools.iter().map(|p| p.usable()).collect();
    assert_eq!(left, [0, 0]);
    assert!(item_files(&scratch.of(0)).is_empty());
    assert!(item_files(&scratch.of(1)).is_empty());
}

#[test]
fn a_lost_vault_begins_a_new_epoch() {
    let scratch = Scratch::new();
    let series = all_series(&scratch, 3);
    let pools = settle(&series);
    make(&pools, 3, 50);
    let epoch = series[0].standing().unwrap().epoch();
    let slot = pools[0].begin(3).unwrap();
    drop((series, pools));
    std::fs::remove_dir_all(scratch.of(2)).unwrap();
    let mut series = vec![slot_holder(&scratch, slot)];
    series.extend((1..3).map(|p| crate::parties::series(&scratch, p, 3)));
    let pools = settle(&series);
    for (party, pool) in pools.iter().enumerate() {
        assert_eq!(pool.usable(), 0);
        assert!(item_files(&scratch.of(party as u8)).is_empty());
        assert!(series[party].standing().unwrap().epoch() > epoch);
        assert!(pool.fresh() >= 4);
        assert_eq!(pool.fresh(), pools[0].fresh());
    }
    make(&pools, 2, 50);
    // The same parties settle in the same epoch again.
    let before = series[0].standing().unwrap().epoch();
    let pools = settle(&series);
    assert_eq!(series[0].standing().unwrap().epoch(), before);
    assert!(pools.iter().all(|p| p.usable() == 2));
}

/// Opens the first party's series once `slot` no longer holds its vault.
fn slot_holder(scratch: &Scratch, slot: subrosa_vault::Slot) -> subrosa_vault::Series {
    assert_eq!(open(&scratch.of(0), 0).err(), Some(VaultFault::InUse));
    drop(slot);
    series(scratch, 0, 3)
}

#[test]
fn a_renewed_series_burns_all_and_waits() {
    let scratch = Scratch::new();
    let series = all_series(&scratch, 2);
    let pools = settle(&series);
    make(&pools, 3, 50);
    let stale = series[0].standing().unwrap();
    let mut slot = pools[0].begin(3).unwrap();
    slot.put(content(3, 0, 50)).unwrap();
    series[0].renew().unwrap();
    assert!(item_files(&scratch.of(0)).len() == 1, "the open slot's");
    assert_eq!(slot.made(), Err(VaultFault::Stale));
    assert!(item_files(&scratch.of(0)).is_empty());
    assert_eq!(pools[0].usable(), 0);
    assert_eq!(pools[0].begin(9).err(), Some(VaultFault::Unsettled));
    assert_eq!(pools[0].lease(1).err(), Some(VaultFault::Unsettled));
    assert_eq!(pools[0].made(0..9).err(), Some(VaultFault::Unsettled));
    let other = series[1].standing().unwrap();
    let fault = series[0].settle(&stale, &[other]).err();
    assert_eq!(fault, Some(VaultFault::Stale));
    let claim = pools[1].lease(1).unwrap();
    let pools = settle(&series);
    assert!(pools.iter().all(|p| p.usable() == 0 && p.fresh() == 4));
    make(&pools, 1, 50);
    let fault = pools[0].follow(claim.claim()).err();
    assert_eq!(fault, Some(VaultFault::OtherEpoch { peer: 0 }));
    assert_eq!(lease(&pools, 1)[0].len(), 1);
}

#[test]
fn words_of_others_are_refused() {
    let scratch = Scratch::new();
    let series = all_series(&scratch, 3);
    let own = series[0].standing().unwrap();
    let told: Vec<_> = series[1..].iter().map(|s| s.standing().unwrap()).collect();
    let vault = open(&scratch.of(9), 9).unwrap();
    let stranger = vault.series(&name(1, 2)).unwrap().standing().unwrap();
    for (words, fault) in [
        (
            &told[..1],
            VaultFault::Peers {
                expected: 2,
                found: 1,
            },
        ),
        (
            &[][..],
            VaultFault::Peers {
                expected: 2,
                found: 0,
            },
        ),
        (
            &[told[0].clone(), stranger.clone()][..],
            VaultFault::OtherSeries { peer: 1 },
        ),
    ] {
        assert_eq!(series[0].settle(&own, words).err(), Some(fault));
    }
    let fault = series[0].settle(&stranger, &told).err();
    assert_eq!(fault, Some(VaultFault::Stale));

    let pools = settle(&series);
    make(&pools, 2, 50);
    let made = pools[1].made(0..2).unwrap();
    let fault = pools[0].committed(std::slice::from_ref(&made)).err();
    assert_eq!(
        fault,
        Some(VaultFault::Peers {
            expected: 2,
            found: 1
        })
    );
    let claimed = pools[0].lease(1).unwrap();
    let claim = claimed.claim().clone();
    assert_eq!(
        claimed.agreed(std::slice::from_ref(&claim)).err(),
        Some(VaultFault::Peers {
            expected: 2,
            found: 1
        })
    );
    let old = claim;
    series[0].renew().unwrap();
    let pools = settle(&series);
    make(&pools, 1, 50);
    let fault = pools[0].committed(&[made.clone(), made]).err();
    assert_eq!(fault, Some(VaultFault::OtherEpoch { peer: 0 }));
    let claimed = pools[0].lease(1).unwrap();
    let good = pools[1].follow(claimed.claim()).unwrap().claim().clone();
    let fault = claimed.agreed(&[good, old]).err();
    assert_eq!(fault, Some(VaultFault::OtherEpoch { peer: 1 }));
}

#[test]
fn more_ranges_than_a_word_holds_come_by_and_by() {
    let scratch = Scratch::new();
    let series = all_series(&scratch, 2);
    let mut pools = settle(&series);
    for number in (0..80).step_by(2) {
        for (party, pool) in pools.iter().enumerate() {
            put(pool, number, &[content(number, party as u8, 20)]);
        }
    }
    let mut taken = Vec::new();
    for count in [31, 9] {
        pools = settle(&series);
        assert!(pools.iter().all(|p| p.usable() == count));
        let mut leases = lease(&pools, 40);
        assert_eq!(leases[0].len(), count as usize);
        taken.extend(leases.remove(0).map(|item| item.number()));
    }
    assert!(taken.into_iter().eq((0..80).step_by(2)));
    drop(pools);
}
