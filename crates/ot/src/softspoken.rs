//! SoftSpoken OT extension, semi-honest ([Roy22]): correlated OTs at `(g - 1) / 8` bytes each, `g` the
//! number of groups that 128 base OTs fall into, for work that grows with `g 2^k`.
//!
//! In group `j` the receiver holds streams `s_x` for all `x` of `k` bits, the sender all but that at its part `Δ_j` of the
//! offset, so `u_j = sum s_x` and `v_j = sum x s_x` at the receiver and `sum (x - Δ_j) s_x = v_j - Δ_j u_j` at the sender
//! are a vector OLE over the field of `2^k` elements. The receiver's choice bits are `u_0`; for the other groups it sends
//! `u_0 - u_j`. Rows of all groups, transposed, are 128-bit blocks with `t = q ^ r Δ`. Bit 0 of Δ is 1 and public; row 0 is
//! put to 0 at the sender and to the choice bit at the receiver, so that lots of any kind can be fed with these blocks.
//!
//! A message holds the trees' sums where they are new, then for each chunk of lanes the groups' corrections in order.
//!
//! [Roy22]: Roy, "SoftSpokenOT", Crypto 2022, ePrint 2022/192.

use crate::base;
use crate::message::{push_blocks, take_blocks};
use crate::tree::{Leaves, groups, grow, grow_punctured, mask, sums_len};
use subrosa_core::{Nonce, Seed};
use subrosa_ring::transpose_128;
use zeroize::Zeroizing;

/// Blocks of 128 lanes that are worked on at once, and of a run of corrections in a message.
const CHUNK: usize = 64;

/// Blocks from row to row: not a power of two, or rows would compete for the same lines of the cache.
const STRIDE: usize = CHUNK + 4;

/// Bytes that the receiver sends for `count` OTs, a multiple of 128; `first`: whether it also sends the trees' sums.
pub(crate) fn message_len(k: u32, count: u64, first: bool) -> u64 {
    let sums = if first { sums_len(k) } else { 0 };
    sums + u64::from(groups(k) - 1) * count / 8
}

/// Public values that make one session's trees and streams differ from another's.
struct Starts {
    trees: u128,
    streams: u128,
}

impl Starts {
    fn new(nonce: &Nonce, k: u32) -> Self {
        let public = Seed::from_bytes(*nonce);
        Self {
            trees: low_half(&public.derive("softspoken trees", &[k as u8])),
            streams: low_half(&public.derive("softspoken streams", &[k as u8])),
        }
    }
}

/// The session's key of a base OT.
fn session_key(seed: &Seed, nonce: &Nonce, k: u32) -> u128 {
    low_half(&seed.derive("softspoken", &[&nonce[..], &[k as u8]].concat()))
}

pub(crate) fn low_half(seed: &Seed) -> u128 {
    let (low, _) = seed.reveal().as_chunks::<16>();
    low.first().map_or(0, |low| u128::from_le_bytes(*low))
}

/// The receiver's trees of one session and one `k`.
pub(crate) struct ReceiverStreams {
    k: u32,
    streams: Streams,
    /// The sums, until they are sent.
    sums: Vec<u128>,
}

impl ReceiverStreams {
    pub(crate) fn new(seeds: &[[Seed; 2]], nonce: &Nonce, k: u32) -> Self {
        let starts = Starts::new(nonce, k);
        let key = |seed| session_key(seed, nonce, k);
        let pairs = seeds.iter().map(|pair| [key(&pair[0]), key(&pair[1])]);
        let keys: Zeroizing<Vec<[u128; 2]>> = Zeroizing::new(pairs.collect());
        let (trees, sums) = grow(k, starts.trees, &keys);
        let streams = Streams::new(trees, starts.streams);
        Self { k, streams, sums }
    }

    /// As many correlated OTs as `t` is long, a multiple of 128, choices in bit 0; and the message.
    pub(crate) fn extend(&mut self, t: &mut [u128]) -> Vec<u8> {
        let length = message_len(self.k, t.len() as u64, !self.sums.is_empty());
        let mut message = Vec::with_capacity(length as usize);
        push_blocks(&mut message, &self.sums);
        self.sums.clear();
        let mut rows = vec![0; base::COUNT * STRIDE];
        let mut choices = [0; CHUNK];
        for lanes in t.chunks_mut(128 * CHUNK) {
            let choices = &mut choices[..lanes.len() / 128];
            self.streams
                .fold(choices.len(), &mut rows, |group, _, sum| {
                    if group == 0 {
                        choices.copy_from_slice(sum);
                        return;
                    }
                    for (sum, choice) in sum.iter_mut().zip(&*choices) {
                        *sum ^= choice;
                    }
                    push_blocks(&mut message, sum);
                });
            rows[..choices.len()].copy_from_slice(choices);
            transpose_128(&rows, lanes);
        }
        message
    }
}

/// The sender's trees of one session and one `k`.
pub(crate) struct SenderStreams {
    k: u32,
    /// Trees grow when the receiver's sums have come.
    state: State,
}

enum State {
    Keys {
        keys: Zeroizing<Vec<u128>>,
        starts: Starts,
    },
    Grown(Box<Streams>),
}

impl SenderStreams {
    pub(crate) fn new(seeds: &[Seed], nonce: &Nonce, k: u32) -> Self {
        let starts = Starts::new(nonce, k);
        let keys = seeds.iter().map(|seed| session_key(seed, nonce, k));
        let keys = Zeroizing::new(keys.collect());
        let state = State::Keys { keys, starts };
        Self { k, state }
    }

    /// Length of the message for the next `count` OTs.
    pub(crate) fn message_len(&self, count: usize) -> u64 {
        let first = matches!(self.state, State::Keys { .. });
        message_len(self.k, count as u64, first)
    }

    /// As many correlated OTs as `q` is long, a multiple of 128.
    pub(crate) fn extend(&mut self, offset: u128, mut message: &[u8], q: &mut [u128]) {
        if let State::Keys { keys, starts } = &self.state {
            let mut sums = vec![0; sums_len(self.k) as usize / 16];
            take_blocks(&mut message, &mut sums);
            let trees = grow_punctured(self.k, starts.trees, offset, keys, &sums);
            self.state = State::Grown(Box::new(Streams::new(trees, starts.streams)));
        }
        let State::Grown(streams) = &mut self.state else {
            return;
        };
        let mut rows = vec![0; base::COUNT * STRIDE];
        let mut corrections = [0; CHUNK];
        for lanes in q.chunks_mut(128 * CHUNK) {
            let corrections = &mut corrections[..lanes.len() / 128];
            let blocks = corrections.len();
            let mut first = 0;
            streams.fold(blocks, &mut rows, |group, rows, _| {
                if group > 0 {
                    take_blocks(&mut message, corrections);
                    for (row, bit) in rows.chunks_mut(STRIDE).zip(first..) {
                        let on = mask(offset >> bit) as u64;
                        let corrections: &[u64] = bytemuck::cast_slice(corrections);
                        for (word, correction) in words(row).iter_mut().zip(corrections) {
                            *word ^= correction & on;
                        }
                    }
                }
                first += rows.len() / STRIDE;
            });
            rows[..blocks].fill(0);
            transpose_128(&rows, lanes);
        }
    }
}

/// The streams of all leaves, read in step.
struct Streams {
    trees: Vec<Leaves>,
    counter: u128,
    counters: [u128; CHUNK],
    /// Four leaves side by side.
    read: [[u128; CHUNK]; 4],
    /// Sums of subtrees that wait for their sibling: of four leaves, of eight, and so on.
    waiting: Vec<[u128; CHUNK]>,
}

impl Streams {
    fn new(trees: Vec<Leaves>, counter: u128) -> Self {
        let most = trees.iter().map(|tree| tree.width).max().unwrap_or(0);
        Self {
            trees,
            counter,
            counters: [0; CHUNK],
            read: [[0; CHUNK]; 4],
            waiting: vec![[0; CHUNK]; most as usize],
        }
    }

    /// The next `blocks` blocks of all streams: row `b` of a group becomes the sum of the streams of all leaves with
    /// bit `b` set. `visit` is given the group's number, its rows, and the sum of all its streams.
    fn fold(
        &mut self,
        blocks: usize,
        mut rows: &mut [u128],
        mut visit: impl FnMut(usize, &mut [u128], &mut [u128]),
    ) {
        for counter in &mut self.counters[..blocks] {
            *counter = self.counter;
            self.counter = self.counter.wrapping_add(1);
        }
        let counters = &self.counters[..blocks];
        for (group, tree) in self.trees.iter().enumerate() {
            let (own, others) = rows.split_at_mut(tree.width as usize * STRIDE);
            rows = others;
            // The sender's number 0 is missing: it counts as zero, and no row has it.
            let missing = (1 << tree.width) - tree.streams.len();
            let (low, high) = own.split_at_mut(STRIDE * own.len().div_ceil(STRIDE).min(2));
            for (four, first) in (0..1 << tree.width).step_by(4).enumerate() {
                for (leaf, read) in (first..).zip(&mut self.read) {
                    let stream =
                        usize::checked_sub(leaf, missing).and_then(|at| tree.streams.get(at));
                    match stream {
                        Some(stream) => stream.encrypt_to(counters, &mut read[..blocks]),
                        None => read[..blocks].fill(0),
                    }
                }
                if first == 0 {
                    fold_four::<true>(&mut self.read, low, blocks);
                } else {
                    fold_four::<false>(&mut self.read, low, blocks);
                }
                let [sum, ..] = &mut self.read;
                let done = four.trailing_ones() as usize;
                let levels = self.waiting[..done].iter_mut().zip(high.chunks_mut(STRIDE));
                for (level, (waiting, row)) in levels.enumerate() {
                    // The first right subtree of a level begins its row.
                    if four + 1 == 2 << level {
                        row[..blocks].copy_from_slice(&sum[..blocks]);
                    } else {
                        xor_into(&mut row[..blocks], &sum[..blocks]);
                    }
                    xor_into(&mut sum[..blocks], &waiting[..blocks]);
                }
                if first + 4 < 1 << tree.width {
                    self.waiting[done][..blocks].copy_from_slice(&sum[..blocks]);
                }
            }
            visit(group, own, &mut self.read[0][..blocks]);
        }
    }
}

/// Adds the second and fourth stream to row 0, the third and fourth to row 1, or puts them there if `BEGINS`; leaves
/// the sum of all in the first stream.
fn fold_four<const BEGINS: bool>(read: &mut [[u128; CHUNK]; 4], rows: &mut [u128], blocks: usize) {
    let [a, b, c, d] = read.each_mut().map(|stream| words(&mut stream[..blocks]));
    if rows.len() < 2 * STRIDE {
        // A tree of two leaves.
        words(&mut rows[..blocks]).copy_from_slice(b);
        xor_words(a, b);
        return;
    }
    let (first, second) = rows.split_at_mut(STRIDE);
    let (first, second) = (words(&mut first[..blocks]), words(&mut second[..blocks]));
    let streams = a.iter_mut().zip(&*b).zip(c.iter().zip(&*d));
    for ((first, second), ((a, b), (c, d))) in first.iter_mut().zip(second).zip(streams) {
        let (odd, upper) = (b ^ d, c ^ d);
        *first = if BEGINS { odd } else { *first ^ odd };
        *second = if BEGINS { upper } else { *second ^ upper };
        *a ^= b ^ upper;
    }
}

/// Blocks as words, which compilers make vectors of.
fn words(blocks: &mut [u128]) -> &mut [u64] {
    bytemuck::cast_slice_mut(blocks)
}

fn xor_into(sum: &mut [u128], x: &[u128]) {
    xor_words(words(sum), bytemuck::cast_slice(x));
}

fn xor_words(sum: &mut [u64], x: &[u64]) {
    for (sum, x) in sum.iter_mut().zip(x) {
        *sum ^= x;
    }
}
