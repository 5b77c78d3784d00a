use serde::{Deserialize, Serialize};
use std::fmt;

/// A party of a session, numbered by its protocol's card.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct PartyId(pub u8);

impl fmt::Display for PartyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "P{}", self.0)
    }
}

/// A set of parties, in ascending order.
pub type Parties = Vec<PartyId>;
