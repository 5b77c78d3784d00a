//! What people write down: a node's file, and the directory of nodes that an owner or a client has.
//!
//! Only text is read here. No file is opened, no name is resolved and no environment is asked; what a fault does
//! not say is the file's name, which its caller has.

mod directory;
mod fault;
mod limits;
mod located;
mod names;
mod node;
mod permissions;
mod section;
mod value;

#[cfg(test)]
mod tests;

pub use directory::Directory;
pub use fault::{ConfigFault, Problem};
pub use limits::Limits;
pub use located::KeySource;
pub use names::{Address, KnownNode, is_name};
pub use node::NodeConfig;
pub use permissions::{Models, Permissions, Rights};
