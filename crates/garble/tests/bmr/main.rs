//! Garbling by several parties: correct, sealed against every coalition, strict about what it is given.

#[path = "../circuits/mod.rs"]
mod circuits;
mod collusion;
mod correct;
mod dealer;
mod faults;
mod ideal;
mod reference;
#[path = "../uniform/mod.rs"]
mod uniform;
