use crate::table::linked;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use subrosa_core::{Bytes, Malformed, Seed, Shelf, Wire};
use subrosa_vault::{Claimed, Item, Lease, Number, Pool, Series, SeriesName, Vault, VaultFault};

/// A folder of its own, deleted when dropped; in memory where there is such a place, since nothing here tests
/// the loss of power.
pub struct Scratch(PathBuf);

impl Scratch {
    pub fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("subrosa-vault-{}-{count}", std::process::id());
        let memory = Path::new("/dev/shm");
        let root = match memory.is_dir() {
            true => memory.to_owned(),
            false => std::env::temp_dir(),
        };
        let path = root.join(name);
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub fn path(&self) -> &Path {
        &self.0
    }

    pub fn of(&self, party: u8) -> PathBuf {
        self.0.join(format!("party-{party}"))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Bytes as a piece.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Blob(pub Vec<u8>);

impl Wire for Blob {
    type Layout = usize;
    fn size(layout: &usize) -> Bytes {
        Bytes(*layout as u64)
    }
    fn encode(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.0);
    }
    fn decode(layout: &usize, bytes: &[u8]) -> Result<Self, Malformed> {
        assert_eq!(bytes.len(), *layout);
        Ok(Self(bytes.to_vec()))
    }
}

pub fn name(party: u8, parties: u8) -> SeriesName {
    SeriesName {
        own: [party; 32],
        peers: (0..parties)
            .filter(|p| *p != party)
            .map(|p| [p; 32])
            .collect(),
        model: [77; 32],
        plan: [88; 32],
        told: None,
    }
}

pub fn key(party: u8) -> Seed {
    Seed::insecure_seeded(party.into()).derive("vault", b"")
}

pub fn open(folder: &Path, party: u8) -> Result<Vault, VaultFault> {
    Vault::open(folder, &key(party))
}

pub fn series(scratch: &Scratch, party: u8, parties: u8) -> Series {
    let vault = open(&scratch.of(party), party).unwrap();
    vault.series(&name(party, parties)).unwrap()
}

pub fn all_series(scratch: &Scratch, parties: u8) -> Vec<Series> {
    linked(parties.into()).all_series(scratch)
}

/// What all but `me` have to say.
pub fn others<T: Clone>(all: &[T], me: usize) -> Vec<T> {
    let mut others = all.to_vec();
    others.remove(me);
    others
}

/// Through bytes and back.
pub fn sent<T: Wire<Layout = ()>>(value: &T) -> T {
    let mut bytes = Vec::new();
    value.encode(&mut bytes);
    assert_eq!(bytes.len() as u64, T::size(&()).0);
    T::decode(&(), &bytes).unwrap()
}

pub fn settle(series: &[Series]) -> Vec<Pool> {
    linked(series.len()).settle(series)
}

/// What `party` keeps for an item of a given run: the same run at all parties, another content at each.
pub fn content(run: u64, party: u8, length: usize) -> Blob {
    let seed = Seed::insecure_seeded(run).derive("content", &[party]);
    let mut bytes = vec![0; length.max(9)];
    subrosa_core::Prg::new(&seed).fill(&mut bytes[9..]);
    bytes[..8].copy_from_slice(&run.to_le_bytes());
    bytes[8] = party;
    Blob(bytes)
}

pub fn put(pool: &Pool, number: Number, pieces: &[Blob]) {
    let mut slot = pool.begin(number).unwrap();
    for piece in pieces {
        slot.put(piece.clone()).unwrap();
    }
    slot.made().unwrap();
}

/// All parties make and commit `count` items of one piece each.
pub fn make(pools: &[Pool], count: u64, length: usize) {
    linked(pools.len()).make(pools, count, length);
}

pub fn agree(claimed: Vec<Claimed>) -> Vec<Result<Lease, VaultFault>> {
    linked(claimed.len()).agree(claimed)
}

/// The first party leases, the others follow.
pub fn lease(pools: &[Pool], count: usize) -> Vec<Lease> {
    linked(pools.len()).lease(pools, count)
}

/// The only piece of an item.
pub fn only(item: Item) -> Result<Blob, VaultFault> {
    let length = item.length().0 as usize;
    let mut pieces = item.pieces::<Blob>(vec![length])?;
    let piece = pieces.next().unwrap()?;
    assert!(pieces.next().is_none());
    Ok(piece)
}

/// Every file below a folder.
pub fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => found.extend(files(&path)),
            false => found.push(path),
        }
    }
    found.sort();
    found
}

/// Files of items.
pub fn item_files(folder: &Path) -> Vec<PathBuf> {
    let pieces = folder.join("pieces");
    files(folder)
        .into_iter()
        .filter(|f| f.starts_with(&pieces))
        .collect()
}

pub fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        match entry.path().is_dir() {
            true => copy(&entry.path(), &target),
            false => assert!(fs::copy(entry.path(), &target).is_ok()),
        }
    }
}
