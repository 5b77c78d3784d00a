//! The three roles over the spine: evaluator, dealer, client.

use crate::Replicated3;
use crate::correlation::{Piece, PieceLayout};
use crate::offline::{Masks, add, deal_all, input_masks, masks_layout, prepare};
use crate::online::evaluate;
use crate::part::{Shares, Sums};
use crate::parties::{CLIENT, DEALER, FIRST, SECOND};
use crate::plan::{View, Whole};
use crate::setup::{agree, stream};
use subrosa_core::{Never, PartyId, Seed, Shelf, Stock, Wire, Words, WordsLayout};
use subrosa_ir::{Tensor, decode_output, encode_input};
use subrosa_net::{InputFault, LocalFault, RunError, Session, Turns};
use subrosa_protocol::{Holding, Role};
use subrosa_ring::mask;
use subrosa_share::Evaluator;

/// A server that sees masked values.
pub struct Evaluating {
    pub who: Evaluator,
    pub threads: usize,
}

impl Evaluating {
    fn me(&self) -> PartyId {
        match self.who {
            Evaluator::First => FIRST,
            Evaluator::Second => SECOND,
        }
    }
}

/// An evaluator between its phases.
pub struct EvaluatorRunning {
    stock: Stock<Piece>,
    inputs: Vec<Words>,
}

impl Role for Evaluating {
    type Of = Replicated3;
    type Plan = View;
    type Keys = Seed;
    type Part = Shares;
    type Piece = Piece;
    type Running = EvaluatorRunning;
    type Outcome = Vec<Words>;

    fn view(&self, whole: &Whole) -> View {
        View::new(self.me(), whole.graph.clone())
    }

    fn keys(&self, _: &View) {}

    fn pieces(&self, plan: &View) -> Vec<PieceLayout> {
        plan.layouts.pieces.clone()
    }

    fn setup(&self, _: &View, s: &mut Session) -> Result<Seed, RunError> {
        agree(DEALER, s)
    }

    fn part(&self, plan: &View, holding: &Holding) -> Result<Shares, RunError> {
        Shares::of(plan, holding)
    }

    fn offline(
        &self,
        plan: &View,
        keys: &Seed,
        part: &Shares,
        shelf: &mut dyn Shelf<Piece>,
        s: &mut Session,
    ) -> Result<(), RunError> {
        let stream = stream(keys, DEALER, s)?;
        prepare(plan, self.who, part, stream, shelf, self.threads, s)
    }

    fn share(
        &self,
        plan: &View,
        _: &Seed,
        stock: Stock<Piece>,
        _: Option<Vec<Tensor>>,
        s: &mut Session,
    ) -> Result<EvaluatorRunning, RunError> {
        let inputs = s.receive(Turns::FIRST, CLIENT, plan.layouts.inputs.clone())?;
        Ok(EvaluatorRunning { stock, inputs })
    }

    fn online(
        &self,
        plan: &View,
        _: &Seed,
        part: &Shares,
        running: EvaluatorRunning,
        s: &mut Session,
    ) -> Result<Vec<Words>, RunError> {
        evaluate(
            plan,
            self.who,
            part,
            running.stock,
            running.inputs,
            self.threads,
            s,
        )
    }

    /// Both evaluators know c; the first sends it.
    fn reveal(
        &self,
        _: &View,
        _: &Seed,
        outcome: Vec<Words>,
        s: &mut Session,
    ) -> Result<Option<Vec<Tensor>>, RunError> {
        if self.who == Evaluator::First {
            s.send(Turns::LAST, CLIENT, outcome)?;
        }
        Ok(None)
    }
}

/// The server that knows masks and is silent online.
pub struct Dealing {
    pub threads: usize,
}

impl Role for Dealing {
    type Of = Replicated3;
    type Plan = View;
    type Keys = (Seed, Seed);
    type Part = Sums;
    type Piece = Never;
    type Running = ();
    type Outcome = ();

    fn view(&self, whole: &Whole) -> View {
        View::new(DEALER, whole.graph.clone())
    }

    fn keys(&self, _: &View) -> ((), ()) {
        ((), ())
    }

    fn setup(&self, _: &View, s: &mut Session) -> Result<(Seed, Seed), RunError> {
        Ok((agree(FIRST, s)?, agree(SECOND, s)?))
    }

    fn part(&self, plan: &View, holding: &Holding) -> Result<Sums, RunError> {
        Sums::of(plan, holding)
    }

    fn offline(
        &self,
        plan: &View,
        keys: &(Seed, Seed),
        part: &Sums,
        _: &mut dyn Shelf<Never>,
        s: &mut Session,
    ) -> Result<(), RunError> {
        let first = stream(&keys.0, FIRST, s)?;
        let second = stream(&keys.1, SECOND, s)?;
        deal_all(plan, part, first, second, self.threads, s)
    }

    fn share(
        &self,
        _: &View,
        _: &(Seed, Seed),
        _: Stock<Never>,
        _: Option<Vec<Tensor>>,
        _: &mut Session,
    ) -> Result<(), RunError> {
        Ok(())
    }

    fn online(
        &self,
        _: &View,
        _: &(Seed, Seed),
        _: &Sums,
        (): (),
        _: &mut Session,
    ) -> Result<(), RunError> {
        Ok(())
    }
}

/// Brings the input and opens the answer.
pub struct Asking;

/// One inference's masks: the seeds of both parts of the input masks, and the output masks.
pub type ClientPiece = (Vec<Seed>, Vec<Words>);

impl Role for Asking {
    type Of = Replicated3;
    type Plan = View;
    type Keys = ();
    type Part = ();
    type Piece = ClientPiece;
    type Running = Vec<Words>;
    type Outcome = Vec<Words>;

    fn view(&self, whole: &Whole) -> View {
        View::new(CLIENT, whole.graph.clone())
    }

    fn keys(&self, _: &View) {}

    fn pieces(&self, plan: &View) -> Vec<<ClientPiece as Wire>::Layout> {
        vec![(vec![(); 2], plan.layouts.outputs.clone())]
    }

    fn setup(&self, _: &View, _: &mut Session) -> Result<(), RunError> {
        Ok(())
    }

    fn part(&self, _: &View, _: &Holding) -> Result<(), RunError> {
        Ok(())
    }

    fn offline(
        &self,
        plan: &View,
        (): &(),
        (): &(),
        shelf: &mut dyn Shelf<ClientPiece>,
        s: &mut Session,
    ) -> Result<(), RunError> {
        let from = [
            (FIRST, masks_layout(plan, false)),
            (SECOND, masks_layout(plan, false)),
            (DEALER, masks_layout(plan, true)),
        ];
        let got: Vec<Masks> = s.exchange::<(), Masks>(Turns::LAST, Vec::new(), &from)?;
        let mut piece = ClientPiece::default();
        for (seeds, words) in got {
            piece.0.extend(seeds);
            piece.1.extend(words);
        }
        Ok(shelf.put(piece)?)
    }

    /// c = x - λ0 - λ2, to both evaluators.
    fn share(
        &self,
        plan: &View,
        (): &(),
        mut stock: Stock<ClientPiece>,
        inputs: Option<Vec<Tensor>>,
        s: &mut Session,
    ) -> Result<Vec<Words>, RunError> {
        let (seeds, masks) = stock.take()?;
        let inputs = inputs.ok_or(LocalFault::Input(InputFault::Missing))?;
        let (expected, found) = (plan.graph.inputs.len() as u64, inputs.len() as u64);
        if expected != found {
            return Err(LocalFault::Input(InputFault::Count { expected, found }).into());
        }
        let [first, second] = seeds.as_slice() else {
            return Err(LocalFault::Invariant.into());
        };
        let parts = input_masks(plan, first)
            .into_iter()
            .zip(input_masks(plan, second));
        let mut masked = Vec::with_capacity(inputs.len());
        for (((port, x), (a, b)), layout) in inputs
            .iter()
            .enumerate()
            .zip(parts)
            .zip(&plan.layouts.inputs)
        {
            let plain = encode_input(&plan.graph, port, x)
                .map_err(|_| LocalFault::Input(InputFault::Range))?;
            let lambda = add(layout.bits, &a, &b);
            let c = plain
                .iter()
                .zip(&lambda)
                .map(|(x, l)| x.wrapping_sub(*l) & mask(layout.bits));
            masked.push(Words {
                bits: layout.bits,
                values: c.collect(),
            });
        }
        s.exchange::<Vec<Words>, ()>(
            Turns::FIRST,
            vec![(FIRST, masked.clone()), (SECOND, masked)],
            &[],
        )?;
        Ok(masks)
    }

    fn online(
        &self,
        _: &View,
        (): &(),
        (): &(),
        running: Vec<Words>,
        _: &mut Session,
    ) -> Result<Vec<Words>, RunError> {
        Ok(running)
    }

    fn reveal(
        &self,
        plan: &View,
        (): &(),
        masks: Vec<Words>,
        s: &mut Session,
    ) -> Result<Option<Vec<Tensor>>, RunError> {
        let layout: Vec<WordsLayout> = plan.layouts.outputs.clone();
        let opened: Vec<Words> = s.receive(Turns::LAST, FIRST, layout)?;
        let mut tensors = Vec::with_capacity(opened.len());
        for (output, (c, lambda)) in opened.iter().zip(&masks).enumerate() {
            let plain = add(c.bits, &c.values, &lambda.values);
            let tensor = decode_output(&plan.graph, output, c.bits, &plain);
            tensors.push(tensor.map_err(|_| LocalFault::Invariant)?);
        }
        let answers = plan
            .graph
            .tail
            .eval(&tensors)
            .map_err(|_| LocalFault::Invariant)?;
        Ok(Some(answers))
    }
}
