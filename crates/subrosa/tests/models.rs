//! Every model that is at hand, under every protocol: the answer is onnxruntime's within the format's precision,
//! and each party's bill is its price.

use serde_json::Value;
use std::path::{Path, PathBuf};
use std::time::Duration;
use subrosa::{Model, Prepared, Tensor, Terms, protocols, run_in_memory, volume};

/// Largest difference from the float reference, for one and for a value's own size: deep nets pile up the rounding
/// of 2^-16 that each layer adds.
const PRECISION: f32 = 1.0 / 512.0;

fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The project's own models, and those of `SUBROSA_MODELS` or of the folder beside the workspace.
fn file(name: &str) -> Option<PathBuf> {
    let shared = std::env::var_os("SUBROSA_MODELS").map(PathBuf::from);
    let shared = shared.unwrap_or_else(|| workspace().join("../shared/models"));
    let own = workspace().join("models").join(format!("{name}.onnx"));
    [own, shared.join(name).join("model.onnx")]
        .into_iter()
        .find(|path| path.is_file())
}

fn numbers(value: &Value) -> Vec<f64> {
    let items = value.as_array().into_iter().flatten();
    items.filter_map(Value::as_f64).collect()
}

#[test]
fn every_model_answers_like_onnxruntime_for_its_price() {
    let references = workspace().join("models/references");
    let mut ran = 0;
    for entry in std::fs::read_dir(references).unwrap() {
        let text = std::fs::read_to_string(entry.unwrap().path()).unwrap();
        let reference: Value = serde_json::from_str(&text).unwrap();
        let name = reference["model"].as_str().unwrap();
        let Some(path) = file(name) else {
            println!("skipped: {name} is not on this machine");
            continue;
        };
        check(name, &path, &reference);
        ran += 1;
    }
    assert!(ran >= 3, "the project's own models are always there");
}

fn check(name: &str, path: &Path, reference: &Value) {
    let model = Model::read(path).unwrap();
    let shape: Vec<usize> = numbers(&reference["input_shape"])
        .iter()
        .map(|n| *n as usize)
        .collect();
    let hashed = |i: usize| f64::from((i as u32).wrapping_mul(2_654_435_761));
    let values = (0..volume(&shape)).map(|i| (hashed(i) / 4_294_967_296.0) as f32);
    let input = [Tensor {
        shape: shape.clone(),
        values: values.collect(),
    }];
    let samples = [input.to_vec()];
    let prepared = Prepared::new(&model, 1, &[[0.0, 1.0]], Some(&samples)).unwrap();
    for protocol in protocols() {
        // All behind the input is in circuits, whose tables fill gigabytes for a deep network.
        if protocol.divides() && !path.starts_with(workspace().join("models")) {
            continue;
        }
        let planned = prepared.plan(protocol, &Terms::default()).unwrap();
        let timeout = Duration::from_secs(120);
        let run = run_in_memory(&planned, &prepared.weights, &input, timeout).unwrap();
        for (party, bill) in planned.parties().iter().zip(&run.bills) {
            assert_eq!(party.price, *bill, "{name}: {}", party.seat.name);
        }
        let outputs = &prepared.graph().tail.outputs;
        for (port, got) in outputs.iter().zip(&run.outputs) {
            let want = &reference["outputs"][&port.name];
            let stride = want["stride"].as_u64().unwrap() as usize;
            let sampled: Vec<f32> = got.values.iter().copied().step_by(stride).collect();
            let want = numbers(&want["values"]);
            assert_eq!(sampled.len(), want.len(), "{name}: {}", port.name);
            let size = want.iter().fold(1.0f64, |m, v| m.max(v.abs())) as f32;
            for (got, want) in sampled.iter().zip(want) {
                let off = (got - want as f32).abs();
                assert!(off <= PRECISION * size, "{name}: {got} for {want}");
            }
        }
    }
}
