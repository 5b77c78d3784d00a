use serde::Serialize;
use subrosa_core::PartyId;

/// What a protocol says of itself: to people by `explain`, to the planner and to the tests.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Card {
    /// The name on the command line.
    pub name: &'static str,
    pub title: &'static str,
    pub adversary: &'static str,
    pub sources: &'static [Source],
    pub learns: &'static [Learns],
    /// What everybody may see.
    pub public: &'static [&'static str],
    pub not_protected: &'static [&'static str],
    pub cost: &'static str,
    pub not_done: &'static [&'static str],
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Source {
    pub key: &'static str,
    pub work: &'static str,
}

/// One line of the table "who learns what".
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Learns {
    pub who: &'static str,
    pub holds: &'static str,
    pub learns: &'static str,
}

/// What a party brings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PartyKind {
    /// Brings the input and receives the answer.
    Client,
    /// Computes.
    Server,
    /// Computes and brings the weights.
    Vendor,
}

impl PartyKind {
    pub fn brings_weights(self) -> bool {
        self == Self::Vendor
    }

    pub fn brings_input(self) -> bool {
        self == Self::Client
    }
}

/// A party of a plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Seat {
    pub party: PartyId,
    pub name: &'static str,
    pub kind: PartyKind,
}
