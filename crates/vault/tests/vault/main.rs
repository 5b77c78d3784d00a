//! Several parties, each with a vault of its own, in one process.

mod backups;
mod faults;
mod files;
mod handshake;
mod hub;
mod kill;
mod parties;
mod spill;
mod table;
