//! Documents say what is so: commands and options exist, links lead somewhere, the card is quoted word for word.

use crate::lexer::{Kind, Token, tokens};
use crate::source::{closing, sources};
use crate::{none, root};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// Subcommands and long options of the program.
#[derive(Default)]
struct Program {
    commands: BTreeSet<String>,
    options: BTreeSet<String>,
}

impl Program {
    fn read() -> Self {
        let mut program = Self::default();
        for source in sources().iter().filter(|s| s.package == "subrosa-cli") {
            let code: Vec<Token> = source.code().into_iter().map(|(t, _)| t.clone()).collect();
            program.add(&code);
        }
        program
    }

    fn add(&mut self, code: &[Token]) {
        for at in 0..code.len() {
            if code[at].is("derive") && derives(code, at, "Subcommand") {
                self.commands.extend(variants(code, at));
            }
            let field = code[at].kind == Kind::Word && code.get(at + 1).is_some_and(|t| t.is(":"));
            if field && !code.get(at + 2).is_some_and(|t| t.is(":")) {
                self.options.insert(kebab(&code[at].text));
            }
            if code[at].is("long") && code.get(at + 2).is_some_and(|t| t.kind == Kind::Text) {
                self.options.insert(code[at + 2].text.clone());
            }
        }
    }

    /// What of a document's commands the program does not have.
    fn check(&self, document: &str) -> Vec<String> {
        let mut findings = Vec::new();
        for command in commands(document) {
            let mut words = command.split_whitespace();
            let name = words.next().unwrap_or_default();
            if !self.commands.contains(name) {
                findings.push(format!("`subrosa {command}`: no command {name}"));
            }
            for word in words.filter_map(|word| word.strip_prefix("--")) {
                let option = word.split('=').next().unwrap_or_default();
                if !["help", "version"].contains(&option) && !self.options.contains(option) {
                    findings.push(format!("`subrosa {command}`: no option --{option}"));
                }
            }
        }
        findings
    }
}

fn derives(code: &[Token], at: usize, name: &str) -> bool {
    closing(code, at + 1).is_some_and(|end| code[at..end].iter().any(|t| t.is(name)))
}

/// Names of the variants of the enum after the `derive` at `at`, as clap spells them.
fn variants(code: &[Token], at: usize) -> Vec<String> {
    let Some(start) = (at..code.len()).find(|i| code[*i].is("{")) else {
        return Vec::new();
    };
    let end = closing(code, start).unwrap_or(code.len());
    let mut names = Vec::new();
    let mut renamed = None;
    let mut expected = true;
    let mut i = start + 1;
    while i < end {
        let token = &code[i];
        if token.is("#") {
            let close = closing(code, i + 1).unwrap_or(end);
            let name = (i..close).find(|j| code[*j].is("name") && code[j + 1].is("="));
            renamed = name.map(|j| code[j + 2].text.clone()).or(renamed);
            i = close;
        } else if ["(", "{"].iter().any(|open| token.is(open)) {
            i = closing(code, i).unwrap_or(end);
        } else if token.is(",") {
            expected = true;
        } else if expected {
            names.push(renamed.take().unwrap_or_else(|| kebab(&token.text)));
            expected = false;
        }
        i += 1;
    }
    names
}

fn kebab(name: &str) -> String {
    let mut out = String::new();
    for (i, c) in name.chars().enumerate() {
        if c == '_' || c.is_uppercase() && i > 0 {
            out.push('-');
        }
        out.extend(c.to_lowercase().filter(|c| *c != '_'));
    }
    out
}

/// What follows the program's name in code blocks and code spans.
fn commands(document: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (i, block) in document.split("```").enumerate() {
        let pieces: Vec<&str> = if i % 2 == 1 {
            block.lines().skip(1).collect()
        } else {
            block.split('`').skip(1).step_by(2).collect()
        };
        for piece in pieces {
            let piece = piece.split(" #").next().unwrap_or_default().trim();
            let starts = [
                "subrosa ",
                "target/release/subrosa ",
                "cargo run --release -- ",
            ];
            let rest = starts.iter().find_map(|start| piece.strip_prefix(start));
            found.extend(rest.map(str::to_owned));
        }
    }
    found
}

/// Targets of relative links, without their anchors.
fn links(document: &str) -> Vec<String> {
    let ends = document
        .split("](")
        .skip(1)
        .filter_map(|rest| rest.split(')').next());
    let local = ends.filter(|link| !link.contains("://") && !link.starts_with('#'));
    local
        .map(|link| link.split('#').next().unwrap_or_default().to_owned())
        .collect()
}

/// Rows `| who | holds | learns |` of the card in a source file.
fn rows(card: &str) -> Vec<String> {
    let code: Vec<Token> = tokens(card)
        .into_iter()
        .filter(|t| t.kind != Kind::Comment)
        .collect();
    let value = |at: usize, name: &str| {
        let field = code.get(at)?.is(name) && code.get(at + 1)?.is(":");
        let text = code.get(at + 2).filter(|t| field && t.kind == Kind::Text)?;
        Some(text.text.clone())
    };
    let row = |at: usize| {
        let (who, holds) = (value(at, "who")?, value(at + 4, "holds")?);
        Some(format!(
            "| {who} | {holds} | {} |",
            value(at + 8, "learns")?
        ))
    };
    (0..code.len()).filter_map(row).collect()
}

fn documents() -> Vec<PathBuf> {
    let mut documents = Vec::new();
    let folders = [
        "",
        "models",
        "protocols/clear",
        "protocols/replicated3",
        "protocols/two_party",
    ];
    for folder in folders {
        for entry in std::fs::read_dir(root().join(folder)).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_some_and(|end| end == "md") {
                documents.push(path);
            }
        }
    }
    documents
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap()
}

#[test]
fn commands_and_options_of_the_documents_exist() {
    let program = Program::read();
    let mut findings = Vec::new();
    for path in documents() {
        let faults = program.check(&read(&path)).into_iter();
        findings.extend(faults.map(|fault| format!("{}: {fault}", path.display())));
    }
    none(&findings);
}

#[test]
fn links_lead_somewhere() {
    let mut findings = Vec::new();
    for path in documents() {
        let folder = path.parent().unwrap();
        let dead = links(&read(&path))
            .into_iter()
            .filter(|link| !folder.join(link).exists());
        findings.extend(dead.map(|link| format!("{}: {link} does not exist", path.display())));
    }
    none(&findings);
}

#[test]
fn who_learns_what_is_the_card_word_for_word() {
    let mut findings = Vec::new();
    for (protocol, least, documents) in [
        (
            "replicated3",
            3,
            ["README.md", "protocols/replicated3/README.md"].as_slice(),
        ),
        ("two_party", 2, &["protocols/two_party/README.md"]),
    ] {
        let card = rows(&read(
            &root().join(format!("protocols/{protocol}/src/card.rs")),
        ));
        assert!(card.len() >= least, "found no card of {protocol}");
        for document in documents {
            let text = read(&root().join(document));
            let missing = card.iter().filter(|row| !text.contains(*row));
            findings.extend(missing.map(|row| format!("{document} lacks {row}")));
        }
    }
    none(&findings);
}

#[test]
fn ci_runs_what_the_readme_promises() {
    let ci = read(&root().join(".ci/run"));
    let tests = "cargo test --workspace --release";
    assert!(ci.contains(tests) && read(&root().join("README.md")).contains(tests));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_read_from_code_alone() {
        let text = "run subrosa demo, `subrosa run X`\n```sh\n$ ls\nsubrosa eval M --limit 3  # note\ncargo run --release -- demo\n```\n";
        assert_eq!(commands(text), ["run X", "eval M --limit 3", "demo"]);
    }

    #[test]
    fn missing_commands_and_options_are_found() {
        let mut program = Program::default();
        program.add(&tokens(
            "#[derive(Debug, Subcommand)] enum Command { /* x */ Run(Run), #[command(name = \"try\")] Attempt { a: u8 }, KeyGen }
             struct Run { #[arg(long)] input_range: String, #[arg(long = \"json\")] machine: bool }",
        ).into_iter().filter(|t| t.kind != Kind::Comment).collect::<Vec<_>>());
        let check = |line: &str, expected: &[&str]| {
            assert_eq!(program.check(&format!("`subrosa {line}`")), expected);
        };
        check("run --input-range 0:1 --json", &[]);
        check("try x", &[]);
        check("key-gen", &[]);
        check("attempt", &["`subrosa attempt`: no command attempt"]);
        check(
            "run --inputs=3",
            &["`subrosa run --inputs=3`: no option --inputs"],
        );
    }

    #[test]
    fn links_and_rows_are_read() {
        assert_eq!(links("[a](b.md#c) [d](https://e) [f](#g)"), ["b.md"]);
        let card = "Learns { who: \"a\", holds: \"b\",\n learns: \"c\" }, // who: \"x\"";
        assert_eq!(rows(card), ["| a | b | c |"]);
    }
}
