//! Coalitions of servers put together all that they have received, sent and kept in the real protocol, and try to read values and
//! weights of the hidden half; the user tries alone.
//!
//! That a coalition fails is a statement about coins: what it decodes is fair over many runs on one input and one model, and the
//! same program with the missing share reads the value. See [`coins`] for the chance of a false alarm.

mod coins;
mod decode;
mod nets;
mod record;
mod redrawn;
mod solve;
mod user;
mod values;
mod weights;
