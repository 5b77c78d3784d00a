//! The one walk behind survey, preparation and evaluation: when a mask is refreshed, and in which chunks.

use crate::activation::Shape;
use crate::refresh::Refresh;
use subrosa_core::{Words, WordsLayout};
use subrosa_ir::{Linear, Spread, WeightId};
use subrosa_ring::{BitMatrix, mask};
use subrosa_share::flow::{Backend, Value};
use subrosa_share::select::Lift;
use subrosa_share::step::{Kind, Operands};

/// The steps that differ between the readings of a plan. Slices are empty where a reading carries no data: shares of masks
/// offline, masked values online.
pub trait Reading {
    type Error;
    const LIVE: bool;
    /// Whether public constants are added to the data: to c, not to λ.
    const PUBLIC: bool;

    fn linear(&mut self, linear: &Linear, bits: u32, x: &[u64]) -> Result<Vec<u64>, Self::Error>;
    /// Adds a share of a private constant.
    fn bias(&mut self, weight: WeightId, spread: &Spread, x: &mut [u64]);
    /// x under a mask of known bits, divided by 2^by; and this server's shares of the bits, where they are known.
    fn refresh(&mut self, refresh: Refresh, by: u32, x: &[u64]) -> Result<Known, Self::Error>;
    /// A step, chunk by chunk, on values under masks of known bits. `added`, of all chunks, is y2 of a choice or maximum.
    fn activate(
        &mut self,
        shapes: &[Shape],
        of: &[Vec<Known>],
        added: &[u64],
    ) -> Result<Vec<u64>, Self::Error>;
}

/// A value under a mask, and this server's shares of the mask's bits where they are known. What is compared, and for a choice
/// then y1 - y2.
pub type Known = (Vec<u64>, BitMatrix);

/// Chunks that are evaluated at once online: as many exchanges as for one, and the material of all in memory.
const GROUP: usize = 4;

/// A reading on the walk.
pub struct Walk<R> {
    pub reading: R,
    /// Of each truncated value the bits of its mask, chunk by chunk.
    kept: Vec<Vec<BitMatrix>>,
}

impl<R: Reading> Walk<R> {
    pub fn new(reading: R) -> Self {
        let kept = Vec::new();
        Self { reading, kept }
    }
}

impl<R: Reading> Walk<R> {
    /// What one chunk of a step reads.
    fn read(
        &mut self,
        shape: &Shape,
        chunk: usize,
        of: &Operands<'_>,
    ) -> Result<Vec<Known>, R::Error> {
        let (lanes, bits) = (shape.lanes, shape.kind.lift().narrow);
        let low = |x: &[u64]| -> Vec<u64> { x.iter().map(|x| x & mask(bits)).collect() };
        let refresh = Refresh { lanes, bits };
        let kept = of.kept.and_then(|number| self.kept.get(number as usize));
        let mut read = vec![match kept.and_then(|chunks| chunks.get(chunk)) {
            Some(kept) => (low(of.compared), lowest(kept, bits)),
            None => self.reading.refresh(refresh, 0, &low(of.compared))?,
        }];
        if let Kind::Choice { .. } = shape.kind {
            let between = low(&of.selected(shape.kind));
            read.push(self.reading.refresh(refresh, 0, &between)?);
        }
        Ok(read)
    }
}

/// Lanes of the chunks of a value.
fn chunks(lanes: usize, bits: u32) -> impl Iterator<Item = usize> {
    let kind = Kind::Lift(Lift {
        narrow: bits,
        wide: bits,
    });
    Shape::split(lanes, kind).map(|shape| shape.lanes)
}

impl<R: Reading> Backend for Walk<R> {
    type Error = R::Error;
    const LIVE: bool = R::LIVE;
    const PUBLIC: bool = R::PUBLIC;

    fn linear(
        &mut self,
        linear: &Linear,
        bits: u32,
        x: &[u64],
        _: &[u64],
    ) -> Result<Vec<u64>, R::Error> {
        self.reading.linear(linear, bits, x)
    }

    fn bias(&mut self, weight: WeightId, spread: &Spread, x: &mut [u64]) {
        self.reading.bias(weight, spread, x);
    }

    fn parts(&mut self, _: usize, _: u32, _: &[u64]) -> Result<Vec<u64>, R::Error> {
        Ok(Vec::new())
    }

    fn step(&mut self, lanes: usize, kind: Kind, of: Operands<'_>) -> Result<Vec<u64>, R::Error> {
        let shapes: Vec<Shape> = Shape::split(lanes, kind).collect();
        let mut out = Vec::new();
        let (mut from, mut chunk) = (0, 0);
        for group in shapes.chunks(GROUP) {
            let mut read = Vec::with_capacity(group.len());
            let first = from;
            for shape in group {
                let to = from + shape.lanes;
                read.push(self.read(shape, chunk, &of.slice(from, to))?);
                (from, chunk) = (to, chunk + 1);
            }
            let added = of.slice(first, from).added();
            out.extend(self.reading.activate(group, &read, added)?);
        }
        Ok(out)
    }

    fn truncate(
        &mut self,
        lanes: usize,
        bits: u32,
        by: u32,
        x: &[u64],
    ) -> Result<(Vec<u64>, Option<u32>), R::Error> {
        let (mut out, mut kept) = (Vec::new(), Vec::new());
        let mut from = 0;
        for lanes in chunks(lanes, bits) {
            let x = x.get(from..from + lanes).unwrap_or_default();
            from += lanes;
            let (shifted, known) = self.reading.refresh(Refresh { lanes, bits }, by, x)?;
            out.extend(shifted);
            kept.push(known);
        }
        self.kept.push(kept);
        Ok((out, Some(self.kept.len() as u32 - 1)))
    }
}

/// The first `planes` planes, or none where there are none.
fn lowest(bits: &BitMatrix, planes: u32) -> BitMatrix {
    let planes = bits.planes().min(planes as usize);
    let words = &bits.words()[..planes * bits.words_per_plane()];
    BitMatrix::from_words(planes, bits.lanes(), words.to_vec())
}

/// Vectors of ring elements, or nothing but their layouts, as values of a walk.
pub fn values(layouts: &[WordsLayout], words: Vec<Words>) -> Vec<Value> {
    let mut words = words.into_iter();
    let value = |layout: &WordsLayout| {
        let data = words.next().map(|words| words.values);
        Value::with_parts(
            layout.bits,
            layout.count,
            data.unwrap_or_default(),
            Vec::new(),
        )
    };
    layouts.iter().map(value).collect()
}

/// Values of a walk as vectors of ring elements.
pub fn words(values: &[Value]) -> Vec<Words> {
    let words = |v: &Value| Words {
        bits: v.bits,
        values: v.data.to_vec(),
    };
    values.iter().map(words).collect()
}

#[cfg(test)]
mod tests;
