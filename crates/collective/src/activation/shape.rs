//! What a step computes, and on how many bits.

use super::single;
use crate::servers::Place;
use subrosa_core::BitsLayout;
use subrosa_garble::{Circuit, Input, Owner, neural};
use subrosa_share::step::Kind;

/// Who garbles and who evaluates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Garbling {
    /// All remotes garble, the gateway evaluates: stands against all servers but one together.
    Bmr,
    /// Remote 0 garbles, remote 1 evaluates: these two together read every value.
    Single,
}

impl Garbling {
    pub(super) fn evaluator(self, remotes: usize) -> Place {
        match self {
            Self::Bmr => Place(remotes),
            Self::Single => single::EVALUATOR,
        }
    }

    /// Those who have the labels of the public bits.
    pub(super) fn garblers(self, remotes: usize) -> impl Iterator<Item = Place> + Clone {
        let count = match self {
            Self::Bmr => remotes,
            Self::Single => 1,
        };
        (0..count).map(Place)
    }
}

/// A step for `lanes` values at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    pub lanes: usize,
    pub kind: Kind,
}

/// Lanes of a step at most.
const MOST: usize = 1 << 12;

impl Shape {
    /// Steps that together are one of `lanes`, each small enough for the memory of an offline phase.
    pub fn split(lanes: usize, kind: Kind) -> impl Iterator<Item = Self> {
        let starts = (0..lanes).step_by(MOST);
        starts.map(move |at| Self {
            lanes: MOST.min(lanes - at),
            kind,
        })
    }

    /// Bits of what is read.
    pub fn width(&self) -> usize {
        self.kind.lift().narrow as usize
    }

    /// From public bits (`Owner::Garbler`) and shared bits (`Owner::Evaluator`), input by input.
    pub fn circuit(&self) -> Circuit {
        match self.kind {
            Kind::Positive(_) | Kind::Maximum { .. } => neural::relu_shared(self.width()),
            Kind::Lift(_) => neural::lift_shared(self.width()),
            Kind::Choice { .. } => neural::choice_shared(self.width()),
        }
    }

    /// The n bits of the mask of what is compared; for a choice then those of the mask of q = y1 - y2.
    pub fn shared_planes(&self) -> usize {
        self.width() * self.values()
    }

    /// The n bits of the public part of what is compared; for a choice then those of q.
    pub fn public_planes(&self) -> usize {
        self.width() * self.values()
    }

    /// Bits of max(x, 0), max(d, 0), x or [d >= 0] q: the last of the latter two are signs.
    pub fn output_planes(&self) -> usize {
        let signs = match self.kind {
            Kind::Positive(_) | Kind::Maximum { .. } => 1,
            Kind::Lift(_) | Kind::Choice { .. } => 0,
        };
        self.width().saturating_sub(signs)
    }

    /// Values that are read.
    pub(super) fn values(&self) -> usize {
        match self.kind {
            Kind::Positive(_) | Kind::Maximum { .. } | Kind::Lift(_) => 1,
            Kind::Choice { .. } => 2,
        }
    }

    pub(super) fn shared_bits(&self) -> BitsLayout {
        BitsLayout {
            planes: self.shared_planes(),
            lanes: self.lanes,
        }
    }

    pub(super) fn output_bits(&self) -> BitsLayout {
        BitsLayout {
            planes: self.output_planes(),
            lanes: self.lanes,
        }
    }
}

/// All servers but one.
pub(super) fn others(remotes: usize, than: Place) -> impl Iterator<Item = Place> {
    (0..=remotes).map(Place).filter(move |at| *at != than)
}

pub(super) fn inputs(circuit: &Circuit, of: Owner) -> impl Iterator<Item = &Input> {
    circuit.inputs().iter().filter(move |i| i.owner == of)
}
