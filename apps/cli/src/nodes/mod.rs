//! What the commands of nodes, owners and clients share.

mod cost;
mod metrics;
mod opening;
mod stop;

pub use cost::Spent;
pub use metrics::serve_metrics;
pub use opening::{of_client, open_client, open_directory, store_key};
pub use stop::Stop;
