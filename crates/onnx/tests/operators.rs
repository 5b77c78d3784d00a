//! Each operator against what onnxruntime answered, recorded in `models/operators`.

mod support;

use serde_json::Value;
use subrosa_ir::Tensor;
use subrosa_onnx::{Model, OnnxError, Reference};
use support::{answers, assert_close, models};

fn tensor(value: &Value) -> Tensor {
    let list = |name: &str| value[name].as_array().unwrap().clone();
    Tensor {
        shape: list("shape")
            .iter()
            .map(|v| v.as_u64().unwrap() as usize)
            .collect(),
        values: list("values")
            .iter()
            .map(|v| v.as_f64().unwrap() as f32)
            .collect(),
    }
}

#[test]
fn every_recorded_case_is_answered_alike() {
    let text = std::fs::read_to_string(models().join("operators/cases.json")).unwrap();
    let cases: Value = serde_json::from_str(&text).unwrap();
    let cases = cases.as_object().unwrap();
    assert!(cases.len() > 80);
    for (name, case) in cases {
        let model = Model::read(&models().join("operators").join(format!("{name}.onnx"))).unwrap();
        let given: Vec<Tensor> = model
            .inputs()
            .iter()
            .map(|input| tensor(&case["inputs"][&input.name]))
            .collect();
        let batch = given[0].shape.first().copied().unwrap_or(1);
        for (output, found) in answers(&model, batch, &given) {
            let expected = tensor(&case["outputs"][&output]);
            assert_eq!(found.shape, expected.shape, "{name}");
            assert_close(name, &found.values, &expected.values, 2e-6);
        }
        match Reference::new(&model, batch).and_then(|reference| reference.run(&given)) {
            Ok(found) => {
                let graph = model.graph(batch).unwrap().0;
                for (port, found) in graph.tail.outputs.iter().zip(found) {
                    let expected = tensor(&case["outputs"][&port.name]);
                    assert_close(
                        &format!("tract, {name}"),
                        &found.values,
                        &expected.values,
                        2e-6,
                    );
                }
            }
            Err(error) => println!("{name}: {error}"),
        }
    }
}

#[test]
fn what_is_refused_is_named() {
    for (file, names) in [
        ("clip_six", ["Clip (node '", "unknown operator"]),
        (
            "sigmoid_in_the_middle",
            ["Sigmoid (node '", "output tail alone, but Gemm (node '"],
        ),
    ] {
        let path = models()
            .join("operators/refused")
            .join(format!("{file}.onnx"));
        let error =
            Model::read(&path).and_then(|model| model.graph(model.fixed_batch().unwrap_or(1)));
        let error = error.expect_err(file);
        assert!(
            matches!(error.fault(), OnnxError::UnsupportedOperator { .. }),
            "{error}"
        );
        let line = error.to_string();
        assert!(names.iter().all(|name| line.contains(name)), "{line}");
        assert!(
            line.contains("opset 17") && line.contains("supported: Add, "),
            "{line}"
        );
    }
}
