//! Source files with their crate, and which of their lines are tests.

use crate::lexer::{Kind, Token, tokens};
use crate::root;
use crate::workspace::packages;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

/// The crate that is a test suite as a whole.
const SUITE: &str = "subrosa-conformance";

pub struct Source {
    /// From the repository's root.
    pub path: PathBuf,
    pub package: String,
    pub lines: usize,
    /// Comments included.
    pub tokens: Vec<Token>,
    /// For each token, whether it is compiled for tests, benches or examples alone.
    pub test: Vec<bool>,
}

impl Source {
    pub fn parse(path: &Path, package: &str, text: &str) -> Self {
        let tokens = tokens(text);
        let beside = ["tests", "benches", "examples"];
        let test_file = path
            .components()
            .any(|part| beside.iter().any(|b| part.as_os_str() == *b));
        let test = if test_file || package == SUITE {
            vec![true; tokens.len()]
        } else {
            test_tokens(&tokens)
        };
        Self {
            path: path.to_owned(),
            package: package.into(),
            lines: text.lines().count(),
            tokens,
            test,
        }
    }

    /// Tokens without comments, with whether each is for tests.
    pub fn code(&self) -> Vec<(&Token, bool)> {
        let all = self.tokens.iter().zip(self.test.iter().copied());
        all.filter(|(token, _)| token.kind != Kind::Comment)
            .collect()
    }

    pub fn finding(&self, line: usize, fault: &str) -> String {
        format!("{}:{line}: {fault}", self.path.display())
    }

    /// Where `#[cfg(test)] mod name;` lets a file or folder of tests lie.
    fn test_modules(&self) -> Vec<PathBuf> {
        let code = self.code();
        let folder = self.path.parent().unwrap_or(Path::new(""));
        let stem = self.path.file_stem().unwrap_or_default();
        let own = ["lib", "main", "mod"].iter().any(|s| stem == *s);
        let base = if own {
            folder.to_owned()
        } else {
            folder.join(stem)
        };
        let declared = code
            .windows(3)
            .filter(|w| w[0].1 && w[0].0.is("mod") && w[1].0.kind == Kind::Word && w[2].0.is(";"));
        declared.map(|w| base.join(&w[1].0.text)).collect()
    }
}

/// Every Rust file of the workspace.
pub fn sources() -> &'static [Source] {
    static SOURCES: LazyLock<Vec<Source>> = LazyLock::new(read);
    &SOURCES
}

fn read() -> Vec<Source> {
    let root = root();
    let mut sources = Vec::new();
    for package in packages() {
        let folder = package.manifest_path.parent().unwrap().to_owned();
        for path in rust_files(&folder) {
            let text = std::fs::read_to_string(&path).unwrap();
            let path = path.strip_prefix(&root).unwrap();
            sources.push(Source::parse(path, &package.name, &text));
        }
    }
    mark_test_modules(&mut sources);
    sources
}

pub fn mark_test_modules(sources: &mut [Source]) {
    let modules: BTreeSet<PathBuf> = sources.iter().flat_map(Source::test_modules).collect();
    for source in sources {
        let bare = source.path.with_extension("");
        if modules.iter().any(|module| bare.starts_with(module)) {
            source.test.fill(true);
        }
    }
}

fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        if path.is_dir() && name != "target" && !name.starts_with('.') {
            files.extend(rust_files(&path));
        } else if path.extension().is_some_and(|end| end == "rs") {
            files.push(path);
        }
    }
    files.sort();
    files
}

/// Which tokens belong to items under `#[cfg(test)]` or `#[test]`.
fn test_tokens(tokens: &[Token]) -> Vec<bool> {
    let mut test = vec![false; tokens.len()];
    let mut at = 0;
    while at < tokens.len() {
        let Some(end) = attribute_end(tokens, at) else {
            at += 1;
            continue;
        };
        if is_for_tests(&tokens[at..end]) {
            let end = item_end(tokens, end);
            test[at..end].fill(true);
            at = end;
        } else {
            at = end;
        }
    }
    test
}

/// One past the attribute that starts at `at`.
fn attribute_end(tokens: &[Token], at: usize) -> Option<usize> {
    if !(tokens[at].is("#") && tokens.get(at + 1)?.is("[")) {
        return None;
    }
    Some(closing(tokens, at + 1)? + 1)
}

fn is_for_tests(attribute: &[Token]) -> bool {
    let words: Vec<&str> = attribute
        .iter()
        .filter(|t| t.kind == Kind::Word)
        .map(|t| t.text.as_str())
        .collect();
    words == ["test"]
        || words.first() == Some(&"cfg") && words.contains(&"test") && !words.contains(&"not")
}

/// One past the item that starts at `at`, further attributes included.
fn item_end(tokens: &[Token], mut at: usize) -> usize {
    while at < tokens.len() {
        if let Some(end) = attribute_end(tokens, at) {
            at = end;
        } else if tokens[at].is(";") {
            return at + 1;
        } else if tokens[at].is("{") {
            return closing(tokens, at).map_or(tokens.len(), |end| end + 1);
        } else if ["(", "["].iter().any(|open| tokens[at].is(open)) {
            at = closing(tokens, at).map_or(tokens.len(), |end| end + 1);
        } else {
            at += 1;
        }
    }
    at
}

/// The bracket that closes the one at `at`.
pub fn closing(tokens: &[Token], at: usize) -> Option<usize> {
    let mut depth = 0usize;
    for (i, token) in tokens.iter().enumerate().skip(at) {
        if ["(", "[", "{"].iter().any(|open| token.is(open)) {
            depth += 1;
        } else if [")", "]", "}"].iter().any(|close| token.is(close)) {
            depth = depth.checked_sub(1)?;
            if depth == 0 {
                return Some(i);
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(path: &str, text: &str, expected: &str) {
        let source = Source::parse(Path::new(path), "x", text);
        let words = source
            .code()
            .into_iter()
            .filter(|(t, test)| *test && t.kind == Kind::Word);
        let words: Vec<&str> = words.map(|(t, _)| t.text.as_str()).collect();
        assert_eq!(words.join(" "), expected, "{path}: {text}");
    }

    #[test]
    fn tests_are_told_from_the_rest() {
        check(
            "x/src/a.rs",
            "fn a() { b(); } #[test] fn c() { d(); } fn e() {}",
            "test fn c d",
        );
        check(
            "x/src/a.rs",
            "#[cfg(test)] #[x(y)] mod t { fn f() {} } fn g() {}",
            "cfg test x y mod t fn f",
        );
        check(
            "x/src/a.rs",
            "#[cfg(not(test))] fn a() {} #[cfg(test)] use b; fn c() {}",
            "cfg test use b",
        );
        check(
            "x/src/a.rs",
            "#[cfg(test)] fn a(x: [u8; 3]) { b } fn c() {}",
            "cfg test fn a x u8 b",
        );
        check("x/benches/a.rs", "fn a() {}", "fn a");
    }

    #[test]
    fn files_of_test_modules_are_tests() {
        let parse = |path: &str, text: &str| Source::parse(Path::new(path), "x", text);
        let mut sources = [
            parse("x/src/lib.rs", "mod a; #[cfg(test)] mod net_tests;"),
            parse("x/src/a.rs", "#[cfg(test)] mod checks;"),
            parse("x/src/a/checks.rs", "fn f() {}"),
            parse("x/src/net_tests/deep.rs", "fn f() {}"),
            parse("x/src/checks.rs", "fn f() {}"),
        ];
        mark_test_modules(&mut sources);
        let whole: Vec<bool> = sources.iter().map(|s| s.test.iter().all(|t| *t)).collect();
        assert_eq!(whole, [false, true, true, true, false]);
    }
}
