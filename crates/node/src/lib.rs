//! Floor 8: parties that live long, and those that ask them.

pub mod config;
