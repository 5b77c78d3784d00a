//! The suite that every protocol passes, and what is particular to a divided model: cuts, parts, and a user that must not know of
//! the hidden half.

mod conformance;
mod keys;
mod nets;
mod plan;
mod user;
