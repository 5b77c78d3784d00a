//! The client: it draws every mask, and knows the mask of every value before its input is there.

use crate::line::Line;
use crate::piece::Piece;
use crate::price::Side;
use crate::scheme::{Reading, Scheme, Step};
use crate::step::{Kind, Operands, Shape};
use crate::{gc, ot};
use std::slice::Iter;
use subrosa_core::{Bytes, Malformed, PartyId, Prg, Shelf, Stock, Wire, Words};
use subrosa_ir::{Linear, Spread, WeightId};
use subrosa_net::{Cost, LocalFault, RunError, Session, Turns};
use subrosa_ot::{Receiver, ReceiverKeys, Sender, SenderKeys};
use subrosa_ring::mask;
use subrosa_rlwe::{Answer, Parameters, PublicKey, SecretKey};
use subrosa_share::flow::{Backend, Flow, Value};

/// What a client keeps for one owner. Read-only.
pub struct ClientKeys {
    pub(crate) secret: SecretKey,
    pub(crate) sends: SenderKeys,
    pub(crate) receives: ReceiverKeys,
}

impl ClientKeys {
    /// Sends a public key under which answers are re-randomised; base OTs both ways.
    pub fn setup(
        parameters: &Parameters,
        owner: PartyId,
        s: &mut Session,
    ) -> Result<Self, RunError> {
        let mut turns = Turns::default();
        let mut prg = Prg::new(&s.seed());
        let secret = SecretKey::random(parameters, &mut prg);
        let public = secret.public_key(parameters, &mut prg);
        s.send(turns.step(), owner, public)?;
        Ok(Self {
            secret,
            sends: SenderKeys::setup(owner, &mut turns, s)?,
            receives: ReceiverKeys::setup(owner, &mut turns, s)?,
        })
    }

    pub fn setup_cost(parameters: &Parameters) -> Cost {
        let key = Cost {
            bytes: PublicKey::size(parameters),
            ..Cost::default()
        };
        key + SenderKeys::setup_cost() + ReceiverKeys::setup_cost()
    }
}

/// For the disk, not for the peer.
impl Wire for ClientKeys {
    type Layout = Parameters;
    fn size(p: &Parameters) -> Bytes {
        SecretKey::size(p) + SenderKeys::size(&()) + ReceiverKeys::size(&())
    }
    fn encode(&self, out: &mut Vec<u8>) {
        self.secret.encode(out);
        self.sends.encode(out);
        self.receives.encode(out);
    }
    fn decode(p: &Parameters, bytes: &[u8]) -> Result<Self, Malformed> {
        let (secret, (sends, receives)) = Wire::decode(&(p.clone(), ((), ())), bytes)?;
        Ok(Self {
            secret,
            sends,
            receives,
        })
    }
}

/// The client's whole offline phase.
pub fn prepare_all(
    scheme: &Scheme,
    keys: &ClientKeys,
    owner: PartyId,
    shelf: &mut dyn Shelf<Piece>,
    threads: usize,
    s: &mut Session,
) -> Result<(), RunError> {
    let mut prg = Prg::new(&s.seed());
    let draw = scheme.inputs.iter().map(|l| Words {
        bits: l.bits,
        values: prg.words(l.bits, l.count),
    });
    let inputs: Vec<Words> = draw.collect();
    shelf.put(Piece::Columns(inputs.clone()))?;
    let preparing = Preparing {
        scheme,
        keys,
        steps: scheme.steps.iter(),
        sends: Sender::new(&keys.sends, &scheme.extension(Side::Client), owner, s)?,
        receives: Receiver::new(&keys.receives, &scheme.extension(Side::Owner), owner, s)?,
        prg,
        shelf,
        threads,
        line: Line::new(owner, s),
    };
    let mut flow = Flow::new(&scheme.graph, scheme.ending, preparing);
    let outputs = flow.run(values(inputs))?;
    Ok(flow.backend.shelf.put(Piece::Columns(words(&outputs)))?)
}

/// Vectors of ring elements as values of a walk.
pub(crate) fn values(words: Vec<Words>) -> Vec<Value> {
    let value = |w: Words| Value::with_parts(w.bits, w.values.len(), w.values, Vec::new());
    words.into_iter().map(value).collect()
}

/// Values of a walk as vectors of ring elements.
pub(crate) fn words(values: &[Value]) -> Vec<Words> {
    let words = |v: &Value| Words {
        bits: v.bits,
        values: v.data.to_vec(),
    };
    values.iter().map(words).collect()
}

struct Preparing<'a> {
    scheme: &'a Scheme,
    keys: &'a ClientKeys,
    steps: Iter<'a, Step>,
    sends: Sender,
    receives: Receiver,
    prg: Prg,
    shelf: &'a mut dyn Shelf<Piece>,
    threads: usize,
    line: Line<'a>,
}

impl Preparing<'_> {
    /// One step: the mask of its result.
    fn one(&mut self, shape: &Shape, of: &Operands<'_>) -> Result<Vec<u64>, RunError> {
        let Line { turns, s, .. } = &mut self.line;
        let lanes = shape.lanes;
        match self.scheme.reading {
            Reading::Ot => {
                let sent = self.sends.draw(shape.client_ots(), lanes, turns, s)?;
                let got = self.receives.draw(shape.owner_ots(), lanes, turns, s)?;
                let ready = ot::client::prepare(shape, of, sent, got, &mut self.prg)?;
                self.line.send(ready.correction)?;
                self.shelf.put(Piece::Ot(ready.piece))?;
                Ok(ready.mask)
            }
            Reading::Gc => {
                let got = self.receives.draw(shape.label_ots(), lanes, turns, s)?;
                let (bits, mask) = gc::client_bits(shape, of, &mut self.prg);
                self.line.send(gc::correct(&bits, &got))?;
                let offer = self.line.receive(shape.offer())?;
                let piece = gc::accept(shape, offer, &bits, &got)?;
                self.shelf.put(Piece::Garbled(piece))?;
                Ok(mask)
            }
        }
    }
}

impl Backend for Preparing<'_> {
    type Error = RunError;
    const LIVE: bool = true;
    const PUBLIC: bool = false;

    /// [Delphi] offline linear: Enc(r) to the owner, Enc(W r - s) back.
    fn linear(&mut self, _: &Linear, _: u32, x: &[u64], _: &[u64]) -> Result<Vec<u64>, RunError> {
        let Some(Step::Linear(layer, _)) = self.steps.next() else {
            return Err(LocalFault::Invariant.into());
        };
        let query = layer.encrypt(&self.keys.secret, x, self.threads, &mut self.prg);
        self.line.send(query)?;
        let answer: Answer = self.line.receive(layer.answer_layout())?;
        Ok(layer.open(&self.keys.secret, &answer, self.threads))
    }

    fn bias(&mut self, _: WeightId, _: &Spread, _: &mut [u64]) {}

    fn parts(&mut self, _: usize, _: u32, _: &[u64]) -> Result<Vec<u64>, RunError> {
        Ok(Vec::new())
    }

    fn step(&mut self, lanes: usize, kind: Kind, of: Operands<'_>) -> Result<Vec<u64>, RunError> {
        let mut out = Vec::with_capacity(lanes);
        for shape in Shape::split(lanes, kind, self.scheme.reading) {
            self.steps.next();
            let part = of.slice(out.len(), out.len() + shape.lanes);
            out.extend(self.one(&shape, &part)?);
        }
        Ok(out)
    }
}

/// c = x - r for each input.
pub fn mask_inputs(inputs: &[Vec<u64>], masks: Vec<Words>) -> Vec<Words> {
    let mut masked = masks;
    for (x, masks) in inputs.iter().zip(&mut masked) {
        for (x, r) in x.iter().zip(&mut masks.values) {
            *r = x.wrapping_sub(*r) & mask(masks.bits);
        }
    }
    masked
}

/// The client's part between sending its inputs and receiving the outputs.
pub fn answer_all(
    scheme: &Scheme,
    stock: &mut Stock<Piece>,
    owner: PartyId,
    s: &mut Session,
) -> Result<(), RunError> {
    let mut line = Line::new(owner, s);
    for shape in scheme.shapes() {
        match stock.take()? {
            Piece::Ot(piece) => ot::client::answer_step(shape, piece, &mut line)?,
            Piece::Garbled(piece) => {
                let active = line.receive(shape.active())?;
                line.send(gc::evaluate(shape, piece, active)?)?;
            }
            _ => return Err(LocalFault::Invariant.into()),
        }
    }
    Ok(())
}
