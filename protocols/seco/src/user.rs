//! The user: brings the input, knows the front half, opens the answer.

use crate::Seco;
use crate::face::Face;
use crate::masked::{add, subtract};
use crate::parties::{GATEWAY, SLOTS};
use crate::piece::AllButLast;
use crate::plan::Whole;
use crate::relay::line;
use crate::seal::{Sealed, SecretKey};
use crate::slots::{Purpose, Streams};
use crate::view::UserView;
use subrosa_core::{Bytes, Malformed, Prg, Seed, Shelf, Stock, Wire, Words};
use subrosa_hybrid::{ClientKeys, Piece, PieceLayout, Side, client};
use subrosa_ir::{Tensor, decode_output, encode_input};
use subrosa_net::{InputFault, LocalFault, RunError, Session, Turns};
use subrosa_protocol::{Holding, Role};

pub struct Asking {
    pub threads: usize,
}

/// What the user keeps. Read-only.
pub struct UserKeys {
    /// None where there is no front half.
    front: Option<ClientKeys>,
    /// By slot, one shared with each server.
    slots: Vec<Seed>,
}

/// For the disk, not for the peer. The layout is that of the front half's, of one or none.
impl Wire for UserKeys {
    type Layout = <Vec<ClientKeys> as Wire>::Layout;
    fn size(front: &Self::Layout) -> Bytes {
        Vec::<ClientKeys>::size(front) + Seed::size(&()) * SLOTS as u64
    }
    fn encode(&self, out: &mut Vec<u8>) {
        self.front.iter().for_each(|keys| keys.encode(out));
        self.slots.encode(out);
    }
    fn decode(front: &Self::Layout, bytes: &[u8]) -> Result<Self, Malformed> {
        let layout = (front.clone(), vec![(); SLOTS]);
        let (mut front, slots) = <(Vec<_>, _)>::decode(&layout, bytes)?;
        Ok(Self {
            front: front.pop(),
            slots,
        })
    }
}

impl Role for Asking {
    type Of = Seco;
    type Plan = UserView;
    type Keys = UserKeys;
    type Part = ();
    type Piece = Piece;
    type Running = Stock<Piece>;
    /// ρ.
    type Outcome = Vec<Words>;

    fn view(&self, whole: &Whole) -> UserView {
        whole.user()
    }

    fn keys(&self, plan: &UserView) -> <UserKeys as Wire>::Layout {
        plan.face.keys()
    }

    /// The masks of the inputs, the steps of the front half, ρ.
    fn pieces(&self, plan: &UserView) -> Vec<PieceLayout> {
        let face = &plan.face;
        let mut pieces = match face.hybrid() {
            None => vec![PieceLayout::Columns(face.transition.clone())],
            Some(scheme) => {
                let mut pieces = scheme.pieces(Side::Client);
                pieces.pop();
                pieces
            }
        };
        pieces.push(PieceLayout::Columns(face.outputs.clone()));
        pieces
    }

    fn setup(&self, plan: &UserView, s: &mut Session) -> Result<UserKeys, RunError> {
        let front = plan.face.hybrid();
        let front = front.map(|scheme| ClientKeys::setup(&scheme.parameters, GATEWAY, s));
        let front = front.transpose()?;
        let mut turns = line();
        let (secret, public) = SecretKey::random()?;
        s.send(turns.step(), GATEWAY, public)?;
        let sealed: Vec<Sealed> = s.receive(turns.step(), GATEWAY, vec![(); SLOTS])?;
        let slots = sealed.iter().map(|sealed| secret.open(sealed));
        Ok(UserKeys {
            front,
            slots: slots.collect::<Result<_, _>>()?,
        })
    }

    fn part(&self, _: &UserView, _: &Holding) -> Result<(), RunError> {
        Ok(())
    }

    /// The front half; then δ = λ - r for what it hands on.
    fn offline(
        &self,
        plan: &UserView,
        keys: &UserKeys,
        (): &(),
        shelf: &mut dyn Shelf<Piece>,
        s: &mut Session,
    ) -> Result<(), RunError> {
        let face = &plan.face;
        let masks = match (face.hybrid(), &keys.front) {
            (Some(scheme), Some(keys)) => {
                let mut front = AllButLast { shelf, last: None };
                client::prepare_all(scheme, keys, GATEWAY, &mut front, self.threads, s)?;
                let last = front.last.ok_or(LocalFault::Invariant)?;
                Some(last.columns()?)
            }
            _ => None,
        };
        let mut turns = line();
        let own = Prg::new(&s.seed()).seed();
        s.send(turns.step(), GATEWAY, own.share())?;
        let nonces: Vec<Seed> = s.receive(turns.step(), GATEWAY, vec![(); SLOTS])?;
        let streams = Streams::new(keys.slots.iter().zip(&nonces), &own);
        let r = streams.masks(Purpose::Transition, &face.transition);
        match masks {
            None => shelf.put(Piece::Columns(r))?,
            Some(mut masks) => {
                subtract(&mut masks, &r);
                s.send(turns.step(), GATEWAY, masks)?;
            }
        }
        let answer = streams.masks(Purpose::Answer, &face.outputs);
        Ok(shelf.put(Piece::Columns(answer))?)
    }

    /// c = x - λ to the gateway.
    fn share(
        &self,
        plan: &UserView,
        _: &UserKeys,
        mut stock: Stock<Piece>,
        inputs: Option<Vec<Tensor>>,
        s: &mut Session,
    ) -> Result<Stock<Piece>, RunError> {
        let plain = encode(&plan.face, inputs)?;
        let masked = client::mask_inputs(&plain, stock.take()?.columns()?);
        s.send(Turns::FIRST, GATEWAY, masked)?;
        Ok(stock)
    }

    fn online(
        &self,
        plan: &UserView,
        _: &UserKeys,
        (): &(),
        mut stock: Stock<Piece>,
        s: &mut Session,
    ) -> Result<Vec<Words>, RunError> {
        if let Some(scheme) = plan.face.hybrid() {
            client::answer_all(scheme, &mut stock, GATEWAY, s)?;
        }
        stock.take()?.columns()
    }

    fn reveal(
        &self,
        plan: &UserView,
        _: &UserKeys,
        masks: Vec<Words>,
        s: &mut Session,
    ) -> Result<Option<Vec<Tensor>>, RunError> {
        let face = &plan.face;
        let mut opened: Vec<Words> = s.receive(Turns::LAST, GATEWAY, face.outputs.clone())?;
        let mut tensors = Vec::with_capacity(opened.len());
        add(&mut opened, &masks);
        for (output, c) in opened.iter().enumerate() {
            let tensor = decode_output(&face.answers, output, c.bits, &c.values);
            tensors.push(tensor.map_err(|_| LocalFault::Invariant)?);
        }
        let answers = face.answers.tail.eval(&tensors);
        Ok(Some(answers.map_err(|_| LocalFault::Invariant)?))
    }
}

fn encode(face: &Face, inputs: Option<Vec<Tensor>>) -> Result<Vec<Vec<u64>>, RunError> {
    let graph = face.asks();
    let inputs = inputs.ok_or(LocalFault::Input(InputFault::Missing))?;
    let (expected, found) = (graph.inputs.len() as u64, inputs.len() as u64);
    if expected != found {
        return Err(LocalFault::Input(InputFault::Count { expected, found }).into());
    }
    let encode = |(port, x)| encode_input(graph, port, x);
    let plain: Result<_, _> = inputs.iter().enumerate().map(encode).collect();
    Ok(plain.map_err(|_| LocalFault::Input(InputFault::Range))?)
}
