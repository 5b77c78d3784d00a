//! The local linear code: every output adds ten of the inputs.

use crate::cipher::PublicCipher;

/// Ones in a row of the matrix.
const WEIGHT: usize = 10;
/// Rows whose indices are drawn at once.
const ROWS: usize = 256;
/// Bits of an index before it is scaled to the inputs: five of them lie in a block.
const INDEX_BITS: u32 = 25;

/// `out[i] = sum of inputs[j]` for the ten `j` of row `i`, added to what is there if `ADD`. Row `i` is expanded from two blocks, `2 i` and `2 i + 1`, of
/// AES in counter mode under the public `key`; an index is 25 bits, scaled to the number of inputs.
pub(crate) fn encode<const ADD: bool>(key: u128, inputs: &[u128], out: &mut [u128]) {
    let cipher = PublicCipher::new(key);
    let mut counters = [0; 2 * ROWS];
    let mut drawn = [0; 2 * ROWS];
    let mut indices = [0; WEIGHT * ROWS];
    let scale = inputs.len() as u64;
    // Pairs of words, which compilers keep in one vector.
    let inputs: &[[u64; 2]] = bytemuck::cast_slice(inputs);
    let out: &mut [[u64; 2]] = bytemuck::cast_slice_mut(out);
    for (chunk, first) in out.chunks_mut(ROWS).zip((0u128..).step_by(2 * ROWS)) {
        for (counter, number) in counters.iter_mut().zip(first..) {
            *counter = number;
        }
        cipher.encrypt_to(&counters, &mut drawn);
        // All indices first, so that many reads are under way at once.
        for (indices, block) in indices.as_chunks_mut().0.iter_mut().zip(&drawn) {
            *indices = scaled(*block, scale);
        }
        for (out, row) in chunk.iter_mut().zip(indices.as_chunks::<WEIGHT>().0) {
            let mut sum = if ADD { *out } else { [0; 2] };
            for index in row {
                let input = inputs[*index as usize];
                sum = [sum[0] ^ input[0], sum[1] ^ input[1]];
            }
            *out = sum;
        }
    }
}

/// Five indices below `scale`.
fn scaled(block: u128, scale: u64) -> [u32; WEIGHT / 2] {
    let (low, high) = (block as u64, (block >> 64) as u64);
    let drawn = [
        low,
        low >> 25,
        high,
        high >> 25,
        low >> 50 | (high >> 50) << 14,
    ];
    drawn.map(|bits| (((bits & ((1 << INDEX_BITS) - 1)) * scale) >> INDEX_BITS) as u32)
}

const _: () = assert!(WEIGHT == 2 * (128 / INDEX_BITS as usize));

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_linear_and_weigh_ten() {
        let count = 700;
        let inputs = 331;
        let mut weights = vec![0; count];
        let mut used = vec![0u32; inputs];
        for (i, used) in used.iter_mut().enumerate() {
            let mut unit = vec![0; inputs];
            unit[i] = 1;
            let mut out = vec![0; count];
            encode::<true>(3, &unit, &mut out);
            for (weight, bit) in weights.iter_mut().zip(&out) {
                *weight += *bit as usize;
                *used += *bit as u32;
            }
        }
        // Two equal indices in a row cancel.
        assert!(weights.iter().all(|w| *w <= WEIGHT && w % 2 == 0));
        assert!(weights.iter().filter(|w| **w == WEIGHT).count() > count * 3 / 4);
        let mean = (WEIGHT * count / inputs) as u32;
        assert!(
            used.iter().all(|u| (mean / 4..4 * mean).contains(u)),
            "{used:?}"
        );
    }

    #[test]
    fn another_key_is_another_code_and_rows_do_not_repeat() {
        let inputs: Vec<u128> = (0..1000u128).map(|i| (i << 64) | (i * i)).collect();
        let (mut a, mut b) = (vec![0; 2 * ROWS], vec![0; 2 * ROWS]);
        encode::<false>(1, &inputs, &mut a);
        encode::<false>(2, &inputs, &mut b);
        assert_ne!(a, b);
        assert_ne!(a[..ROWS], a[ROWS..]);
    }
}
