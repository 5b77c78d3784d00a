//! What the program says.

mod colour;
mod json;
mod numbers;
mod plot;
mod table;

pub use colour::paint;
#[cfg(test)]
pub use json::CostJson;
pub use json::{BillJson, print_json};
pub use numbers::{bytes, count, number, seconds, shape, wrap};
pub use plot::Chart;
pub use table::Table;

use crate::fault::Fault;
use std::io::{self, ErrorKind, Write};

/// Text to standard output. A closed one is not an error of the program.
pub fn print(text: &str) -> Result<(), Fault> {
    let mut out = io::stdout().lock();
    let written = out.write_all(text.as_bytes()).and_then(|()| out.flush());
    written.map_err(|error| match error.kind() {
        ErrorKind::BrokenPipe => Fault::Closed,
        _ => Fault::Output {
            path: "standard output".into(),
            error,
        },
    })
}

/// A remark to standard error, one line.
pub fn note(text: &str) {
    // Where nobody reads remarks, they are lost.
    let _ = writeln!(io::stderr(), "note: {text}");
}

/// The one line of a failure, to standard error.
pub fn complain(fault: &Fault) {
    let said = fault.to_string();
    let line: Vec<&str> = said.split_whitespace().collect();
    let _ = writeln!(io::stderr(), "subrosa: {}", line.join(" "));
}
