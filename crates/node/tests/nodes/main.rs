//! Servers, owners and clients together.

mod between;
mod child;
mod hand;
mod harness;
mod hostile;
mod kills;
mod refusals;
mod relay;
mod reveal;
mod visits;
