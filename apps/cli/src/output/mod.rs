//! What the program writes: arrays, whole or not at all.

mod file;
mod folder;
mod npy;
mod zip;

pub use file::Output;
pub use folder::write_new_folder;
