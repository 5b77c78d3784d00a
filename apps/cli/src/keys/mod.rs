//! Keys in files that their owner alone may read.

mod date;
mod fault;
mod identity;
mod private;
mod store;
mod validity;

pub use date::{Date, today};
pub use fault::KeyFault;
pub use identity::{load_identity, write_identity};
pub use private::of_key;
pub use store::{StoreSecret, load_store_secret, write_store_key};
pub use validity::Validity;
