//! A divided model as files: what they show, and that only those that belong together are taken.

use super::*;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use subrosa::{Holding, PartFile};

const NET: &str = "mnist-mlp.onnx";
const NAMES: [&str; 4] = ["gateway", "remote-0", "remote-1", "user"];
/// Bytes before the values of a server's part, and of one value in a ring of 48 bits.
const HEADER: usize = 46;
const VALUE: usize = 6;

/// A fresh folder with a net's parts.
fn divided(name: &str, net: &str, more: &[&str]) -> PathBuf {
    let path = folder(name).join("parts");
    let model = model(net);
    let out = path.to_str().unwrap();
    succeed(&[&["split", &model, "--out", out], more].concat());
    path
}

fn file(folder: &Path, party: &str) -> PathBuf {
    folder.join(format!("{party}.part"))
}

/// The values in a server's file.
fn values(folder: &Path, party: &str) -> Vec<u8> {
    let part = PartFile::parse(&std::fs::read(file(folder, party)).unwrap()).unwrap();
    part.holding.part().unwrap()[HEADER..].to_vec()
}

/// Chi-squared over byte values, 255 where they are uniform; its standard deviation is 23.
fn unevenness(bytes: &[u8]) -> f64 {
    let mut counts = [0u32; 256];
    bytes.iter().for_each(|b| counts[usize::from(*b)] += 1);
    let expected = bytes.len() as f64 / 256.0;
    let squares = counts.map(|count| (f64::from(count) - expected).powi(2) / expected);
    squares.iter().sum()
}

/// That two servers' values, or one's of two splits, have none in common in any place.
fn nothing_in_common(a: &[u8], b: &[u8]) {
    assert_eq!(a.len(), b.len());
    let mut pairs = a.chunks_exact(VALUE).zip(b.chunks_exact(VALUE));
    assert!(pairs.all(|(a, b)| a != b));
}

#[test]
fn files_are_their_owners_and_show_noise() {
    let more = ["--at", "input", "--ring", "48"];
    let folders = ["seco-noise-0", "seco-noise-1"].map(|name| divided(name, NET, &more));
    for folder in &folders {
        let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(folder), 0o700);
        let mut found = entries(folder);
        found.sort();
        assert_eq!(found, NAMES.map(|name| format!("{name}.part")));
        assert!(NAMES.iter().all(|name| mode(&file(folder, name)) == 0o600));
        let servers = NAMES[..3].iter().map(|name| values(folder, name));
        let servers: Vec<Vec<u8>> = servers.collect();
        for server in &servers {
            assert!(server.len() > 100_000 * VALUE);
            let found = unevenness(server);
            assert!((120.0..420.0).contains(&found), "{found}");
        }
        for (a, b) in [(0, 1), (0, 2), (1, 2)] {
            nothing_in_common(&servers[a], &servers[b]);
        }
    }
    for party in &NAMES[..3] {
        let [first, second] = [0, 1].map(|at| values(&folders[at], party));
        nothing_in_common(&first, &second);
    }
}

#[test]
fn parts_answer_as_a_fresh_division_does() {
    let files = folder("seco-parts-run");
    let (x, model) = (input(&files, &IMAGE), model(NET));
    for (name, division) in [
        ("seco-parts-all", &["--at", "/2/Relu"][..]),
        (
            "seco-parts-remotes",
            &["--weights", "remotes", "--at", "input", "--remotes", "3"],
        ),
    ] {
        let parts = divided(name, NET, division);
        let given = ["--parts", parts.to_str().unwrap(), "--json"];
        let with = [division, &given].concat();
        let afresh = [division, &["--json"]].concat();
        let [with, afresh] = [with, afresh].map(|more| {
            let json = parsed(&succeed(&asks(&model, &x, &more)));
            check(&json, &json.to_string());
            json
        });
        assert_eq!(with["bill"], afresh["bill"]);
        assert_eq!(with["split"], afresh["split"]);
    }
}

/// Other shares in a file that is otherwise as it should be make another answer, whosever they are.
#[test]
fn answers_come_of_the_files() {
    let files = folder("seco-used");
    let (x, model) = (input(&files, &SMALL_SHAPE), model(SMALL));
    let parts = divided("seco-used-parts", SMALL, &["--at", "input"]);
    let given = [
        "--at",
        "input",
        "--parts",
        parts.to_str().unwrap(),
        "--json",
    ];
    let error = || {
        let json = parsed(&succeed(&asks(&model, &x, &given)));
        json["max_abs_error"].as_f64().unwrap()
    };
    for party in &NAMES[..3] {
        let good = std::fs::read(file(&parts, party)).unwrap();
        let mut part = PartFile::parse(&good).unwrap();
        let Holding::Part(mut bytes) = part.holding else {
            panic!("{party} has no part");
        };
        let half = bytes.len() / 2;
        bytes[half..].iter_mut().for_each(|b| *b ^= 0x5a);
        part.holding = Holding::Part(bytes);
        std::fs::write(file(&parts, party), part.encode()).unwrap();
        assert!(error() > 0.1, "{party}");
        std::fs::write(file(&parts, party), good).unwrap();
    }
    assert!(error() < 0.01);
}

/// Such a file is of the same plan, but its shares do not sum to the model.
#[test]
fn file_of_another_split_is_refused() {
    let files = folder("seco-mixed");
    let (x, model) = (input(&files, &IMAGE), model(NET));
    for weights in ["all-servers", "remotes"] {
        let division = ["--at", "/4/Relu", "--weights", weights];
        let own = divided(&format!("seco-mixed-{weights}-0"), NET, &division);
        let other = divided(&format!("seco-mixed-{weights}-1"), NET, &division);
        std::fs::copy(file(&other, "remote-1"), file(&own, "remote-1")).unwrap();
        let given = ["--parts", own.to_str().unwrap(), "--json"];
        let more = [&division[..], &given].concat();
        let line = fail(&asks(&model, &x, &more), 2);
        assert!(line.contains("another division"), "{line}");
        assert!(
            line.contains(file(&own, "remote-1").to_str().unwrap()),
            "{line}"
        );
    }
}

#[test]
fn files_that_are_not_the_plans_are_refused() {
    let files = folder("seco-refused");
    let (x, model) = (input(&files, &SMALL_SHAPE), model(SMALL));
    let parts = divided("seco-refused-parts", SMALL, &["--at", "Add_3"]);
    let elsewhere = divided("seco-refused-other", SMALL, &["--at", "input"]);
    let given = ["--at", "Add_3", "--parts", parts.to_str().unwrap()];
    let refuse = |party: &str, bytes: Option<&[u8]>, says: &str| {
        let path = file(&parts, party);
        let good = std::fs::read(&path).unwrap();
        match bytes {
            Some(bytes) => std::fs::write(&path, bytes).unwrap(),
            None => std::fs::remove_file(&path).unwrap(),
        }
        let line = fail(&asks(&model, &x, &given), 2);
        assert!(line.contains(path.to_str().unwrap()), "{line}");
        assert!(line.contains(says), "{says}: {line}");
        std::fs::write(&path, good).unwrap();
    };
    for party in NAMES {
        let good = std::fs::read(file(&parts, party)).unwrap();
        refuse(party, Some(&good[..good.len() / 2]), "damaged");
        refuse(party, Some(&good[..10]), "not a part");
        for (place, says) in [
            (0, "not a part"),
            (20, "damaged"),
            (good.len() - 33, "damaged"),
        ] {
            let mut flipped = good.clone();
            flipped[place] ^= 0x10;
            refuse(party, Some(&flipped), says);
        }
        refuse(party, None, "no such file");
        let other = std::fs::read(file(&elsewhere, party)).unwrap();
        refuse(party, Some(&other), "another model or plan");
    }
    for (party, other) in [
        ("remote-0", "remote-1"),
        ("gateway", "user"),
        ("user", "gateway"),
    ] {
        let bytes = std::fs::read(file(&parts, other)).unwrap();
        refuse(party, Some(&bytes), &format!("it is of {other}"));
    }
    succeed(&asks(&model, &x, &given));
    for more in [
        ["--remotes", "3"],
        ["--garbling", "single"],
        ["--weights", "remotes"],
    ] {
        let line = fail(&asks(&model, &x, &[&given[..], &more].concat()), 2);
        assert!(line.contains("another model or plan"), "{line}");
    }
}

#[test]
fn folders_are_new() {
    let there = divided("seco-folders", SMALL, &["--at", "Add_3"]);
    let before = std::fs::read(file(&there, "remote-0")).unwrap();
    let empty = folder("seco-folders-empty");
    let nowhere = empty.join("none").join("parts");
    let plain = empty.join("file");
    let model = model(SMALL);
    for (out, says) in [
        (&there, "does not exist yet"),
        (&empty, "does not exist yet"),
        (&nowhere, "its folder does not exist"),
    ] {
        let out = out.to_str().unwrap();
        let line = fail(&["split", &model, "--out", out], 2);
        assert!(line.contains(out) && line.contains(says), "{line}");
    }
    assert_eq!(entries(&empty), Vec::<String>::new());
    std::fs::write(&plain, b"here").unwrap();
    let line = fail(&["split", &model, "--out", plain.to_str().unwrap()], 2);
    assert!(line.contains(plain.to_str().unwrap()), "{line}");
    assert_eq!(std::fs::read(&plain).unwrap(), b"here");
    assert_eq!(std::fs::read(file(&there, "remote-0")).unwrap(), before);
}
