//! Restored backups, by hand and at random: nothing is used twice as long as one party is not restored.

use crate::parties::*;
use crate::table::{Table, linked};
use std::collections::{HashMap, HashSet};
use std::fs;
use subrosa_core::Shelf;
use subrosa_vault::{Made, Number, Pool, Series, VaultFault};

#[test]
fn one_restored_backup_reuses_nothing() {
    let scratch = Scratch::new();
    let pools = settle(&all_series(&scratch, 2));
    make(&pools, 8, 50);
    drop(pools);
    copy(&scratch.of(0), &scratch.of(9));

    let pools = settle(&all_series(&scratch, 2));
    let mut leases = lease(&pools, 3);
    only(leases[0].next().unwrap()).unwrap();
    // The first party has claimed the fourth item, the second never hears of it.
    drop(pools[0].lease(1).unwrap());
    let used: Vec<Number> = leases.remove(1).map(|i| i.number()).collect();
    assert_eq!(used, [0, 1, 2]);
    drop((pools, leases));

    fs::remove_dir_all(scratch.of(0)).unwrap();
    copy(&scratch.of(9), &scratch.of(0));
    let series = all_series(&scratch, 2);
    assert_eq!(series[0].standing().unwrap().made().count(), 8);
    let pools = settle(&series);
    assert!(pools.iter().all(|p| p.usable() == 5));
    let left: Vec<_> = lease(&pools, 9).remove(0).collect();
    assert!(left.iter().map(|i| i.number()).eq(3..8));
    // The fourth was claimed and never agreed on, so nothing has ever been sent that hangs on it.
    assert_eq!(pools[0].fresh(), pools[1].fresh());
}

#[test]
fn a_backup_from_before_a_loss_brings_nothing_back() {
    let scratch = Scratch::new();
    let pools = settle(&all_series(&scratch, 2));
    make(&pools, 4, 50);
    drop(pools);
    copy(&scratch.of(0), &scratch.of(9));
    let pools = settle(&all_series(&scratch, 2));
    drop(lease(&pools, 4));
    drop(pools);
    // The second vault is lost, the first is new as well, and numbers begin anew.
    fs::remove_dir_all(scratch.of(0)).unwrap();
    fs::remove_dir_all(scratch.of(1)).unwrap();
    let pools = settle(&all_series(&scratch, 2));
    make(&pools, 4, 50);
    drop(pools);
    // The first party's old backup has items of the same numbers and epoch count, which were used.
    fs::remove_dir_all(scratch.of(0)).unwrap();
    copy(&scratch.of(9), &scratch.of(0));
    let series = all_series(&scratch, 2);
    let standings: Vec<_> = series.iter().map(|s| s.standing().unwrap()).collect();
    assert_eq!(standings[0].epoch(), standings[1].epoch());
    assert_eq!(standings[0].made(), standings[1].made());
    assert!(settle(&series).iter().all(|p| p.usable() == 0));
}

/// Numbers from a seed, for which test to run.
struct Dice(u64);

impl Dice {
    fn below(&mut self, n: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % n
    }

    fn one_in(&mut self, n: u64) -> bool {
        self.below(n) == 0
    }
}

/// Parties of which all but `steady` are restored now and then.
struct Play {
    table: Table,
    steady: u8,
    scratch: Scratch,
    dice: Dice,
    open: Vec<Series>,
    pools: Vec<Pool>,
    backups: u8,
    kept: HashMap<u8, Vec<u8>>,
    runs: u64,
    /// Runs of items that a party has used, and the number's run wherever it was used.
    used: Vec<HashSet<u64>>,
    run_of: HashMap<(u64, Number), u64>,
    taken: usize,
    restored: usize,
}

impl Play {
    fn new(table: Table, steady: u8, seed: u64) -> Self {
        Self {
            table,
            steady,
            scratch: Scratch::new(),
            dice: Dice(seed),
            open: Vec::new(),
            pools: Vec::new(),
            backups: 10,
            kept: HashMap::new(),
            runs: seed << 32,
            used: vec![HashSet::new(); table.parties.into()],
            run_of: HashMap::new(),
            taken: 0,
            restored: 0,
        }
    }

    fn handshake(&mut self) {
        if self.open.is_empty() {
            self.open = self.table.all_series(&self.scratch);
        }
        // Now and then a handshake of which some parties hear only.
        if self.dice.one_in(4) {
            let told: Vec<_> = self.open.iter().map(|s| s.standing().unwrap()).collect();
            let heard = self.table.standings(&self.open, &told);
            let me = self.party(None);
            drop(self.open[me].settle(&told[me], &heard[me]).unwrap());
        }
        self.pools = self.table.settle(&self.open);
    }

    fn make(&mut self) {
        let fresh = self.pools.iter().map(Pool::fresh).max().unwrap();
        let lot = fresh..fresh + 1 + self.dice.below(3);
        for number in lot.clone() {
            self.runs += 1;
            for party in 0..self.table.parties {
                if !self.dice.one_in(10) {
                    let mut slot = self.pools[usize::from(party)].begin(number).unwrap();
                    slot.put(content(self.runs, party, 40)).unwrap();
                    slot.made().unwrap();
                }
            }
        }
        let made: Vec<Made> = self
            .pools
            .iter()
            .map(|p| p.made(lot.clone()).unwrap())
            .collect();
        let heard = self.table.made(&self.pools, &made);
        for (pool, heard) in self.pools.iter().zip(heard) {
            if !self.dice.one_in(4) {
                pool.committed(&heard).unwrap();
            }
        }
    }

    fn take(&mut self) {
        let count = 1 + self.dice.below(3) as usize;
        let first = self.party(None);
        let Ok(proposed) = self.pools[first].lease(count) else {
            return;
        };
        let proposal = proposed.claim().clone();
        let mut proposed = Some(proposed);
        let alone = self.dice.one_in(3);
        let mut claimed = Vec::new();
        for (party, pool) in self.pools.iter().enumerate() {
            let own = match party == first {
                true => Ok(proposed.take().unwrap()),
                false if self.dice.one_in(6) => return,
                false if alone => pool.lease(count),
                false => pool.follow(&proposal),
            };
            match own {
                Ok(own) => claimed.push(own),
                Err(fault) => return assert_eq!(fault, VaultFault::Exhausted),
            }
        }
        let heard = self.table.claims(&claimed);
        let epoch = self.open[0].standing().unwrap().epoch();
        for (me, (claimed, words)) in claimed.into_iter().zip(heard).enumerate() {
            let heard = !self.dice.one_in(6);
            let Ok(lease) = claimed.agreed(&words) else {
                continue;
            };
            for item in lease.filter(|_| heard) {
                let number = item.number();
                let piece = only(item).unwrap();
                let run = u64::from_le_bytes(*piece.0.first_chunk().unwrap());
                assert_eq!(piece, content(run, me as u8, 40));
                assert!(self.used[me].insert(run), "party {me} used run {run} twice");
                let other = *self.run_of.entry((epoch, number)).or_insert(run);
                assert_eq!(other, run, "item {number} of epoch {epoch}");
                self.taken += 1;
            }
        }
    }

    fn close(&mut self) {
        self.pools.clear();
        self.open.clear();
    }

    /// Any party, or any but one.
    fn party(&mut self, but: Option<u8>) -> usize {
        let count = u64::from(self.table.parties) - u64::from(but.is_some());
        let party = self.dice.below(count) as usize;
        party + usize::from(but.is_some_and(|but| party >= but.into()))
    }

    fn back_up(&mut self) {
        let party = self.party(Some(self.steady)) as u8;
        // A copy of an open vault is as good as a crash at that moment.
        if self.dice.one_in(2) {
            self.close();
        }
        copy(&self.scratch.of(party), &self.scratch.of(self.backups));
        self.kept.entry(party).or_default().push(self.backups);
        self.backups += 1;
    }

    fn restore(&mut self) {
        let party = self.party(Some(self.steady)) as u8;
        let kept = self.kept.get(&party).map_or(0, Vec::len);
        self.close();
        let lost = self.dice.one_in(8);
        if kept == 0 && !lost {
            return;
        }
        fs::remove_dir_all(self.scratch.of(party)).unwrap();
        if !lost {
            let backup = self.kept[&party][self.dice.below(kept as u64) as usize];
            copy(&self.scratch.of(backup), &self.scratch.of(party));
        }
        self.restored += 1;
    }

    fn step(&mut self) {
        if self.pools.is_empty() {
            return self.handshake();
        }
        match self.dice.below(16) {
            0..6 => self.make(),
            6..12 => self.take(),
            12 => self.back_up(),
            13 => self.restore(),
            14 => self.close(),
            _ => self.handshake(),
        }
    }
}

fn play(table: Table, steady: u8, seeds: u64) {
    let (mut taken, mut restored) = (0, 0);
    for seed in 0..seeds {
        let mut play = Play::new(table, steady, seed);
        for _ in 0..70 {
            play.step();
        }
        taken += play.taken;
        restored += play.restored;
    }
    assert!(taken > 200 && restored > 10, "{taken} {restored}");
}

#[test]
fn no_play_with_backups_of_two_of_three_uses_an_item_twice() {
    play(linked(3), 2, 12);
}

/// Restored are all but one that is linked to the hub, or all but the hub.
#[test]
fn no_play_over_a_hub_uses_an_item_twice() {
    let table = Table {
        parties: 4,
        hub: Some(1),
    };
    for steady in [0, 1, 3] {
        play(table, steady, 6);
    }
}
