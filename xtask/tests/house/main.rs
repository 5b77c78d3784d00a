//! The rules of the house, each with a test on small inputs that it fails and one on the repository.

mod documents;
mod floors;
mod lexer;
mod rules;
mod sizes;
mod source;
mod unsafety;
mod workspace;

use std::path::{Path, PathBuf};

/// The root of the repository.
fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here).to_owned()
}

/// Fails with one line for each finding.
fn none(findings: &[String]) {
    assert!(findings.is_empty(), "\n{}\n", findings.join("\n"));
}
