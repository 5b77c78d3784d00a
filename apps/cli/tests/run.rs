//! `run` on a model of the project's own.

mod support;

use serde_json::Value;
use support::*;

fn input(folder: &std::path::Path, batch: usize) -> String {
    let data = floats(spread(batch * 784));
    npy(&folder.join("x.npy"), "<f4", &[batch, 1, 28, 28], &data)
}

#[test]
fn json_has_what_is_promised_and_price_is_bill() {
    let folder = folder("run-json");
    let input = input(&folder, 2);
    for protocol in ["clear", "replicated3"] {
        let output = folder.join(format!("{protocol}.npy"));
        let text = succeed(&[
            "run",
            &model("mnist-mlp.onnx"),
            "--protocol",
            protocol,
            "--input",
            &input,
            "--output",
            output.to_str().unwrap(),
            "--repeat",
            "2",
            "--json",
        ]);
        let json: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(json["protocol"], protocol);
        assert_eq!(json["batch"], 2);
        assert_eq!(json["outputs"]["logits"], serde_json::json!([2, 10]));
        assert_eq!(json["price"], json["bill"]);
        for phase in ["setup", "offline", "online"] {
            assert!(
                json["bill"][phase]["bytes"].is_u64() && json["bill"][phase]["rounds"].is_u64()
            );
            assert!(json["time"][format!("{phase}_s")].as_f64().unwrap() >= 0.0);
        }
        assert!(json["bill"]["online"]["bytes"].as_u64().unwrap() > 0);
        for (name, party) in json["parties"].as_object().unwrap() {
            assert_eq!(party["price"], party["bill"], "{name}");
            assert!(
                party["peak_rss_bytes"].as_u64().unwrap() > 1 << 20,
                "{name}"
            );
            assert!(party["role"].is_string(), "{name}");
        }
        assert!(json["max_abs_error"].as_f64().unwrap() < 0.01);
        assert_eq!(json["argmax_agrees"], true);
        assert!(json["rings"][0].as_u64().unwrap() >= 32);
        assert!(["proven", "calibrated"].contains(&json["ranges"].as_str().unwrap()));
        assert!(json["threads"].as_u64().unwrap() >= 1);
        assert_eq!(json["network"], "loopback");
        let written = std::fs::read(&output).unwrap();
        assert!(written.starts_with(b"\x93NUMPY") && written.len() == 128 + 2 * 10 * 4);
    }
    let left: Vec<_> = std::fs::read_dir(&folder).unwrap().flatten().collect();
    assert_eq!(left.len(), 3, "{left:?}");
}

#[test]
fn argmax_opens_indices_alone() {
    let folder = folder("run-argmax");
    let input = input(&folder, 3);
    let output = folder.join("y.npz");
    let text = succeed(&[
        "run",
        &model("mnist-mlp.onnx"),
        "--protocol",
        "replicated3",
        "--input",
        &format!("image={input}"),
        "--output",
        output.to_str().unwrap(),
        "--reveal",
        "argmax",
        "--input-range",
        "0:1",
        "--json",
    ]);
    let json: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(json["outputs"]["logits"], serde_json::json!([3, 1]));
    assert_eq!(json["argmax_agrees"], true);
    assert!(json["max_abs_error"].is_null() && json["max_abs_error_reason"].is_string());
    let written = std::fs::read(&output).unwrap();
    assert!(written.starts_with(b"PK\x03\x04"));
    let text = String::from_utf8_lossy(&written);
    assert!(text.contains("logits.npy") && text.contains("'<i8'"));
}

#[test]
fn people_get_a_report_and_a_closed_pipe_is_no_panic() {
    let folder = folder("run-text");
    let bytes: Vec<u8> = (0..784).map(|at| (at % 256) as u8).collect();
    let input = npy(&folder.join("x.npy"), "|u1", &[1, 1, 28, 28], &bytes);
    let arguments = [
        "run",
        &model("mnist-mlp.onnx"),
        "--protocol",
        "clear",
        "--input",
        &input,
        "--threads",
        "2",
        "--network",
        "lan",
        "--ring",
        "64",
    ];
    let text = succeed(&arguments);
    assert!(
        text.contains("ring of 64 bits") && text.contains("the bill is the same"),
        "{text}"
    );
    assert!(!text.contains('\x1b'));
    let mut child = command(&arguments).spawn().unwrap();
    drop(child.stdout.take());
    let output = finish(child);
    assert!(
        !support::text(&output.stderr).contains("panicked"),
        "{output:?}"
    );
    assert_eq!(output.status.code(), Some(0));
}
