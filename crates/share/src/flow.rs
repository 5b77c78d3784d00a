//! The one walk behind price, dealing, preparing and evaluating.
//!
//! Every decision, which ring a wire is held in, when a value is lifted, when mask parts are dealt, is taken
//! here once, from the plan alone; a [`Backend`] only does the steps. So the four readings of a plan cannot
//! disagree about what comes next.

use crate::select::Lift;
use crate::step::{Kind, Operands};
use crate::width_for;
use crate::widths::widths;
use std::cell::OnceCell;
use std::rc::Rc;
use subrosa_ir::{
    At, FixedGraph, FixedOp, Kernels, Linear, Rescale, Spread, View, WeightId, Window, volume, walk,
};
use subrosa_ring::mask;

/// The steps that differ between the readings of a plan. Slices are empty where a reading carries no data.
pub trait Backend {
    type Error;
    /// Whether values carry data: masks λ for the dealer, masked values c for an online evaluator.
    const LIVE: bool;
    /// Whether public constants are added to the data: to c, not to λ.
    const PUBLIC: bool;

    /// Exact product in Z/2^bits with bias. `parts` are this reading's mask parts of x.
    fn linear(
        &mut self,
        linear: &Linear,
        bits: u32,
        x: &[u64],
        parts: &[u64],
    ) -> Result<Vec<u64>, Self::Error>;
    /// Adds a private constant to live data.
    fn bias(&mut self, weight: WeightId, spread: &Spread, x: &mut [u64]);
    /// Deals mask parts of `lanes` elements of Z/2^bits.
    fn parts(&mut self, lanes: usize, bits: u32, x: &[u64]) -> Result<Vec<u64>, Self::Error>;
    /// A comparison, selection or lift: `lanes` results in Z/2^wide of [`Kind::lift`].
    fn step(&mut self, lanes: usize, kind: Kind, of: Operands<'_>)
    -> Result<Vec<u64>, Self::Error>;
    /// `lanes` elements of Z/2^bits divided by 2^by, in Z/2^(bits - by): both c and λ are shifted, which gives floor(x / 2^by),
    /// or one less where the low bits carried. With a number under which the backend keeps something of the result, if it does:
    /// it comes back in [`Operands::kept`].
    fn truncate(
        &mut self,
        _lanes: usize,
        _bits: u32,
        by: u32,
        x: &[u64],
    ) -> Result<(Vec<u64>, Option<u32>), Self::Error> {
        Ok((x.iter().map(|x| x >> by).collect(), None))
    }
}

/// A wire's value in one reading.
#[derive(Clone)]
pub struct Value {
    pub bits: u32,
    pub len: usize,
    /// `len` elements of Z/2^bits, or nothing.
    pub data: Rc<Vec<u64>>,
    /// This reading's mask parts, once they are there.
    pub parts: Rc<OnceCell<Vec<u64>>>,
    /// What the backend keeps of it since its truncation.
    pub kept: Option<u32>,
    lifted: Rc<OnceCell<Value>>,
}

impl Value {
    pub fn new(bits: u32, len: usize, data: Vec<u64>) -> Self {
        Self {
            bits,
            len,
            data: Rc::new(data),
            parts: Rc::default(),
            kept: None,
            lifted: Rc::default(),
        }
    }

    pub fn with_parts(bits: u32, len: usize, data: Vec<u64>, parts: Vec<u64>) -> Self {
        let value = Self::new(bits, len, data);
        let _ = value.parts.set(parts);
        value
    }

    fn compared(&self) -> Operands<'_> {
        let mut of = Operands::one(&self.data);
        of.kept = self.kept;
        of
    }

    /// The same value in a narrower ring: nothing to do but to forget bits.
    fn narrow(&self, bits: u32) -> Vec<u64> {
        self.data.iter().map(|v| v & mask(bits)).collect()
    }
}

/// A reading of a plan.
pub struct Flow<'a, B> {
    pub backend: B,
    graph: &'a FixedGraph,
    widths: Vec<u32>,
    ending: u32,
}

impl<'a, B: Backend> Flow<'a, B> {
    /// `ending`: the least width in which outputs are delivered, at most the graph's ring; 0 where their bounds decide.
    pub fn new(graph: &'a FixedGraph, ending: u32, backend: B) -> Self {
        Self {
            backend,
            graph,
            widths: widths(graph, ending),
            ending,
        }
    }

    /// Runs the graph; each output comes in the ring that its bound needs, or in a wider one that it is to end in.
    pub fn run(&mut self, inputs: Vec<Value>) -> Result<Vec<Value>, B::Error> {
        let (graph, ending) = (self.graph, self.ending);
        let outputs = walk(graph, self, inputs)?;
        let mut delivered = Vec::with_capacity(outputs.len());
        for (wire, value) in graph.outputs.iter().zip(outputs) {
            let value = self.ensure(&value, ending)?;
            let bits = output_width(graph, *wire).max(ending).min(value.bits);
            delivered.push(Value::new(bits, value.len, value.narrow(bits)));
        }
        Ok(delivered)
    }

    fn width(&self, at: At<'_>) -> u32 {
        self.widths[at.node.output.0 as usize]
    }

    /// `x` in a ring of at least `bits`, lifted once for all readers.
    fn ensure(&mut self, x: &Value, bits: u32) -> Result<Value, B::Error> {
        if x.bits >= bits {
            return Ok(x.clone());
        }
        if let Some(lifted) = x.lifted.get().filter(|l| l.bits >= bits) {
            return Ok(lifted.clone());
        }
        let lift = Lift {
            narrow: x.bits,
            wide: bits,
        };
        let kind = Kind::Lift(lift);
        let data = self.backend.step(x.len, kind, x.compared())?;
        let lifted = Value::new(bits, x.len, data);
        let _ = x.lifted.set(lifted.clone());
        Ok(lifted)
    }

    fn ensure_for(&mut self, at: At<'_>, x: &Value) -> Result<Value, B::Error> {
        let need = width_for(at.output().bound);
        if x.bits >= need {
            Ok(x.clone())
        } else {
            self.ensure(x, self.width(at))
        }
    }

    /// Element by element, wrapping; masked afterwards.
    fn local(&self, bits: u32, len: usize, f: impl Fn(usize) -> u64) -> Value {
        let keep = mask(bits);
        let data = if B::LIVE {
            (0..len).map(|i| f(i) & keep).collect()
        } else {
            Vec::new()
        };
        Value::new(bits, len, data)
    }

    fn pair(
        &mut self,
        at: At<'_>,
        x: &Value,
        y: &Value,
        f: impl Fn(u64, u64) -> u64,
    ) -> Result<Value, B::Error> {
        let (x, y) = (self.ensure_for(at, x)?, self.ensure_for(at, y)?);
        Ok(self.local(x.bits.min(y.bits), x.len, |i| f(x.data[i], y.data[i])))
    }

    /// Each of `lanes` columns of `count` values reduced to its maximum by a tournament of adjacent halves.
    /// values: [count, lanes].
    fn maximum(
        &mut self,
        bits: u32,
        lanes: usize,
        mut count: usize,
        mut values: Vec<u64>,
    ) -> Result<Vec<u64>, B::Error> {
        while count > 1 {
            let half = count / 2;
            let live = if B::LIVE { half * lanes } else { 0 };
            let (first, rest) = values.split_at(live);
            let (second, rest) = rest.split_at(live);
            let pairs = first.iter().zip(second);
            let d: Vec<u64> = pairs.map(|(a, b)| a.wrapping_sub(*b)).collect();
            let of = Operands {
                between: [first, second],
                ..Operands::one(&d)
            };
            let kind = Kind::Maximum { bits };
            let mut winners = self.backend.step(half * lanes, kind, of)?;
            winners.extend_from_slice(rest);
            values = winners;
            count -= half;
        }
        Ok(values)
    }
}

/// The ring in which an output travels to the client.
pub fn output_width(graph: &FixedGraph, wire: subrosa_ir::WireId) -> u32 {
    width_for(graph.wire(wire).bound)
}

impl<B: Backend> Kernels for Flow<'_, B> {
    type Value = Value;
    type Error = B::Error;

    fn linear(&mut self, at: At<'_>, linear: &Linear, x: &Value) -> Result<Value, B::Error> {
        let bits = self.width(at);
        let x = self.ensure(x, bits)?;
        if x.parts.get().is_none() {
            let parts = self.backend.parts(x.len, x.bits, &x.data)?;
            let _ = x.parts.set(parts);
        }
        let parts = x.parts.get().map_or(&[][..], Vec::as_slice);
        let data = self.backend.linear(linear, bits, &x.data, parts)?;
        Ok(Value::new(bits, volume(&at.output().shape), data))
    }

    fn bias(
        &mut self,
        at: At<'_>,
        weight: WeightId,
        spread: &Spread,
        x: &Value,
    ) -> Result<Value, B::Error> {
        let x = self.ensure_for(at, x)?;
        let mut data = x.data.to_vec();
        if B::LIVE {
            self.backend.bias(weight, spread, &mut data);
        }
        Ok(self.local(x.bits, x.len, |i| data[i]))
    }

    fn scale(&mut self, at: At<'_>, by: &Rescale, x: &Value) -> Result<Value, B::Error> {
        let x = self.ensure_for(at, x)?;
        let period = by.by.len();
        Ok(self.local(x.bits, x.len, |i| {
            x.data[i].wrapping_mul(by.by[i % period] as u64)
        }))
    }

    fn offset(&mut self, at: At<'_>, by: i64, x: &Value) -> Result<Value, B::Error> {
        let x = self.ensure_for(at, x)?;
        let by = if B::PUBLIC { by as u64 } else { 0 };
        Ok(self.local(x.bits, x.len, |i| x.data[i].wrapping_add(by)))
    }

    fn add(&mut self, at: At<'_>, x: &Value, y: &Value) -> Result<Value, B::Error> {
        self.pair(at, x, y, u64::wrapping_add)
    }

    fn sub(&mut self, at: At<'_>, x: &Value, y: &Value) -> Result<Value, B::Error> {
        self.pair(at, x, y, u64::wrapping_sub)
    }

    fn sum_pool(&mut self, at: At<'_>, window: &Window, x: &Value) -> Result<Value, B::Error> {
        let x = self.ensure_for(at, x)?;
        let plane = Window {
            planes: 1,
            ..*window
        };
        let mut sums = vec![0u64; if B::LIVE { window.out_len() } else { 0 }];
        let planes = sums
            .chunks_mut(plane.out_len().max(1))
            .zip(x.data.chunks(plane.in_len().max(1)));
        let taps = plane.taps();
        for (sums, data) in planes {
            for tap in &taps {
                for (sum, from) in sums.iter_mut().zip(tap) {
                    *sum = sum.wrapping_add(from.map_or(0, |i| data[i as usize]));
                }
            }
        }
        Ok(self.local(x.bits, window.out_len(), |i| sums[i]))
    }

    fn truncate(&mut self, at: At<'_>, by: u32, x: &Value) -> Result<Value, B::Error> {
        let need = width_for(at.output().bound) + by;
        let x = if x.bits >= need {
            x.clone()
        } else {
            self.ensure(x, need)?
        };
        let (data, kept) = self.backend.truncate(x.len, x.bits, by, &x.data)?;
        let mut value = Value::new(x.bits - by, x.len, data);
        value.kept = kept;
        Ok(value)
    }

    fn relu(&mut self, at: At<'_>, x: &Value) -> Result<Value, B::Error> {
        let narrow = width_for(at.input(0).bound).min(x.bits);
        let lift = Lift {
            narrow,
            wide: self.width(at).max(narrow),
        };
        let kind = Kind::Positive(lift);
        let data = self.backend.step(x.len, kind, x.compared())?;
        Ok(Value::new(lift.wide, x.len, data))
    }

    fn max_pool(&mut self, at: At<'_>, window: &Window, x: &Value) -> Result<Value, B::Error> {
        let bits = width_for(at.input(0).bound).min(x.bits);
        let plane = Window {
            planes: 1,
            ..*window
        };
        let taps = plane.repeated_taps().unwrap_or_default();
        let mut values = Vec::with_capacity(if B::LIVE {
            taps.len() * window.out_len()
        } else {
            0
        });
        for tap in &taps {
            for data in x.data.chunks(plane.in_len().max(1)) {
                values.extend(tap.iter().map(|i| data[*i as usize]));
            }
        }
        let data = self.maximum(bits, window.out_len(), taps.len(), values)?;
        Ok(Value::new(bits, window.out_len(), data))
    }

    /// Each value becomes the key x 2^l + (n - 1 - index), so that no two are equal and the low l bits of the
    /// greatest key name it. For the next place the winner is replaced by the least key.
    fn top_k(&mut self, at: At<'_>, count: usize, x: &Value) -> Result<Value, B::Error> {
        let n = at.input(0).shape.last().copied().unwrap_or(1);
        let rows = x.len / n.max(1);
        let (low, bits) = key_widths(at.input(0).bound, n);
        let x = self.ensure(x, bits - low)?;
        let (keep, public) = (mask(bits), u64::from(B::PUBLIC));
        let cells = if B::LIVE { n * rows } else { 0 };
        let key = |at: usize| {
            let (j, row) = (at / rows, at % rows);
            let index = (n - 1 - j) as u64 * public;
            (x.data[row * n + j] << low).wrapping_add(index) & keep
        };
        let mut keys: Vec<u64> = (0..cells).map(key).collect();
        let mut places = Vec::with_capacity(count);
        for place in 0..count {
            let best = self.maximum(bits, rows, n, keys.clone())?;
            if place + 1 < count {
                let d: Vec<u64> = keys
                    .iter()
                    .enumerate()
                    .map(|(i, key)| key.wrapping_sub(best[i % rows]))
                    .collect();
                let least = vec![(public << (bits - 2)).wrapping_neg() & keep; cells];
                let of = Operands {
                    between: [&least, &keys],
                    ..Operands::one(&d)
                };
                keys = self.backend.step(n * rows, Kind::Choice { bits }, of)?;
            }
            places.push(best);
        }
        let last = (n - 1) as u64 * public;
        let value = |i: usize| last.wrapping_sub(places[i % count][i / count]);
        Ok(self.local(low, rows * count, value))
    }

    fn view(&mut self, at: At<'_>, view: &View, inputs: &[&Value]) -> Result<Value, B::Error> {
        let bits = inputs.iter().map(|x| x.bits).min().unwrap_or(1);
        let need = width_for(at.output().bound);
        let mut values = Vec::with_capacity(inputs.len());
        for x in inputs {
            values.push(if bits >= need {
                (*x).clone()
            } else {
                self.ensure(x, need)?
            });
        }
        let bits = values.iter().map(|x| x.bits).min().unwrap_or(1);
        let out = &at.output().shape;
        let shapes: Vec<&[usize]> = (0..values.len())
            .map(|i| at.input(i).shape.as_slice())
            .collect();
        let moved = |column: &dyn Fn(&Value) -> Option<Vec<u64>>| -> Option<Vec<u64>> {
            let columns: Option<Vec<Vec<u64>>> = values.iter().map(column).collect();
            let columns = columns?;
            let full = values.iter().zip(&columns).all(|(v, c)| c.len() == v.len);
            let pairs: Vec<(&[usize], &[u64])> = shapes
                .iter()
                .zip(&columns)
                .map(|(s, c)| (*s, c.as_slice()))
                .collect();
            Some(if full {
                view.apply(&pairs, out)
            } else {
                Vec::new()
            })
        };
        let data = moved(&|v| Some(v.narrow(bits))).unwrap_or_default();
        let mut value = Value::new(bits, volume(out), data);
        if let (View::Reshape, [x]) = (view, values.as_slice()) {
            value.kept = x.kept;
        }
        if let Some(parts) = moved(&|v| {
            v.parts
                .get()
                .map(|p| p.iter().map(|w| w & mask(bits)).collect())
        }) {
            let _ = value.parts.set(parts);
        }
        Ok(value)
    }
}

/// Widths (l, bits) of the index and of the whole key among n values of at most `bound`.
pub fn key_widths(bound: u64, n: usize) -> (u32, u32) {
    let low = usize::BITS - n.saturating_sub(1).leading_zeros() + 1;
    (low, width_for(bound + 1) + low)
}

/// The keys of every TopK must fit into a word. Otherwise the node's name.
pub fn top_k_fits(graph: &FixedGraph) -> Result<(), String> {
    for node in &graph.nodes {
        if let FixedOp::TopK { .. } = node.op {
            let wire = graph.wire(node.inputs[0]);
            let n = wire.shape.last().copied().unwrap_or(1);
            if key_widths(wire.bound, n).1 > 64 {
                return Err(node.name.clone());
            }
        }
    }
    Ok(())
}
