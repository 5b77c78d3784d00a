//! What each server keeps, draws, sends and waits for: read off the steps, exactly.

use crate::activation::{Move, Shape, online_all};
use crate::dabits::Conversion;
use crate::keys::Keys;
use crate::ots::OtPlan;
use crate::piece::PieceLayout;
use crate::refresh::opening;
use crate::scheme::{Scheme, Step};
use crate::servers::Servers;
use subrosa_core::WordsLayout;
use subrosa_net::{Bill, Cost};

/// Of the hidden bits of an activation's results.
pub(crate) fn hidden(shape: &Shape) -> Conversion {
    Conversion::weighted(shape.lanes, shape.output_planes(), shape.kind.lift().wide)
}

/// Of an activation's result, of all chunks together.
pub(crate) fn result(shapes: &[Shape]) -> WordsLayout {
    WordsLayout {
        count: shapes.iter().map(|shape| shape.lanes).sum(),
        bits: shapes.first().map_or(1, |shape| shape.kind.lift().wide),
    }
}

impl Scheme {
    /// OTs that an offline phase draws.
    pub fn ots(&self) -> OtPlan {
        let mut plan = OtPlan::default();
        for step in &self.steps {
            match step {
                Step::Linear(_) => {}
                Step::Refresh(refresh) => refresh.conversion().add_to(self.servers(), &mut plan),
                Step::Activation(shapes) => {
                    for shape in shapes {
                        shape.add_to(self.garbling, self.remotes, &mut plan);
                        hidden(shape).add_to(self.servers(), &mut plan);
                    }
                }
            }
        }
        plan
    }

    /// Pieces of the server `servers.me`, in order.
    pub fn pieces(&self, servers: &Servers) -> Vec<PieceLayout> {
        let circuit = |shape: &Shape| PieceLayout::Activation {
            circuit: shape.piece(self.garbling, self.remotes, servers.me),
            bits: hidden(shape).shares(),
            mask: result(&[*shape]),
        };
        let piece = |step: &Step| match step {
            Step::Linear(product) => vec![PieceLayout::Words(product.out)],
            Step::Refresh(refresh) => vec![PieceLayout::Words(refresh.delta())],
            Step::Activation(shapes) => shapes.iter().map(circuit).collect(),
        };
        self.steps.iter().flat_map(piece).collect()
    }

    /// Payload bytes that the server `servers.me` sends to other servers, and exchanges in which it waits for them.
    pub fn bill(&self, servers: &Servers) -> Bill {
        let cost = |moves: Vec<Move>| -> Cost { moves.iter().map(|m| m.cost(servers.me)).sum() };
        let steps = self.steps.iter();
        Bill {
            setup: Keys::setup_cost(&self.parameters, servers),
            offline: steps
                .clone()
                .map(|step| cost(self.offline(step)))
                .sum::<Cost>()
                + self.ots().cost(servers),
            online: steps.map(|step| cost(self.online(step))).sum(),
        }
    }

    /// The moves of a step offline, without those of the oblivious transfers.
    fn offline(&self, step: &Step) -> Vec<Move> {
        match step {
            Step::Linear(product) => {
                product.offline(self.remotes, self.holders.count(self.remotes))
            }
            Step::Refresh(refresh) => refresh.moves(self.servers()),
            Step::Activation(shapes) => {
                let moves = shapes.iter().flat_map(|shape| {
                    let circuit = shape.offline(self.garbling, self.remotes);
                    let converted = hidden(shape).moves(self.servers());
                    circuit.into_iter().chain(converted)
                });
                moves.collect()
            }
        }
    }

    fn online(&self, step: &Step) -> Vec<Move> {
        match step {
            Step::Linear(product) => vec![product.online(self.servers())],
            Step::Refresh(_) => Vec::new(),
            Step::Activation(shapes) => {
                let mut moves = online_all(shapes, self.garbling, self.remotes);
                moves.push(opening(self.servers(), result(shapes)));
                moves
            }
        }
    }
}
