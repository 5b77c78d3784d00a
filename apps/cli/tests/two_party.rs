//! A client and a vendor in both readings, with material made ahead and without.

mod support;

use serde_json::Value;
use std::path::Path;
use std::time::{Duration, Instant};
use support::*;

/// Runs with a temporary folder of its own, which must be empty afterwards.
fn tidily(name: &str, arguments: &[&str]) -> String {
    let temporary = folder(name);
    let child = command(arguments).env("TMPDIR", &temporary).spawn();
    let output = finish(child.unwrap());
    let stderr = text(&output.stderr);
    assert!(output.status.success(), "{arguments:?}: {stderr}");
    assert_eq!(entries(&temporary), Vec::<String>::new(), "{arguments:?}");
    text(&output.stdout)
}

fn input(folder: &Path) -> String {
    let data = floats(spread(784));
    npy(&folder.join("x.npy"), "<f4", &[1, 1, 28, 28], &data)
}

#[test]
fn run_answers_for_its_price_with_a_pool_and_without() {
    let files = folder("two-party-run");
    let (input, model) = (input(&files), model("mnist-mlp.onnx"));
    for (protocol, nonlinear, pool) in [
        ("two-party", "ot", None),
        ("two-party", "gc", None),
        ("two-party", "ot", Some("2")),
        ("two-party", "gc", Some("5")),
        ("replicated3", "auto", Some("2")),
        ("clear", "auto", Some("2")),
    ] {
        let mut arguments = vec![
            "run",
            &model,
            "--protocol",
            protocol,
            "--input",
            &input,
            "--input-range",
            "0:1",
            "--nonlinear",
            nonlinear,
            "--repeat",
            "3",
            "--json",
        ];
        arguments.extend(pool.iter().flat_map(|pool| ["--pool", pool]));
        let json = tidily(&format!("pool-{protocol}-{nonlinear}"), &arguments);
        let json: Value = serde_json::from_str(&json).unwrap();
        let said = format!("{arguments:?}: {json}");
        let reading = match nonlinear {
            "auto" => Value::Null,
            reading => reading.into(),
        };
        assert_eq!(json["nonlinear"], reading, "{said}");
        let asked: u64 = pool.map_or(0, |pool| pool.parse().unwrap());
        assert_eq!(json["pool"], asked, "{said}");
        assert_eq!(json["bill"], json["price"], "{said}");
        for (_, party) in json["parties"].as_object().unwrap() {
            assert_eq!(party["bill"], party["price"], "{said}");
        }
        assert_eq!(json["argmax_agrees"], true, "{said}");
        assert!(json["max_abs_error"].as_f64().unwrap() < 0.01, "{said}");
        for phase in ["setup_s", "offline_s", "online_s"] {
            assert!(json["time"][phase].as_f64().unwrap() > 0.0, "{said}");
        }
    }
}

#[test]
fn people_are_told_the_reading_and_the_pool() {
    let files = folder("two-party-text");
    let text = tidily(
        "two-party-text-temporary",
        &[
            "run",
            &model("mnist-mlp.onnx"),
            "--protocol",
            "two-party",
            "--input",
            &input(&files),
            "--pool",
            "1",
        ],
    );
    for part in [
        "two-party (ot)",
        "for each of 1 made ahead",
        "the bill is the same",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
}

#[test]
fn eval_counts_the_same_in_every_way() {
    let Some(data) = data() else { return };
    let (data, model) = (data.display().to_string(), model("mnist-cnn.onnx"));
    let mut bills = Vec::new();
    for (nonlinear, pool) in [("ot", "1"), ("ot", "9"), ("gc", "1")] {
        let json = tidily(
            &format!("eval-{nonlinear}-{pool}"),
            &[
                "eval",
                &model,
                "--protocol",
                "two-party",
                "--nonlinear",
                nonlinear,
                "--dataset",
                "mnist",
                "--data",
                &data,
                "--limit",
                "4",
                "--batch",
                "2",
                "--pool",
                pool,
                "--json",
            ],
        );
        let json: Value = serde_json::from_str(&json).unwrap();
        assert_eq!(json["nonlinear"], nonlinear);
        assert_eq!(json["argmax_agreement"], 1.0, "{json}");
        bills.push(json["bill"].clone());
    }
    // What is made ahead costs what is made on the spot costs, and no more is made than there is to answer.
    assert_eq!(bills[0], bills[1]);
    assert_ne!(bills[0], bills[2]);
}

#[test]
fn vaults_go_with_their_parties_however_those_end() {
    let files = folder("two-party-killed");
    let (input, model) = (input(&files), model("mnist-mlp.onnx"));
    for (victim, how) in [
        ("vendor", "-9"),
        ("client", "-9"),
        ("program", "-9"),
        ("program", "-TERM"),
    ] {
        let temporary = folder(&format!("killed-{victim}{how}"));
        let arguments = [
            "run",
            &model,
            "--protocol",
            "two-party",
            "--input",
            &input,
            "--pool",
            "1000000",
        ];
        let child = command(&arguments).env("TMPDIR", &temporary).spawn();
        let child = child.unwrap();
        let started = Instant::now();
        // Until both make the first items.
        while entries(&temporary).len() < 2 {
            assert!(started.elapsed() < Duration::from_secs(60));
            std::thread::sleep(Duration::from_millis(5));
        }
        std::thread::sleep(Duration::from_millis(200));
        let parties = children(child.id());
        assert_eq!(parties.len(), 2);
        let killed = Instant::now();
        if victim == "program" {
            signal(how, child.id());
            finish(child);
        } else {
            signal(how, *party(&parties, victim));
            let output = finish(child);
            let stderr = text(&output.stderr);
            assert_eq!(output.status.code(), Some(1), "{stderr}");
            let last = stderr.lines().last().unwrap_or_default();
            assert!(last.contains(victim) && last.contains("signal 9"), "{last}");
        }
        all_gone(&parties);
        assert!(killed.elapsed() < Duration::from_secs(30));
        assert_eq!(entries(&temporary), Vec::<String>::new(), "{victim} {how}");
    }
}
