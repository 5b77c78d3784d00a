//! The owner: it knows the weights, and every value less the client's mask.

use crate::client::{values, words};
use crate::line::Line;
use crate::piece::Piece;
use crate::price::Side;
use crate::scheme::{Reading, Scheme, Step};
use crate::step::{Kind, Operands, Shape};
use crate::{gc, ot};
use std::slice::Iter;
use subrosa_core::{Bytes, Malformed, PartyId, Prg, Rounds, Shelf, Stock, Wire, Words};
use subrosa_garble::Garbler;
use subrosa_ir::{Linear, Spread, WeightId};
use subrosa_net::{Cost, InputFault, LocalFault, RunError, Session, Turns};
use subrosa_ot::{Receiver, ReceiverKeys, Sender, SenderKeys};
use subrosa_ring::{mask_into, sign_extend};
use subrosa_rlwe::{Hiding, Parameters, PublicKey, Query};
use subrosa_share::flow::{Backend, Flow, Value};

/// What an owner keeps for one client. Read-only.
pub struct OwnerKeys {
    pub(crate) public: PublicKey,
    pub(crate) receives: ReceiverKeys,
    pub(crate) sends: SenderKeys,
}

impl OwnerKeys {
    pub fn setup(
        parameters: &Parameters,
        client: PartyId,
        s: &mut Session,
    ) -> Result<Self, RunError> {
        let mut turns = Turns::default();
        Ok(Self {
            public: s.receive(turns.step(), client, parameters.clone())?,
            receives: ReceiverKeys::setup(client, &mut turns, s)?,
            sends: SenderKeys::setup(client, &mut turns, s)?,
        })
    }

    pub fn setup_cost(_: &Parameters) -> Cost {
        let waits = Cost {
            rounds: Rounds(1),
            ..Cost::default()
        };
        waits + SenderKeys::setup_cost() + ReceiverKeys::setup_cost()
    }
}

/// For the disk, not for the peer.
impl Wire for OwnerKeys {
    type Layout = Parameters;
    fn size(p: &Parameters) -> Bytes {
        PublicKey::size(p) + ReceiverKeys::size(&()) + SenderKeys::size(&())
    }
    fn encode(&self, out: &mut Vec<u8>) {
        self.public.encode(out);
        self.receives.encode(out);
        self.sends.encode(out);
    }
    fn decode(p: &Parameters, bytes: &[u8]) -> Result<Self, Malformed> {
        let (public, (receives, sends)) = Wire::decode(&(p.clone(), ((), ())), bytes)?;
        Ok(Self {
            public,
            receives,
            sends,
        })
    }
}

/// The weights as integers: modulo 2^ring for biases and online products, centred for products with ciphertexts.
pub struct Encoded {
    modular: Vec<Vec<u64>>,
    centred: Vec<Vec<i64>>,
}

impl Encoded {
    /// Refuses a factor of 2^weight_bits or more.
    pub fn new(scheme: &Scheme, modular: Vec<Vec<u64>>) -> Result<Self, RunError> {
        let ring = scheme.graph.ring;
        let centre = |w: &Vec<u64>| w.iter().map(|w| sign_extend(*w, ring)).collect();
        let centred: Vec<Vec<i64>> = modular.iter().map(centre).collect();
        for id in scheme.factors() {
            let factor = centred.get(id.0 as usize).ok_or(LocalFault::Invariant)?;
            if factor
                .iter()
                .any(|w| w.unsigned_abs() >> scheme.weight_bits.0 > 0)
            {
                return Err(LocalFault::Input(InputFault::Range).into());
            }
        }
        Ok(Self { modular, centred })
    }

    fn modular(&self, id: WeightId) -> Result<&[u64], RunError> {
        let found = self.modular.get(id.0 as usize);
        Ok(found.ok_or(LocalFault::Invariant)?)
    }

    fn centred(&self, id: WeightId) -> Result<&[i64], RunError> {
        let found = self.centred.get(id.0 as usize);
        Ok(found.ok_or(LocalFault::Invariant)?)
    }

    fn add_bias(&self, id: WeightId, spread: &Spread, x: &mut [u64]) {
        if let Some(bias) = self.modular.get(id.0 as usize) {
            spread.each(|at, channel| x[at] = x[at].wrapping_add(bias[channel]));
        }
    }
}

/// The owner's whole offline phase.
pub fn prepare_all(
    scheme: &Scheme,
    keys: &OwnerKeys,
    weights: &Encoded,
    client: PartyId,
    shelf: &mut dyn Shelf<Piece>,
    threads: usize,
    s: &mut Session,
) -> Result<(), RunError> {
    let blind =
        |l: &subrosa_core::WordsLayout| Value::with_parts(l.bits, l.count, Vec::new(), Vec::new());
    let preparing = Preparing {
        scheme,
        keys,
        weights,
        steps: scheme.steps.iter(),
        receives: Receiver::new(&keys.receives, &scheme.extension(Side::Client), client, s)?,
        sends: Sender::new(&keys.sends, &scheme.extension(Side::Owner), client, s)?,
        prg: Prg::new(&s.seed()),
        garbler: Garbler::new(Prg::new(&s.seed())),
        shelf,
        threads,
        line: Line::new(client, s),
    };
    let inputs = scheme.inputs.iter().map(blind).collect();
    Flow::new(&scheme.graph, scheme.ending, preparing).run(inputs)?;
    Ok(())
}

struct Preparing<'a> {
    scheme: &'a Scheme,
    keys: &'a OwnerKeys,
    weights: &'a Encoded,
    steps: Iter<'a, Step>,
    receives: Receiver,
    sends: Sender,
    prg: Prg,
    garbler: Garbler,
    shelf: &'a mut dyn Shelf<Piece>,
    threads: usize,
    line: Line<'a>,
}

impl Preparing<'_> {
    fn one(&mut self, shape: &Shape) -> Result<(), RunError> {
        let Line { turns, s, .. } = &mut self.line;
        let lanes = shape.lanes;
        let piece = match self.scheme.reading {
            Reading::Ot => {
                let got = self.receives.draw(shape.client_ots(), lanes, turns, s)?;
                let sent = self.sends.draw(shape.owner_ots(), lanes, turns, s)?;
                let correction = self.line.receive(shape.correction())?;
                Piece::Ot(ot::owner::prepare(shape, got, sent, &correction)?)
            }
            Reading::Gc => {
                let sent = self.sends.draw(shape.label_ots(), lanes, turns, s)?;
                let corrections = self.line.receive(shape.corrected_bits())?;
                let (offer, piece) = gc::garble(shape, &mut self.garbler, &corrections, sent)?;
                self.line.send(offer)?;
                Piece::Garbling(piece)
            }
        };
        Ok(self.shelf.put(piece)?)
    }
}

impl Backend for Preparing<'_> {
    type Error = RunError;
    const LIVE: bool = false;
    const PUBLIC: bool = false;

    /// [Delphi] offline linear. The share s, with the bias, is the piece.
    fn linear(
        &mut self,
        linear: &Linear,
        bits: u32,
        _: &[u64],
        _: &[u64],
    ) -> Result<Vec<u64>, RunError> {
        let Some(Step::Linear(layer, _)) = self.steps.next() else {
            return Err(LocalFault::Invariant.into());
        };
        let query: Query = self.line.receive(layer.query_layout())?;
        let weight = self.weights.centred(linear.weight)?;
        let key = &self.keys.public;
        let (answer, mut values) = layer.evaluate(
            key,
            &query,
            weight,
            Hiding::full(),
            self.threads,
            &mut self.prg,
        );
        self.line.send(answer)?;
        if let Some(bias) = linear.bias {
            let spread = linear.kind.bias_spread();
            self.weights.add_bias(bias, &spread, &mut values);
        }
        mask_into(&mut values, bits);
        self.shelf
            .put(Piece::Columns(vec![Words { bits, values }]))?;
        Ok(Vec::new())
    }

    fn bias(&mut self, _: WeightId, _: &Spread, _: &mut [u64]) {}

    fn parts(&mut self, _: usize, _: u32, _: &[u64]) -> Result<Vec<u64>, RunError> {
        Ok(Vec::new())
    }

    fn step(&mut self, lanes: usize, kind: Kind, _: Operands<'_>) -> Result<Vec<u64>, RunError> {
        for shape in Shape::split(lanes, kind, self.scheme.reading) {
            self.steps.next();
            self.one(&shape)?;
        }
        Ok(Vec::new())
    }
}

/// From masked inputs to masked outputs.
pub fn evaluate_all(
    scheme: &Scheme,
    weights: &Encoded,
    stock: Stock<Piece>,
    inputs: Vec<Words>,
    client: PartyId,
    threads: usize,
    s: &mut Session,
) -> Result<Vec<Words>, RunError> {
    let evaluating = Evaluating {
        reading: scheme.reading,
        weights,
        stock,
        threads,
        line: Line::new(client, s),
    };
    let outputs = Flow::new(&scheme.graph, scheme.ending, evaluating).run(values(inputs))?;
    Ok(words(&outputs))
}

struct Evaluating<'a> {
    reading: Reading,
    weights: &'a Encoded,
    stock: Stock<Piece>,
    threads: usize,
    line: Line<'a>,
}

impl Evaluating<'_> {
    fn one(&mut self, shape: &Shape, of: &Operands<'_>) -> Result<Vec<u64>, RunError> {
        match self.stock.take()? {
            Piece::Ot(piece) => ot::owner::evaluate_step(shape, piece, of, &mut self.line),
            Piece::Garbling((zeros, colours)) => {
                self.line.send(gc::activate(shape, zeros, of)?)?;
                let found = self.line.receive(shape.found())?;
                gc::decode(shape, colours, &found, of)
            }
            _ => Err(LocalFault::Invariant.into()),
        }
    }
}

impl Backend for Evaluating<'_> {
    type Error = RunError;
    const LIVE: bool = true;
    const PUBLIC: bool = true;

    /// c W + s + bias; the client's mask of it is W r - s.
    fn linear(
        &mut self,
        linear: &Linear,
        bits: u32,
        x: &[u64],
        _: &[u64],
    ) -> Result<Vec<u64>, RunError> {
        let share = self.stock.take()?.columns()?;
        let share = share.into_iter().next().ok_or(LocalFault::Invariant)?;
        let mut out = share.values;
        let weight = self.weights.modular(linear.weight)?;
        linear
            .kind
            .accumulate(self.threads, bits, x, weight, &mut out);
        mask_into(&mut out, bits);
        Ok(out)
    }

    fn bias(&mut self, weight: WeightId, spread: &Spread, x: &mut [u64]) {
        self.weights.add_bias(weight, spread, x);
    }

    fn parts(&mut self, _: usize, _: u32, _: &[u64]) -> Result<Vec<u64>, RunError> {
        Ok(Vec::new())
    }

    fn step(&mut self, lanes: usize, kind: Kind, of: Operands<'_>) -> Result<Vec<u64>, RunError> {
        let mut out = Vec::with_capacity(lanes);
        for shape in Shape::split(lanes, kind, self.reading) {
            let part = of.slice(out.len(), out.len() + shape.lanes);
            out.extend(self.one(&shape, &part)?);
        }
        Ok(out)
    }
}
