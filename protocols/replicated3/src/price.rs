//! The plan read for its cost: the layouts of every piece and every message, and from them each party's bill.

use crate::correlation::{Correlation, PieceLayout, linear_piece};
use crate::parties::{CLIENT, DEALER, FIRST, SECOND};
use std::convert::Infallible;
use subrosa_core::{BitsLayout, Bytes, PartyId, Seed, Wire, Words, WordsLayout};
use subrosa_ir::{FixedGraph, Linear, Spread, WeightId, WireId, volume};
use subrosa_net::{Bill, Phase};
use subrosa_ring::BitMatrix;
use subrosa_share::flow::{Backend, Flow, Value, output_width};
use subrosa_share::step::{Kind, Operands};

/// Layouts of all that a plan's parties keep and send.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Layouts {
    /// Each evaluator's pieces, in order.
    pub pieces: Vec<PieceLayout>,
    /// What the dealer sends to the second evaluator, in order.
    dealt: Vec<PieceLayout>,
    /// What the evaluators open to each other, one way, in order.
    opened: Vec<Bytes>,
    /// Masked inputs, as the client sends them to each evaluator.
    pub inputs: Vec<WordsLayout>,
    /// Masked outputs, as the first evaluator sends them to the client; masks have the same layout.
    pub outputs: Vec<WordsLayout>,
    /// One share of every weight.
    pub weights: Vec<WordsLayout>,
}

impl Layouts {
    pub fn of(graph: &FixedGraph) -> Self {
        let mut layouts = Self::default();
        let wide = subrosa_share::widths(graph, 0);
        let count = |wire: WireId| volume(&graph.wire(wire).shape);
        let inputs = graph.inputs.iter().map(|port| port.wire);
        layouts.inputs = inputs
            .map(|wire| WordsLayout {
                count: count(wire),
                bits: wide[wire.0 as usize],
            })
            .collect();
        layouts.weights = graph
            .weight_layouts()
            .iter()
            .map(|w| WordsLayout {
                count: volume(&w.shape),
                bits: graph.ring,
            })
            .collect();
        let values = layouts
            .inputs
            .iter()
            .map(|l| Value::with_parts(l.bits, l.count, vec![], vec![]));
        let values = values.collect();
        let mut flow = Flow::new(graph, 0, Price { layouts });
        let Ok(outputs) = flow.run(values);
        let mut layouts = flow.backend.layouts;
        layouts.outputs = outputs
            .iter()
            .map(|v| WordsLayout {
                count: v.len,
                bits: v.bits,
            })
            .collect();
        debug_assert!(
            outputs
                .iter()
                .zip(&graph.outputs)
                .all(|(v, w)| v.bits <= output_width(graph, *w))
        );
        layouts
    }

    /// What `party` sends and waits for.
    pub fn bill(&self, party: PartyId) -> Bill {
        let mut bill = Bill::default();
        let seed = Seed::size(&());
        let words = |layouts: &[WordsLayout]| Vec::<Words>::size(&layouts.to_vec());
        let wait = |bill: &mut Bill, phase| bill.exchange(phase, Bytes(0), true);
        match party {
            DEALER => {
                bill.exchange(Phase::Setup, seed * 2, false);
                (0..2).for_each(|_| wait(&mut bill, Phase::Setup));
                let dealt: Bytes = self.dealt.iter().map(<(BitMatrix, Vec<Words>)>::size).sum();
                bill.exchange(Phase::Offline, dealt + words(&self.outputs), false);
            }
            FIRST | SECOND => {
                bill.exchange(Phase::Setup, seed, true);
                bill.exchange(Phase::Offline, seed, false);
                if party == SECOND {
                    self.dealt
                        .iter()
                        .for_each(|_| wait(&mut bill, Phase::Offline));
                }
                wait(&mut bill, Phase::Online);
                self.opened
                    .iter()
                    .for_each(|bytes| bill.exchange(Phase::Online, *bytes, true));
                if party == FIRST {
                    bill.exchange(Phase::Online, words(&self.outputs), false);
                }
            }
            CLIENT => {
                wait(&mut bill, Phase::Offline);
                bill.exchange(Phase::Online, words(&self.inputs) * 2, false);
                wait(&mut bill, Phase::Online);
            }
            _ => {}
        }
        bill
    }
}

struct Price {
    layouts: Layouts,
}

impl Price {
    fn deal(&mut self, correlation: &Correlation, keep: bool) {
        self.layouts.dealt.push(correlation.dealt());
        if keep {
            self.layouts.pieces.push(correlation.piece());
        }
    }

    fn open_bits(&mut self, layout: BitsLayout) {
        self.layouts.opened.push(BitMatrix::size(&layout));
    }

    fn open_words(&mut self, count: usize, bits: u32) {
        self.layouts
            .opened
            .push(Words::size(&WordsLayout { count, bits }));
    }
}

impl Backend for Price {
    type Error = Infallible;
    const LIVE: bool = false;
    const PUBLIC: bool = false;

    fn linear(
        &mut self,
        linear: &Linear,
        bits: u32,
        _: &[u64],
        _: &[u64],
    ) -> Result<Vec<u64>, Infallible> {
        let count = linear.kind.out_len();
        self.layouts.pieces.push(linear_piece(count, bits));
        self.open_words(count, bits);
        Ok(Vec::new())
    }

    fn bias(&mut self, _: WeightId, _: &Spread, _: &mut [u64]) {}

    fn parts(&mut self, lanes: usize, bits: u32, _: &[u64]) -> Result<Vec<u64>, Infallible> {
        self.deal(&Correlation::parts(lanes, bits), false);
        Ok(Vec::new())
    }

    fn step(&mut self, lanes: usize, kind: Kind, _: Operands<'_>) -> Result<Vec<u64>, Infallible> {
        let correlation = Correlation::of(lanes, kind);
        self.deal(&correlation, true);
        if let Some(compare) = &correlation.compare {
            (0..compare.levels()).for_each(|level| self.open_bits(compare.opening(level)));
            self.open_bits(compare.masked_sign());
        }
        self.open_words(lanes, kind.lift().wide);
        Ok(Vec::new())
    }
}
