//! The parties of a plan as processes of their own, over TLS on loopback.

mod child;
mod measure;
mod message;
mod process;
mod processes;
mod vault;

pub use child::run as run_child;
pub use measure::{Measured, PartyMeasured, measure};
use process::Death;
pub use processes::{PartyFault, Processes, Settings};
