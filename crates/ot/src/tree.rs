//! The trees of SoftSpoken: for each group of `w` base OTs, `2^w` leaves of which the sender of random OTs
//! misses one ([Roy22], semi-honest; [BGI15] for the punctured tree).
//!
//! A node's children are `π_0(x) ^ x` and `π_1(x) ^ x` under permutations of their own for each level of each tree
//! of each session. The first level's two nodes are the keys of the group's first base OT; for every further
//! level the receiver sends the two sums of its left and right nodes, masked with the keys of a base OT.
//!
//! [Roy22]: Roy, "SoftSpokenOT", Crypto 2022, ePrint 2022/192.
//! [BGI15]: Boyle, Gilboa, Ishai, "Function secret sharing", Eurocrypt 2015.

use crate::base;
use crate::cipher::{Cipher, PublicCipher};
use zeroize::Zeroizing;

/// The widest group.
pub(crate) const WIDEST: u32 = 12;

/// Widths of the groups that 128 base OTs fall into.
pub(crate) fn widths(k: u32) -> impl Iterator<Item = u32> + Clone {
    (0..groups(k)).map(move |group| k.min(base::COUNT as u32 - group * k))
}

pub(crate) fn groups(k: u32) -> u32 {
    (base::COUNT as u32).div_ceil(k)
}

/// Bytes of the receiver's sums: two blocks for each base OT that is not the first of its group.
pub(crate) fn sums_len(k: u32) -> u64 {
    32 * (base::COUNT as u64 - u64::from(groups(k)))
}

/// Streams of one group, in order of the leaves. The sender's leaves count from its own path, `y = x ^ Δ`, so
/// that it misses number 0 whatever its offset is.
pub(crate) struct Leaves {
    pub(crate) width: u32,
    pub(crate) streams: Vec<Cipher>,
}

/// All trees of the receiver, from both keys of each base OT, and the sums that the sender needs.
pub(crate) fn grow(k: u32, start: u128, keys: &[[u128; 2]]) -> (Vec<Leaves>, Vec<u128>) {
    let mut sums = Vec::new();
    let mut rest = keys;
    let trees = widths(k).zip(0..).map(|(width, group)| {
        let (keys, others) = rest.split_at(width as usize);
        rest = others;
        let mut nodes = Zeroizing::new(keys[0].to_vec());
        for (level, key) in (1..).zip(&keys[1..]) {
            let children = children(start, group, level, &nodes);
            for (children, key) in children.chunks(nodes.len()).zip(key) {
                sums.push(xor(children) ^ key);
            }
            nodes = children;
        }
        leaves(width, &nodes)
    });
    (trees.collect(), sums)
}

/// All trees of the sender, from one key of each base OT: that of the complement of its bit of `offset`.
pub(crate) fn grow_punctured(
    k: u32,
    start: u128,
    offset: u128,
    keys: &[u128],
    sums: &[u128],
) -> Vec<Leaves> {
    let (mut keys, mut sums) = (keys.iter().zip(0..), sums.chunks_exact(2));
    let trees = widths(k).zip(0..).map(|(width, group)| {
        // nodes[y] at each level; the missing one, y = 0, is kept as zero.
        let mut nodes = Zeroizing::new(vec![0]);
        for (level, (key, base)) in (0..width).zip(&mut keys) {
            let on = mask(offset >> base);
            if level == 0 {
                nodes = Zeroizing::new(vec![0, *key]);
                continue;
            }
            let mut grown = children(start, group, level, &nodes);
            let (left, right) = grown.split_at_mut(nodes.len());
            for (left, right) in left.iter_mut().zip(right.iter_mut()) {
                let moved = (*left ^ *right) & on;
                *left ^= moved;
                *right ^= moved;
            }
            // The missing node's children: number 0 stays missing, the other is what its side's sum lacks.
            let sum = sums.next().map_or(0, |sum| sum[1] ^ (sum[0] ^ sum[1]) & on);
            left[0] = 0;
            right[0] = 0;
            right[0] = sum ^ key ^ xor(right);
            nodes = grown;
        }
        leaves(width, &nodes[1..])
    });
    trees.collect()
}

/// All ones where the lowest bit is set, else zero.
pub(crate) fn mask(bit: u128) -> u128 {
    (bit & 1).wrapping_neg()
}

pub(crate) fn xor(blocks: &[u128]) -> u128 {
    blocks.iter().fold(0, |sum, block| sum ^ block)
}

/// All left children, then all right ones.
fn children(start: u128, group: u128, level: u32, nodes: &[u128]) -> Zeroizing<Vec<u128>> {
    let mut children = Zeroizing::new(vec![0; 2 * nodes.len()]);
    for (side, children) in (0..).zip(children.chunks_mut(nodes.len())) {
        let number = 2 * (group * u128::from(WIDEST) + u128::from(level)) + side;
        PublicCipher::new(start.wrapping_add(number)).encrypt_to(nodes, children);
        for (child, node) in children.iter_mut().zip(nodes) {
            *child ^= node;
        }
    }
    children
}

fn leaves(width: u32, nodes: &[u128]) -> Leaves {
    let streams = nodes.iter().map(|node| Cipher::new(*node)).collect();
    Leaves { width, streams }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn block(cipher: &Cipher) -> u128 {
        let mut out = [0];
        cipher.encrypt_to(&[5], &mut out);
        out[0]
    }

    #[test]
    fn the_sender_has_all_leaves_but_the_one_at_its_offset() {
        let offset = 0x0123_4567_89ab_cdef_0f1e_2d3c_4b5a_6978_u128;
        let keys: Vec<[u128; 2]> = (0..128).map(|i| [i * i + 7, i << 99 | 1]).collect();
        let chosen: Vec<u128> = keys
            .iter()
            .enumerate()
            .map(|(i, pair)| pair[1 - (offset >> i & 1) as usize])
            .collect();
        for k in [1, 2, 3, 8, 10] {
            let (all, sums) = grow(k, 11, &keys);
            assert_eq!(16 * sums.len() as u64, sums_len(k));
            let most = grow_punctured(k, 11, offset, &chosen, &sums);
            assert_eq!(all.len(), most.len());
            let mut base = 0;
            for (all, most) in all.iter().zip(&most) {
                let path = (offset >> base) as usize & ((1 << all.width) - 1);
                base += all.width;
                assert_eq!(all.streams.len(), 1 << all.width);
                assert_eq!(most.streams.len() + 1, all.streams.len());
                for (y, stream) in (1..).zip(&most.streams) {
                    assert_eq!(block(stream), block(&all.streams[y ^ path]));
                }
            }
            assert_eq!(base, 128);
        }
    }

    #[test]
    fn leaves_differ_among_sessions_and_trees() {
        let keys = vec![[1, 2]; 128];
        let first = |start| block(&grow(4, start, &keys).0[0].streams[0]);
        assert_ne!(first(1), first(1 << 64));
        let (trees, _) = grow(4, 1, &keys);
        assert_ne!(block(&trees[0].streams[0]), block(&trees[1].streams[0]));
    }
}
