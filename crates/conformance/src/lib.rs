//! Floor 5: the one test suite that every protocol passes.
//!
//! A protocol is driven through its erased faces, `WholePlan` and `Party`, with its parties in threads over memory and
//! a tap on every frame. Each check is a function that says what is wrong:
//!
//! | check | holds a protocol to |
//! |---|---|
//! | [`agrees`] | answers within the truncation bound of the clear reading, close to the float model; price equals bill |
//! | [`bounds_are_exact`] | exact ReLU, maxima and choices where values lie at the bounds of their wires |
//! | [`plans_are_parsed`] | plan bytes parse to the same party each time; changed bytes never panic |
//! | [`lengths_are_public`] | frames depend on the architecture alone |
//! | [`keys_are_restored`] | a party that comes back with its keys alone goes on as before, and takes no other keys |
//! | [`sessions_are_fresh`] | no message comes twice, not even from restored keys |
//! | [`views_are_uniform`] | what a server receives, and what it opens with it, is uniform, whatever inputs and weights are; [`Watched`] adds clients, [`Exempt`] leaves messages out |
//! | [`masks_are_used_once`] | sums and differences of any two messages are uniform, too |
//! | [`faults_are_noticed`] | a changed, lost or repeated frame ends the run with an error that names its sender |
//! | [`deaths_are_noticed`] | a party that dies or falls silent is named by all others |

mod agree;
mod bounds;
mod cases;
mod death;
mod failure;
mod fresh;
mod lengths;
mod parallel;
mod restore;
mod run;
mod stats;
mod subject;
mod tamper;
mod tap;
mod uniform;
mod views;

pub use agree::agrees;
pub use bounds::bounds_are_exact;
pub use cases::{Case, Planned, cases, even, large, short};
pub use death::deaths_are_noticed;
pub use failure::Failure;
pub use fresh::sessions_are_fresh;
pub use lengths::lengths_are_public;
pub use restore::keys_are_restored;
pub use run::{End, Ending, Job, Record, Stage};
pub use stats::{Deviation, Test};
pub use subject::{Exempt, PlanFn, SeatFn, Subject, Table, Watched};
pub use tamper::faults_are_noticed;
pub use tap::{Frame, Target};
pub use uniform::{Randomness, Reading, masks_are_used_once, views_are_uniform};
pub use views::plans_are_parsed;
