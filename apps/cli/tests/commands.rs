//! The other commands.

mod support;

use serde_json::Value;
use support::*;

#[test]
fn demo_answers_as_in_the_clear() {
    for (protocol, saw) in [
        ("replicated3", &["What server-0 saw", "    server-0, "][..]),
        (
            "two-party",
            &[
                "What the vendor saw",
                "    the vendor, ",
                "    the client, ",
            ],
        ),
        ("clear", &[" saw ", "more than noise"]),
    ] {
        let text = succeed(&["demo", "--protocol", protocol]);
        assert!(text.contains("12 of 12 as in the clear"), "{text}");
        assert!(text.contains("the bill is the same to the byte"), "{text}");
        saw.iter()
            .for_each(|part| assert!(text.contains(part), "{part}: {text}"));
        let noise = text.matches("it sees noise").count();
        let more = text.matches("it sees more than noise").count();
        let expected = match protocol {
            "clear" => (0, 1),
            "two-party" => (2, 0),
            _ => (1, 0),
        };
        assert_eq!((noise, more), expected, "{text}");
        assert!(!text.contains('\x1b'), "{text}");
        assert!(text.lines().count() <= 40, "{text}");
        assert!(
            text.lines().all(|line| line.chars().count() <= 80),
            "{text}"
        );
    }
}

#[test]
fn inspect_tells_the_price() {
    let model = model("mnist-lenet.onnx");
    let text = succeed(&["inspect", &model]);
    for part in [
        "Conv 2",
        "431,080",
        "replicated3",
        "clear",
        "[batch, 1, 28, 28]",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    let json: Value =
        serde_json::from_str(&succeed(&["inspect", &model, "--json", "--batch", "4"])).unwrap();
    assert_eq!(
        json["inputs"][0]["shape"],
        serde_json::json!([4, 1, 28, 28])
    );
    assert!(
        json["protocols"]["replicated3"]["price"]["online"]["bytes"]
            .as_u64()
            .unwrap()
            > 0
    );
}

#[test]
fn inspect_tells_both_readings_and_which_is_taken() {
    let model = model("mnist-mlp.onnx");
    for (network, taken) in [("loopback", "ot"), ("wan", "gc")] {
        let text = succeed(&["inspect", &model, "--network", network]);
        for part in [
            "two-party (ot)",
            "two-party (gc)",
            &format!("auto takes {taken} on network {network}"),
        ] {
            assert!(text.contains(part), "{part}: {text}");
        }
        assert!(
            text.lines().all(|line| line.chars().count() <= 98),
            "{text}"
        );
        let json = succeed(&["inspect", &model, "--network", network, "--json"]);
        let json: Value = serde_json::from_str(&json).unwrap();
        let two_party = &json["protocols"]["two-party"];
        assert_eq!(two_party["nonlinear"], taken);
        assert_eq!(two_party["readings"][taken]["price"], two_party["price"]);
        let time = |reading: &str| two_party["readings"][reading]["predicted_s"].as_f64();
        let (ot, gc) = (time("ot").unwrap(), time("gc").unwrap());
        assert_eq!(ot < gc, taken == "ot", "{ot} {gc}");
        assert!(json["protocols"]["clear"]["nonlinear"].is_null());
    }
    let asked = [
        "inspect",
        &model,
        "--protocol",
        "two-party",
        "--nonlinear",
        "gc",
    ];
    let text = succeed(&asked);
    assert!(text.contains("two-party (gc)") && !text.contains("(ot)"));
    assert!(!text.contains("auto takes"), "{text}");
}

#[test]
fn explain_shows_the_card() {
    for protocol in ["clear", "replicated3", "two-party"] {
        assert!(succeed(&["explain", protocol]).contains("Who learns what"));
        let json: Value = serde_json::from_str(&succeed(&["explain", protocol, "--json"])).unwrap();
        assert_eq!(json["name"], protocol);
    }
}

#[test]
fn eval_counts_real_images() {
    let Some(data) = data() else { return };
    let text = succeed(&[
        "eval",
        &model("mnist-cnn.onnx"),
        "--protocol",
        "replicated3",
        "--dataset",
        "mnist",
        "--data",
        data.to_str().unwrap(),
        "--limit",
        "20",
        "--batch",
        "8",
        "--json",
    ]);
    let json: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(json["images"], 20);
    assert_eq!(json["dataset"], "mnist");
    for name in [
        "accuracy",
        "accuracy_float",
        "accuracy_clear_fixed",
        "argmax_agreement",
    ] {
        assert!(json[name].as_f64().unwrap() >= 0.95, "{name}: {text}");
    }
    assert!(json["max_abs_error"].as_f64().unwrap() < 0.01);
    assert!(json["seconds"].as_f64().unwrap() > 0.0);
    assert!(json["bill"]["online"]["bytes"].as_u64().unwrap() > 0);
}

#[test]
fn bench_compares() {
    let text = succeed(&[
        "bench",
        "--models",
        &model("mnist-mlp.onnx"),
        "--batch",
        "1",
        "--repeat",
        "1",
        "--json",
    ]);
    let json: Value = serde_json::from_str(&text).unwrap();
    let rows = json["rows"].as_array().unwrap();
    assert_eq!(rows.len(), 4);
    assert!(
        rows.iter()
            .all(|row| row["online_to_clear"].as_f64().unwrap() > 0.0)
    );
    let readings: Vec<&Value> = rows.iter().map(|row| &row["nonlinear"]).collect();
    let none = &Value::Null;
    assert_eq!(readings, [none, none, &"ot".into(), none]);
    assert_eq!(rows[3]["protocol"], "seco");
    assert_eq!(json["pool"], 0);
}

#[test]
fn bench_is_a_table_that_fits() {
    let text = succeed(&[
        "bench",
        "--models",
        &model("mnist-mlp.onnx"),
        "--batch",
        "1,2",
        "--repeat",
        "2",
        "--pool",
        "1",
        "--nonlinear",
        "gc",
    ]);
    for part in [
        "batch 1\n",
        "batch 2\n",
        "two-party (gc)",
        "to clear",
        "1.0x",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert!(
        text.lines().all(|line| line.chars().count() <= 98),
        "{text}"
    );
}

#[test]
fn help_and_version_are_on_standard_output() {
    assert!(succeed(&["--help"]).contains("demo"));
    assert!(succeed(&["--version"]).starts_with("subrosa "));
}
