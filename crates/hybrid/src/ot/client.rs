//! The client's side of a step: tables, triples and products offline, answers online.

use super::layout::Material;
use super::leaf::{all_pads, answer, tables};
use super::merge::Merger;
use super::rows::{Reader, Writer, and, not, xor};
use super::tree::Tree;
use crate::line::Line;
use crate::step::{Kind, Operands, Shape};
use subrosa_core::{Prg, ReceiverOts, SenderOts, Words};
use subrosa_net::{LocalFault, RunError};
use subrosa_ring::{BitMatrix, expand_bits, mask, to_planes, xor_into};

/// What an offline step gives the client.
pub struct Prepared {
    /// Sent to the owner.
    pub correction: Material,
    pub piece: Material,
    /// The fresh mask of the result, in Z/2^wide.
    pub mask: Vec<u64>,
}

/// Bit `bit` of a function of each lane's keys.
fn key_row(ots: &[[u128; 2]], bit: u32, of: impl Fn(&[u128; 2]) -> u128) -> Vec<u64> {
    let low: Vec<u64> = ots.iter().map(|pair| of(pair) as u64).collect();
    to_planes(&low, bit, 1).row(0).to_vec()
}

fn first(pair: &[u128; 2]) -> u128 {
    pair[0]
}

fn both(pair: &[u128; 2]) -> u128 {
    pair[0] ^ pair[1]
}

/// The offline half of a step. `sent`: the OTs in which the client is sender, `got`: the sign's mask and its key.
pub fn prepare(
    shape: &Shape,
    of: &Operands<'_>,
    sent: SenderOts,
    got: ReceiverOts,
    prg: &mut Prg,
) -> Result<Prepared, RunError> {
    let lift = shape.lift();
    let wide = mask(lift.wide);
    let (mut piece, mut correction) = (Writer::new(shape.lanes), Writer::new(shape.lanes));
    let mut at = 0;
    let mut next = |sent: &SenderOts| {
        at += 1;
        (at <= sent.planes)
            .then_some(at - 1)
            .ok_or(LocalFault::Invariant)
    };
    let mut beta = vec![0; shape.lanes];
    if let Some(tree) = shape.tree() {
        let low = to_planes(of.compared, 0, tree.bits as u32 + 1);
        let w: Vec<Vec<u64>> = (0..tree.bits).map(|i| not(low.row(i))).collect();
        let mut from = 0;
        for block in 0..tree.blocks() {
            let (greater, equal) = tree.entries(block);
            let own = prg.bits(if equal > 0 { 2 } else { 1 }, shape.lanes);
            let bits: Vec<&[u64]> = w[from..from + tree.width(block)]
                .iter()
                .map(Vec::as_slice)
                .collect();
            from += tree.width(block);
            let mut keys = Vec::with_capacity(bits.len());
            for _ in &bits {
                keys.push(sent.plane(next(&sent)?));
            }
            let entries = tables(&bits, own.row(0), (equal > 0).then(|| own.row(1)));
            let pads = all_pads(&keys, (greater + equal) / greater);
            entries.iter().chain(&pads).for_each(|row| piece.put(row));
            (0..own.planes()).for_each(|i| piece.put(own.row(i)));
        }
        for nodes in tree.levels() {
            for merge in 0..nodes / 2 {
                let a_ots = sent.plane(next(&sent)?);
                let b_ots = sent.plane(next(&sent)?);
                let a = key_row(b_ots, 0, both);
                let b = key_row(a_ots, 0, both);
                let mut ab = and(&a, &b);
                xor_into(&mut ab, &key_row(a_ots, 0, first));
                xor_into(&mut ab, &key_row(b_ots, 0, first));
                let second = if Tree::has_equal(merge) {
                    let ots = sent.plane(next(&sent)?);
                    correction.put(&xor(&a, &key_row(ots, 0, both)));
                    let b = key_row(a_ots, 1, both);
                    let mut ab = and(&a, &b);
                    xor_into(&mut ab, &key_row(a_ots, 1, first));
                    xor_into(&mut ab, &key_row(ots, 0, first));
                    Some((b, ab))
                } else {
                    None
                };
                piece.put(&a);
                piece.put(&b);
                second.iter().for_each(|(b, _)| piece.put(b));
                piece.put(&ab);
                second.iter().for_each(|(_, ab)| piece.put(ab));
            }
        }
        let row = got.choices.row(0);
        piece.put(&xor(row, low.row(tree.bits)));
        piece.put(row);
        beta = expand_bits(row, shape.lanes);
    }

    let (selected, added) = (of.selected(shape.kind), of.added());
    let fresh = prg.words(lift.wide, shape.lanes);
    let keys: &[u128] = if shape.owner_ots() > 0 {
        got.plane(0)
    } else {
        &[]
    };
    let mut base = Vec::with_capacity(shape.lanes);
    let mut wrap = Vec::with_capacity(shape.lanes);
    let mut turned = Vec::with_capacity(shape.lanes);
    for lane in 0..shape.lanes {
        let (mu, b) = match shape.kind {
            Kind::Maximum { .. } | Kind::Choice { .. } => (selected[lane], 0),
            _ => lift.signed(selected[lane]),
        };
        let pick = beta[lane].wrapping_neg();
        let own = match shape.kind {
            Kind::Lift(_) => mu,
            _ => mu & pick,
        };
        let key = keys.get(lane).map_or(0, |key| *key as u64);
        let added = added.get(lane).copied().unwrap_or(0);
        base.push(
            own.wrapping_add(added)
                .wrapping_add(key)
                .wrapping_sub(fresh[lane]),
        );
        turned.push(mu.wrapping_sub((mu & pick).wrapping_mul(2)));
        wrap.push((b, b & pick));
    }
    let mut columns = Vec::new();
    let mut corrections = Vec::new();
    for (number, product) in shape.selections().iter().enumerate() {
        let ots = sent.plane(next(&sent)?);
        let keep = mask(product.bits);
        let value = |lane: usize| match (shape.kind, number) {
            (Kind::Lift(_), _) => wrap[lane].0,
            (_, 0) => turned[lane],
            (_, 1) => wrap[lane].1,
            _ => wrap[lane].0.wrapping_sub(wrap[lane].1.wrapping_mul(2)),
        };
        let mut flips = Vec::with_capacity(shape.lanes);
        let mut sends = Vec::with_capacity(shape.lanes);
        for (lane, [k0, k1]) in ots.iter().enumerate() {
            let (k0, k1, c) = (*k0 as u64, *k1 as u64, value(lane));
            sends.push(c.wrapping_sub(k1.wrapping_sub(k0)) & keep);
            flips.push(c.wrapping_add(k0.wrapping_mul(2)) & keep);
            base[lane] = base[lane].wrapping_sub((k0 & keep) << product.shift);
        }
        let words = |values| Words {
            bits: product.bits,
            values,
        };
        columns.push(words(flips));
        corrections.push(words(sends));
    }
    base.iter_mut().for_each(|v| *v &= wide);
    columns.insert(
        0,
        Words {
            bits: lift.wide,
            values: base,
        },
    );
    Ok(Prepared {
        correction: (correction.finish(), corrections),
        piece: (piece.finish(), columns),
        mask: fresh,
    })
}

/// The client's side of one step online, message by message.
pub struct Answering<'a> {
    shape: Shape,
    rows: Reader<'a>,
    columns: &'a [Words],
    merger: Merger,
}

impl<'a> Answering<'a> {
    pub fn new(shape: &Shape, piece: &'a Material) -> Self {
        Self {
            shape: *shape,
            rows: Reader::new(&piece.0),
            columns: &piece.1,
            merger: Merger::new(shape.lanes, false),
        }
    }

    /// All tables, for what the owner sent.
    pub fn tables(&mut self, tree: &Tree, shifts: &BitMatrix) -> Result<BitMatrix, RunError> {
        let mut shifts = Reader::new(shifts);
        let mut out = Writer::new(self.shape.lanes);
        for block in 0..tree.blocks() {
            let (greater, equal) = tree.entries(block);
            let entries = self.rows.take_many(greater + equal)?;
            let pads = self.rows.take_many(greater + equal)?;
            let shift = shifts.take_many(tree.width(block))?;
            for (entries, pads) in entries.chunks(greater).zip(pads.chunks(greater)) {
                answer(entries, pads, &shift)
                    .iter()
                    .for_each(|row| out.put(row));
            }
            let own = self.rows.take()?.to_vec();
            let same = if equal > 0 {
                Some(self.rows.take()?.to_vec())
            } else {
                None
            };
            self.merger.push(own, same);
        }
        Ok(out.finish())
    }

    /// This side's part of the next level's opening.
    pub fn open(&self) -> Result<BitMatrix, RunError> {
        self.merger.open(&mut self.rows.clone())
    }

    pub fn close(&mut self, opened: &BitMatrix) -> Result<(), RunError> {
        self.merger.close(opened, &mut self.rows)
    }

    /// The share of the sign, masked.
    pub fn sign(&mut self) -> Result<BitMatrix, RunError> {
        let lanes = self.shape.lanes;
        let merger = std::mem::replace(&mut self.merger, Merger::new(lanes, false));
        let mut out = Writer::new(lanes);
        out.put(&xor(&merger.finish()?, self.rows.take()?));
        Ok(out.finish())
    }

    /// The share of the result, less its mask. `choices`: the owner's masked bits and its correction.
    pub fn result(mut self, choices: &Material) -> Result<Words, RunError> {
        let (base, flips) = self.columns.split_first().ok_or(LocalFault::Invariant)?;
        let mut out = base.values.clone();
        if self.shape.owner_ots() > 0 {
            let beta = expand_bits(self.rows.take()?, self.shape.lanes);
            let correction = choices.1.first().ok_or(LocalFault::Invariant)?;
            for ((out, d), beta) in out.iter_mut().zip(&correction.values).zip(&beta) {
                *out = out.wrapping_add(d & beta.wrapping_neg());
            }
        }
        let mut rows = Reader::new(&choices.0);
        for (product, flips) in self.shape.selections().iter().zip(flips) {
            let choose = expand_bits(rows.take()?, self.shape.lanes);
            for ((out, flip), choose) in out.iter_mut().zip(&flips.values).zip(&choose) {
                *out = out.wrapping_add((flip & choose.wrapping_neg()) << product.shift);
            }
        }
        let bits = self.shape.lift().wide;
        out.iter_mut().for_each(|v| *v &= mask(bits));
        Ok(Words { bits, values: out })
    }
}

/// The client's side of one step online.
pub fn answer_step(shape: &Shape, piece: Material, line: &mut Line<'_>) -> Result<(), RunError> {
    let mut side = Answering::new(shape, &piece);
    if let Some(tree) = shape.tree() {
        let shifts = line.receive(shape.shifts(&tree))?;
        line.send(side.tables(&tree, &shifts)?)?;
        for nodes in tree.levels() {
            let opened = line.open(side.open()?, shape.level(nodes))?;
            side.close(&opened)?;
        }
        line.send(side.sign()?)?;
    }
    let choices = line.receive(shape.choices())?;
    line.send(side.result(&choices)?)
}
