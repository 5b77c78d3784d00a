use crate::blob::BlobId;
use crate::numbers::Number;
use std::io::{self, ErrorKind};
use subrosa_core::Malformed;
use thiserror::Error;

/// What on disk a fault is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum Part {
    #[error("the ledger")]
    Ledger,
    #[error("the pieces of item {0}")]
    Item(Number),
    #[error("{0}")]
    Blob(BlobId),
    #[error("the salt")]
    Salt,
}

/// Why material could not be made, kept or taken. `peer` counts in the order in which the words were given.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum VaultFault {
    #[error("the folder or the series is in use elsewhere")]
    InUse,
    #[error("the ledger has schema {found}, this program knows {expected}")]
    Schema { expected: u32, found: u32 },
    #[error("the key is not this vault's")]
    WrongKey,
    #[error("the disk is full")]
    DiskFull,
    #[error("the file system is read-only")]
    ReadOnly,
    #[error("the operating system denies access")]
    Denied,
    #[error("{0}: altered since written")]
    Corrupted(Part),
    #[error("{0}: not there")]
    Missing(Part),
    #[error("input or output failed: {0}")]
    Io(ErrorKind),
    #[error("an earlier write of the ledger failed; open the vault again")]
    Reopen,
    #[error("no randomness from the operating system")]
    Randomness,

    #[error("the series has {expected} peers, {found} have spoken")]
    Peers { expected: usize, found: usize },
    #[error("peer {peer} speaks of another series")]
    OtherSeries { peer: usize },
    #[error("peer {peer} speaks of another epoch")]
    OtherEpoch { peer: usize },
    #[error("this party's standing is of an earlier epoch")]
    Stale,
    #[error("the series awaits its handshake")]
    Unsettled,
    #[error("numbers below {fresh} are spent, found {found}")]
    Spent { fresh: Number, found: Number },
    #[error("no item that all parties have made is left")]
    Exhausted,
    #[error("the layouts take {expected} bytes, the item has {found}")]
    Length { expected: u64, found: u64 },
    #[error("a piece: {0}")]
    Malformed(#[from] Malformed),
}

impl From<io::Error> for VaultFault {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge => {
                Self::DiskFull
            }
            ErrorKind::ReadOnlyFilesystem => Self::ReadOnly,
            ErrorKind::PermissionDenied => Self::Denied,
            kind => Self::Io(kind),
        }
    }
}

impl From<redb::Error> for VaultFault {
    fn from(error: redb::Error) -> Self {
        use redb::Error as E;
        match error {
            E::Io(error) => match error.kind() {
                ErrorKind::InvalidData | ErrorKind::UnexpectedEof => Self::Corrupted(Part::Ledger),
                _ => error.into(),
            },
            E::DatabaseAlreadyOpen => Self::InUse,
            E::PreviousIo | E::DatabaseClosed | E::LockPoisoned(_) => Self::Reopen,
            // What is left speaks of bytes or tables that this crate never writes.
            _ => Self::Corrupted(Part::Ledger),
        }
    }
}

macro_rules! through {
    ($($error:ident),*) => {$(
        impl From<redb::$error> for VaultFault {
            fn from(error: redb::$error) -> Self {
                redb::Error::from(error).into()
            }
        }
    )*};
}

through!(
    DatabaseError,
    TransactionError,
    TableError,
    StorageError,
    CommitError
);
