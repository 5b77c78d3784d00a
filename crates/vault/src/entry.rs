//! Rows of a store: where they lie and how they are sealed.
//!
//! A row lies at the keyed hash of its kind, then of its name. Its value is a salt, then the name, the blobs that the
//! row owns and the value in the clear, sealed with AES-256-GCM. The key hangs on the row's place and on the salt, which
//! is drawn for each writing: a row does not open at another place.

use crate::blob::BlobId;
use crate::fault::{Part, VaultFault};
use crate::seal;
use subrosa_core::Seed;
use zeroize::Zeroizing;

const SALT: usize = 32;
const TAG: usize = 16;
const HALF: usize = 32;

pub type Place = [u8; 2 * HALF];

pub struct EntryKeys {
    places: Seed,
    values: Seed,
}

/// A row in the clear.
pub struct Entry {
    pub name: Vec<u8>,
    pub blobs: Vec<BlobId>,
    pub value: Zeroizing<Vec<u8>>,
}

impl EntryKeys {
    pub fn new(root: &Seed) -> Self {
        Self {
            places: root.derive("places", b""),
            values: root.derive("values", b""),
        }
    }

    /// The first and the last place of the rows of a kind.
    pub fn bounds(&self, kind: &str) -> (Place, Place) {
        let half = self.kind(kind);
        let place = |end: u8| {
            let mut place = [end; 2 * HALF];
            place[..HALF].copy_from_slice(half.reveal());
            place
        };
        (place(0), place(u8::MAX))
    }

    pub fn place(&self, kind: &str, name: &[u8]) -> Place {
        let half = self.kind(kind);
        let mut place = [0; 2 * HALF];
        place[..HALF].copy_from_slice(half.reveal());
        place[HALF..].copy_from_slice(half.derive("name", name).reveal());
        place
    }

    fn kind(&self, kind: &str) -> Seed {
        self.places.derive("kind", kind.as_bytes())
    }

    fn key(&self, place: &[u8], salt: &[u8]) -> Seed {
        self.values.derive("place", place).derive("salt", salt)
    }

    pub fn seal(
        &self,
        place: &Place,
        name: &[u8],
        blobs: &[BlobId],
        value: &[u8],
    ) -> Result<Vec<u8>, VaultFault> {
        let salt = Seed::random().map_err(|_| VaultFault::Randomness)?;
        let length = 16 + name.len() + BlobId::LENGTH * blobs.len() + value.len();
        // As long as it will ever be, so that nothing is left behind in the clear.
        let mut plain = Zeroizing::new(Vec::with_capacity(length + TAG));
        plain.extend_from_slice(&(name.len() as u64).to_le_bytes());
        plain.extend_from_slice(name);
        plain.extend_from_slice(&(blobs.len() as u64).to_le_bytes());
        for blob in blobs {
            plain.extend_from_slice(&blob.to_bytes());
        }
        plain.extend_from_slice(value);
        seal::seal(&self.key(place, salt.reveal()), place, &mut plain)?;
        Ok([&salt.reveal()[..], &plain].concat())
    }

    pub fn open(&self, place: &[u8], row: &[u8]) -> Result<Entry, VaultFault> {
        let opened = row.split_at_checked(SALT).and_then(|(salt, sealed)| {
            let plain = seal::open(&self.key(place, salt), place, sealed.to_vec())?;
            parse(&plain)
        });
        opened.ok_or(VaultFault::Corrupted(Part::Ledger))
    }
}

fn parse(plain: &[u8]) -> Option<Entry> {
    let (name, rest) = counted(plain, 1)?;
    let (blobs, value) = counted(rest, BlobId::LENGTH)?;
    let (blobs, _) = blobs.as_chunks();
    Some(Entry {
        name: name.to_vec(),
        blobs: blobs.iter().map(BlobId::from_bytes).collect(),
        value: Zeroizing::new(value.to_vec()),
    })
}

/// A count, then as many times `each` bytes; and the rest.
fn counted(bytes: &[u8], each: usize) -> Option<(&[u8], &[u8])> {
    let (count, rest) = bytes.split_first_chunk()?;
    let count = usize::try_from(u64::from_le_bytes(*count)).ok()?;
    rest.split_at_checked(count.checked_mul(each)?)
}
