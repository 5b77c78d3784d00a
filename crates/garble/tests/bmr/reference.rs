//! The scheme one lane and one gate at a time, word for word as the documentation says it.

use crate::dealer::View;
use aes::Aes128Enc;
use aes::cipher::{Array, BlockCipherEncrypt, KeyInit};
use subrosa_garble::{Circuit, Gate, LANES_PER_KEY, Owner};

/// What the evaluator holds of one lane, read out of a view.
pub struct Lane<'a> {
    circuit: &'a Circuit,
    /// First key of each garbler.
    starts: Vec<u128>,
    rows: Vec<u128>,
    lanes: usize,
    lane: usize,
}

/// One AND gate in one lane as the evaluator meets it.
pub struct Met {
    /// Its key of the hash at each garbler.
    keys: Vec<u128>,
    /// Active labels of the inputs and of the output, by garbler.
    pub a: Vec<u128>,
    pub b: Vec<u128>,
    pub out: Vec<u128>,
    /// [row][target], summed over the garblers.
    pub rows: [Vec<u128>; 4],
}

impl Met {
    /// The row that opens.
    pub fn row(&self) -> usize {
        (2 * (self.a[0] & 1) + (self.b[0] & 1)) as usize
    }

    /// F of one garbler with the tag of `row`, of two labels.
    pub fn hash(&self, garbler: usize, row: usize, target: usize, a: u128, b: u128) -> u128 {
        let z = double(a) ^ double(double(b)) ^ (4 * target + row) as u128;
        let mut block = Array(z.to_le_bytes());
        let cipher = Aes128Enc::new(&Array(self.keys[garbler].to_le_bytes()));
        cipher.encrypt_block(&mut block);
        u128::from_le_bytes(block.0) ^ z
    }

    /// F of a garbler whose offset is known, at any row.
    pub fn known_hash(&self, garbler: usize, offset: u128, row: usize, target: usize) -> u128 {
        let changed = row ^ self.row();
        let a = self.a[garbler] ^ if changed & 2 == 2 { offset } else { 0 };
        let b = self.b[garbler] ^ if changed & 1 == 1 { offset } else { 0 };
        self.hash(garbler, row, target, a, b)
    }
}

impl<'a> Lane<'a> {
    pub fn new(circuit: &'a Circuit, view: &View, lanes: usize, lane: usize) -> Self {
        let blocks = |bytes: &Vec<u8>| -> Vec<u128> {
            let blocks = bytes.as_chunks().0.iter();
            blocks.map(|b| u128::from_le_bytes(*b)).collect()
        };
        let shares: Vec<Vec<u128>> = view.rows.iter().map(blocks).collect();
        let rows = (1..shares[0].len()).map(|i| shares.iter().fold(0, |sum, s| sum ^ s[i]));
        Self {
            circuit,
            starts: shares.iter().map(|share| share[0]).collect(),
            rows: rows.collect(),
            lanes,
            lane,
        }
    }

    /// All AND gates, and e of the outputs.
    pub fn walk(&self, view: &View) -> (Vec<Met>, Vec<bool>) {
        let mut wires = vec![vec![0; self.starts.len()]];
        for (owner, rank) in ranks(self.circuit) {
            let labels = match owner {
                Owner::Garbler => &view.public,
                Owner::Evaluator => &view.shared,
            };
            let at = rank * self.lanes + self.lane;
            wires.push(labels.iter().map(|labels| labels[at]).collect());
        }
        let mut all = Vec::new();
        for gate in self.circuit.gates() {
            let out = match *gate {
                Gate::Xor(a, b) => {
                    let pairs = wires[a as usize].iter().zip(&wires[b as usize]);
                    pairs.map(|(a, b)| a ^ b).collect()
                }
                Gate::And(a, b) => {
                    let (a, b) = (&wires[a.wire() as usize], &wires[b.wire() as usize]);
                    let met = self.open(all.len(), a, b);
                    let out = met.out.clone();
                    all.push(met);
                    out
                }
            };
            wires.push(out);
        }
        let outputs = self.circuit.output_wires();
        let bits = outputs.map(|wire| wires[wire as usize][0] & 1 == 1);
        (all, bits.collect())
    }

    fn open(&self, index: usize, a: &[u128], b: &[u128]) -> Met {
        let (n, ands) = (self.starts.len(), self.circuit.ands());
        let (block, at) = (self.lane / LANES_PER_KEY, self.lane % LANES_PER_KEY);
        let width = LANES_PER_KEY.min(self.lanes - block * LANES_PER_KEY);
        let first = 4 * n * (block * LANES_PER_KEY * ands + index * width);
        let found = |row, target| self.rows[first + (row * n + target) * width + at];
        let key = (block * ands + index) as u128;
        let mut met = Met {
            keys: self.starts.iter().map(|s| s.wrapping_add(key)).collect(),
            a: a.to_vec(),
            b: b.to_vec(),
            out: Vec::new(),
            rows: [0, 1, 2, 3].map(|row| (0..n).map(|target| found(row, target)).collect()),
        };
        let row = met.row();
        let label = |target: usize| {
            let hashes = (0..n).map(|i| met.hash(i, row, target, a[i], b[i]));
            hashes.fold(met.rows[row][target], |sum, hash| sum ^ hash)
        };
        met.out = (0..n).map(label).collect();
        met
    }
}

fn ranks(circuit: &Circuit) -> Vec<(Owner, usize)> {
    let mut next = [0; 2];
    let mut ranks = Vec::new();
    for input in circuit.inputs() {
        for _ in input.bits.clone() {
            let next = &mut next[usize::from(input.owner == Owner::Evaluator)];
            ranks.push((input.owner, *next));
            *next += 1;
        }
    }
    ranks
}

fn double(x: u128) -> u128 {
    x << 1 ^ if x >> 127 == 1 { 0x87 } else { 0 }
}
