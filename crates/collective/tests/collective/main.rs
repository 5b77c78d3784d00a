//! Servers in threads: bits, masks, shares, and whole networks.

mod dabits;
mod graphs;
mod harness;
mod keys;
mod secrecy;
mod whole;
