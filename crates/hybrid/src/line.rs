//! The link between the two parties during one phase.

use std::sync::Arc;
use subrosa_core::{BitsLayout, PartyId, Wire};
use subrosa_net::{LocalFault, RunError, Session, Turns};
use subrosa_ring::{BitMatrix, xor_into};

/// Messages to and from one peer, numbered alike at both ends.
pub struct Line<'a> {
    pub peer: PartyId,
    pub turns: Turns,
    pub s: &'a mut Session,
}

impl<'a> Line<'a> {
    pub fn new(peer: PartyId, s: &'a mut Session) -> Self {
        let turns = Turns::default();
        Self { peer, turns, s }
    }

    pub fn send<T: Wire>(&mut self, message: T) -> Result<(), RunError> {
        self.s.send(self.turns.step(), self.peer, message)
    }

    pub fn receive<T: Wire>(&mut self, layout: T::Layout) -> Result<T, RunError> {
        self.s.receive(self.turns.step(), self.peer, layout)
    }

    /// Sends this side's shares of bits and returns the bits.
    pub fn open(&mut self, mine: BitMatrix, layout: BitsLayout) -> Result<BitMatrix, RunError> {
        let mine = Arc::new(mine);
        let out = vec![(self.peer, mine.clone())];
        let from = [(self.peer, layout)];
        let theirs: Vec<BitMatrix> = self.s.exchange(self.turns.step(), out, &from)?;
        let mut bits = theirs.into_iter().next().ok_or(LocalFault::Invariant)?;
        xor_into(bits.words_mut(), mine.words());
        Ok(bits)
    }
}
