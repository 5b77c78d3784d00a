//! What code may say, and where.

use crate::floors::Floors;
use crate::lexer::{Kind, Token};
use crate::none;
use crate::source::{Source, closing, sources};

const APPS: u32 = 9;
const FACADE: u32 = 7;
const NODES: u32 = 8;

/// Names in `std::net` that open nothing.
const ADDRESSES: [&str; 7] = [
    "AddrParseError",
    "IpAddr",
    "Ipv4Addr",
    "Ipv6Addr",
    "SocketAddr",
    "SocketAddrV4",
    "SocketAddrV6",
];

/// The crate whose callers vouch for all that it is given.
const MAY_PANIC: &str = "subrosa-ring";

/// Findings of all rules in one file of a crate of `floor`.
fn check(source: &Source, floor: u32) -> Vec<String> {
    let mut findings = Vec::new();
    let code = source.code();
    let mut tell = |line: usize, fault: &str| findings.push(source.finding(line, fault));
    for (path, line, test) in paths(&code) {
        if let Some(fault) = path_fault(&path, &source.package, floor, test) {
            tell(line, &format!("{path}: {fault}"));
        }
    }
    for (at, (token, test)) in code.iter().enumerate() {
        let after: Vec<&Token> = code[at + 1..].iter().take(2).map(|(t, _)| *t).collect();
        let before = at.checked_sub(1).map(|i| code[i].0);
        if let Some(fault) = unfinished(before, token, &after) {
            tell(token.line, fault);
        }
        if *test {
            continue;
        }
        if let Some(fault) = clock(token, &source.package, floor) {
            tell(token.line, fault);
        }
        let single = || is_one_argument(&code[at + 1..]);
        if source.package != MAY_PANIC && panics(before, token, &after, single) {
            tell(
                token.line,
                &format!("`{}` where data of a peer or a file may be", token.text),
            );
        }
    }
    let names = ["utils", "util", "common", "helpers", "misc"];
    let parts = source.path.with_extension("");
    if parts
        .components()
        .any(|part| names.iter().any(|name| part.as_os_str() == *name))
    {
        tell(1, "a module is named for what is in it");
    }
    findings
}

fn path_fault(path: &str, package: &str, floor: u32, test: bool) -> Option<&'static str> {
    let within = |folder: &str| path == folder || path.starts_with(&format!("{folder}::"));
    if within("std::net") || within("std::os::unix::net") {
        let address = ADDRESSES
            .iter()
            .any(|name| path == format!("std::net::{name}"));
        let allowed =
            package == "subrosa-net" || address && floor >= FACADE || test && floor >= NODES;
        return (!allowed).then_some("sockets are in `net` and in tests of nodes alone");
    }
    if within("std::env") && !test && floor < APPS {
        return Some("the environment is read in apps and tests alone");
    }
    None
}

fn clock(token: &Token, package: &str, floor: u32) -> Option<&'static str> {
    if floor >= APPS {
        return None;
    }
    let wall = ["SystemTime", "UNIX_EPOCH", "Realtime"]
        .iter()
        .any(|name| token.is(name));
    let monotonic = token.is("Instant") && !["subrosa-net", "subrosa-node"].contains(&package);
    (wall || monotonic).then_some(
        "clocks are in apps, tests and benches, a monotonic one also in `net` and `node`",
    )
}

fn unfinished(before: Option<&Token>, token: &Token, after: &[&Token]) -> Option<&'static str> {
    let call = after.first().is_some_and(|t| t.is("!"));
    if call
        && ["todo", "unimplemented", "dbg"]
            .iter()
            .any(|name| token.is(name))
    {
        return Some("unfinished");
    }
    let attribute =
        before.is_some_and(|t| t.is("[")) && after.first().is_some_and(|t| t.is("]") || t.is("="));
    (attribute && token.is("ignore")).then_some("a test that does not run")
}

fn panics(
    before: Option<&Token>,
    token: &Token,
    after: &[&Token],
    single: impl Fn() -> bool,
) -> bool {
    let opens = |mark: &str| after.first().is_some_and(|t| t.is(mark));
    if opens("!") {
        return ["panic", "unreachable"].iter().any(|name| token.is(name));
    }
    let method = before.is_some_and(|t| t.is(".")) && opens("(");
    let empty = after.get(1).is_some_and(|t| t.is(")"));
    method && (token.is("unwrap") && empty || token.is("expect") && !empty && single())
}

/// Whether the call whose bracket comes first has no comma outside of further brackets.
fn is_one_argument(call: &[(&Token, bool)]) -> bool {
    let tokens: Vec<Token> = call.iter().map(|(t, _)| (*t).clone()).collect();
    let Some(end) = closing(&tokens, 0) else {
        return true;
    };
    let mut at = 1;
    while at < end {
        if tokens[at].is(",") && at + 1 < end {
            return false;
        }
        let open = ["(", "[", "{"].iter().any(|open| tokens[at].is(open));
        at = if open {
            closing(&tokens, at).unwrap_or(end) + 1
        } else {
            at + 1
        };
    }
    true
}

/// Every path that starts with `std`, groups in braces spelt out, with its line and whether it is for tests.
fn paths(code: &[(&Token, bool)]) -> Vec<(String, usize, bool)> {
    let mut paths = Vec::new();
    for (at, (token, test)) in code.iter().enumerate() {
        let inner = at > 0 && [":", "."].iter().any(|mark| code[at - 1].0.is(mark));
        let root = at < 3 || !code[at - 3].0.kind.eq(&Kind::Word) || code[at - 3].0.is("use");
        if token.is("std") && (!inner || root) {
            let mut found = Vec::new();
            tree(code, at, "", &mut found);
            paths.extend(found.into_iter().map(|path| (path, token.line, *test)));
        }
    }
    paths
}

/// Reads the tree of paths at `at` and gives what follows it.
fn tree(code: &[(&Token, bool)], mut at: usize, prefix: &str, found: &mut Vec<String>) -> usize {
    let is = |at: usize, mark: &str| code.get(at).is_some_and(|(t, _)| t.is(mark));
    let mut path = prefix.to_owned();
    loop {
        if is(at, "{") {
            at += 1;
            while at < code.len() && !is(at, "}") {
                at = tree(code, at, &path, found);
                while at < code.len() && !is(at, ",") && !is(at, "}") {
                    at += 1;
                }
                at += usize::from(is(at, ","));
            }
            return at + 1;
        }
        let Some((token, _)) = code.get(at) else {
            break;
        };
        if token.kind != Kind::Word && !token.is("*") {
            break;
        }
        if !token.is("self") {
            path = if path.is_empty() {
                token.text.clone()
            } else {
                format!("{path}::{}", token.text)
            };
        }
        at += 1;
        if !(is(at, ":") && is(at + 1, ":")) {
            break;
        }
        at += 2;
    }
    found.push(path);
    at
}

#[test]
fn code_stays_in_its_place() {
    let floors = Floors::read().floors;
    let all = sources();
    let findings = all
        .iter()
        .flat_map(|s| check(s, floors.get(&s.package).copied().unwrap_or(0)));
    none(&findings.collect::<Vec<_>>());
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    /// Lines that are found in a file of a crate of `floor`.
    fn lines(package: &str, floor: u32, path: &str, text: &str, expected: &[usize]) {
        let found = check(&Source::parse(Path::new(path), package, text), floor);
        let lines: Vec<usize> = found
            .iter()
            .map(|f| f.split(':').nth(1).unwrap().parse().unwrap())
            .collect();
        assert_eq!(lines, expected, "{package}: {text}\n{found:?}");
    }

    #[test]
    fn sockets() {
        let uses = "use std::net::TcpStream;\nuse std::{io, net::{SocketAddr, UdpSocket}};\nfn f() { ::std::net::TcpListener::bind(1) }";
        lines("subrosa-net", 2, "a.rs", uses, &[]);
        lines("subrosa-ir", 2, "a.rs", uses, &[1, 2, 2, 3]);
        lines("subrosa-cli", 9, "a.rs", uses, &[1, 2, 3]);
        lines(
            "subrosa-cli",
            9,
            "a.rs",
            "use std::net;\nuse std::net::*;\nuse std::os::unix::net::UnixStream;",
            &[1, 2, 3],
        );
        lines(
            "subrosa-ir",
            2,
            "tests/a.rs",
            "use std::net::TcpStream;",
            &[1],
        );
        lines(
            "subrosa-ir",
            2,
            "a.rs",
            "// std::net\nlet x = \"std::net\";",
            &[],
        );
    }

    #[test]
    fn environment_and_clocks() {
        lines(
            "subrosa",
            7,
            "a.rs",
            "use std::{env, fmt};\nfn f() { std::env::args() }",
            &[1, 2],
        );
        lines("subrosa", 7, "tests/a.rs", "use std::env;", &[]);
        lines(
            "subrosa-cli",
            9,
            "a.rs",
            "use std::env; use std::time::{Instant, SystemTime};",
            &[],
        );
        lines(
            "subrosa-ir",
            2,
            "a.rs",
            "use std::time::Instant;\nfn f(x: SystemTime) {}",
            &[1, 2],
        );
        lines(
            "subrosa-net",
            2,
            "a.rs",
            "use std::time::Instant;\nSystemTime::now()",
            &[2],
        );
        lines(
            "subrosa-net",
            2,
            "benches/a.rs",
            "use std::time::Instant;",
            &[],
        );
    }

    #[test]
    fn unfinished_work() {
        lines(
            "subrosa-ir",
            2,
            "a.rs",
            "fn f() { todo!() }\nfn g() { unimplemented!(\"x\") }\ndbg!(x);",
            &[1, 2, 3],
        );
        lines(
            "subrosa-ir",
            2,
            "tests/a.rs",
            "#[test]\n#[ignore]\nfn f() {}\n#[ignore = \"slow\"]\nfn g() {}",
            &[2, 4],
        );
        lines("subrosa-ir", 2, "a.rs", "fn ignore(todo: u8) {}", &[]);
    }

    #[test]
    fn panics_outside_tests() {
        let text = "x.unwrap();\nx.expect(\"y\");\npanic!();\nunreachable!();\nx.unwrap_or(1);\nx.expect(a, b(c, d));";
        lines("subrosa-net", 2, "a.rs", text, &[1, 2, 3, 4]);
        lines("subrosa-ring", 0, "a.rs", text, &[]);
        lines(
            "subrosa-net",
            2,
            "a.rs",
            &format!("#[cfg(test)]\nmod tests {{ {text} }}"),
            &[],
        );
        lines(
            "subrosa-net",
            2,
            "a.rs",
            "x.expect(&format!(\"{}{}\", a, b));",
            &[1],
        );
    }

    #[test]
    fn names_of_modules() {
        lines("subrosa-ir", 2, "crates/ir/src/utils.rs", "", &[1]);
        lines("subrosa-ir", 2, "crates/ir/src/common/a.rs", "", &[1]);
    }
}
