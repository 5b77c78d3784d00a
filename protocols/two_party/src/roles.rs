//! The two roles over the spine: vendor and client.

use crate::TwoParty;
use crate::parties::{CLIENT, VENDOR};
use crate::plan::{View, Whole};
use subrosa_core::{Shelf, Stock, Wire, Words};
use subrosa_hybrid::{ClientKeys, Encoded, OwnerKeys, Piece, PieceLayout, client, owner};
use subrosa_ir::{Tensor, decode_output, encode_input, encode_weights};
use subrosa_net::{InputFault, LocalFault, RunError, Session, Turns};
use subrosa_protocol::{Holding, Role};
use subrosa_ring::{add_into, mask_into};

/// Brings the weights and computes on masked values.
pub struct Serving {
    pub threads: usize,
}

impl Role for Serving {
    type Of = TwoParty;
    type Plan = View;
    type Keys = OwnerKeys;
    type Part = Encoded;
    type Piece = Piece;
    type Running = (Stock<Piece>, Vec<Words>);
    type Outcome = Vec<Words>;

    fn view(&self, whole: &Whole) -> View {
        whole.view(VENDOR)
    }

    fn keys(&self, plan: &View) -> <OwnerKeys as Wire>::Layout {
        plan.scheme.parameters.clone()
    }

    fn pieces(&self, plan: &View) -> Vec<PieceLayout> {
        plan.scheme.pieces(plan.side())
    }

    fn setup(&self, plan: &View, s: &mut Session) -> Result<OwnerKeys, RunError> {
        OwnerKeys::setup(&plan.scheme.parameters, CLIENT, s)
    }

    fn part(&self, plan: &View, holding: &Holding) -> Result<Encoded, RunError> {
        let encoded = encode_weights(&plan.scheme.graph, holding.weights()?)
            .map_err(|_| LocalFault::Input(InputFault::Shape))?;
        Encoded::new(&plan.scheme, encoded)
    }

    fn offline(
        &self,
        plan: &View,
        keys: &OwnerKeys,
        part: &Encoded,
        shelf: &mut dyn Shelf<Piece>,
        s: &mut Session,
    ) -> Result<(), RunError> {
        owner::prepare_all(&plan.scheme, keys, part, CLIENT, shelf, self.threads, s)
    }

    fn share(
        &self,
        plan: &View,
        _: &OwnerKeys,
        stock: Stock<Piece>,
        _: Option<Vec<Tensor>>,
        s: &mut Session,
    ) -> Result<(Stock<Piece>, Vec<Words>), RunError> {
        let inputs = s.receive(Turns::FIRST, CLIENT, plan.scheme.inputs.clone())?;
        Ok((stock, inputs))
    }

    fn online(
        &self,
        plan: &View,
        _: &OwnerKeys,
        part: &Encoded,
        (stock, inputs): (Stock<Piece>, Vec<Words>),
        s: &mut Session,
    ) -> Result<Vec<Words>, RunError> {
        owner::evaluate_all(&plan.scheme, part, stock, inputs, CLIENT, self.threads, s)
    }

    fn reveal(
        &self,
        _: &View,
        _: &OwnerKeys,
        outcome: Vec<Words>,
        s: &mut Session,
    ) -> Result<Option<Vec<Tensor>>, RunError> {
        s.send(Turns::LAST, CLIENT, outcome)?;
        Ok(None)
    }
}

/// Brings the input and opens the answer.
pub struct Asking {
    pub threads: usize,
}

impl Role for Asking {
    type Of = TwoParty;
    type Plan = View;
    type Keys = ClientKeys;
    type Part = ();
    type Piece = Piece;
    type Running = Stock<Piece>;
    /// The masks of the outputs.
    type Outcome = Vec<Words>;

    fn view(&self, whole: &Whole) -> View {
        whole.view(CLIENT)
    }

    fn keys(&self, plan: &View) -> <ClientKeys as Wire>::Layout {
        plan.scheme.parameters.clone()
    }

    fn pieces(&self, plan: &View) -> Vec<PieceLayout> {
        plan.scheme.pieces(plan.side())
    }

    fn setup(&self, plan: &View, s: &mut Session) -> Result<ClientKeys, RunError> {
        ClientKeys::setup(&plan.scheme.parameters, VENDOR, s)
    }

    fn part(&self, _: &View, _: &Holding) -> Result<(), RunError> {
        Ok(())
    }

    fn offline(
        &self,
        plan: &View,
        keys: &ClientKeys,
        (): &(),
        shelf: &mut dyn Shelf<Piece>,
        s: &mut Session,
    ) -> Result<(), RunError> {
        client::prepare_all(&plan.scheme, keys, VENDOR, shelf, self.threads, s)
    }

    /// c = x - r.
    fn share(
        &self,
        plan: &View,
        _: &ClientKeys,
        mut stock: Stock<Piece>,
        inputs: Option<Vec<Tensor>>,
        s: &mut Session,
    ) -> Result<Stock<Piece>, RunError> {
        let graph = &plan.scheme.graph;
        let inputs = inputs.ok_or(LocalFault::Input(InputFault::Missing))?;
        let (expected, found) = (graph.inputs.len() as u64, inputs.len() as u64);
        if expected != found {
            return Err(LocalFault::Input(InputFault::Count { expected, found }).into());
        }
        let encode = |(port, x)| encode_input(graph, port, x);
        let plain: Result<Vec<Vec<u64>>, _> = inputs.iter().enumerate().map(encode).collect();
        let plain = plain.map_err(|_| LocalFault::Input(InputFault::Range))?;
        let masked = client::mask_inputs(&plain, stock.take()?.columns()?);
        s.send(Turns::FIRST, VENDOR, masked)?;
        Ok(stock)
    }

    fn online(
        &self,
        plan: &View,
        _: &ClientKeys,
        (): &(),
        mut stock: Stock<Piece>,
        s: &mut Session,
    ) -> Result<Vec<Words>, RunError> {
        client::answer_all(&plan.scheme, &mut stock, VENDOR, s)?;
        stock.take()?.columns()
    }

    fn reveal(
        &self,
        plan: &View,
        _: &ClientKeys,
        masks: Vec<Words>,
        s: &mut Session,
    ) -> Result<Option<Vec<Tensor>>, RunError> {
        let graph = &plan.scheme.graph;
        let opened: Vec<Words> = s.receive(Turns::LAST, VENDOR, plan.scheme.outputs.clone())?;
        let mut tensors = Vec::with_capacity(opened.len());
        for (output, (mut c, mask)) in opened.into_iter().zip(masks).enumerate() {
            add_into(&mut c.values, &mask.values);
            mask_into(&mut c.values, c.bits);
            let tensor = decode_output(graph, output, c.bits, &c.values);
            tensors.push(tensor.map_err(|_| LocalFault::Invariant)?);
        }
        let answers = graph
            .tail
            .eval(&tensors)
            .map_err(|_| LocalFault::Invariant)?;
        Ok(Some(answers))
    }
}
