//! The parts of a divided model, read back.

use super::split::file_name;
use crate::fault::{Fault, Usage};
use std::io::ErrorKind;
use std::path::Path;
use subrosa::{Holding, PartFile, Planned};

/// What each party of the plan has, from its file in `folder`, in the order of the seats.
pub fn read_parts(folder: &Path, planned: &Planned) -> Result<Vec<Holding>, Fault> {
    let mut division = None;
    let parties = planned.parties().iter();
    let holdings = parties.map(|party| {
        let path = folder.join(file_name(party.seat.name));
        let refuse = |problem: String| Usage::Part {
            path: path.clone(),
            problem,
        };
        let bytes = std::fs::read(&path).map_err(|error| match error.kind() {
            ErrorKind::NotFound => refuse("no such file".to_owned()),
            _ => refuse(error.to_string()),
        })?;
        let part = PartFile::parse(&bytes).map_err(|fault| refuse(fault.to_string()))?;
        if part.protocol != planned.protocol.name() || part.party != party.seat.party {
            let found = format!("it is of {} under {}", part.name, part.protocol);
            return Err(refuse(found).into());
        }
        if part.view != party.view {
            let other = "it is of another model or plan: the same --at, --remotes, --garbling, \
                --weights, --ring, --reveal, --input-range and --calibrate as for split?";
            return Err(refuse(other.to_owned()).into());
        }
        if *division.get_or_insert(part.division) != part.division {
            let other = "it is of another division of this model than the first party's file";
            return Err(refuse(other.to_owned()).into());
        }
        Ok(part.holding)
    });
    holdings.collect()
}
