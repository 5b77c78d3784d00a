//! What files may say, and where their faults are.

use super::*;
use std::path::Path;
use std::time::Duration;
use subrosa_net::Fingerprint;

const A: &str = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
const B: &str = "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb";

/// Five lines that each node's file needs, the fifth empty.
const HEAD: &str =
    "name = 'server-0'\nlisten = '0.0.0.0:7460'\nidentity = 'a.key'\ndata = 'data'\n\n";

fn node(rest: &str) -> Result<NodeConfig, ConfigFault> {
    NodeConfig::parse(&format!("{HEAD}{rest}"))
}

fn peer(name: &str, address: &str, fingerprint: &str) -> String {
    format!("[[peer]]\nname = '{name}'\naddress = '{address}'\nfingerprint = '{fingerprint}'\n")
}

fn allow(name: &str, fingerprint: &str, rest: &str) -> String {
    format!("[[allow]]\nname = '{name}'\nfingerprint = '{fingerprint}'\n{rest}\n")
}

fn print(digits: &str) -> Fingerprint {
    digits.parse().unwrap()
}

#[test]
fn nothing_is_open_by_default() {
    let config = node("").unwrap();
    assert_eq!(config.limits, Limits::default());
    assert_eq!((config.pool_level, config.metrics), (32, None));
    assert_eq!(config.key, KeySource::Asked);
    assert!(config.known().is_empty());
    assert!(!config.permissions.may_predict(&print(A), "digits"));
    let bare = node(&allow("someone", A, "")).unwrap();
    let may = &bare.permissions;
    assert!(!may.may_predict(&print(A), "digits") && !may.may_deploy(&print(A), "digits"));
    assert!(!may.may_status(&print(A)));
}

#[test]
fn all_that_a_node_may_say() {
    let rest = "store_key = 'store.key'\n[limits]\nsessions = 1\nguests = 2\nqueue = 0\nconnections = 0x10\n\
        model_bytes = '512MiB'\ntimeout = '250ms'\nidle = '1 h'\nthreads = 1_0\n[pool]\nlevel = 0\n\
        [metrics]\nlisten = '[::1]:9460'\n";
    let rest = rest.to_owned()
        + &peer("server-1", "node.example.org:7461", B)
        + &allow(
            "hospital",
            A,
            "predict = ['digits', 'x-rays']\nstatus = true",
        )
        + &allow("server-1", B, "deploy = ['*']");
    let config = node(&rest).unwrap();
    let limits = Limits {
        sessions: 1,
        guests: 2,
        queue: 0,
        connections: 16,
        model_bytes: 512 << 20,
        timeout: Duration::from_millis(250),
        idle: Duration::from_secs(3600),
        threads: 10,
    };
    assert_eq!(config.limits, limits);
    assert_eq!(config.pool_level, 0);
    assert_eq!(config.metrics, Some("[::1]:9460".parse().unwrap()));
    assert_eq!(config.peers.len(), 1);
    assert_eq!(config.peers[0].address.as_str(), "node.example.org:7461");
    let may = &config.permissions;
    assert!(may.may_predict(&print(A), "x-rays") && !may.may_predict(&print(A), "letters"));
    assert!(!may.may_deploy(&print(A), "digits") && may.may_status(&print(A)));
    assert!(may.may_deploy(&print(B), "anything") && !may.may_predict(&print(B), "anything"));
    assert_eq!(config.known(), [print(A), print(B)].into());
    assert_eq!(config.name_of(&print(A)), Some("hospital"));
    assert_eq!(config.name_of(&print(B)), Some("server-1"));
    let own = config.check_self(&print(B)).unwrap_err();
    let line = 5 + rest.lines().position(|line| line.contains("bbbb")).unwrap() + 1;
    assert_eq!((own.line, own.problem), (line, Problem::Own));
    assert_eq!(own.key, "peer.fingerprint");
    assert_eq!(config.check_self(&print(A)), Ok(()));
    let config = config.located(Path::new("/etc/subrosa/node.toml"));
    assert_eq!(config.identity, Path::new("/etc/subrosa/a.key"));
    assert_eq!(config.data, Path::new("/etc/subrosa/data"));
    assert_eq!(config.key, KeySource::File("/etc/subrosa/store.key".into()));
}

#[test]
fn faults_name_line_and_key() {
    let two = |one: &str, other: &str| format!("{one}{other}");
    let first = peer("b", "b:1", B);
    let cases: Vec<(String, &str)> = vec![
        (
            "sesions = 4".into(),
            "line 6: sesions: unknown key, expected one of name, listen,",
        ),
        ("\"\\u001b[2J\" = 4".into(), "line 6:  [2J: unknown key"),
        (
            "[limits]\nsesions = 4".into(),
            "line 7: limits.sesions: unknown key, expected one of sessions,",
        ),
        ("name = 'x'".into(), "line 6: not TOML: duplicate key"),
        ("pool = ".into(), "line 6: not TOML: "),
        (
            "limits = 3".into(),
            "line 6: limits: expected a table, found integer",
        ),
        (
            "peer = 3".into(),
            "line 6: peer: expected an array of tables, found integer",
        ),
        (
            "peer = [3]".into(),
            "line 6: peer: expected a table, found integer",
        ),
        (
            "store_key = ''".into(),
            "line 6: store_key: expected a path, found \"\"",
        ),
        (
            "store_key = 'a'\npassphrase_file = 'b'".into(),
            "line 7: passphrase_file: stands beside store_key, expected one of the two",
        ),
        (
            "[limits]\n\nsessions = 0".into(),
            "line 8: limits.sessions: expected 1 to 1024, found 0",
        ),
        (
            "[limits]\nqueue = -1".into(),
            "line 7: limits.queue: expected 0 to 65536, found -1",
        ),
        (
            "[limits]\nqueue = 99999999999999999999".into(),
            "line 7: limits.queue: expected 0 to 65536, found 99999999999999999999",
        ),
        (
            "[limits]\nthreads = '2'".into(),
            "line 7: limits.threads: expected a whole number, found string",
        ),
        (
            "[limits]\ntimeout = 30".into(),
            "line 7: limits.timeout: expected a string, found integer",
        ),
        (
            "[limits]\ntimeout = '30'".into(),
            "line 7: limits.timeout: expected 100ms to 1h, as \"30s\", found \"30\"",
        ),
        (
            "[limits]\ntimeout = '2h'".into(),
            "line 7: limits.timeout: expected 100ms to 1h",
        ),
        (
            "[limits]\nidle = '18446744073709551615h'".into(),
            "line 7: limits.idle: expected 1s to 24h",
        ),
        (
            "[limits]\nmodel_bytes = '1 gig'".into(),
            "line 7: limits.model_bytes: expected 1 KiB to 1024 GiB",
        ),
        (
            "[limits]\nmodel_bytes = '99999999999 GiB'".into(),
            "line 7: limits.model_bytes: expected 1 KiB to 1024 GiB",
        ),
        (
            "[pool]\nlevel = 1000001".into(),
            "line 7: pool.level: expected 0 to 1000000, found 1000001",
        ),
        ("[metrics]".into(), "line 6: metrics.listen: missing"),
        (
            "[metrics]\nlisten = '0.0.0.0:9460'".into(),
            "line 7: metrics.listen: expected an address that this machine alone reaches, as 127.0.0.1, found 0.0.0.0:9460",
        ),
        (
            "[metrics]\nlisten = 'localhost:9460'".into(),
            "line 7: metrics.listen: expected an IP address and a port",
        ),
        (
            "[[peer]]\nname = 'b'".into(),
            "line 6: peer.address: missing",
        ),
        (
            peer("-b", "b:1", B),
            "line 7: peer.name: expected a name of 1 to 64",
        ),
        (
            peer("b", "b", B),
            "line 8: peer.address: expected a host and a port",
        ),
        (
            peer("b", "b:1", "12345"),
            "line 9: peer.fingerprint: expected 64 hexadecimal digits, found 5",
        ),
        (
            peer("b", "b:1", &"g".repeat(64)),
            "line 9: peer.fingerprint: expected 64 hexadecimal digits, found \"ggg",
        ),
        (
            two(&first, &peer("b", "c:1", A)),
            "line 11: peer.name: the same as on line 7",
        ),
        (
            two(&first, &peer("c", "b:1", A)),
            "line 12: peer.address: the same as on line 8",
        ),
        (
            two(&first, &peer("c", "c:1", B)),
            "line 13: peer.fingerprint: the same as on line 9",
        ),
        (
            peer("server-0", "b:1", B),
            "line 1: name: the name of another fingerprint on line 9",
        ),
        (
            two(&first, &allow("b", A, "")),
            "line 11: allow.name: the name of another fingerprint on line 9",
        ),
        (
            two(&allow("c", A, ""), &allow("d", A, "")),
            "line 12: allow.fingerprint: the same as on line 8",
        ),
        (
            two(&allow("c", A, ""), &allow("c", B, "")),
            "line 11: allow.name: the same as on line 7",
        ),
        (
            allow("c", A, "predict = '*'"),
            "line 9: allow.predict: expected a list of models' names, or [\"*\"], found string",
        ),
        (
            allow("c", A, "deploy = ['a', '*']"),
            "line 9: allow.deploy: expected * alone, or models' names, found \"*\"",
        ),
        (
            allow("c", A, "deploy = ['../a']"),
            "line 9: allow.deploy: expected a name of 1 to 64",
        ),
        (
            allow("c", A, "status = 1"),
            "line 9: allow.status: expected true or false, found integer",
        ),
    ];
    for (rest, said) in cases {
        let fault = node(&rest).unwrap_err().to_string();
        assert!(fault.starts_with(said), "{rest}: {fault}");
        assert!(!fault.contains(char::is_control), "{fault}");
    }
    let empty = NodeConfig::parse("").unwrap_err();
    assert_eq!(empty.to_string(), "line 1: name: missing");
    let both =
        format!("{HEAD}[metrics]\nlisten = '127.0.0.1:1'").replace("0.0.0.0:7460", "127.0.0.1:1");
    let both = NodeConfig::parse(&both).unwrap_err().to_string();
    assert_eq!(both, "line 7: metrics.listen: the same as on line 2");
}

#[test]
fn directories() {
    let node = |name: &str, print: &str| {
        format!("[[node]]\nname = '{name}'\naddress = '[::1]:7460'\nfingerprint = '{print}'\n")
    };
    let text = "identity = 'hospital.key'\n".to_owned() + &node("vendor", A);
    let directory = Directory::parse(&text).unwrap();
    assert_eq!(directory.timeout, Duration::from_secs(30));
    assert_eq!(directory.node("vendor").unwrap().fingerprint, print(A));
    assert_eq!(directory.node("vendor-0"), None);
    assert_eq!(directory.check_self(&print(B)), Ok(()));
    let own = directory.check_self(&print(A)).unwrap_err().to_string();
    assert_eq!(
        own,
        "line 5: node.fingerprint: the fingerprint of this file's own identity"
    );
    let there = directory.located(Path::new("/home/h/client.toml"));
    assert_eq!(there.state, Path::new("/home/h/client.state"));
    assert_eq!(there.identity, Path::new("/home/h/hospital.key"));
    let named = Directory::parse(&format!("state = 's'\ntimeout = '5s'\n{text}")).unwrap();
    assert_eq!(named.timeout, Duration::from_secs(5));
    assert_eq!(named.located(Path::new("c.toml")).state, Path::new("s"));
    for (text, said) in [
        ("identity = 'h.key'\n".to_owned(), "line 1: node: missing"),
        (node("vendor", A), "line 1: identity: missing"),
        (
            text.clone() + "predict = ['*']",
            "line 6: node.predict: unknown key, expected one of name, address, fingerprint",
        ),
        (
            text.clone() + &node("other", B),
            "line 8: node.address: the same as on line 4",
        ),
    ] {
        assert_eq!(Directory::parse(&text).unwrap_err().to_string(), said);
    }
}

#[test]
fn addresses_and_names() {
    for good in [
        "a:1",
        "10.0.0.2:7460",
        "[fe80::1]:65535",
        "node_1.example.org:80",
    ] {
        assert!(Address::parse(good).is_some(), "{good}");
    }
    for wrong in [
        "",
        "a",
        ":1",
        "a:0",
        "a:65536",
        "a:+1",
        "a:b:1",
        "::1:1",
        "a b:1",
        "-a:1",
        "https://a:1",
        "é:1",
    ] {
        assert!(Address::parse(wrong).is_none(), "{wrong}");
    }
    assert!(is_name("a") && is_name(&"a".repeat(64)) && is_name("0.mnist_mlp-v2"));
    for wrong in ["", ".", "..", "a/b", "a b", "é", "*", "-a", "a\n"] {
        assert!(!is_name(wrong), "{wrong}");
    }
    assert!(!is_name(&"a".repeat(65)));
}
