//! What each party keeps, sends and waits for: read off the steps, exactly.

use crate::client::ClientKeys;
use crate::owner::OwnerKeys;
use crate::piece::PieceLayout;
use crate::scheme::{Reading, Scheme, Step};
use crate::step::Shape;
use subrosa_core::{Bytes, Rounds, Wire, Words, WordsLayout};
use subrosa_net::{Bill, Cost, Phase};
use subrosa_ot::Extension;
use subrosa_rlwe::{Answer, Query};

/// One of the two parties.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    Client,
    Owner,
}

/// A message of a step online: its bytes, and who sends it. `None`: both at once.
pub(crate) type Message = (Option<Side>, Bytes);

impl Scheme {
    /// Random OTs that an offline phase draws with `sender` as their sender.
    pub fn extension(&self, sender: Side) -> Extension {
        let each = |shape: &Shape| {
            let planes = match (self.reading, sender) {
                (Reading::Ot, Side::Client) => shape.client_ots(),
                (Reading::Ot, Side::Owner) => shape.owner_ots(),
                (Reading::Gc, Side::Client) => 0,
                (Reading::Gc, Side::Owner) => shape.label_ots(),
            };
            planes as u64 * shape.lanes as u64
        };
        Extension::plan(self.shapes().map(each).sum())
    }

    /// Pieces of one party, in order.
    pub fn pieces(&self, side: Side) -> Vec<PieceLayout> {
        let mut pieces = Vec::with_capacity(self.steps.len() + 2);
        if side == Side::Client {
            pieces.push(PieceLayout::Columns(self.inputs.clone()));
        }
        for step in &self.steps {
            match step {
                Step::Linear(_, share) if side == Side::Owner => {
                    pieces.push(PieceLayout::Columns(vec![*share]));
                }
                Step::Linear(..) => {}
                Step::Nonlinear(shape) => pieces.push(match (self.reading, side) {
                    (Reading::Ot, Side::Client) => PieceLayout::Ot(shape.client_piece()),
                    (Reading::Ot, Side::Owner) => PieceLayout::Ot(shape.owner_piece()),
                    (Reading::Gc, Side::Client) => PieceLayout::Garbled(shape.garbled_piece()),
                    (Reading::Gc, Side::Owner) => PieceLayout::Garbling(shape.garbling_piece()),
                }),
            }
        }
        if side == Side::Client {
            pieces.push(PieceLayout::Columns(self.outputs.clone()));
        }
        pieces
    }

    /// Payload bytes that `side` sends, and exchanges in which it waits.
    pub fn bill(&self, side: Side) -> Bill {
        let mut bill = Bill::default();
        let (sends, receives) = (self.extension(side), self.extension(side.other()));
        match side {
            Side::Client => {
                bill.setup += ClientKeys::setup_cost(&self.parameters);
                bill.offline += sends.sender_cost() + receives.receiver_cost();
            }
            Side::Owner => {
                bill.setup += OwnerKeys::setup_cost(&self.parameters);
                bill.offline += sends.sender_cost() + receives.receiver_cost();
            }
        }
        let mut book = |phase, (from, bytes): Message| {
            let (bytes, waits) = match from {
                None => (bytes, true),
                Some(from) if from == side => (bytes, false),
                Some(_) => (Bytes(0), true),
            };
            *bill.get_mut(phase) += Cost {
                bytes,
                rounds: Rounds(u64::from(waits)),
            };
        };
        let words = |layouts: &[WordsLayout]| Vec::<Words>::size(&layouts.to_vec());
        book(Phase::Online, (Some(Side::Client), words(&self.inputs)));
        for step in &self.steps {
            match step {
                Step::Linear(layer, _) => {
                    let query = Query::size(&layer.query_layout());
                    let answer = Answer::size(&layer.answer_layout());
                    book(Phase::Offline, (Some(Side::Client), query));
                    book(Phase::Offline, (Some(Side::Owner), answer));
                }
                Step::Nonlinear(shape) => {
                    let [offline, online] = match self.reading {
                        Reading::Ot => [vec![shape.corrected()], shape.messages()],
                        Reading::Gc => shape.garbled_messages(),
                    };
                    offline.into_iter().for_each(|m| book(Phase::Offline, m));
                    online.into_iter().for_each(|m| book(Phase::Online, m));
                }
            }
        }
        book(Phase::Online, (Some(Side::Owner), words(&self.outputs)));
        bill
    }
}

impl Side {
    pub fn other(self) -> Self {
        match self {
            Self::Client => Self::Owner,
            Self::Owner => Self::Client,
        }
    }
}
