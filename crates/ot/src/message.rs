//! What travels.

use curve25519_dalek::RistrettoPoint;
use curve25519_dalek::ristretto::CompressedRistretto;
use curve25519_dalek::traits::IsIdentity;
use subrosa_core::{Bytes, Malformed, Wire};

/// One point other than zero, 32 bytes.
pub(crate) struct Point(pub(crate) RistrettoPoint);

/// The layout is the number of points.
pub(crate) struct Points(pub(crate) Vec<RistrettoPoint>);

/// Corrections of an extension: uniform bytes, every string of the right length is valid. The layout is the length.
pub(crate) struct Corrections(pub(crate) Vec<u8>);

impl Wire for Point {
    type Layout = ();
    fn size((): &()) -> Bytes {
        Bytes(32)
    }
    fn encode(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self.0.compress().as_bytes());
    }
    fn decode((): &(), bytes: &[u8]) -> Result<Self, Malformed> {
        check(bytes, 32)?;
        point(bytes).map(Self)
    }
}

impl Wire for Points {
    type Layout = usize;
    fn size(count: &usize) -> Bytes {
        Bytes(32 * *count as u64)
    }
    fn encode(&self, out: &mut Vec<u8>) {
        for point in &self.0 {
            out.extend_from_slice(point.compress().as_bytes());
        }
    }
    fn decode(count: &usize, bytes: &[u8]) -> Result<Self, Malformed> {
        check(bytes, 32 * *count as u64)?;
        bytes
            .chunks(32)
            .map(point)
            .collect::<Result<_, _>>()
            .map(Self)
    }
}

impl Wire for Corrections {
    type Layout = u64;
    fn size(length: &u64) -> Bytes {
        Bytes(*length)
    }
    fn encode(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.0);
    }
    fn decode(length: &u64, bytes: &[u8]) -> Result<Self, Malformed> {
        check(bytes, *length)?;
        Ok(Self(bytes.to_vec()))
    }
}

pub(crate) fn check(bytes: &[u8], expected: u64) -> Result<(), Malformed> {
    let found = bytes.len() as u64;
    if expected == found {
        Ok(())
    } else {
        Err(Malformed::Length { expected, found })
    }
}

fn point(bytes: &[u8]) -> Result<RistrettoPoint, Malformed> {
    let compressed = CompressedRistretto::from_slice(bytes).map_err(|_| Malformed::Encoding)?;
    let point = compressed.decompress().ok_or(Malformed::Encoding)?;
    if point.is_identity() {
        return Err(Malformed::Range);
    }
    Ok(point)
}

/// Appends blocks, little-endian.
pub(crate) fn push_blocks(message: &mut Vec<u8>, blocks: &[u128]) {
    if cfg!(target_endian = "little") {
        message.extend_from_slice(bytemuck::cast_slice(blocks));
    } else {
        message.extend(blocks.iter().flat_map(|block| block.to_le_bytes()));
    }
}

/// Takes blocks off the front of `message`.
pub(crate) fn take_blocks(message: &mut &[u8], blocks: &mut [u128]) {
    let (taken, rest) = message.split_at(16 * blocks.len());
    bytemuck::cast_slice_mut(blocks).copy_from_slice(taken);
    blocks
        .iter_mut()
        .for_each(|block| *block = u128::from_le(*block));
    *message = rest;
}
