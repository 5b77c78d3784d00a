//! A remote: computes the hidden half with the other servers, on shares of its weights.

use crate::Seco;
use crate::masked::{narrow, subtract};
use crate::part;
use crate::parties::GATEWAY;
use crate::plan::Whole;
use crate::relay::{line, seeds_at_remote, streams_at_remote};
use crate::slots::{Purpose, Streams, played};
use crate::view::{RemoteView, handed};
use subrosa_collective::evaluate::evaluate_all;
use subrosa_collective::prepare::prepare_all;
use subrosa_collective::{Keys, Piece, PieceLayout, Scheme, Servers, Shares};
use subrosa_core::{Bytes, Malformed, Seed, Shelf, Stock, Wire, Words};
use subrosa_ir::Tensor;
use subrosa_net::{RunError, Session};
use subrosa_protocol::{Holding, Role};

pub struct Remote {
    pub number: usize,
    pub threads: usize,
}

/// What a server keeps for the hidden half. Read-only.
pub struct ServerKeys {
    /// Of the slots that it plays, shared with the user.
    pub slots: Vec<Seed>,
    pub hidden: Keys,
}

impl ServerKeys {
    pub fn layout(hidden: &Scheme, servers: &Servers) -> <Self as Wire>::Layout {
        (hidden.parameters.clone(), servers.clone())
    }
}

/// For the disk, not for the peer.
impl Wire for ServerKeys {
    type Layout = <Keys as Wire>::Layout;
    fn size(layout: &Self::Layout) -> Bytes {
        Seed::size(&()) * played(&layout.1).len() as u64 + Keys::size(layout)
    }
    fn encode(&self, out: &mut Vec<u8>) {
        self.slots.encode(out);
        self.hidden.encode(out);
    }
    fn decode(layout: &Self::Layout, bytes: &[u8]) -> Result<Self, Malformed> {
        let slots = vec![(); played(&layout.1).len()];
        let (slots, hidden) = Wire::decode(&(slots, layout.clone()), bytes)?;
        Ok(Self { slots, hidden })
    }
}

/// The servers' masks of what the front half hands on, in the widths in which the hidden half reads it.
pub fn masks_of(streams: &Streams, hidden: &Scheme) -> Vec<Words> {
    let wide = streams.masks(Purpose::Transition, &handed(hidden));
    narrow(wide, &hidden.inputs)
}

impl Role for Remote {
    type Of = Seco;
    type Plan = RemoteView;
    type Keys = ServerKeys;
    type Part = Shares;
    type Piece = Piece;
    type Running = Stock<Piece>;
    type Outcome = ();

    fn view(&self, whole: &Whole) -> RemoteView {
        whole.remote(self.number)
    }

    fn keys(&self, plan: &RemoteView) -> <ServerKeys as Wire>::Layout {
        ServerKeys::layout(&plan.hidden, &plan.servers)
    }

    fn pieces(&self, plan: &RemoteView) -> Vec<PieceLayout> {
        plan.hidden.pieces(&plan.servers)
    }

    fn setup(&self, plan: &RemoteView, s: &mut Session) -> Result<ServerKeys, RunError> {
        Ok(ServerKeys {
            slots: seeds_at_remote(&plan.servers, s)?,
            hidden: Keys::setup(&plan.hidden, &plan.servers, s)?,
        })
    }

    fn part(&self, plan: &RemoteView, holding: &Holding) -> Result<Shares, RunError> {
        part::to_remote(plan, holding.part()?)
    }

    fn offline(
        &self,
        plan: &RemoteView,
        keys: &ServerKeys,
        part: &Shares,
        shelf: &mut dyn Shelf<Piece>,
        s: &mut Session,
    ) -> Result<(), RunError> {
        let RemoteView { hidden, servers } = plan;
        let mut turns = line();
        let streams = streams_at_remote(&keys.slots, servers, &mut turns, s)?;
        let masks = masks_of(&streams, hidden);
        let keys = &keys.hidden;
        let threads = self.threads;
        let mut masks = prepare_all(hidden, keys, part, servers, masks, shelf, threads, s)?;
        subtract(&mut masks, &streams.masks(Purpose::Answer, &hidden.outputs));
        s.send(turns.step(), GATEWAY, masks)
    }

    fn share(
        &self,
        _: &RemoteView,
        _: &ServerKeys,
        stock: Stock<Piece>,
        _: Option<Vec<Tensor>>,
        _: &mut Session,
    ) -> Result<Stock<Piece>, RunError> {
        Ok(stock)
    }

    fn online(
        &self,
        plan: &RemoteView,
        _: &ServerKeys,
        part: &Shares,
        stock: Stock<Piece>,
        s: &mut Session,
    ) -> Result<(), RunError> {
        let RemoteView { hidden, servers } = plan;
        let inputs = s.receive(line().step(), GATEWAY, hidden.inputs.clone())?;
        evaluate_all(hidden, part, servers, stock, inputs, self.threads, s)?;
        Ok(())
    }
}
