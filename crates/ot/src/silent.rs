//! Silent lots: Ferret with regular noise ([YWLZW20], semi-honest), its single-point correlated OTs by
//! half-trees ([GYW+23]).
//!
//! For each block of the noise the sender grows a tree in which a node's children are `H(x)` and `H(x) ^ x` and the first two
//! nodes differ by Δ, so that every level sums to Δ. The receiver holds all of it but the path to the error. On each
//! level it needs the sum of the nodes on the other side, and a correlated OT with one block of correction gives it. Its path
//! is made of the complements of those OTs' choice bits, which are uniform, and for the first level the OT is itself
//! that pair of nodes: so the receiver sends nothing and the sender `depth - 1` blocks for each tree. `H` is
//! `π(σ(x)) ^ σ(x)` under a permutation of its own for each level of each tree of each session, so that an attacker
//! has one target for each guess of Δ.
//!
//! Trees' leaves differ by Δ at the errors and nowhere else; the code adds correlated OTs of a uniform secret.
//!
//! [YWLZW20]: Yang, Weng, Lan, Zhang, Wang, "Ferret", CCS 2020, ePrint 2020/924.
//! [GYW+23]: Guo, Yang, Wang, Zhang, Xie, Zhang, Liu, "Half-tree", Eurocrypt 2023, ePrint 2022/1431.

use crate::cipher::{PublicCipher, sigma};
use crate::code::encode;
use crate::lpn::{LpnParameters, SilentSize};
use crate::softspoken::low_half;
use crate::tree::{mask, xor};
use subrosa_core::{Nonce, Seed};

/// What both ends know of a lot.
pub(crate) struct Lot {
    parameters: LpnParameters,
    hashes: u128,
    code: u128,
}

impl Lot {
    /// The lot with this number in the session that `nonce` names.
    pub(crate) fn new(size: SilentSize, nonce: &Nonce, number: u64) -> Self {
        let public = Seed::from_bytes(*nonce);
        let number = number.to_le_bytes();
        Self {
            parameters: size.parameters(),
            hashes: low_half(&public.derive("silent trees", &number)),
            code: low_half(&public.derive("silent code", &number)),
        }
    }

    fn hash(&self, tree: usize, level: usize) -> PublicCipher {
        let number = (tree * self.parameters.depth as usize + level) as u128;
        PublicCipher::new(self.hashes.wrapping_add(number))
    }

    fn split<'a>(&self, inputs: &'a [u128]) -> (&'a [u128], std::slice::ChunksExact<'a, u128>) {
        let (secret, trees) = inputs.split_at(self.parameters.dimension as usize);
        (secret, trees.chunks_exact(self.parameters.depth as usize))
    }

    /// From `inputs` correlated OTs of the sender, its trees' leaves to `out`, and its message.
    pub(crate) fn send(&self, inputs: &[u128], offset: u128, out: &mut [u128]) -> Vec<u8> {
        let (_, trees) = self.split(inputs);
        let mut message = Vec::new();
        let mut hashed = self.scratch();
        let leaves = out.chunks_exact_mut(1 << self.parameters.depth);
        for (tree, (leaves, q)) in leaves.zip(trees).enumerate() {
            leaves[0] = q[0];
            leaves[1] = q[0] ^ offset;
            for (level, q) in q.iter().enumerate().skip(1) {
                let (left, _) = grow(&self.hash(tree, level), level, leaves, &mut hashed);
                message.extend_from_slice(&(xor(left) ^ q).to_le_bytes());
            }
            for leaf in leaves {
                *leaf &= !1;
            }
        }
        message
    }

    /// Adds the code to what [`Lot::send`] left in `out`; apart from it, so that the message need not wait.
    pub(crate) fn add_code(&self, inputs: &[u128], out: &mut [u128]) {
        encode::<true>(self.code, self.split(inputs).0, out);
    }

    /// Writes the code to `out`, for [`Lot::receive`].
    pub(crate) fn code(&self, inputs: &[u128], out: &mut [u128]) {
        encode::<false>(self.code, self.split(inputs).0, out);
    }

    /// From `inputs` correlated OTs of the receiver and the sender's message, the trees' leaves added to `out`.
    pub(crate) fn receive(&self, inputs: &[u128], message: &[u8], out: &mut [u128]) {
        let (_, trees) = self.split(inputs);
        let (corrections, _) = message.as_chunks::<16>();
        let mut corrections = corrections.iter().map(|block| u128::from_le_bytes(*block));
        let mut nodes = vec![0; 1 << self.parameters.depth];
        let mut hashed = self.scratch();
        let blocks = out.chunks_exact_mut(1 << self.parameters.depth);
        for (tree, (out, t)) in blocks.zip(trees).enumerate() {
            // Bit `level` of the path is the complement of that OT's choice; nodes off the path are known.
            let mut path = !t[0] & 1;
            let known = mask(t[0]);
            nodes[0] = t[0] & !known;
            nodes[1] = t[0] & known;
            for (level, (t, correction)) in t.iter().skip(1).zip(&mut corrections).enumerate() {
                let level = level + 1;
                let (left, right) = grow(&self.hash(tree, level), level, &mut nodes, &mut hashed);
                // The node on the path was zero: of its children, one becomes what its side's sum lacks, the other zero.
                let on_right = mask(*t);
                let side = xor(left) ^ (xor(left) ^ xor(right)) & on_right;
                let lacks = side ^ t ^ correction;
                for (x, (left, right)) in left.iter_mut().zip(right).enumerate() {
                    let here = is(x as u128, path);
                    *left = (*left & !(here & on_right)) ^ lacks & here & !on_right;
                    *right = (*right & !(here & !on_right)) ^ lacks & here & on_right;
                }
                path |= (!*t & 1) << level;
            }
            let all = xor(&nodes) | 1;
            for (x, (out, node)) in out.iter_mut().zip(&nodes).enumerate() {
                *out ^= (node & !1) ^ all & is(x as u128, path);
            }
        }
    }

    fn scratch(&self) -> [Vec<u128>; 2] {
        let most = 1 << (self.parameters.depth - 1);
        [vec![0; most], vec![0; most]]
    }
}

/// All ones where `a == b`, both below 2^127.
fn is(a: u128, b: u128) -> u128 {
    mask((a ^ b).wrapping_sub(1) >> 127)
}

/// The children of the first `2^level` nodes, in their place and behind it.
fn grow<'a>(
    hash: &PublicCipher,
    level: usize,
    nodes: &'a mut [u128],
    [plain, hashed]: &mut [Vec<u128>; 2],
) -> (&'a mut [u128], &'a mut [u128]) {
    let (left, right) = nodes[..2 << level].split_at_mut(1 << level);
    let (plain, hashed) = (&mut plain[..left.len()], &mut hashed[..left.len()]);
    for (plain, node) in plain.iter_mut().zip(&*left) {
        *plain = sigma(*node);
    }
    hash.encrypt_to(plain, hashed);
    for (((left, right), plain), hashed) in
        left.iter_mut().zip(&mut *right).zip(&*plain).zip(&*hashed)
    {
        let child = plain ^ hashed;
        *right = *left ^ child;
        *left = child;
    }
    (left, right)
}
