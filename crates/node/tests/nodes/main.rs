//! Servers, owners and clients together.

mod harness;
mod visits;
