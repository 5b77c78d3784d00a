//! Checks of the house itself. They are tests: `cargo test -p xtask`.
