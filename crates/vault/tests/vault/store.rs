//! Values by name, and blobs.

use crate::parties::*;
use std::fs;
use std::path::{Path, PathBuf};
use subrosa_vault::{BlobId, Part, SeriesName, Store, VaultFault};

pub fn open_store(folder: &Path) -> Result<Store, VaultFault> {
    Store::open(folder, &key(1))
}

/// The store in the first folder.
pub fn store(scratch: &Scratch) -> Store {
    open_store(&scratch.of(0)).unwrap()
}

pub fn blob(store: &Store, bytes: &[u8]) -> BlobId {
    let mut writer = store.blob().unwrap();
    for part in bytes.chunks(10_007) {
        writer.write(part).unwrap();
    }
    writer.finish().unwrap()
}

pub fn put(store: &Store, name: &[u8], value: &[u8], blobs: &[BlobId]) -> Result<(), VaultFault> {
    store.change(|c| c.put("kind", name, value, blobs))
}

fn get(store: &Store, name: &[u8]) -> Option<Vec<u8>> {
    let value = store.get("kind", name).unwrap();
    value.map(|value| value.to_vec())
}

pub fn blob_files(folder: &Path) -> Vec<PathBuf> {
    files(&folder.join("blobs"))
}

#[test]
fn values_are_kept_by_kind_and_name() {
    let scratch = Scratch::new();
    let first = store(&scratch);
    first
        .change(|c| {
            c.put("kind", b"a", b"1", &[])?;
            c.put("kind", b"b", b"", &[])?;
            c.put("kind", b"", &[7; 100_000], &[])?;
            c.put("kin", b"da", b"other kind", &[])
        })
        .unwrap();
    put(&first, b"a", b"2", &[]).unwrap();
    drop(first);
    let store = store(&scratch);
    assert_eq!(get(&store, b"a"), Some(b"2".to_vec()));
    assert_eq!(get(&store, b"b"), Some(Vec::new()));
    assert_eq!(get(&store, b"da"), None);
    let mut all = store.all("kind").unwrap();
    all.sort_by(|a, b| a.0.cmp(&b.0));
    let names: Vec<&[u8]> = all.iter().map(|(name, _)| &name[..]).collect();
    assert_eq!(names, [&b""[..], b"a", b"b"]);
    assert_eq!(all[0].1[..], [7; 100_000]);
    assert!(store.change(|c| c.delete("kind", b"a")).unwrap());
    assert!(!store.change(|c| c.delete("kind", b"a")).unwrap());
    assert_eq!(get(&store, b"a"), None);
    assert_eq!(store.all("kind").unwrap().len(), 2);
    assert_eq!(store.all("kin").unwrap()[0].0, b"da");
}

#[test]
fn a_change_is_all_or_nothing() {
    let scratch = Scratch::new();
    let store = store(&scratch);
    put(&store, b"a", b"1", &[]).unwrap();
    let fault = store.change(|c| {
        c.put("kind", b"a", b"2", &[])?;
        c.delete("kind", b"b")?;
        assert_eq!(c.get("kind", b"a")?.unwrap()[..], *b"2");
        Err::<(), _>(VaultFault::Exhausted)
    });
    assert_eq!(fault, Err(VaultFault::Exhausted));
    assert_eq!(get(&store, b"a"), Some(b"1".to_vec()));
}

#[test]
fn blobs_come_back_whole_or_in_parts() {
    let scratch = Scratch::new();
    let first = store(&scratch);
    let plain = |length: usize| content(length as u64, 0, 300_000).0[..length].to_vec();
    let lengths = [0, 1, 65_535, 65_536, 65_537, 200_000];
    let ids = lengths.map(|length| blob(&first, &plain(length)));
    put(&first, b"all", b"", &ids).unwrap();
    drop(first);
    let store = store(&scratch);
    for (length, id) in lengths.into_iter().zip(&ids) {
        assert_eq!(id.length().0, length as u64);
        assert_eq!(*store.read(id).unwrap(), plain(length));
        let mut reader = store.reader(id).unwrap();
        let (mut found, mut part) = (Vec::new(), vec![0; 7_001]);
        while reader.left().0 > 0 {
            let read = reader.read(&mut part).unwrap();
            found.extend_from_slice(&part[..read]);
        }
        assert_eq!(found, plain(length));
        assert_eq!(reader.read(&mut part), Ok(0));
    }
}

#[test]
fn a_blob_lives_as_long_as_its_row() {
    let scratch = Scratch::new();
    let first = store(&scratch);
    let [a, b, c, lost] = [1, 2, 3, 4].map(|run| blob(&first, &[run; 9]));
    let unfinished = first.blob().unwrap();
    assert_eq!(blob_files(&scratch.of(0)).len(), 5);
    drop(unfinished);
    put(&first, b"staged", b"", &[a, b]).unwrap();
    // From one row to another, in whatever order; and one of the first row's comes to nobody.
    first
        .change(|change| {
            change.put("kind", b"active", b"", &[c, a])?;
            change.delete("kind", b"staged")
        })
        .unwrap();
    let gone = Err(VaultFault::Missing(Part::Blob(b)));
    assert_eq!(first.read(&b), gone);
    assert_eq!(blob_files(&scratch.of(0)).len(), 3);
    put(&first, b"active", b"again", &[a, c]).unwrap();
    drop(first);
    // What nobody owns goes when the store is opened again.
    let store = store(&scratch);
    assert_eq!(blob_files(&scratch.of(0)).len(), 2);
    assert!(store.read(&lost).is_err());
    assert_eq!(*store.read(&c).unwrap(), [3; 9]);
    store.change(|c| c.delete("kind", b"active")).unwrap();
    assert!(blob_files(&scratch.of(0)).is_empty());
}

#[test]
fn a_blob_has_one_owner() {
    let scratch = Scratch::new();
    let store = store(&scratch);
    let [a, b] = [1, 2].map(|run| blob(&store, &[run; 9]));
    put(&store, b"a", b"", &[a]).unwrap();
    let missing = |id| Err(VaultFault::Missing(Part::Blob(id)));
    assert_eq!(put(&store, b"b", b"", &[a]), missing(a));
    assert_eq!(put(&store, b"b", b"", &[b, b]), missing(b));
    assert_eq!(get(&store, b"b"), None);
    store.discard(&a);
    store.discard(&b);
    assert_eq!(*store.read(&a).unwrap(), [1; 9]);
    assert_eq!(blob_files(&scratch.of(0)).len(), 1);
    assert_eq!(put(&store, b"b", b"", &[b]), missing(b));
}

/// Values, names and blobs, of which no eight bytes in a row lie in any file.
#[test]
fn all_is_ciphertext_for_the_owner_alone() {
    let scratch = Scratch::new();
    let store = store(&scratch);
    let [value, large, name] = [1, 2, 3].map(|run| content(run, 0, 3_000).0[9..].to_vec());
    let id = blob(&store, &large);
    put(&store, &name, &value, &[id]).unwrap();
    let secrets = [&value, &large, &name, &key(1).reveal().to_vec()];
    let windows: std::collections::HashSet<&[u8]> =
        secrets.iter().flat_map(|s| s.windows(8)).collect();
    let found = files(&scratch.of(0));
    assert_eq!(found.len(), 3, "lock, ledger, blob: {found:?}");
    for file in found {
        let bytes = fs::read(&file).unwrap();
        assert!(!bytes.windows(8).any(|w| windows.contains(w)), "{file:?}");
        #[cfg(unix)]
        {
            let mode = |path: &Path| {
                let permissions = fs::metadata(path).unwrap().permissions();
                std::os::unix::fs::PermissionsExt::mode(&permissions) & 0o777
            };
            assert_eq!(mode(&file), 0o600, "{file:?}");
            assert_eq!(mode(file.parent().unwrap()), 0o700, "{file:?}");
        }
    }
}

#[test]
fn names_of_series_and_blobs_are_kept() {
    let scratch = Scratch::new();
    let store = store(&scratch);
    let id = blob(&store, &[5; 70_000]);
    let series = SeriesName {
        told: Some(name(0, 2).tag()),
        ..name(1, 3)
    };
    let bytes = postcard::to_stdvec(&(&series, id)).unwrap();
    put(&store, b"enrolment", &bytes, &[id]).unwrap();
    let bytes = store.get("kind", b"enrolment").unwrap().unwrap();
    let (found, blob): (SeriesName, BlobId) = postcard::from_bytes(&bytes).unwrap();
    assert_eq!((found, blob), (series, id));
}

#[test]
fn a_salt_is_made_once() {
    let scratch = Scratch::new();
    let salt = Store::salt(&scratch.of(0)).unwrap();
    assert_ne!(salt, Store::salt(&scratch.of(1)).unwrap());
    let open = store(&scratch);
    assert_eq!(Store::salt(&scratch.of(0)), Ok(salt));
    drop(open);
    let file = scratch.of(0).join("salt");
    assert_eq!(fs::read(&file).unwrap(), salt);
    for length in [15, 17] {
        fs::write(&file, vec![1; length]).unwrap();
        let fault = Store::salt(&scratch.of(0)).err();
        assert_eq!(fault, Some(VaultFault::Corrupted(Part::Salt)));
    }
    // No other salt would open what is there.
    fs::remove_file(&file).unwrap();
    let fault = Store::salt(&scratch.of(0)).err();
    assert_eq!(fault, Some(VaultFault::Missing(Part::Salt)));
}
