//! The gateway: owner of the front half towards the user, last of the servers behind it.

use crate::Seco;
use crate::masked::{add, narrow, subtract};
use crate::part::{self, GatewayPart};
use crate::parties::USER;
use crate::piece::{Half, Halves, Piece, PieceLayout};
use crate::plan::Whole;
use crate::relay::{gather, line, seeds_at_gateway, streams_at_gateway, tell};
use crate::remote::{ServerKeys, masks_of};
use crate::slots::Purpose;
use crate::view::GatewayView;
use subrosa_collective::Keys;
use subrosa_collective::evaluate::evaluate_all;
use subrosa_collective::prepare::prepare_all;
use subrosa_core::{Bytes, Malformed, PartyId, Shelf, Stock, Wire, Words};
use subrosa_hybrid::{OwnerKeys, Side, owner};
use subrosa_ir::Tensor;
use subrosa_net::{RunError, Session, Turns};
use subrosa_protocol::{Holding, Role};

pub struct Gateway {
    pub threads: usize,
}

/// What the gateway keeps. Read-only.
pub struct GatewayKeys {
    /// None where there is no front half.
    front: Option<OwnerKeys>,
    server: ServerKeys,
}

/// For the disk, not for the peer. The layout is that of the front half's, of one or none, and of those as a server.
impl Wire for GatewayKeys {
    type Layout = <(Vec<OwnerKeys>, ServerKeys) as Wire>::Layout;
    fn size((front, server): &Self::Layout) -> Bytes {
        Vec::<OwnerKeys>::size(front) + ServerKeys::size(server)
    }
    fn encode(&self, out: &mut Vec<u8>) {
        self.front.iter().for_each(|keys| keys.encode(out));
        self.server.encode(out);
    }
    fn decode(layout: &Self::Layout, bytes: &[u8]) -> Result<Self, Malformed> {
        let (mut front, server) = <(Vec<_>, _)>::decode(layout, bytes)?;
        Ok(Self {
            front: front.pop(),
            server,
        })
    }
}

/// The gateway between its phases.
pub struct Running {
    stock: Halves,
    /// c of the user's inputs.
    inputs: Vec<Words>,
}

impl Role for Gateway {
    type Of = Seco;
    type Plan = GatewayView;
    type Keys = GatewayKeys;
    type Part = GatewayPart;
    type Piece = Piece;
    type Running = Running;
    /// Masked answers y - ρ.
    type Outcome = Vec<Words>;

    /// The user knows of nobody else.
    fn untold(&self) -> Vec<PartyId> {
        vec![USER]
    }

    fn view(&self, whole: &Whole) -> GatewayView {
        whole.gateway()
    }

    fn keys(&self, plan: &GatewayView) -> <GatewayKeys as Wire>::Layout {
        (
            plan.face.keys(),
            ServerKeys::layout(&plan.hidden, &plan.servers),
        )
    }

    /// The front half and δ, the hidden half, and what turns masked outputs into masked answers.
    fn pieces(&self, plan: &GatewayView) -> Vec<PieceLayout> {
        let mut pieces = Vec::new();
        if let Some(scheme) = plan.face.hybrid() {
            let front = scheme.pieces(Side::Owner).into_iter();
            pieces.extend(front.map(PieceLayout::Front));
            pieces.push(PieceLayout::Words(plan.face.transition.clone()));
        }
        let hidden = plan.hidden.pieces(&plan.servers).into_iter();
        pieces.extend(hidden.map(PieceLayout::Hidden));
        pieces.push(PieceLayout::Words(plan.hidden.outputs.clone()));
        pieces
    }

    fn setup(&self, plan: &GatewayView, s: &mut Session) -> Result<GatewayKeys, RunError> {
        let front = plan.face.hybrid();
        let front = front.map(|scheme| OwnerKeys::setup(&scheme.parameters, USER, s));
        Ok(GatewayKeys {
            front: front.transpose()?,
            server: ServerKeys {
                slots: seeds_at_gateway(&plan.servers, s)?,
                hidden: Keys::setup(&plan.hidden, &plan.servers, s)?,
            },
        })
    }

    fn part(&self, plan: &GatewayView, holding: &Holding) -> Result<GatewayPart, RunError> {
        part::to_gateway(plan, holding.part()?)
    }

    /// All of the user's part first.
    fn offline(
        &self,
        plan: &GatewayView,
        keys: &GatewayKeys,
        part: &GatewayPart,
        shelf: &mut dyn Shelf<Piece>,
        s: &mut Session,
    ) -> Result<(), RunError> {
        let (face, hidden, servers) = (&plan.face, &plan.hidden, &plan.servers);
        let threads = self.threads;
        if let (Some(scheme), Some(keys), Some(weights)) = (face.hybrid(), &keys.front, &part.front)
        {
            let wrap = Piece::Front;
            let mut half = Half {
                shelf: &mut *shelf,
                wrap,
            };
            owner::prepare_all(scheme, keys, weights, USER, &mut half, threads, s)?;
        }
        let (mut front, mut back) = (line(), line());
        let slots = &keys.server.slots;
        let streams = streams_at_gateway(slots, servers, &mut front, &mut back, s)?;
        if face.hybrid().is_some() {
            let delta = s.receive(front.step(), USER, face.transition.clone())?;
            shelf.put(Piece::Words(delta))?;
        }
        let masks = masks_of(&streams, hidden);
        let mut half = Half {
            shelf: &mut *shelf,
            wrap: Piece::Hidden,
        };
        let (keys, share) = (&keys.server.hidden, &part.share);
        let mut sums = prepare_all(hidden, keys, share, servers, masks, &mut half, threads, s)?;
        subtract(&mut sums, &streams.masks(Purpose::Answer, &hidden.outputs));
        let theirs: Vec<Vec<Words>> = gather(&hidden.outputs, servers, &mut back, s)?;
        theirs.iter().for_each(|theirs| add(&mut sums, theirs));
        Ok(shelf.put(Piece::Words(sums))?)
    }

    fn share(
        &self,
        plan: &GatewayView,
        _: &GatewayKeys,
        stock: Stock<Piece>,
        _: Option<Vec<Tensor>>,
        s: &mut Session,
    ) -> Result<Running, RunError> {
        let face = &plan.face;
        let layout = face
            .hybrid()
            .map_or(&face.transition, |scheme| &scheme.inputs);
        Ok(Running {
            inputs: s.receive(Turns::FIRST, USER, layout.clone())?,
            stock: Halves::new(stock),
        })
    }

    /// The front half; c of what it hands on to the remotes; the hidden half.
    fn online(
        &self,
        plan: &GatewayView,
        _: &GatewayKeys,
        part: &GatewayPart,
        running: Running,
        s: &mut Session,
    ) -> Result<Vec<Words>, RunError> {
        let (face, hidden, servers) = (&plan.face, &plan.hidden, &plan.servers);
        let Running { stock, mut inputs } = running;
        if let (Some(scheme), Some(weights)) = (face.hybrid(), &part.front) {
            let front = stock.front();
            inputs = owner::evaluate_all(scheme, weights, front, inputs, USER, self.threads, s)?;
            add(&mut inputs, &stock.words()?);
        }
        let inputs = narrow(inputs, &hidden.inputs);
        tell(&inputs, servers, &mut line(), s)?;
        let (share, pieces) = (&part.share, stock.hidden());
        let mut answers = evaluate_all(hidden, share, servers, pieces, inputs, self.threads, s)?;
        add(&mut answers, &stock.words()?);
        Ok(answers)
    }

    fn reveal(
        &self,
        _: &GatewayView,
        _: &GatewayKeys,
        answers: Vec<Words>,
        s: &mut Session,
    ) -> Result<Option<Vec<Tensor>>, RunError> {
        s.send(Turns::LAST, USER, answers)?;
        Ok(None)
    }
}
