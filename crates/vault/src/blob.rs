//! Large values of a store: one sealed file each.

use crate::fault::{Part, VaultFault};
use crate::folder::Pieces;
use crate::seal::{Opener, Sealer};
use crate::store::Base;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::sync::Arc;
use subrosa_core::{Bytes, Seed};

/// Names a blob of one store, for rows to keep. To whoever has not the store's key it says a length alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct BlobId {
    pub(crate) name: [u8; 32],
    pub(crate) length: u64,
}

/// A blob in the making. What is written goes to disk sealed. Dropped before [`BlobWriter::finish`], it leaves nothing.
pub struct BlobWriter {
    base: Arc<Base>,
    name: [u8; 32],
    file: Pieces,
    sealer: Result<Sealer, VaultFault>,
}

/// A blob, read from its beginning. One chunk of 64 KiB is in memory at a time.
pub struct BlobReader {
    opener: Opener,
    left: u64,
}

impl BlobId {
    pub(crate) const LENGTH: usize = 40;

    pub fn length(&self) -> Bytes {
        Bytes(self.length)
    }

    pub(crate) fn to_bytes(self) -> [u8; Self::LENGTH] {
        let mut bytes = [0; Self::LENGTH];
        bytes[..32].copy_from_slice(&self.name);
        bytes[32..].copy_from_slice(&self.length.to_le_bytes());
        bytes
    }

    pub(crate) fn from_bytes(bytes: &[u8; Self::LENGTH]) -> Self {
        let (mut name, mut length) = ([0; 32], [0; 8]);
        name.copy_from_slice(&bytes[..32]);
        length.copy_from_slice(&bytes[32..]);
        Self {
            name,
            length: u64::from_le_bytes(length),
        }
    }
}

impl fmt::Display for BlobId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = blake3::Hash::from_bytes(self.name).to_hex();
        write!(f, "the blob {name} of {} bytes", self.length)
    }
}

impl BlobWriter {
    pub(crate) fn new(base: Arc<Base>) -> Result<Self, VaultFault> {
        let name = *Seed::random().map_err(|_| VaultFault::Randomness)?.reveal();
        let (open, file) = base.folder.create_blob(&name)?;
        let sealer = Sealer::new(open, &base.blob_key(&name))?;
        Ok(Self {
            base,
            name,
            file,
            sealer: Ok(sealer),
        })
    }

    /// After a fault every later call gives the same.
    pub fn write(&mut self, bytes: &[u8]) -> Result<(), VaultFault> {
        let sealer = self.sealer.as_mut().map_err(|fault| fault.clone())?;
        let written = sealer.write(bytes);
        if let Err(fault) = &written {
            self.sealer = Err(fault.clone());
        }
        written
    }

    /// Makes the blob durable. It lasts until [`Store::discard`](crate::Store::discard) or until the store is opened
    /// again, unless a row has come to [own](crate::Change::put) it.
    pub fn finish(self) -> Result<BlobId, VaultFault> {
        let (open, length) = self.sealer?.finish()?;
        open.sync_all()?;
        self.file.sync_name()?;
        let name = self.name;
        let id = BlobId { name, length };
        self.base.owners().free.insert(id);
        self.file.keep();
        Ok(id)
    }
}

impl BlobReader {
    pub(crate) fn new(base: &Base, id: &BlobId) -> Result<Self, VaultFault> {
        let part = Part::Blob(*id);
        let file = base.folder.open_blob(&id.name, part)?;
        let mut opener = Opener::new(file, &base.blob_key(&id.name), part, id.length)?;
        if id.length == 0 {
            opener.finish()?;
        }
        Ok(Self {
            opener,
            left: id.length,
        })
    }

    /// Bytes not read yet.
    pub fn left(&self) -> Bytes {
        Bytes(self.left)
    }

    /// Fills the first bytes of `out` with what comes next and tells how many they are: all of `out`, or what is left.
    pub fn read(&mut self, out: &mut [u8]) -> Result<usize, VaultFault> {
        let now = usize::try_from(self.left).map_or(out.len(), |left| left.min(out.len()));
        let (out, _) = out.split_at_mut(now);
        self.opener.read(out)?;
        self.left -= now as u64;
        Ok(now)
    }
}
