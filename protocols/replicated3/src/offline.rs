//! The offline phase: the dealer deals, the evaluators prepare their pieces.

use crate::correlation::{Correlation, Piece};
use crate::part::{Shares, Sums};
use crate::parties::{CLIENT, DEALER, SECOND};
use crate::plan::View;
use subrosa_core::{Prg, Seed, Shelf, Wire, Words};
use subrosa_ir::{Linear, Spread, WeightId};
use subrosa_net::{LocalFault, RunError, Session, Turns};
use subrosa_ring::{BitMatrix, expand_bits, mask, xor_into};
use subrosa_share::Evaluator;
use subrosa_share::compare::deal;
use subrosa_share::flow::{Backend, Flow, Value};
use subrosa_share::select::{deal_choice, deal_lift, deal_product};
use subrosa_share::step::{Kind, Operands};

/// What servers send to the client: a seed of input masks, or output masks.
pub type Masks = (Vec<Seed>, Vec<Words>);

/// The dealer's whole offline phase. `first` and `second` are its streams with the evaluators.
pub fn deal_all(
    view: &View,
    sums: &Sums,
    mut first: Prg,
    mut second: Prg,
    threads: usize,
    s: &mut Session,
) -> Result<(), RunError> {
    let (a, b) = (first.seed(), second.seed());
    let inputs = view
        .layouts
        .inputs
        .iter()
        .zip(input_masks(view, &a).into_iter().zip(input_masks(view, &b)))
        .map(|(layout, (x, y))| {
            let sum = add(layout.bits, &x, &y);
            Value::with_parts(layout.bits, layout.count, sum, Vec::new())
        })
        .collect();
    let dealer = Dealer {
        sums,
        first,
        second,
        turns: Turns::default(),
        threads,
        s,
    };
    let mut flow = Flow::new(&view.graph, 0, dealer);
    let outputs = flow.run(inputs)?;
    let masks: Vec<Words> = outputs
        .iter()
        .map(|v| Words {
            bits: v.bits,
            values: v.data.to_vec(),
        })
        .collect();
    s.send(Turns::LAST, CLIENT, (Vec::<Seed>::new(), masks))
}

/// An evaluator's whole offline phase. `stream` is the one it shares with the dealer.
pub fn prepare(
    view: &View,
    who: Evaluator,
    shares: &Shares,
    mut stream: Prg,
    shelf: &mut dyn Shelf<Piece>,
    threads: usize,
    s: &mut Session,
) -> Result<(), RunError> {
    let seed = stream.seed();
    let inputs = view
        .layouts
        .inputs
        .iter()
        .zip(input_masks(view, &seed))
        .map(|(layout, part)| Value::with_parts(layout.bits, layout.count, Vec::new(), part))
        .collect();
    let preparer = Preparer {
        who,
        shares,
        stream,
        shelf,
        turns: Turns::default(),
        threads,
        s,
    };
    let mut flow = Flow::new(&view.graph, 0, preparer);
    flow.run(inputs)?;
    s.send(Turns::LAST, CLIENT, (vec![seed], Vec::<Words>::new()))
}

/// One evaluator's parts of the masks of all inputs.
pub fn input_masks(view: &View, seed: &Seed) -> Vec<Vec<u64>> {
    let mut stream = Prg::new(seed);
    view.layouts
        .inputs
        .iter()
        .map(|l| stream.words(l.bits, l.count))
        .collect()
}

pub fn add(bits: u32, x: &[u64], y: &[u64]) -> Vec<u64> {
    x.iter()
        .zip(y)
        .map(|(x, y)| x.wrapping_add(*y) & mask(bits))
        .collect()
}

fn subtract(bits: u32, x: &[u64], y: &[u64]) -> Vec<u64> {
    x.iter()
        .zip(y)
        .map(|(x, y)| x.wrapping_sub(*y) & mask(bits))
        .collect()
}

struct Dealer<'a> {
    sums: &'a Sums,
    first: Prg,
    second: Prg,
    turns: Turns,
    threads: usize,
    s: &'a mut Session,
}

/// What the streams give for one correlation.
struct Drawn {
    /// Plain values of the free rows.
    masks: BitMatrix,
    dealt: BitMatrix,
    columns: Vec<Vec<u64>>,
    /// Sum of both pads.
    pads: Vec<u64>,
}

impl Dealer<'_> {
    fn draw(&mut self, shape: &Correlation) -> Drawn {
        let free = shape.free_rows();
        let (rows, columns) = shape.dealt();
        let mut masks = self.first.bits(free.planes, free.lanes);
        let dealt = self.first.bits(rows.planes, rows.lanes);
        let columns = columns
            .iter()
            .map(|c| self.first.words(c.bits, c.count))
            .collect();
        let pad = self.first.words(shape.pad, pad_len(shape));
        xor_into(
            masks.words_mut(),
            self.second.bits(free.planes, free.lanes).words(),
        );
        let pads = add(64, &pad, &self.second.words(shape.pad, pad_len(shape)));
        Drawn {
            masks,
            dealt,
            columns,
            pads,
        }
    }

    /// Sends the second evaluator its share of the plain rows and columns.
    fn send(
        &mut self,
        shape: &Correlation,
        drawn: Drawn,
        rows: Option<BitMatrix>,
        columns: &[&[u64]],
    ) -> Result<(), RunError> {
        let mut share = drawn.dealt;
        if let Some(rows) = rows {
            xor_into(share.words_mut(), rows.words());
        }
        let words = shape
            .columns
            .iter()
            .zip(columns)
            .zip(&drawn.columns)
            .map(|((bits, plain), first)| Words {
                bits: *bits,
                values: subtract(*bits, plain, first),
            })
            .collect::<Vec<_>>();
        self.s.send(self.turns.step(), SECOND, (share, words))
    }

    /// The plain ρ of each lane, 0 or 1, and the dealt rows.
    fn comparison(
        &self,
        shape: &Correlation,
        drawn: &Drawn,
        lambda: &[u64],
    ) -> Result<(Vec<u64>, BitMatrix), RunError> {
        let compare = shape.compare.as_ref().ok_or(LocalFault::Invariant)?;
        let rho = expand_bits(compare.rho(&drawn.masks), shape.lanes);
        Ok((rho, deal(compare, lambda, &drawn.masks)))
    }
}

impl Backend for Dealer<'_> {
    type Error = RunError;
    const LIVE: bool = true;
    const PUBLIC: bool = false;

    /// λ_z = λ_x (w0 + w2) + b0 + b2 - p0 - p1: the pads make the mask fresh, nothing is dealt.
    fn linear(
        &mut self,
        linear: &Linear,
        bits: u32,
        x: &[u64],
        _: &[u64],
    ) -> Result<Vec<u64>, RunError> {
        let count = linear.kind.out_len();
        let pads = add(
            64,
            &self.first.words(bits, count),
            &self.second.words(bits, count),
        );
        let mut out: Vec<u64> = pads.iter().map(|p| p.wrapping_neg()).collect();
        if let Some(bias) = linear.bias {
            self.bias(bias, &linear.kind.bias_spread(), &mut out);
        }
        linear.kind.accumulate(
            self.threads,
            bits,
            x,
            self.sums.get(linear.weight)?,
            &mut out,
        );
        subrosa_ring::mask_into(&mut out, bits);
        Ok(out)
    }

    fn bias(&mut self, weight: WeightId, spread: &Spread, x: &mut [u64]) {
        self.sums.add_bias(weight, spread, x);
    }

    fn parts(&mut self, lanes: usize, bits: u32, x: &[u64]) -> Result<Vec<u64>, RunError> {
        let shape = Correlation::parts(lanes, bits);
        let drawn = self.draw(&shape);
        self.send(&shape, drawn, None, &[x])?;
        Ok(Vec::new())
    }

    fn step(&mut self, lanes: usize, kind: Kind, of: Operands<'_>) -> Result<Vec<u64>, RunError> {
        let shape = Correlation::of(lanes, kind);
        let drawn = self.draw(&shape);
        let [y1, y2] = of.between;
        match kind {
            Kind::Lift(lift) => {
                let (wrap, mask) = deal_lift(lift, of.compared, &drawn.pads);
                self.send(&shape, drawn, None, &[&wrap])?;
                Ok(mask)
            }
            Kind::Positive(lift) => {
                let (rho, rows) = self.comparison(&shape, &drawn, of.compared)?;
                let plain = deal_product(lift, of.compared, &rho, &drawn.pads);
                let [zero, one] = &plain.wrap;
                let columns: [&[u64]; 4] = [&plain.rho, &plain.turned, zero, one];
                self.send(&shape, drawn, Some(rows), &columns)?;
                Ok(plain.mask)
            }
            Kind::Maximum { bits } | Kind::Choice { bits } => {
                let (rho, rows) = self.comparison(&shape, &drawn, of.compared)?;
                let (turned, mask) = deal_choice(bits, y1, y2, &rho, &drawn.pads);
                self.send(&shape, drawn, Some(rows), &[&rho, &turned])?;
                Ok(mask)
            }
        }
    }
}

struct Preparer<'a> {
    who: Evaluator,
    shares: &'a Shares,
    stream: Prg,
    shelf: &'a mut dyn Shelf<Piece>,
    turns: Turns,
    threads: usize,
    s: &'a mut Session,
}

impl Preparer<'_> {
    /// This evaluator's share of a correlation, from its stream and, for the second, the dealer's message.
    fn share(&mut self, shape: &Correlation) -> Result<Piece, RunError> {
        let free = shape.free_rows();
        let layout = shape.dealt();
        let turn = self.turns.step();
        let mut rows = self.stream.bits(free.planes, free.lanes);
        let (dealt, mut columns) = match self.who {
            Evaluator::First => {
                let (bits, words) = &layout;
                let rows = self.stream.bits(bits.planes, bits.lanes);
                let column = |c: &subrosa_core::WordsLayout| Words {
                    bits: c.bits,
                    values: self.stream.words(c.bits, c.count),
                };
                (rows, words.iter().map(column).collect())
            }
            Evaluator::Second => self.s.receive::<Piece>(turn, DEALER, layout)?,
        };
        rows = stack(rows, &dealt);
        let pad = self.stream.words(shape.pad, pad_len(shape));
        columns.push(Words {
            bits: shape.pad,
            values: pad,
        });
        Ok((rows, columns))
    }
}

impl Backend for Preparer<'_> {
    type Error = RunError;
    const LIVE: bool = false;
    const PUBLIC: bool = false;

    /// The summand that does not wait for c: λ_i w1 + p_i, and b1 at the first evaluator.
    fn linear(
        &mut self,
        linear: &Linear,
        bits: u32,
        _: &[u64],
        parts: &[u64],
    ) -> Result<Vec<u64>, RunError> {
        let mut out = self.stream.words(bits, linear.kind.out_len());
        if let (Some(bias), Evaluator::First) = (linear.bias, self.who) {
            self.shares
                .add_common(bias, &linear.kind.bias_spread(), &mut out);
        }
        let common = self.shares.common(linear.weight)?;
        linear
            .kind
            .accumulate(self.threads, bits, parts, common, &mut out);
        subrosa_ring::mask_into(&mut out, bits);
        self.shelf
            .put((BitMatrix::new(0, 0), vec![Words { bits, values: out }]))?;
        Ok(Vec::new())
    }

    fn bias(&mut self, _: WeightId, _: &Spread, _: &mut [u64]) {}

    fn parts(&mut self, lanes: usize, bits: u32, _: &[u64]) -> Result<Vec<u64>, RunError> {
        let (_, columns) = self.share(&Correlation::parts(lanes, bits))?;
        Ok(columns
            .into_iter()
            .next()
            .map(|w| w.values)
            .unwrap_or_default())
    }

    fn step(&mut self, lanes: usize, kind: Kind, _: Operands<'_>) -> Result<Vec<u64>, RunError> {
        let piece = self.share(&Correlation::of(lanes, kind))?;
        self.shelf.put(piece)?;
        Ok(Vec::new())
    }
}

fn pad_len(shape: &Correlation) -> usize {
    if shape.pad == 0 { 0 } else { shape.lanes }
}

fn stack(upper: BitMatrix, lower: &BitMatrix) -> BitMatrix {
    let (planes, lanes) = (upper.planes() + lower.planes(), upper.lanes());
    let mut words = upper.words().to_vec();
    words.extend_from_slice(lower.words());
    BitMatrix::from_words(planes, lanes, words)
}

/// Layout of what one server sends to the client.
pub fn masks_layout(view: &View, from_dealer: bool) -> <Masks as Wire>::Layout {
    if from_dealer {
        (Vec::new(), view.layouts.outputs.clone())
    } else {
        (vec![()], Vec::new())
    }
}
