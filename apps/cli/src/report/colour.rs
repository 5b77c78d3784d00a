//! Colour, on a terminal alone, and not where `NO_COLOR` is set.

use std::io::{IsTerminal, stdout};

/// Paints, or leaves text as it is.
#[derive(Clone, Copy)]
pub struct Paint {
    on: bool,
}

/// For standard output.
pub fn paint() -> Paint {
    let refused = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    Paint {
        on: stdout().is_terminal() && !refused,
    }
}

impl Paint {
    fn with(self, code: &str, text: &str) -> String {
        if self.on {
            format!("\x1b[{code}m{text}\x1b[0m")
        } else {
            text.to_owned()
        }
    }

    pub fn bold(self, text: &str) -> String {
        self.with("1", text)
    }

    pub fn good(self, text: &str) -> String {
        self.with("32", text)
    }

    pub fn bad(self, text: &str) -> String {
        self.with("31", text)
    }
}
