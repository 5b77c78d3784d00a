//! The subrosa program.
fn main() {}
