//! Bit planes against their definition, for every kernel family of this CPU.

use proptest::prelude::*;
use subrosa_ring::bits::{and_xor_into_with, from_planes_with, to_planes_with};
use subrosa_ring::{BitMatrix, Simd, expand_bits, mask};

proptest! {
    #[test]
    fn and_layers_are_word_by_word(rows in prop::collection::vec(any::<[u64; 3]>(), 0..70)) {
        let column = |c: usize| -> Vec<u64> { rows.iter().map(|row| row[c]).collect() };
        let expected: Vec<u64> = rows.iter().map(|[acc, a, b]| acc ^ (a & b)).collect();
        for simd in Simd::available() {
            let mut acc = column(0);
            and_xor_into_with(simd, &mut acc, &column(1), &column(2));
            prop_assert_eq!(&acc, &expected);
        }
    }

    #[test]
    fn planes_hold_the_bits(
        values in prop::collection::vec(any::<u64>(), 0..700),
        from in 0u32..=64,
        planes in 0u32..=64,
    ) {
        let planes = planes.min(64 - from);
        for simd in Simd::available() {
            let matrix = to_planes_with(simd, &values, from, planes);
            prop_assert_eq!(matrix.planes(), planes as usize);
            prop_assert_eq!(matrix.lanes(), values.len());
            for j in 0..planes {
                let expected: Vec<u64> = values.iter().map(|v| v >> (from + j) & 1).collect();
                prop_assert_eq!(expand_bits(matrix.row(j as usize), values.len()), expected);
            }
            let mut masked = matrix.clone();
            masked.mask_padding();
            prop_assert_eq!(&masked, &matrix);
            let back = from_planes_with(simd, &matrix);
            let expected: Vec<u64> =
                values.iter().map(|v| v.unbounded_shr(from) & mask(planes)).collect();
            prop_assert_eq!(back, expected);
        }
    }

    #[test]
    fn bytes_hold_the_lanes_without_gaps(
        planes in 0usize..9,
        lanes in 0usize..200,
        seed in any::<u64>(),
    ) {
        let words = (0..planes * lanes.div_ceil(64))
            .map(|i| seed.wrapping_mul(2 * i as u64 + 1).rotate_left(i as u32))
            .collect();
        let matrix = BitMatrix::from_words(planes, lanes, words);
        let mut bytes = vec![1u8];
        matrix.pack_into(&mut bytes);
        let bytes = &bytes[1..];
        prop_assert_eq!(bytes.len(), BitMatrix::packed_len(planes, lanes));
        for plane in 0..planes {
            for lane in 0..lanes {
                let at = plane * lanes + lane;
                let bit = matrix.row(plane)[lane / 64] >> (lane % 64) & 1;
                prop_assert_eq!(u64::from(bytes[at / 8] >> (at % 8) & 1), bit);
            }
        }
        prop_assert_eq!(BitMatrix::unpack(bytes, planes, lanes), Some(matrix));
        prop_assert_eq!(BitMatrix::unpack(bytes, planes, lanes + 8 / planes.max(1) + 1).is_some(),
            planes == 0);
        if !(planes * lanes).is_multiple_of(8) {
            let mut dirty = bytes.to_vec();
            *dirty.last_mut().unwrap() |= 0x80;
            prop_assert_eq!(BitMatrix::unpack(&dirty, planes, lanes), None);
        }
    }
}
