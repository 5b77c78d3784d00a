//! Several parties, each with a vault of its own, in one process.

mod backups;
mod faults;
mod files;
mod forget;
mod handshake;
mod hub;
mod kill;
mod mounted;
mod parties;
mod rows;
mod spill;
mod store;
mod store_faults;
mod store_kill;
mod table;
