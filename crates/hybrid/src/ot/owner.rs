//! The owner's side of a step: choices and shares of products offline, questions online.

use super::layout::Material;
use super::leaf::{chosen_pads, pick};
use super::merge::Merger;
use super::rows::{Reader, Writer, and, not, xor};
use super::tree::Tree;
use crate::line::Line;
use crate::step::{Kind, Operands, Shape};
use subrosa_core::{ReceiverOts, SenderOts, Words};
use subrosa_net::{LocalFault, RunError};
use subrosa_ring::{BitMatrix, expand_bits, mask, to_planes, xor_into};

fn key_row(keys: &[u128], bit: u32) -> Vec<u64> {
    let low: Vec<u64> = keys.iter().map(|key| *key as u64).collect();
    to_planes(&low, bit, 1).row(0).to_vec()
}

/// The offline half of a step: `got` are the OTs in which the client is sender, `sent` those of the sign's mask.
pub fn prepare(
    shape: &Shape,
    got: ReceiverOts,
    sent: SenderOts,
    correction: &Material,
) -> Result<Material, RunError> {
    let wide = mask(shape.lift().wide);
    let mut rows = Writer::new(shape.lanes);
    let mut corrections = Reader::new(&correction.0);
    let mut at = 0;
    let mut next = || {
        at += 1;
        (at <= got.choices.planes())
            .then_some(at - 1)
            .ok_or(LocalFault::Invariant)
    };
    if let Some(tree) = shape.tree() {
        (0..tree.bits).for_each(|plane| rows.put(got.choices.row(plane)));
        for block in 0..tree.blocks() {
            let (mut d, mut keys) = (Vec::new(), Vec::new());
            for _ in 0..tree.width(block) {
                let plane = next()?;
                d.push(got.choices.row(plane));
                keys.push(got.plane(plane));
            }
            let (greater, equal) = tree.entries(block);
            let pads = chosen_pads(&d, &keys, (greater + equal) / greater);
            pads.iter().for_each(|row| rows.put(row));
        }
        for nodes in tree.levels() {
            for merge in 0..nodes / 2 {
                let (first, second) = (next()?, next()?);
                let (a, b) = (got.choices.row(first), got.choices.row(second));
                let mut ab = and(a, b);
                xor_into(&mut ab, &key_row(got.plane(first), 0));
                xor_into(&mut ab, &key_row(got.plane(second), 0));
                let other = if Tree::has_equal(merge) {
                    let third = next()?;
                    let b = got.choices.row(third);
                    let mut ab = and(&xor(a, corrections.take()?), b);
                    xor_into(&mut ab, &key_row(got.plane(first), 1));
                    xor_into(&mut ab, &key_row(got.plane(third), 0));
                    Some((b, ab))
                } else {
                    None
                };
                rows.put(a);
                rows.put(b);
                other.iter().for_each(|(b, _)| rows.put(b));
                rows.put(&ab);
                other.iter().for_each(|(_, ab)| rows.put(ab));
            }
        }
    }
    let mut columns = Vec::new();
    if shape.owner_ots() > 0 {
        let column = |of: &dyn Fn(u64, u64) -> u64| Words {
            bits: shape.lift().wide,
            values: sent
                .plane(0)
                .iter()
                .map(|[k0, k1]| of(*k0 as u64, *k1 as u64) & wide)
                .collect(),
        };
        columns.push(column(&|k0, _| k0.wrapping_neg()));
        columns.push(column(&|k0, k1| k1.wrapping_sub(k0)));
    }
    for (product, correction) in shape.selections().iter().zip(&correction.1) {
        let plane = next()?;
        let row = got.choices.row(plane);
        rows.put(row);
        let choose = expand_bits(row, shape.lanes);
        let shares = got.plane(plane).iter().zip(&correction.values).zip(&choose);
        let shares = shares.map(|((key, e), choose)| {
            (*key as u64).wrapping_add(e & choose.wrapping_neg()) & mask(product.bits)
        });
        columns.push(Words {
            bits: product.bits,
            values: shares.collect(),
        });
    }
    Ok((rows.finish(), columns))
}

/// The owner's side of one step online, message by message.
pub struct Asking<'a> {
    shape: Shape,
    rows: Reader<'a>,
    columns: &'a [Words],
    merger: Merger,
    /// Planes of the compared value, sign on top.
    planes: BitMatrix,
    /// The owner's summand of the result, once its sign is known.
    sum: Vec<u64>,
}

impl<'a> Asking<'a> {
    pub fn new(shape: &Shape, piece: &'a Material, of: &Operands<'_>) -> Self {
        let planes = shape.tree().map_or(BitMatrix::default(), |tree| {
            to_planes(of.compared, 0, tree.bits as u32 + 1)
        });
        Self {
            shape: *shape,
            rows: Reader::new(&piece.0),
            columns: &piece.1,
            merger: Merger::new(shape.lanes, true),
            planes,
            sum: Vec::new(),
        }
    }

    /// v + d.
    pub fn shifts(&mut self, tree: &Tree) -> Result<BitMatrix, RunError> {
        let mut out = Writer::new(self.shape.lanes);
        for plane in 0..tree.bits {
            out.put(&xor(self.planes.row(plane), self.rows.take()?));
        }
        Ok(out.finish())
    }

    /// Takes this side's shares of all blocks out of the client's tables.
    pub fn pick(&mut self, tree: &Tree, tables: &BitMatrix) -> Result<(), RunError> {
        let mut tables = Reader::new(tables);
        let mut from = 0;
        for block in 0..tree.blocks() {
            let v: Vec<&[u64]> = (from..from + tree.width(block))
                .map(|plane| self.planes.row(plane))
                .collect();
            from += tree.width(block);
            let (greater, equal) = tree.entries(block);
            let mut share = pick(&tables.take_many(greater)?, &v);
            xor_into(&mut share, self.rows.take()?);
            let same = if equal > 0 {
                let mut share = pick(&tables.take_many(equal)?, &v);
                xor_into(&mut share, self.rows.take()?);
                Some(share)
            } else {
                None
            };
            self.merger.push(share, same);
        }
        Ok(())
    }

    /// This side's part of the next level's opening.
    pub fn open(&self) -> Result<BitMatrix, RunError> {
        self.merger.open(&mut self.rows.clone())
    }

    pub fn close(&mut self, opened: &BitMatrix) -> Result<(), RunError> {
        self.merger.close(opened, &mut self.rows)
    }

    /// Masked choices and the correction of beta times this side's value. `sign`: the client's masked share, nothing for a lift.
    pub fn choices(
        &mut self,
        of: &Operands<'_>,
        sign: Option<&BitMatrix>,
    ) -> Result<Material, RunError> {
        let lanes = self.shape.lanes;
        let lift = self.shape.lift();
        let wide = mask(lift.wide);
        let h = match sign {
            Some(sign) => {
                let merger = std::mem::replace(&mut self.merger, Merger::new(lanes, true));
                let mut h = merger.finish()?;
                xor_into(&mut h, sign.row(0));
                xor_into(&mut h, self.planes.row(self.planes.planes() - 1));
                not(&h)
            }
            None => vec![0; lanes.div_ceil(64)],
        };
        let keep = expand_bits(&h, lanes);
        let (mut a, mut t) = (Vec::with_capacity(lanes), Vec::with_capacity(lanes));
        for value in of.selected(self.shape.kind).iter() {
            let (part, top) = match self.shape.kind {
                Kind::Maximum { .. } | Kind::Choice { .. } => (*value, 0),
                _ => lift.public(*value),
            };
            a.push(part);
            t.push(top);
        }
        let t = to_planes(&t, 0, 1).row(0).to_vec();
        let mut columns = self.columns.iter();
        let mut corrections = Vec::new();
        self.sum = a.clone();
        if self.shape.owner_ots() > 0 {
            let base = columns.next().ok_or(LocalFault::Invariant)?;
            let keys = columns.next().ok_or(LocalFault::Invariant)?;
            let mut out = Vec::with_capacity(lanes);
            for lane in 0..lanes {
                let pick = keep[lane].wrapping_neg();
                let turned = a[lane].wrapping_sub((a[lane] & pick).wrapping_mul(2));
                out.push(turned.wrapping_sub(keys.values[lane]) & wide);
                self.sum[lane] = (a[lane] & pick).wrapping_add(base.values[lane]);
            }
            corrections.push(Words {
                bits: lift.wide,
                values: out,
            });
        }
        for (sum, added) in self.sum.iter_mut().zip(of.added()) {
            *sum = sum.wrapping_add(*added);
        }
        let mut rows = Writer::new(lanes);
        let selections = self.shape.selections();
        for (number, (product, shares)) in selections.iter().zip(columns).enumerate() {
            let bit = match (self.shape.kind, number) {
                (Kind::Lift(_), _) | (_, 1) => t.clone(),
                (_, 0) => h.clone(),
                _ => and(&h, &t),
            };
            let flip = xor(&bit, self.rows.take()?);
            rows.put(&flip);
            let flip = expand_bits(&flip, lanes);
            for ((sum, share), flip) in self.sum.iter_mut().zip(&shares.values).zip(&flip) {
                let turned = share.wrapping_sub(share.wrapping_mul(2) & flip.wrapping_neg());
                *sum = sum.wrapping_add(turned << product.shift);
            }
        }
        Ok((rows.finish(), corrections))
    }

    /// The masked result.
    pub fn result(self, from_client: &Words) -> Vec<u64> {
        let keep = mask(self.shape.lift().wide);
        let pairs = self.sum.iter().zip(&from_client.values);
        pairs.map(|(a, b)| a.wrapping_add(*b) & keep).collect()
    }
}

/// The owner's side of one step online: the masked result.
pub fn evaluate_step(
    shape: &Shape,
    piece: Material,
    of: &Operands<'_>,
    line: &mut Line<'_>,
) -> Result<Vec<u64>, RunError> {
    let mut side = Asking::new(shape, &piece, of);
    let mut sign: Option<BitMatrix> = None;
    if let Some(tree) = shape.tree() {
        line.send(side.shifts(&tree)?)?;
        let tables = line.receive(shape.answers(&tree))?;
        side.pick(&tree, &tables)?;
        for nodes in tree.levels() {
            let opened = line.open(side.open()?, shape.level(nodes))?;
            side.close(&opened)?;
        }
        sign = Some(line.receive(shape.sign())?);
    }
    line.send(side.choices(of, sign.as_ref())?)?;
    let part = line.receive(shape.result())?;
    Ok(side.result(&part))
}
