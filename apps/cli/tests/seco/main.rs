//! A user, a gateway and remote servers among whom a model is divided.

#[path = "../support/mod.rs"]
mod support;

mod answers;
mod commands;
mod deaths;
mod parts;

use serde_json::Value;
use std::path::Path;
use support::*;

/// Numbers of the input of a bundled net.
const IMAGE: [usize; 4] = [1, 1, 28, 28];
/// A small net with two products and two activations, and what it takes.
const SMALL: &str = "operators/residual_block.onnx";
const SMALL_SHAPE: [usize; 4] = [1, 3, 5, 5];

/// An input file for a net that takes `shape`.
fn input(folder: &Path, shape: &[usize]) -> String {
    let data = floats(spread(shape.iter().product()));
    npy(&folder.join("x.npy"), "<f4", shape, &data)
}

/// Arguments of a run of `model` on `input`, whose range is given.
fn asks<'a>(model: &'a str, input: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    let mut arguments = vec!["run", model, "--protocol", "seco", "--input", input];
    arguments.extend(["--input-range", "0:1"]);
    arguments.extend(more);
    arguments
}

fn parsed(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

/// The run is right and costs what was reckoned, party by party.
fn check(json: &Value, said: &str) {
    assert_eq!(json["bill"], json["price"], "{said}");
    for (name, party) in json["parties"].as_object().unwrap() {
        assert_eq!(party["bill"], party["price"], "{name}: {said}");
    }
    assert_eq!(json["argmax_agrees"], true, "{said}");
    assert!(json["max_abs_error"].as_f64().unwrap() < 0.01, "{said}");
}
