//! Material of single inferences that would fill memory: in sealed files, between offline phases and inferences.

use crate::pool::store_fault;
use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use subrosa_core::Bytes;
use subrosa_net::{RunError, Session};
use subrosa_protocol::Party;
use subrosa_vault::{Spill, Spilled, VaultFault};

/// What one party has spilled. The other parties do not notice.
#[derive(Default)]
pub(crate) struct Spilling {
    /// Where, if this party does so.
    folder: Option<PathBuf>,
    /// What no inference has been given yet, in the order in which it was made.
    waiting: VecDeque<Spilled>,
}

impl Spilling {
    /// Spills if the pieces of one inference are more than `limit`.
    pub fn new(party: &dyn Party, folder: &Path, limit: Bytes) -> Self {
        let length: Bytes = party.pieces().into_iter().sum();
        Self {
            folder: (length > limit).then(|| folder.to_owned()),
            waiting: VecDeque::new(),
        }
    }

    /// Drops what was made.
    pub fn clear(&mut self) {
        self.waiting.clear();
    }

    /// [`Party::offline`], into a file if this party spills.
    pub fn offline(&mut self, party: &mut dyn Party, s: &mut Session) -> Result<(), RunError> {
        let Some(folder) = &self.folder else {
            return party.offline(s);
        };
        let mut spill = Spill::create(folder).map_err(own)?;
        match (party.offline_to(&mut spill, s), spill.fault()) {
            (Err(_), Some(fault)) => return Err(own(fault.clone())),
            (Err(error), None) => return Err(error),
            (Ok(()), _) => self.waiting.push_back(spill.made().map_err(own)?),
        }
        self.load(party)
    }

    /// Has the next inference's material read, unless the party has it at hand.
    pub fn load(&mut self, party: &mut dyn Party) -> Result<(), RunError> {
        if party.stocked() > 0 {
            return Ok(());
        }
        match self.waiting.pop_front() {
            Some(next) => party.load(next.stock(party.pieces()).map_err(own)?),
            None => Ok(()),
        }
    }
}

fn own(fault: VaultFault) -> RunError {
    store_fault(&fault).into()
}
