//! Servers, owners and clients together.

mod between;
mod child;
mod disks;
mod hand;
mod harness;
mod hostile;
mod kills;
mod network;
mod refusals;
mod relay;
mod reveal;
mod visits;
