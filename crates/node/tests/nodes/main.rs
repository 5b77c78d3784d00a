//! Servers, owners and clients together.

mod child;
mod harness;
mod kills;
mod visits;
