//! `unsafe` is in `ring` alone, and every block says why it is sound.

use crate::lexer::{Kind, Token};
use crate::none;
use crate::source::{Source, sources};

/// Crates with SIMD kernels.
const HOUSES: [&str; 1] = ["subrosa-ring"];

/// Opens a comment that gives one reason for all blocks in the rest of its file.
const REST: &str = "SAFETY of the blocks below";

/// A block's reason is a comment with the word SAFETY in its own statement, before an item that holds the block,
/// or for the rest of the file.
fn check(source: &Source) -> Vec<String> {
    let mut findings = Vec::new();
    // For each open brace, whether what it belongs to has a reason.
    let mut open = vec![false];
    let mut reason = false;
    let mut rest = false;
    for (at, token) in source.tokens.iter().enumerate() {
        if token.kind == Kind::Comment {
            reason |= token.text.to_uppercase().contains("SAFETY");
            rest |= token.text.contains(REST);
        } else if token.is("unsafe") {
            let next = source.tokens[at + 1..]
                .iter()
                .find(|t| t.kind != Kind::Comment);
            let needs = next.is_some_and(|t| t.is("{") || t.is("impl"));
            if !HOUSES.contains(&source.package.as_str()) {
                findings.push(source.finding(token.line, "`unsafe` is in `ring` alone"));
            } else if needs && !rest && !reason && !open.contains(&true) {
                findings
                    .push(source.finding(token.line, "an `unsafe` block without a SAFETY comment"));
            }
        } else if token.is("{") {
            open.push(reason);
            reason = false;
        } else if token.is("}") {
            open.pop();
            reason = false;
        } else if ends_statement(token) {
            reason = false;
        }
    }
    findings
}

fn ends_statement(token: &Token) -> bool {
    token.is(";")
}

#[test]
fn unsafe_code_has_its_house_and_its_reasons() {
    none(&sources().iter().flat_map(check).collect::<Vec<_>>());
}

#[test]
fn unsafe_code_elsewhere_or_without_a_reason_is_found() {
    let lines = |package: &str, text: &str, expected: &[usize]| {
        let found = check(&Source::parse("a.rs".as_ref(), package, text));
        let lines: Vec<usize> = found
            .iter()
            .map(|f| f.split(':').nth(1).unwrap().parse().unwrap())
            .collect();
        assert_eq!(lines, expected, "{package}: {text}");
    };
    lines("subrosa-net", "// SAFETY: no\nunsafe { f() }", &[2]);
    lines("subrosa-net", "unsafe fn f() {}", &[1]);
    lines(HOUSES[0], "fn f() { let x = unsafe { g() }; }", &[1]);
    lines(
        HOUSES[0],
        "fn f() {\n// SAFETY: yes\nlet x = unsafe { g() };\nunsafe { h() }\n}",
        &[4],
    );
    lines(HOUSES[0], "fn f() {\n// why\nunsafe { h() }\n}", &[3]);
    lines(
        HOUSES[0],
        "// SAFETY: yes\nimpl V for W { fn f() { unsafe { g() } } fn h() { unsafe { i() } } }\nfn j() { unsafe { k() } }",
        &[3],
    );
    lines(
        HOUSES[0],
        "unsafe { f() }\n// SAFETY of the blocks below: yes\nfn g() {}\nfn h() { unsafe { i() } }",
        &[1],
    );
    lines(HOUSES[0], "unsafe impl Send for X {}", &[1]);
    lines(
        HOUSES[0],
        "/// # Safety\n/// As for g.\nunsafe fn f() { unsafe { g() } }",
        &[],
    );
}
