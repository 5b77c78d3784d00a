//! SoftSpoken OT extension, semi-honest ([Roy22] figures 7 and 8): correlated OTs at `(g - 1) / 8` bytes each, `g` the
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
use crate::tree::{Leaves, groups, grow, grow_punctured, mask, sums_len};
use subrosa_core::{Nonce, Seed};
use subrosa_ring::transpose_128;

/// Blocks of 128 lanes that are worked on at once, and of a run of corrections in a message.
const CHUNK: usize = 128;

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
        let keys: Vec<[u128; 2]> = seeds
            .iter()
            .map(|pair| [key(&pair[0]), key(&pair[1])])
            .collect();
        let (trees, sums) = grow(k, starts.trees, &keys);
        let streams = Streams::new(trees, starts.streams);
        Self { k, streams, sums }
    }

    /// `count` correlated OTs, a multiple of 128, appended to `t`, choices in bit 0; and the message.
    pub(crate) fn extend(&mut self, count: usize, t: &mut Vec<u128>) -> Vec<u8> {
        let length = message_len(self.k, count as u64, !self.sums.is_empty());
        let mut message = Vec::with_capacity(length as usize);
        for sum in self.sums.drain(..) {
            message.extend_from_slice(&sum.to_le_bytes());
        }
        let mut rows = vec![0; base::COUNT * CHUNK];
        let mut choices = [0; CHUNK];
        for blocks in chunks(count) {
            let rows = &mut rows[..base::COUNT * blocks];
            self.streams.fold(blocks, rows, |group, _, sum| {
                if group == 0 {
                    choices[..blocks].copy_from_slice(sum);
                    return;
                }
                let corrections = sum.iter().zip(&choices).map(|(sum, choice)| sum ^ choice);
                message.extend(corrections.flat_map(u128::to_le_bytes));
            });
            rows[..blocks].copy_from_slice(&choices[..blocks]);
            append_lanes(rows, t);
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
    Keys { keys: Vec<u128>, starts: Starts },
    Grown(Streams),
}

impl SenderStreams {
    pub(crate) fn new(seeds: &[Seed], nonce: &Nonce, k: u32) -> Self {
        let starts = Starts::new(nonce, k);
        let keys = seeds
            .iter()
            .map(|seed| session_key(seed, nonce, k))
            .collect();
        let state = State::Keys { keys, starts };
        Self { k, state }
    }

    /// Length of the message for the next `count` OTs.
    pub(crate) fn message_len(&self, count: usize) -> u64 {
        let first = matches!(self.state, State::Keys { .. });
        message_len(self.k, count as u64, first)
    }

    /// `count` correlated OTs, a multiple of 128, appended to `q`.
    pub(crate) fn extend(&mut self, count: usize, offset: u128, message: &[u8], q: &mut Vec<u128>) {
        let (blocks, _) = message.as_chunks::<16>();
        let mut blocks = blocks.iter().map(|block| u128::from_le_bytes(*block));
        if let State::Keys { keys, starts } = &self.state {
            let sums: Vec<u128> = blocks
                .by_ref()
                .take(sums_len(self.k) as usize / 16)
                .collect();
            let trees = grow_punctured(self.k, starts.trees, offset, keys, &sums);
            self.state = State::Grown(Streams::new(trees, starts.streams));
        }
        let State::Grown(streams) = &mut self.state else {
            return;
        };
        let mut rows = vec![0; base::COUNT * CHUNK];
        let mut corrections = [0; CHUNK];
        for chunk in chunks(count) {
            let rows = &mut rows[..base::COUNT * chunk];
            let corrections = &mut corrections[..chunk];
            let mut at = 0;
            streams.fold(chunk, rows, |group, rows, _| {
                if group > 0 {
                    for (correction, block) in corrections.iter_mut().zip(&mut blocks) {
                        *correction = block;
                    }
                    for (row, bit) in rows.chunks_mut(chunk).zip(at..) {
                        let on = mask(offset >> bit);
                        for (block, correction) in row.iter_mut().zip(&*corrections) {
                            *block ^= correction & on;
                        }
                    }
                }
                at += rows.len() / chunk;
            });
            rows[..chunk].fill(0);
            append_lanes(rows, q);
        }
    }
}

/// Sizes, in blocks, of the chunks of `count` lanes.
fn chunks(count: usize) -> impl Iterator<Item = usize> {
    let blocks = count / 128;
    (0..blocks)
        .step_by(CHUNK)
        .map(move |at| CHUNK.min(blocks - at))
}

fn append_lanes(rows: &[u128], lanes: &mut Vec<u128>) {
    let before = lanes.len();
    lanes.resize(before + rows.len(), 0);
    transpose_128(rows, &mut lanes[before..]);
}

/// The streams of all leaves, read in step.
struct Streams {
    trees: Vec<Leaves>,
    counter: u128,
    counters: Vec<u128>,
    read: Vec<u128>,
    /// Sums of subtrees that wait for their sibling, one for each level.
    waiting: Vec<Vec<u128>>,
}

impl Streams {
    fn new(trees: Vec<Leaves>, counter: u128) -> Self {
        let most = trees.iter().map(|tree| tree.width).max().unwrap_or(0);
        Self {
            trees,
            counter,
            counters: vec![0; CHUNK],
            read: vec![0; CHUNK],
            waiting: vec![vec![0; CHUNK]; most as usize + 1],
        }
    }

    /// The next `blocks` blocks of all streams: row `b` of a group becomes the sum of the streams of all leaves with
    /// bit `b` set. `visit` is given the group's number, its rows, and the sum of all its streams.
    fn fold(
        &mut self,
        blocks: usize,
        mut rows: &mut [u128],
        mut visit: impl FnMut(usize, &mut [u128], &[u128]),
    ) {
        for counter in &mut self.counters[..blocks] {
            *counter = self.counter;
            self.counter = self.counter.wrapping_add(1);
        }
        for (group, tree) in self.trees.iter().enumerate() {
            let (own, others) = rows.split_at_mut(tree.width as usize * blocks);
            rows = others;
            own.fill(0);
            // The sender's number 0 is missing: its rows would not count it.
            let missing = (1 << tree.width) - tree.streams.len();
            self.waiting[0].fill(0);
            for (leaf, stream) in (missing..).zip(&tree.streams) {
                stream.encrypt_to(&self.counters[..blocks], &mut self.read[..blocks]);
                let done = leaf.trailing_ones() as usize;
                for (waiting, row) in self.waiting[..done].iter_mut().zip(own.chunks_mut(blocks)) {
                    for ((row, waiting), read) in
                        row.iter_mut().zip(waiting.iter_mut()).zip(&self.read)
                    {
                        *row ^= read;
                        *waiting ^= read;
                    }
                    std::mem::swap(waiting, &mut self.read);
                }
                std::mem::swap(&mut self.waiting[done], &mut self.read);
            }
            visit(group, own, &self.waiting[tree.width as usize][..blocks]);
        }
    }
}
