//! Ring elements on the wire: `bits` bits each, little endian, without gaps,
//! rounded up to whole bytes with zero bits.

use crate::elementwise::mask;

/// Bytes that `count` elements of `bits` bits take.
pub fn packed_len(count: usize, bits: u32) -> usize {
    let bits = count as u128 * u128::from(bits);
    usize::try_from(bits.div_ceil(8)).unwrap_or(usize::MAX)
}

/// Appends `values`, each cut to its low `bits` bits, `1 <= bits <= 64`.
pub fn pack_into(values: &[u64], bits: u32, out: &mut Vec<u8>) {
    assert!((1..=64).contains(&bits));
    out.reserve(packed_len(values.len(), bits));
    match bits {
        8 => out.extend(values.iter().map(|&v| v as u8)),
        16 => pack_bytes::<2>(values, out),
        24 => pack_bytes::<3>(values, out),
        32 => pack_bytes::<4>(values, out),
        40 => pack_bytes::<5>(values, out),
        48 => pack_bytes::<6>(values, out),
        56 => pack_bytes::<7>(values, out),
        64 => pack_bytes::<8>(values, out),
        _ => pack_bits(values, bits, out),
    }
}

/// The elements, each below 2^bits; `None` where `bytes` is not
/// `packed_len(count, bits)` long, where its padding bits are not zero, or
/// where `bits` is not in `1..=64`.
pub fn unpack(bytes: &[u8], bits: u32, count: usize) -> Option<Vec<u64>> {
    if !(1..=64).contains(&bits) || bytes.len() != packed_len(count, bits) {
        return None;
    }
    let values = match bits {
        8 => bytes.iter().map(|&b| u64::from(b)).collect(),
        16 => unpack_bytes::<2>(bytes),
        24 => unpack_bytes::<3>(bytes),
        32 => unpack_bytes::<4>(bytes),
        40 => unpack_bytes::<5>(bytes),
        48 => unpack_bytes::<6>(bytes),
        56 => unpack_bytes::<7>(bytes),
        64 => unpack_bytes::<8>(bytes),
        _ => return unpack_bits(bytes, bits, count),
    };
    Some(values)
}

fn pack_bytes<const N: usize>(values: &[u64], out: &mut Vec<u8>) {
    let start = out.len();
    out.resize(start + values.len() * N, 0);
    let (chunks, _) = out[start..].as_chunks_mut::<N>();
    for (chunk, value) in chunks.iter_mut().zip(values) {
        chunk.copy_from_slice(&value.to_le_bytes()[..N]);
    }
}

fn unpack_bytes<const N: usize>(bytes: &[u8]) -> Vec<u64> {
    let (chunks, _) = bytes.as_chunks::<N>();
    chunks
        .iter()
        .map(|chunk| {
            let mut word = [0u8; 8];
            word[..N].copy_from_slice(chunk);
            u64::from_le_bytes(word)
        })
        .collect()
}

fn pack_bits(values: &[u64], bits: u32, out: &mut Vec<u8>) {
    let mask = mask(bits);
    let mut pending = 0u64;
    let mut filled = 0u32;
    for &value in values {
        let value = value & mask;
        pending |= value << filled;
        filled += bits;
        if filled >= 64 {
            out.extend_from_slice(&pending.to_le_bytes());
            filled -= 64;
            // The bits of `value` that did not fit.
            pending = if filled == 0 {
                0
            } else {
                value >> (bits - filled)
            };
        }
    }
    out.extend_from_slice(&pending.to_le_bytes()[..filled.div_ceil(8) as usize]);
}

fn unpack_bits(bytes: &[u8], bits: u32, count: usize) -> Option<Vec<u64>> {
    let mask = mask(bits);
    let bits = bits as usize;
    let used = count * bits % 8;
    if used != 0 && bytes.last()? >> used != 0 {
        return None;
    }
    let value = |i: usize| {
        let (at, shift) = (i * bits / 8, i * bits % 8);
        let mut value = word_at(bytes, at) >> shift;
        if shift + bits > 64 {
            value |= word_at(bytes, at + 8) << (64 - shift);
        }
        value & mask
    };
    Some((0..count).map(value).collect())
}

/// The eight bytes from `at` on, zeros beyond the end.
#[inline]
fn word_at(bytes: &[u8], at: usize) -> u64 {
    let rest = bytes.get(at..).unwrap_or_default();
    let mut word = [0; 8];
    match rest.first_chunk() {
        Some(chunk) => word = *chunk,
        None => word[..rest.len()].copy_from_slice(rest),
    }
    u64::from_le_bytes(word)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn check(values: &[u64], bits: u32) {
        let mut bytes = vec![7u8];
        pack_into(values, bits, &mut bytes);
        let body = &bytes[1..];
        assert_eq!(body.len(), packed_len(values.len(), bits));
        for (i, value) in values.iter().enumerate() {
            for j in 0..bits as usize {
                let at = i * bits as usize + j;
                assert_eq!(u64::from(body[at / 8] >> (at % 8) & 1), value >> j & 1);
            }
        }
        let masked: Vec<u64> = values.iter().map(|v| v & mask(bits)).collect();
        assert_eq!(unpack(body, bits, values.len()), Some(masked));
        assert_eq!(unpack(&bytes, bits, values.len()), None);
        if !(values.len() * bits as usize).is_multiple_of(8) {
            let mut dirty = body.to_vec();
            *dirty.last_mut().unwrap() |= 0x80;
            assert_eq!(unpack(&dirty, bits, values.len()), None);
        }
    }

    proptest! {
        #[test]
        fn every_width(values in prop::collection::vec(any::<u64>(), 0..70)) {
            for bits in 1..=64 {
                check(&values, bits);
            }
        }

        #[test]
        fn any_bytes_are_answered(
            bytes in prop::collection::vec(any::<u8>(), 0..40),
            bits in 0u32..70,
            count in 0usize..300,
        ) {
            if let Some(values) = unpack(&bytes, bits, count) {
                let mut again = Vec::new();
                pack_into(&values, bits, &mut again);
                prop_assert_eq!(again, bytes);
            }
        }
    }

    #[test]
    fn a_length_beyond_memory_is_refused() {
        assert_eq!(unpack(&[], 64, usize::MAX), None);
    }
}
