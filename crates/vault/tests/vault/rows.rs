use redb::ReadableTable;
use std::collections::BTreeMap;
use std::path::Path;

pub type Rows = BTreeMap<Vec<u8>, Vec<u8>>;

/// Changes rows of a folder's ledger as a program with its own redb can.
pub fn rewrite(folder: &Path, table: &str, change: impl Fn(&mut Rows)) {
    let table = redb::TableDefinition::<&[u8], &[u8]>::new(table);
    let db = redb::Database::open(folder.join("ledger.redb")).unwrap();
    let write = db.begin_write().unwrap();
    let mut open = write.open_table(table).unwrap();
    let rows = open.iter().unwrap().map(Result::unwrap);
    let mut rows: Rows = rows
        .map(|(key, value)| (key.value().to_vec(), value.value().to_vec()))
        .collect();
    change(&mut rows);
    open.retain(|_, _| false).unwrap();
    for (key, value) in &rows {
        open.insert(&key[..], &value[..]).unwrap();
    }
    drop(open);
    write.commit().unwrap();
}
