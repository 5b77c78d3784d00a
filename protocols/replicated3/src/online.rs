//! The online phase of an evaluator: one exchange with the other evaluator for each opening.

use crate::correlation::{Correlation, Piece};
use crate::part::Shares;
use crate::parties::other;
use crate::plan::View;
use std::sync::Arc;
use subrosa_core::{BitsLayout, Stock, Wire, Words, WordsLayout};
use subrosa_ir::{Linear, Spread, WeightId};
use subrosa_net::{LocalFault, RunError, Session, Turns};
use subrosa_ring::{BitMatrix, add_into, mask_into, xor_into};
use subrosa_share::Evaluator;
use subrosa_share::compare::Evaluation;
use subrosa_share::flow::{Backend, Flow, Value};
use subrosa_share::select::{ChoiceShare, ProductShare, choice, lift, product};
use subrosa_share::step::{Kind, Operands};

/// From masked inputs to masked outputs.
pub fn evaluate(
    view: &View,
    who: Evaluator,
    shares: &Shares,
    stock: Stock<Piece>,
    inputs: Vec<Words>,
    threads: usize,
    s: &mut Session,
) -> Result<Vec<Words>, RunError> {
    let inputs = inputs
        .into_iter()
        .map(|w| Value::with_parts(w.bits, w.values.len(), w.values, Vec::new()))
        .collect();
    let online = Online {
        who,
        shares,
        stock,
        turns: Turns::default(),
        threads,
        s,
    };
    let outputs = Flow::new(&view.graph, 0, online).run(inputs)?;
    Ok(outputs
        .iter()
        .map(|v| Words {
            bits: v.bits,
            values: v.data.to_vec(),
        })
        .collect())
}

struct Online<'a> {
    who: Evaluator,
    shares: &'a Shares,
    stock: Stock<Piece>,
    turns: Turns,
    threads: usize,
    s: &'a mut Session,
}

impl Online<'_> {
    /// Sends this evaluator's share and receives the other's. Both come back.
    fn swap<T: Wire + Sync>(&mut self, mine: T, layout: T::Layout) -> Result<(T, T), RunError> {
        let peer = other(self.who);
        let mine = Arc::new(mine);
        let out = vec![(peer, mine.clone())];
        let theirs: Vec<T> = self.s.exchange(self.turns.step(), out, &[(peer, layout)])?;
        let theirs = theirs.into_iter().next().ok_or(LocalFault::Invariant)?;
        Ok((Arc::into_inner(mine).ok_or(LocalFault::Invariant)?, theirs))
    }

    /// Opens c = c_first + c_second.
    fn open(&mut self, bits: u32, values: Vec<u64>) -> Result<Vec<u64>, RunError> {
        let layout = WordsLayout {
            count: values.len(),
            bits,
        };
        let (mut mine, theirs) = self.swap(Words { bits, values }, layout)?;
        add_into(&mut mine.values, &theirs.values);
        mask_into(&mut mine.values, bits);
        Ok(mine.values)
    }

    fn open_bits(&mut self, mine: BitMatrix) -> Result<BitMatrix, RunError> {
        let layout = BitsLayout {
            planes: mine.planes(),
            lanes: mine.lanes(),
        };
        let (mut mine, theirs) = self.swap(mine, layout)?;
        xor_into(mine.words_mut(), theirs.words());
        Ok(mine)
    }

    /// The masked sign e of d, one bit for each lane.
    fn sign(
        &mut self,
        shape: &Correlation,
        rows: &BitMatrix,
        d: &[u64],
    ) -> Result<BitMatrix, RunError> {
        let compare = shape.compare.as_ref().ok_or(LocalFault::Invariant)?;
        let mut evaluation = Evaluation::new(compare, self.who, d, rows);
        for level in 0..compare.levels() {
            let opened = self.open_bits(evaluation.open(level))?;
            evaluation.merge(level, &opened);
        }
        self.open_bits(evaluation.masked_sign())
    }
}

impl Backend for Online<'_> {
    type Error = RunError;
    const LIVE: bool = true;
    const PUBLIC: bool = true;

    /// c_z = c (w0 + w1) + c w2 + the prepared summands.
    fn linear(
        &mut self,
        linear: &Linear,
        bits: u32,
        x: &[u64],
        _: &[u64],
    ) -> Result<Vec<u64>, RunError> {
        let (_, columns) = self.stock.take()?;
        let [
            Words {
                values: mut out, ..
            },
        ] = <[Words; 1]>::try_from(columns).map_err(|_| LocalFault::Invariant)?;
        linear.kind.accumulate(
            self.threads,
            bits,
            x,
            self.shares.own(linear.weight)?,
            &mut out,
        );
        mask_into(&mut out, bits);
        self.open(bits, out)
    }

    fn bias(&mut self, weight: WeightId, spread: &Spread, x: &mut [u64]) {
        self.shares.add_common(weight, spread, x);
    }

    fn parts(&mut self, _: usize, _: u32, _: &[u64]) -> Result<Vec<u64>, RunError> {
        Ok(Vec::new())
    }

    fn step(&mut self, lanes: usize, kind: Kind, of: Operands<'_>) -> Result<Vec<u64>, RunError> {
        let (rows, columns) = self.stock.take()?;
        let shape = Correlation::of(lanes, kind);
        let e = match shape.compare {
            Some(_) => self.sign(&shape, &rows, of.compared)?,
            None => BitMatrix::default(),
        };
        let columns: Vec<&[u64]> = columns.iter().map(|w| w.values.as_slice()).collect();
        let [y1, y2] = of.between;
        let mine = match (kind, columns.as_slice()) {
            (Kind::Lift(by), [wrap, pad]) => lift(by, self.who, of.compared, wrap, pad),
            (Kind::Positive(by), [rho, turned, wrap @ .., pad]) => {
                let wrap = match wrap {
                    [zero, one] => [*zero, *one],
                    _ => [&[][..]; 2],
                };
                let share = ProductShare {
                    rho,
                    turned,
                    wrap,
                    pad,
                };
                product(by, self.who, of.compared, e.row(0), &share)
            }
            (Kind::Maximum { bits } | Kind::Choice { bits }, [rho, turned, pad]) => {
                let share = ChoiceShare { rho, turned, pad };
                choice(bits, self.who, y1, y2, e.row(0), &share)
            }
            _ => return Err(LocalFault::Invariant.into()),
        };
        self.open(kind.lift().wide, mine)
    }
}
