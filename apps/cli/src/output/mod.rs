//! What the program writes: arrays, whole or not at all.

mod file;
mod npy;
mod zip;

pub use file::Output;
