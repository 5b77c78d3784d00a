//! What items cost on the disk under the folder for temporary files: making, reading, settling, leasing.

use criterion::{BatchSize, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use std::path::PathBuf;
use subrosa_core::{Seed, Shelf, Words, WordsLayout};
use subrosa_vault::{Item, Pool, Series, SeriesName, Vault};

const LAYOUT: WordsLayout = WordsLayout {
    bits: 64,
    count: 16_384,
};

/// Two parties on one disk, deleted when dropped.
struct Parties {
    root: PathBuf,
    series: [Series; 2],
    pools: [Pool; 2],
}

impl Parties {
    fn new() -> Self {
        let root = std::env::temp_dir().join(format!("subrosa-items-{}", std::process::id()));
        let series = [1, 2].map(|party: u8| {
            let folder = root.join(party.to_string());
            let vault = Vault::open(&folder, &Seed::insecure_seeded(party.into())).unwrap();
            let name = SeriesName {
                own: [party; 32],
                peers: vec![[3 - party; 32]],
                model: [3; 32],
                plan: [4; 32],
                told: None,
            };
            vault.series(&name).unwrap()
        });
        let pools = settle(&series);
        Self {
            root,
            series,
            pools,
        }
    }

    /// `pieces` pieces of 128 KiB in each item, of which the second party makes a small twin.
    fn make(&self, items: u64, pieces: usize) {
        let [first, second] = &self.pools;
        let lot = first.fresh()..first.fresh() + items;
        for number in lot.clone() {
            make(first, number, pieces);
            make(second, number, 0);
        }
        first
            .committed(&[second.made(lot.clone()).unwrap()])
            .unwrap();
        second.committed(&[first.made(lot).unwrap()]).unwrap();
    }

    fn item(&self) -> Item {
        let first = self.pools[0].lease(1).unwrap();
        let second = self.pools[1].follow(first.claim()).unwrap();
        let claim = second.claim().clone();
        first.agreed(&[claim]).unwrap().next().unwrap()
    }
}

impl Drop for Parties {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.root);
    }
}

fn settle(series: &[Series; 2]) -> [Pool; 2] {
    let [a, b] = series;
    let (from_a, from_b) = (a.standing().unwrap(), b.standing().unwrap());
    [
        a.settle(&from_a, std::slice::from_ref(&from_b)).unwrap(),
        b.settle(&from_b, std::slice::from_ref(&from_a)).unwrap(),
    ]
}

fn piece() -> Words {
    Words {
        bits: LAYOUT.bits,
        values: vec![0x0123_4567_89ab_cdef; LAYOUT.count],
    }
}

fn make(pool: &Pool, number: u64, pieces: usize) {
    let mut slot = pool.begin(number).unwrap();
    for _ in 0..pieces {
        slot.put(piece()).unwrap();
    }
    slot.made().unwrap();
}

fn whole(c: &mut Criterion) {
    let parties = Parties::new();
    let mut group = c.benchmark_group("item");
    group.sample_size(20);
    for (label, pieces) in [("empty", 0), ("1 MiB", 8), ("32 MiB", 256)] {
        if pieces > 0 {
            group.throughput(Throughput::Bytes(pieces as u64 * 131_072));
        }
        let pool = &parties.pools[0];
        group.bench_function(BenchmarkId::new("make", label), |b| {
            b.iter(|| make(pool, pool.fresh(), pieces));
        });
        group.bench_function(BenchmarkId::new("read and delete", label), |b| {
            let item = || {
                parties.make(1, pieces);
                parties.item()
            };
            let read = |item: Item| {
                let mut stock = item.stock::<Words>(vec![LAYOUT; pieces]).unwrap();
                (0..pieces).for_each(|_| drop(stock.take().unwrap()));
            };
            b.iter_batched(item, read, BatchSize::PerIteration);
        });
        settle(&parties.series);
    }
}

fn ledger(c: &mut Criterion) {
    let parties = Parties::new();
    let mut group = c.benchmark_group("ledger");
    group.sample_size(20);
    for count in [1, 64] {
        group.bench_function(BenchmarkId::new("lease", count), |b| {
            b.iter_batched(
                || parties.make(count, 0),
                |()| parties.pools[0].lease(count as usize).unwrap(),
                BatchSize::PerIteration,
            );
        });
        settle(&parties.series);
    }
    group.bench_function("visit: settle, lease 1, at both", |b| {
        let visit = || {
            settle(&parties.series);
            parties.item()
        };
        b.iter_batched(|| parties.make(1, 0), |()| visit(), BatchSize::PerIteration);
    });
    parties.make(64, 0);
    group.bench_function("settle 64, nothing to burn", |b| {
        b.iter(|| settle(&parties.series));
    });
}

criterion_group!(benches, whole, ledger);
criterion_main!(benches);
