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

/// Words of others as a terminal may have them: what is neither a printed sign nor a space becomes a question mark.
pub fn plain(text: &str) -> String {
    let sign = |c: char| match c.is_control() && !c.is_whitespace() {
        true => '?',
        false => c,
    };
    text.chars().map(sign).collect()
}

/// The one line of a failure, to standard error.
pub fn complain(fault: &Fault) {
    let said = plain(&fault.to_string());
    let line: Vec<&str> = said.split_whitespace().collect();
    let _ = writeln!(io::stderr(), "subrosa: {}", line.join(" "));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_others_move_no_cursor() {
        assert_eq!(plain("a\u{1b}[2J b\u{7}\u{9b}é\n"), "a?[2J b??é\n");
    }
}
