//! Nodes as processes of this machine, and owners and clients that talk to them.

#![cfg(unix)]

#[path = "../support/mod.rs"]
mod support;

mod cloud;
mod daemon;
mod inputs;
mod protocols;
mod refused;
