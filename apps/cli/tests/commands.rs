//! The other commands.

mod support;

use serde_json::Value;
use support::*;

#[test]
fn demo_answers_as_in_the_clear() {
    let text = succeed(&["demo"]);
    assert!(text.contains("12 of 12 as in the clear"), "{text}");
    assert!(text.contains("the bill is the same to the byte"), "{text}");
    assert!(text.contains("What server-0 saw"), "{text}");
    assert!(!text.contains('\x1b'), "{text}");
    assert!(text.lines().count() <= 40, "{text}");
    assert!(
        text.lines().all(|line| line.chars().count() <= 80),
        "{text}"
    );
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
fn explain_shows_the_card() {
    for protocol in ["clear", "replicated3"] {
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
    assert_eq!(rows.len(), 2);
    assert!(
        rows.iter()
            .all(|row| row["online_to_clear"].as_f64().unwrap() > 0.0)
    );
}

#[test]
fn help_and_version_are_on_standard_output() {
    assert!(succeed(&["--help"]).contains("demo"));
    assert!(succeed(&["--version"]).starts_with("subrosa "));
}
