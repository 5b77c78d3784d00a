//! Rust source as tokens, so that no rule reads a comment or a string as code.

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Kind {
    Word,
    Number,
    Mark,
    /// A string literal; the text is what stands between the quotes.
    Text,
    Letter,
    Lifetime,
    Comment,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Token {
    pub kind: Kind,
    pub text: String,
    /// Counted from one, where the token starts.
    pub line: usize,
}

impl Token {
    pub fn is(&self, text: &str) -> bool {
        matches!(self.kind, Kind::Word | Kind::Mark) && self.text == text
    }
}

/// All tokens of a file, comments included.
pub fn tokens(source: &str) -> Vec<Token> {
    let mut lexer = Lexer {
        left: source.chars().collect(),
        at: 0,
        line: 1,
    };
    let mut tokens = Vec::new();
    while let Some(token) = lexer.next() {
        tokens.push(token);
    }
    tokens
}

struct Lexer {
    left: Vec<char>,
    at: usize,
    line: usize,
}

impl Lexer {
    fn peek(&self, ahead: usize) -> char {
        self.left.get(self.at + ahead).copied().unwrap_or('\0')
    }

    fn done(&self) -> bool {
        self.at >= self.left.len()
    }

    fn step(&mut self) -> char {
        let next = self.peek(0);
        self.line += usize::from(next == '\n');
        self.at += 1;
        next
    }

    fn take_while(&mut self, more: impl Fn(&Self) -> bool) -> String {
        let mut text = String::new();
        while !self.done() && more(self) {
            text.push(self.step());
        }
        text
    }

    fn next(&mut self) -> Option<Token> {
        self.take_while(|l| l.peek(0).is_whitespace());
        if self.done() {
            return None;
        }
        let line = self.line;
        let (kind, text) = match (self.peek(0), self.peek(1)) {
            ('/', '/') => (Kind::Comment, self.take_while(|l| l.peek(0) != '\n')),
            ('/', '*') => (Kind::Comment, self.block_comment()),
            ('"', _) => (Kind::Text, self.text()),
            ('\'', _) => self.quote(),
            (c, _) if c.is_ascii_digit() => (Kind::Number, self.number()),
            (c, _) if is_word(c) => self.word(),
            _ => (Kind::Mark, self.step().to_string()),
        };
        Some(Token { kind, text, line })
    }

    fn block_comment(&mut self) -> String {
        let mut depth = 0;
        let mut text = String::new();
        while !self.done() {
            let pair = (self.peek(0), self.peek(1));
            depth += i32::from(pair == ('/', '*')) - i32::from(pair == ('*', '/'));
            let ends = pair == ('*', '/');
            text.push(self.step());
            if pair == ('/', '*') || ends {
                text.push(self.step());
            }
            if ends && depth == 0 {
                break;
            }
        }
        text
    }

    fn text(&mut self) -> String {
        self.step();
        let mut text = String::new();
        while !self.done() && self.peek(0) != '"' {
            if self.peek(0) == '\\' {
                text.push(self.step());
            }
            text.push(self.step());
        }
        self.step();
        text
    }

    fn raw_text(&mut self) -> String {
        let hashes = self.take_while(|l| l.peek(0) == '#').len();
        self.step();
        let ends = |l: &Self| l.peek(0) == '"' && (1..=hashes).all(|i| l.peek(i) == '#');
        let text = self.take_while(|l| !ends(l));
        (0..=hashes).for_each(|_| {
            self.step();
        });
        text
    }

    fn quote(&mut self) -> (Kind, String) {
        if self.peek(1) != '\\' && self.peek(2) != '\'' {
            self.step();
            return (Kind::Lifetime, self.take_while(|l| is_word(l.peek(0))));
        }
        let mut text = String::new();
        text.push(self.step());
        while !self.done() {
            let c = self.step();
            text.push(c);
            if c == '\\' {
                text.push(self.step());
            } else if c == '\'' {
                break;
            }
        }
        (Kind::Letter, text)
    }

    fn number(&mut self) -> String {
        self.take_while(|l| {
            let fraction = l.peek(0) == '.' && l.peek(1).is_ascii_digit();
            is_word(l.peek(0)) || fraction
        })
    }

    /// A word, or what a prefix of one or two letters announces.
    fn word(&mut self) -> (Kind, String) {
        let text = self.take_while(|l| is_word(l.peek(0)));
        let hash_text = self.peek(0) == '#' && matches!(self.peek(1), '#' | '"');
        match text.as_str() {
            "r" | "br" | "cr" if self.peek(0) == '"' || hash_text => (Kind::Text, self.raw_text()),
            "b" | "c" if self.peek(0) == '"' => (Kind::Text, self.text()),
            "b" if self.peek(0) == '\'' => self.quote(),
            "r" if self.peek(0) == '#' => {
                self.step();
                (Kind::Word, self.take_while(|l| is_word(l.peek(0))))
            }
            _ => (Kind::Word, text),
        }
    }
}

fn is_word(c: char) -> bool {
    c == '_' || c.is_alphanumeric()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(source: &str, expected: &[(Kind, &str)]) {
        let found = tokens(source);
        let found: Vec<(Kind, &str)> = found.iter().map(|t| (t.kind, t.text.as_str())).collect();
        assert_eq!(found, expected, "{source}");
    }

    #[test]
    fn code_is_told_from_what_only_looks_like_it() {
        use Kind::{Comment, Letter, Lifetime, Mark, Number, Text, Word};
        check("a // b\nc", &[(Word, "a"), (Comment, "// b"), (Word, "c")]);
        check(
            "/* a /* b */ c */ d",
            &[(Comment, "/* a /* b */ c */"), (Word, "d")],
        );
        check(r#""a \" // b" c"#, &[(Text, r#"a \" // b"#), (Word, "c")]);
        check(r###"r#"a " b"# c"###, &[(Text, "a \" b"), (Word, "c")]);
        check("b\"x\" br\"y\"", &[(Text, "x"), (Text, "y")]);
        check(
            "'a' '\\'' 'a '_",
            &[
                (Letter, "'a'"),
                (Letter, "'\\''"),
                (Lifetime, "a"),
                (Lifetime, "_"),
            ],
        );
        check(
            "r#type 0..1.5e3",
            &[
                (Word, "type"),
                (Number, "0"),
                (Mark, "."),
                (Mark, "."),
                (Number, "1.5e3"),
            ],
        );
    }

    #[test]
    fn lines_are_counted() {
        let lines: Vec<usize> = tokens("a\n\"x\ny\"\nb").iter().map(|t| t.line).collect();
        assert_eq!(lines, [1, 2, 4]);
    }
}
