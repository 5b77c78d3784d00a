//! Files of items and blobs, and rows of stores: AES-256-GCM in chunks, as in STREAM (Hoang, Reyhanitabar, Rogaway, Vizar, Crypto 2015).
//!
//! A file is [`HEADER`], then chunks of [`CHUNK`] bytes with a tag each; the last chunk may be shorter. The
//! nonce is the chunk's place and whether it is the last, and each file has a key of its own, so chunks that
//! are cut off, moved, or of another file do not open.

use crate::fault::{Part, VaultFault};
use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::error::Unspecified;
use std::fs::File;
use std::io::{Read, Write};
use subrosa_core::Seed;
use zeroize::Zeroizing;

const HEADER: [u8; 16] = *b"subrosa pieces 1";
const CHUNK: usize = 64 * 1024;
const TAG: usize = 16;

/// The length of a file that holds `length` bytes of pieces.
pub fn sealed_length(length: u64) -> Option<u64> {
    let tags = chunks(length).checked_mul(TAG as u64)?;
    length.checked_add(tags)?.checked_add(HEADER.len() as u64)
}

fn chunks(length: u64) -> u64 {
    length.div_ceil(CHUNK as u64).max(1)
}

fn cipher(key: &Seed) -> Result<LessSafeKey, Unspecified> {
    UnboundKey::new(&AES_256_GCM, key.reveal()).map(LessSafeKey::new)
}

fn nonce(place: u64, last: bool) -> Nonce {
    let mut bytes = [0; 12];
    bytes[0] = u8::from(last);
    bytes[4..].copy_from_slice(&place.to_be_bytes());
    Nonce::assume_unique_for_key(bytes)
}

/// Seals `plain` in place. `key` must be new; `context` is what opens it again.
pub fn seal(key: &Seed, context: &[u8], plain: &mut Vec<u8>) -> Result<(), VaultFault> {
    cipher(key)
        .and_then(|cipher| {
            cipher.seal_in_place_append_tag(nonce(0, true), Aad::from(context), plain)
        })
        .map_err(|_| VaultFault::Randomness)
}

/// Opens what [`seal`] has sealed. None where it was altered.
pub fn open(key: &Seed, context: &[u8], mut sealed: Vec<u8>) -> Option<Zeroizing<Vec<u8>>> {
    let cipher = cipher(key).ok()?;
    let opened = cipher.open_in_place(nonce(0, true), Aad::from(context), &mut sealed);
    let length = opened.ok()?.len();
    sealed.truncate(length);
    Some(Zeroizing::new(sealed))
}

/// Writes one file.
pub struct Sealer {
    cipher: LessSafeKey,
    file: File,
    chunk: Zeroizing<Vec<u8>>,
    place: u64,
    length: u64,
}

impl Sealer {
    /// `key` must be new: it seals this file alone.
    pub fn new(mut file: File, key: &Seed) -> Result<Self, VaultFault> {
        file.write_all(&HEADER)?;
        Ok(Self {
            cipher: cipher(key).map_err(|_| VaultFault::Randomness)?,
            file,
            chunk: Zeroizing::new(Vec::with_capacity(CHUNK + TAG)),
            place: 0,
            length: 0,
        })
    }

    pub fn write(&mut self, mut bytes: &[u8]) -> Result<(), VaultFault> {
        self.length += bytes.len() as u64;
        while !bytes.is_empty() {
            if self.chunk.len() == CHUNK {
                self.seal(false)?;
            }
            let (now, later) = bytes.split_at(bytes.len().min(CHUNK - self.chunk.len()));
            self.chunk.extend_from_slice(now);
            bytes = later;
        }
        Ok(())
    }

    /// The whole file, not yet on disk, and the length of what is in it.
    pub fn finish(mut self) -> Result<(File, u64), VaultFault> {
        self.seal(true)?;
        Ok((self.file, self.length))
    }

    fn seal(&mut self, last: bool) -> Result<(), VaultFault> {
        let nonce = nonce(self.place, last);
        self.cipher
            .seal_in_place_append_tag(nonce, Aad::from(HEADER), &mut *self.chunk)
            .map_err(|_| VaultFault::Randomness)?;
        self.file.write_all(&self.chunk)?;
        self.chunk.clear();
        self.place += 1;
        Ok(())
    }
}

/// Reads one file from its beginning. Gives nothing that is not authentic.
pub struct Opener {
    cipher: LessSafeKey,
    file: File,
    part: Part,
    chunk: Zeroizing<Vec<u8>>,
    /// How much of the opened chunk has been read.
    read: usize,
    /// Bytes of pieces in the chunks that are not opened yet.
    sealed: u64,
    place: u64,
}

impl Opener {
    /// `length`: bytes of pieces, as the ledger has it.
    pub fn new(mut file: File, key: &Seed, part: Part, length: u64) -> Result<Self, VaultFault> {
        let corrupted = VaultFault::Corrupted(part);
        if Some(file.metadata()?.len()) != sealed_length(length) {
            return Err(corrupted);
        }
        let mut header = [0; HEADER.len()];
        file.read_exact(&mut header)?;
        if header != HEADER {
            return Err(corrupted);
        }
        Ok(Self {
            cipher: cipher(key).map_err(|_| VaultFault::Randomness)?,
            file,
            part,
            chunk: Zeroizing::new(Vec::with_capacity(CHUNK + TAG)),
            read: 0,
            sealed: length,
            place: 0,
        })
    }

    /// Fills `out` with what comes next.
    pub fn read(&mut self, mut out: &mut [u8]) -> Result<(), VaultFault> {
        while !out.is_empty() {
            let left = self.chunk.get(self.read..).unwrap_or_default();
            if left.is_empty() {
                self.open()?;
                continue;
            }
            let now = left.len().min(out.len());
            let (head, rest) = out.split_at_mut(now);
            head.copy_from_slice(&left[..now]);
            out = rest;
            self.read += now;
        }
        Ok(())
    }

    /// Opens what is left unread, which must be authentic too: an item without pieces has one empty chunk.
    pub fn finish(&mut self) -> Result<(), VaultFault> {
        match self.place {
            0 => self.open(),
            _ => Ok(()),
        }
    }

    fn open(&mut self) -> Result<(), VaultFault> {
        let corrupted = VaultFault::Corrupted(self.part);
        let now = self.sealed.min(CHUNK as u64);
        let last = self.sealed <= CHUNK as u64;
        if now == 0 && self.place > 0 {
            return Err(corrupted);
        }
        self.read = 0;
        self.chunk.clear();
        let mut chunk = (&mut self.file).take(now + TAG as u64);
        chunk.read_to_end(&mut self.chunk)?;
        let opened = self
            .cipher
            .open_in_place(nonce(self.place, last), Aad::from(HEADER), &mut self.chunk)
            .map(|plain| plain.len());
        match opened {
            Ok(length) if length as u64 == now => self.chunk.truncate(length),
            _ => {
                self.chunk.clear();
                return Err(corrupted);
            }
        }
        self.sealed -= now;
        self.place += 1;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_device_is_named() {
        let full = File::options().write(true).open("/dev/full");
        let Ok(full) = full else {
            println!("skipped: no /dev/full here");
            return;
        };
        let key = Seed::insecure_seeded(1);
        let fault = Sealer::new(full, &key).err();
        assert_eq!(fault, Some(VaultFault::DiskFull));
    }

    /// A file that is deleted when dropped.
    struct Temporary(std::path::PathBuf);

    impl Temporary {
        fn new(label: &str) -> Self {
            let name = format!("subrosa-seal-{label}-{}", std::process::id());
            Self(std::env::temp_dir().join(name))
        }

        fn seal(&self, key: &Seed, plain: &[u8]) -> Vec<u8> {
            let mut sealer = Sealer::new(File::create(&self.0).unwrap(), key).unwrap();
            for part in plain.chunks(10_007) {
                sealer.write(part).unwrap();
            }
            let (_, length) = sealer.finish().unwrap();
            assert_eq!(length, plain.len() as u64);
            std::fs::read(&self.0).unwrap()
        }

        fn open(&self, key: &Seed, sealed: &[u8], length: u64) -> Result<Vec<u8>, VaultFault> {
            std::fs::write(&self.0, sealed).unwrap();
            let mut opener = Opener::new(File::open(&self.0).unwrap(), key, Part::Item(5), length)?;
            let mut found = vec![0; length as usize];
            for part in found.chunks_mut(9_973) {
                opener.read(part)?;
            }
            opener.finish()?;
            assert!(opener.read(&mut [0]).is_err());
            Ok(found)
        }
    }

    impl Drop for Temporary {
        fn drop(&mut self) {
            let _ = std::fs::remove_file(&self.0);
        }
    }

    fn plain(length: u64) -> Vec<u8> {
        (0..length).map(|i| (i % 251) as u8).collect()
    }

    #[test]
    fn files_have_the_stated_length() {
        let file = Temporary::new("length");
        let chunk = CHUNK as u64;
        for length in [0, 1, chunk - 1, chunk, chunk + 1, 3 * chunk, 3 * chunk + 7] {
            let key = Seed::insecure_seeded(length);
            let sealed = file.seal(&key, &plain(length));
            assert_eq!(Some(sealed.len() as u64), sealed_length(length));
            assert_eq!(file.open(&key, &sealed, length), Ok(plain(length)));
        }
        assert_eq!(sealed_length(u64::MAX), None);
    }

    #[test]
    fn every_altered_byte_is_noticed() {
        let file = Temporary::new("altered");
        let key = Seed::insecure_seeded(1);
        let corrupted = Err(VaultFault::Corrupted(Part::Item(5)));
        for length in [0, 100] {
            let sealed = file.seal(&key, &plain(length));
            for place in 0..sealed.len() {
                let mut altered = sealed.clone();
                altered[place] ^= 1 << (place % 8);
                assert_eq!(file.open(&key, &altered, length), corrupted, "{place}");
                assert_eq!(file.open(&key, &sealed[..place], length), corrupted);
            }
            let other = Seed::insecure_seeded(2);
            assert_eq!(file.open(&other, &sealed, length), corrupted);
        }
    }

    /// Also where the ledger were to state a length that fits.
    #[test]
    fn moved_and_missing_chunks_are_noticed() {
        let file = Temporary::new("moved");
        let key = Seed::insecure_seeded(1);
        let chunk = CHUNK as u64;
        let (header, sealed) = (HEADER.len(), CHUNK + TAG);
        let whole = file.seal(&key, &plain(3 * chunk));
        let parts: Vec<&[u8]> = whole[header..].chunks(sealed).collect();
        assert_eq!(parts.len(), 3);
        let other_key = file.seal(&Seed::insecure_seeded(2), &plain(3 * chunk));
        let foreign = &other_key[header + sealed..header + 2 * sealed];
        let orders: [&[&[u8]]; 8] = [
            &[parts[1], parts[0], parts[2]],
            &[parts[0], parts[2], parts[1]],
            &[parts[0], parts[0], parts[2]],
            &[parts[0], foreign, parts[2]],
            &[parts[0], parts[1]],
            &[parts[0], parts[2]],
            &[parts[2]],
            &[parts[0], parts[1], parts[1], parts[2]],
        ];
        for (case, order) in orders.into_iter().enumerate() {
            let forged = [&[&HEADER[..]], order].concat().concat();
            let found = file.open(&key, &forged, order.len() as u64 * chunk);
            let corrupted = Err(VaultFault::Corrupted(Part::Item(5)));
            assert_eq!(found, corrupted, "{case}");
        }
        assert_eq!(file.open(&key, &whole, 3 * chunk), Ok(plain(3 * chunk)));
    }
}
