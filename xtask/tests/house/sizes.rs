//! Files stay short.

use crate::none;
use crate::source::sources;

const MOST: usize = 500;
const MEDIAN: usize = 200;

/// `files`: name and number of lines of each.
fn check(mut files: Vec<(String, usize)>) -> Vec<String> {
    files.sort_by_key(|(_, lines)| *lines);
    let long = files.iter().filter(|(_, lines)| *lines > MOST);
    let mut findings: Vec<String> = long
        .map(|(name, lines)| format!("{name}: {lines} lines, at most {MOST}"))
        .collect();
    if let Some((_, median)) = files
        .get(files.len() / 2)
        .filter(|(_, lines)| *lines >= MEDIAN)
    {
        findings.push(format!(
            "the median file has {median} lines, expected fewer than {MEDIAN}"
        ));
    }
    findings
}

#[test]
fn files_are_short() {
    none(&check(
        sources()
            .iter()
            .map(|s| (s.path.display().to_string(), s.lines))
            .collect(),
    ));
}

#[test]
fn long_files_are_found() {
    let files = |lines: &[usize]| lines.iter().map(|l| ("a.rs".to_owned(), *l)).collect();
    assert!(check(files(&[1, 199, 500])).is_empty());
    assert_eq!(check(files(&[1, 2, 501])), ["a.rs: 501 lines, at most 500"]);
    assert_eq!(
        check(files(&[1, 200, 300])),
        ["the median file has 200 lines, expected fewer than 200"]
    );
}
