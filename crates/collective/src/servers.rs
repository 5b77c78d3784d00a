//! Who is who.

use subrosa_core::PartyId;

/// A server's number among the servers: remotes from 0 on, the gateway last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place(pub usize);

/// The servers of a session, and which of them this party is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Servers {
    pub me: Place,
    /// By place.
    pub parties: Vec<PartyId>,
}

impl Servers {
    pub fn count(&self) -> usize {
        self.parties.len()
    }

    pub fn remotes(&self) -> usize {
        self.count().saturating_sub(1)
    }

    pub fn gateway(&self) -> Place {
        Place(self.remotes())
    }

    pub fn is_gateway(&self) -> bool {
        self.me == self.gateway()
    }

    /// All others, in order.
    pub fn others(&self) -> impl Iterator<Item = Place> + use<> {
        let me = self.me;
        (0..self.count()).map(Place).filter(move |at| *at != me)
    }

    pub fn party(&self, place: Place) -> Option<PartyId> {
        self.parties.get(place.0).copied()
    }
}
