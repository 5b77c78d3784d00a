//! What the program writes: arrays, whole or not at all.

mod file;
mod folder;
mod npy;
mod zip;

pub use file::{Output, folder};
pub use folder::{check_new_folder, private_file, write_new_folder};
