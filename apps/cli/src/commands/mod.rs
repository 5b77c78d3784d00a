//! The commands.

mod bench;
mod bench_client;
mod bundled;
mod compare;
mod curious;
mod demo;
mod eval;
mod eval_score;
mod explain;
mod inspect;
mod inspect_json;
mod inspect_report;
mod keygen;
mod parts;
mod pictures;
mod prepare;
mod run;
mod run_report;
mod scene;
mod split;

pub use bench::bench;
pub use demo::demo;
pub use eval::eval;
pub use explain::explain;
pub use inspect::inspect;
pub use keygen::keygen;
pub use run::run;
pub use split::split;
