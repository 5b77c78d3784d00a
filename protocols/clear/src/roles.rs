//! The two roles over the spine: server and client.

use crate::Clear;
use crate::parties::{CLIENT, SERVER};
use crate::plan::{View, Whole};
use subrosa_core::{Malformed, Never, Stock, Words, WordsLayout};
use subrosa_ir::{Tensor, decode_output, encode_input, encode_weights};
use subrosa_net::{InputFault, LocalFault, Misdeed, RunError, Session, Step};
use subrosa_protocol::{Holding, Role};
use subrosa_ring::{mask, sign_extend};

/// The inputs, from client to server.
const ASK: Step = Step(1);
/// The opened wires, from server to client.
const ANSWER: Step = Step(2);

/// Brings the weights and computes.
pub struct Serving {
    pub threads: usize,
}

impl Role for Serving {
    type Of = Clear;
    type Plan = View;
    type Keys = ();
    /// The weights as integers.
    type Part = Vec<Vec<u64>>;
    type Piece = Never;
    /// The inputs as integers modulo 2^64.
    type Running = Vec<Vec<u64>>;
    type Outcome = Vec<Vec<u64>>;

    fn view(&self, whole: &Whole) -> View {
        View {
            me: SERVER,
            graph: whole.graph.clone(),
        }
    }

    fn keys(&self, _: &View) {}

    fn setup(&self, _: &View, _: &mut Session) -> Result<(), RunError> {
        Ok(())
    }

    fn part(&self, plan: &View, holding: &Holding) -> Result<Vec<Vec<u64>>, RunError> {
        Ok(encode_weights(&plan.graph, holding.weights()?)
            .map_err(|_| LocalFault::Input(InputFault::Shape))?)
    }

    fn share(
        &self,
        plan: &View,
        (): &(),
        _: Stock<Never>,
        _: Option<Vec<Tensor>>,
        s: &mut Session,
    ) -> Result<Vec<Vec<u64>>, RunError> {
        let inputs: Vec<Words> = s.receive(ASK, CLIENT, plan.inputs())?;
        let extend = |words: &Words| -> Vec<u64> {
            let values = words.values.iter();
            values.map(|v| sign_extend(*v, words.bits) as u64).collect()
        };
        let inputs: Vec<Vec<u64>> = inputs.iter().map(extend).collect();
        for (values, [low, high]) in inputs.iter().zip(&plan.graph.declared) {
            if values
                .iter()
                .any(|v| !(*low..=*high).contains(&(*v as i64)))
            {
                return Err(RunError::Peer {
                    peer: CLIENT,
                    misdeed: Misdeed::Malformed(Malformed::Range),
                });
            }
        }
        Ok(inputs)
    }

    fn online(
        &self,
        plan: &View,
        (): &(),
        weights: &Vec<Vec<u64>>,
        inputs: Vec<Vec<u64>>,
        _: &mut Session,
    ) -> Result<Vec<Vec<u64>>, RunError> {
        let run = || {
            let mut kernels = subrosa_ir::Clear::new(&plan.graph, weights, self.threads)?;
            kernels.run(&plan.graph, inputs)
        };
        Ok(run().map_err(|_| LocalFault::Invariant)?)
    }

    fn reveal(
        &self,
        plan: &View,
        (): &(),
        outcome: Vec<Vec<u64>>,
        s: &mut Session,
    ) -> Result<Option<Vec<Tensor>>, RunError> {
        let layouts = plan.outputs();
        s.send(ANSWER, CLIENT, words(outcome, &layouts))?;
        Ok(None)
    }
}

/// Brings the input and receives the answer.
pub struct Asking;

impl Role for Asking {
    type Of = Clear;
    type Plan = View;
    type Keys = ();
    type Part = ();
    type Piece = Never;
    type Running = ();
    type Outcome = Vec<Words>;

    fn view(&self, whole: &Whole) -> View {
        View {
            me: CLIENT,
            graph: whole.graph.clone(),
        }
    }

    fn keys(&self, _: &View) {}

    fn setup(&self, _: &View, _: &mut Session) -> Result<(), RunError> {
        Ok(())
    }

    fn part(&self, _: &View, _: &Holding) -> Result<(), RunError> {
        Ok(())
    }

    fn share(
        &self,
        plan: &View,
        (): &(),
        _: Stock<Never>,
        inputs: Option<Vec<Tensor>>,
        s: &mut Session,
    ) -> Result<(), RunError> {
        let inputs = inputs.ok_or(LocalFault::Input(InputFault::Missing))?;
        let (expected, found) = (plan.graph.inputs.len() as u64, inputs.len() as u64);
        if expected != found {
            return Err(LocalFault::Input(InputFault::Count { expected, found }).into());
        }
        let encoded: Result<Vec<Vec<u64>>, _> = inputs
            .iter()
            .enumerate()
            .map(|(port, x)| encode_input(&plan.graph, port, x))
            .collect();
        let encoded = encoded.map_err(|_| LocalFault::Input(InputFault::Range))?;
        s.send(ASK, SERVER, words(encoded, &plan.inputs()))
    }

    fn online(
        &self,
        plan: &View,
        (): &(),
        (): &(),
        (): (),
        s: &mut Session,
    ) -> Result<Vec<Words>, RunError> {
        s.receive(ANSWER, SERVER, plan.outputs())
    }

    fn reveal(
        &self,
        plan: &View,
        (): &(),
        opened: Vec<Words>,
        _: &mut Session,
    ) -> Result<Option<Vec<Tensor>>, RunError> {
        let decode = |(output, words): (usize, &Words)| {
            decode_output(&plan.graph, output, words.bits, &words.values)
        };
        let tensors: Result<Vec<Tensor>, _> = opened.iter().enumerate().map(decode).collect();
        let tensors = tensors.map_err(|_| LocalFault::Invariant)?;
        let answers = plan.graph.tail.eval(&tensors);
        Ok(Some(answers.map_err(|_| LocalFault::Invariant)?))
    }
}

/// Integers modulo 2^64, cut to the widths of their layouts.
fn words(values: Vec<Vec<u64>>, layouts: &[WordsLayout]) -> Vec<Words> {
    let cut = |(mut values, layout): (Vec<u64>, &WordsLayout)| {
        let bits = layout.bits;
        values.iter_mut().for_each(|v| *v &= mask(bits));
        Words { bits, values }
    };
    values.into_iter().zip(layouts).map(cut).collect()
}
