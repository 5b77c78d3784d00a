//! Keys in files: made, shown, and refused where others could have them.

#![cfg(unix)]

mod support;

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use support::*;

fn mode(path: &str) -> u32 {
    std::fs::metadata(path).unwrap().permissions().mode() & 0o777
}

fn set_mode(path: &str, mode: u32) {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

fn fingerprint(shown: &str) -> &str {
    let line = shown.lines().next().unwrap();
    let print = line.strip_prefix("fingerprint ").unwrap();
    assert_eq!(print.len(), 64);
    print
}

#[test]
fn keys_are_made_once_and_for_their_owner_alone() {
    let folder = folder("keygen");
    let at = |name: &str| folder.join(name).display().to_string();
    let key = at("server-0.key");
    let made = succeed(&["keygen", &key]);
    assert_eq!(mode(&key), 0o600);
    assert_eq!(succeed(&["keygen", "--show", &key]), made);
    let json = succeed(&["keygen", "--show", &key, "--json"]);
    assert!(json.contains(fingerprint(&made)), "{json}");
    assert!(
        json.contains("\"expired\":false") || json.contains("\"expired\": false"),
        "{json}"
    );
    let before = std::fs::read(&key).unwrap();
    for again in [vec!["keygen", &key], vec!["keygen", "--store", &key]] {
        let line = fail(&again, 2);
        assert!(line.contains("server-0.key: exists already"), "{line}");
        assert_eq!(std::fs::read(&key).unwrap(), before);
    }
    let other = succeed(&["keygen", &at("other.key"), "--days", "1"]);
    assert_ne!(fingerprint(&other), fingerprint(&made));
    assert_ne!(other.lines().nth(1), made.lines().nth(1));
    for days in ["0", "36501", "-1", "x"] {
        let option = format!("--days={days}");
        let line = fail(&["keygen", &at("none.key"), &option], 2);
        assert!(line.contains("expected 1 to 36500 days"), "{line}");
    }
    let line = fail(&["keygen", &at("none/x.key")], 1);
    assert!(line.contains("cannot be written"), "{line}");
    assert!(!Path::new(&at("none.key")).exists());
}

#[test]
fn stores_have_keys_of_their_own() {
    let folder = folder("keygen-store");
    let at = |name: &str| folder.join(name).display().to_string();
    let (one, other) = (at("one.key"), at("other.key"));
    let said = succeed(&["keygen", "--store", &one]);
    succeed(&["keygen", "--store", &other]);
    assert_eq!(mode(&one), 0o600);
    let (one, other) = [one, other].map(|path| std::fs::read(path).unwrap()).into();
    assert_ne!(one, other);
    let digits = one.strip_suffix(b"\n").unwrap();
    assert_eq!(digits.len(), 64);
    assert!(digits.iter().all(u8::is_ascii_hexdigit));
    assert!(!said.contains(&text(digits)));
}

#[test]
fn keys_that_others_could_have_are_refused() {
    let folder = folder("keygen-refused");
    let at = |name: &str| folder.join(name).display().to_string();
    let key = at("a.key");
    let made = succeed(&["keygen", &key]);
    let show = ["keygen", "--show", &key];
    for open in [0o640, 0o604, 0o620, 0o601, 0o777] {
        set_mode(&key, open);
        let line = fail(&show, 2);
        assert!(
            line.contains(&format!("a.key: its mode {open:04o}")),
            "{line}"
        );
    }
    set_mode(&key, 0o400);
    assert_eq!(succeed(&show), made);
    let refuse = |name: &str, bytes: &[u8], said: &str| {
        let path = at(name);
        std::fs::write(&path, bytes).unwrap();
        set_mode(&path, 0o600);
        let line = fail(&["keygen", "--show", &path], 2);
        assert!(line.contains(name) && line.contains(said), "{line}");
    };
    refuse(
        "empty.key",
        b"",
        "expected a certificate and its PKCS #8 key",
    );
    refuse("long.key", &[b'-'; 70_000], "expected at most 65536 bytes");
    let whole = text(&std::fs::read(&key).unwrap());
    refuse(
        "short.key",
        &whole.as_bytes()[..whole.len() - 40],
        "expected a certificate",
    );
    let second = whole.rfind("-----BEGIN").unwrap();
    succeed(&["keygen", &at("b.key")]);
    let other = text(&std::fs::read(at("b.key")).unwrap());
    let other = &other[other.rfind("-----BEGIN").unwrap()..];
    let mixed = format!("{}{other}", &whole[..second]);
    refuse("mixed.key", mixed.as_bytes(), "do not belong together");
    let line = fail(&["keygen", "--show", &at("none.key")], 2);
    assert!(line.contains("none.key: no such file"), "{line}");
    let line = fail(&["keygen", "--show", folder.to_str().unwrap()], 2);
    assert!(line.contains("found a folder"), "{line}");
}
