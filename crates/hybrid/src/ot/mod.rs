//! The reading `ot`: comparison and selection on random OTs.

pub mod client;
pub mod layout;
mod leaf;
mod merge;
pub mod owner;
mod rows;
pub mod tree;

#[cfg(test)]
mod tests;
