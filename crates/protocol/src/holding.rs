use crate::PartyKind;
use serde::{Deserialize, Serialize};
use subrosa_ir::Weights;
use subrosa_net::{InputFault, LocalFault};

/// What a party has of the model before any session.
#[derive(Clone, Serialize, Deserialize)]
pub enum Holding {
    Nothing,
    /// All of it.
    Weights(Weights),
    /// This party's part, as the protocol divides and encodes a model.
    Part(Vec<u8>),
}

impl Holding {
    /// The weights for who brings them, nothing for all others.
    pub fn of(kind: PartyKind, weights: &Weights) -> Self {
        match kind.brings_weights() {
            true => Self::Weights(weights.clone()),
            false => Self::Nothing,
        }
    }

    /// [`InputFault::Missing`] where this is something else.
    pub fn weights(&self) -> Result<&Weights, LocalFault> {
        match self {
            Self::Weights(weights) => Ok(weights),
            _ => Err(LocalFault::Input(InputFault::Missing)),
        }
    }

    /// [`InputFault::Missing`] where this is something else.
    pub fn part(&self) -> Result<&[u8], LocalFault> {
        match self {
            Self::Part(part) => Ok(part),
            _ => Err(LocalFault::Input(InputFault::Missing)),
        }
    }
}
